"""Installation in a company with history: nothing is held, no order changes."""

from .models import credit_insurance_exposure, credit_insurance_limit_reading, signals_sql
from .models.change_triggers import drop_triggers
from .models.sql_functions import drop_functions


def pre_init_hook(env):
    """Create the stored columns empty, so that installing does not compute them for years of orders."""
    env.cr.execute(
        """
        ALTER TABLE sale_order ADD COLUMN IF NOT EXISTS credit_state varchar;
        ALTER TABLE sale_order ADD COLUMN IF NOT EXISTS credit_insurance_drafted boolean;
        ALTER TABLE sale_order_line ADD COLUMN IF NOT EXISTS credit_insurance_unit_total numeric;
        """
    )


def post_init_hook(env):
    """Orders confirmed before the installation keep a pass for what they are, written in one statement."""
    env.cr.execute(
        """
        WITH confirmed AS (
            SELECT o.id, p.commercial_partner_id AS partner_id, o.amount_total, o.currency_id,
                   o.payment_term_id,
                   split_part(c.parent_path, '/', 1)::int AS company_id
              FROM sale_order o
              JOIN res_partner p ON p.id = o.partner_invoice_id
              JOIN res_company c ON c.id = o.company_id
             WHERE o.state = 'sale'
               AND NOT EXISTS (SELECT FROM credit_insurance_pass s WHERE s.order_id = o.id AND s.live)
        ), marked AS (
            UPDATE sale_order SET credit_state = 'passed' FROM confirmed WHERE confirmed.id = sale_order.id
        )
        INSERT INTO credit_insurance_pass
               (order_id, partner_id, company_id, amount, order_amount, open_amount, currency_id, payment_term_id,
                live, create_uid, create_date, write_uid, write_date)
        SELECT id, partner_id, company_id, amount_total, amount_total, amount_total, currency_id, payment_term_id,
               TRUE, %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
          FROM confirmed
        """,
        {"uid": env.uid},
    )
    env.cr.execute(
        """
        UPDATE sale_order SET credit_insurance_drafted = TRUE
         WHERE id IN (SELECT ol.order_id
                        FROM account_move_line l
                        JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = l.id
                        JOIN sale_order_line ol ON ol.id = r.order_line_id
                       WHERE l.parent_state = 'draft')
        """
    )
    lines = env["sale.order.line"].search(
        [("state", "=", "sale"), ("product_uom_qty", "=", 0), ("qty_delivered", "!=", 0)]
    )
    env.add_to_compute(lines._fields["credit_insurance_unit_total"], lines)


def uninstall_hook(env):
    """What is no table, column or record of a model goes with the addon too."""
    functions = (*credit_insurance_exposure.FUNCTIONS, *credit_insurance_limit_reading.FUNCTIONS, signals_sql.SIGNALS)
    drop_functions(env.cr, functions)
    drop_triggers(env.cr)
