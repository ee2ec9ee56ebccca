"""Triggers that note whose facts changed, whoever changed them and however: see ``credit.insurance.change``.

A trigger costs the transaction one insert in the database and no statement of its own. What it notes is the
document, the partner or the credit group; whose buyer that is, is found out when the notes are read.
"""

from odoo.tools import SQL

PREFIX = "credit_insurance_note_"
# Table: (events, [(condition, what is noted, whose)]). What was on neither side of a change is NULL and not noted.
CHANGES = {
    "sale_order": (
        "INSERT OR DELETE OR UPDATE OF state, date_order, amount_total, currency_rate, partner_invoice_id,"
        " partner_shipping_id, payment_term_id",
        [
            ("NEW.state <> 'cancel' OR TG_OP = 'UPDATE'", "order", "NEW.id"),
            ("TG_OP = 'DELETE'", "partner", "OLD.partner_invoice_id"),
            ("NEW.partner_invoice_id <> OLD.partner_invoice_id", "partner", "OLD.partner_invoice_id"),
        ],
    ),
    "sale_order_line": (
        "UPDATE OF qty_delivered",
        [("NEW.qty_delivered IS DISTINCT FROM OLD.qty_delivered", "order", "NEW.order_id")],
    ),
    "account_move": (
        "UPDATE OF state, invoice_date_due, partner_id",
        [
            ("NEW.state <> 'draft' OR OLD.state <> 'draft'", "move", "NEW.id"),
            # By the time the note is read it may be gone, or another customer's.
            (
                "OLD.state = 'posted' AND (NEW.state <> 'posted' OR NEW.partner_id <> OLD.partner_id)",
                "partner",
                "OLD.partner_id",
            ),
        ],
    ),
    "account_move_line": ("UPDATE OF date_maturity", [("NEW.parent_state = 'posted'", "move", "NEW.move_id")]),
    "account_partial_reconcile": (
        "INSERT OR DELETE",
        # Who pays is not always who owes.
        [
            ("TRUE", "item", "COALESCE(NEW.debit_move_id, OLD.debit_move_id)"),
            ("TRUE", "item", "COALESCE(NEW.credit_move_id, OLD.credit_move_id)"),
        ],
    ),
    "account_bank_statement_line": (
        "INSERT OR DELETE OR UPDATE OF partner_id, amount, is_reconciled",
        [
            ("TRUE", "partner", "COALESCE(NEW.partner_id, OLD.partner_id)"),
            ("NEW.partner_id <> OLD.partner_id", "partner", "OLD.partner_id"),
        ],
    ),
    "res_partner": (
        "UPDATE OF country_id, industry_id, company_registry, credit_insurance_mail_changed, commercial_partner_id",
        [
            ("TRUE", "partner", "NEW.id"),
            ("NEW.commercial_partner_id <> OLD.commercial_partner_id", "partner", "OLD.commercial_partner_id"),
        ],
    ),
    "res_partner_bank": (
        "INSERT OR DELETE OR UPDATE OF acc_number, sanitized_acc_number, partner_id, active",
        [
            ("TRUE", "partner", "COALESCE(NEW.partner_id, OLD.partner_id)"),
            ("NEW.partner_id <> OLD.partner_id", "partner", "OLD.partner_id"),
        ],
    ),
    "credit_insurance_buyer": (
        "INSERT OR UPDATE OF status, adverse_since, is_public, is_private_person, active, group_id, currency_id",
        [
            ("TRUE", "buyer", "NEW.id"),
            ("NEW.group_id IS DISTINCT FROM OLD.group_id", "group", "NEW.group_id"),
            ("NEW.group_id IS DISTINCT FROM OLD.group_id", "group", "OLD.group_id"),
        ],
    ),
    "credit_insurance_group": ("UPDATE OF currency_id, active", [("TRUE", "group", "NEW.id")]),
    "credit_insurance_deadline": ("INSERT OR UPDATE OF state, date", [("TRUE", "move", "NEW.move_id")]),
    **{
        f"credit_insurance_{name}": ("INSERT OR UPDATE", [("TRUE", "buyer", "NEW.buyer_id")])
        for name in ("cover", "grade", "guarantee", "discretionary_limit", "statement", "event", "buyer_link")
    },
    "credit_insurance_own_limit": (
        "INSERT OR UPDATE",
        [("TRUE", "buyer", "NEW.buyer_id"), ("TRUE", "group", "NEW.group_id")],
    ),
}
# The buyers behind what was noted, those who share a limit with them, and the customers without a credit record.
BUYERS = """
    WITH noted AS (SELECT DISTINCT what, res_id FROM credit_insurance_change WHERE id = ANY(%(ids)s)),
    owing AS (
        SELECT o.partner_invoice_id AS partner_id, o.company_id
          FROM noted n JOIN sale_order o ON o.id = n.res_id WHERE n.what = 'order'
         UNION
        SELECT l.partner_id, l.company_id
          FROM noted n JOIN account_move_line l ON l.move_id = n.res_id WHERE n.what = 'move'
         UNION
        SELECT l.partner_id, l.company_id
          FROM noted n JOIN account_move_line l ON l.id = n.res_id WHERE n.what = 'item'
         UNION
        -- What a draft settled is owed, and settled once the draft is posted: by a buyer of its own.
        SELECT k.partner_id, k.company_id
          FROM noted n
          JOIN account_move_line l ON l.move_id = n.res_id AND l.matching_number IS NOT NULL
          JOIN LATERAL (
               SELECT credit_move_id AS id FROM account_partial_reconcile WHERE debit_move_id = l.id
                UNION ALL
               SELECT debit_move_id FROM account_partial_reconcile WHERE credit_move_id = l.id) r ON TRUE
          JOIN account_move_line k ON k.id = r.id
         WHERE n.what = 'move'
    ), concerned (id, partner_id, group_id, active) AS (
        SELECT b.id, CASE WHEN b.id IS NULL THEN p.commercial_partner_id END, b.group_id, b.active
          FROM owing w
          JOIN res_partner p ON p.id = w.partner_id
          JOIN res_company c ON c.id = w.company_id
          LEFT JOIN credit_insurance_buyer b
            ON b.partner_id = p.commercial_partner_id AND b.company_id = split_part(c.parent_path, '/', 1)::int
         UNION
        SELECT b.id, NULL, b.group_id, b.active
          FROM noted n JOIN res_partner p ON p.id = n.res_id
          JOIN credit_insurance_buyer b ON b.partner_id = p.commercial_partner_id
         WHERE n.what = 'partner'
         UNION
        SELECT b.id, NULL, b.group_id, b.active
          FROM noted n JOIN credit_insurance_buyer b ON b.id = n.res_id
         WHERE n.what = 'buyer'
         UNION
        SELECT b.id, NULL, NULL, b.active
          FROM noted n JOIN credit_insurance_buyer b ON b.group_id = n.res_id
         WHERE n.what = 'group'
    )
    SELECT id, partner_id FROM concerned WHERE active IS NOT FALSE
     UNION
    SELECT b.id, NULL FROM concerned o JOIN credit_insurance_buyer b ON b.group_id = o.group_id WHERE b.active
"""


def buyers_sql(ids):
    """Whom these notes concern: the buyer's id, or the commercial partner's where there is no buyer."""
    return SQL(BUYERS, ids=list(ids))


def ensure_triggers(cr):
    """Create or replace the triggers on every table; called at each update of the addon."""
    for table, (events, notes) in CHANGES.items():
        name = PREFIX + table
        body = f"BEGIN {' '.join(_note(*note) for note in notes)} RETURN NULL; END"
        cr.execute(
            SQL("CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS %s", SQL.identifier(name), body)
        )
        # PostgreSQL 13 cannot replace a trigger.
        cr.execute(SQL("DROP TRIGGER IF EXISTS %s ON %s", SQL.identifier(name), SQL.identifier(table)))
        cr.execute(
            SQL(
                "CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()",
                SQL.identifier(name), SQL(events), SQL.identifier(table), SQL.identifier(name),
            )
        )  # fmt: skip


def _note(condition, what, whose):
    return (
        f"IF ({condition}) AND {whose} IS NOT NULL THEN"
        " INSERT INTO credit_insurance_change (what, res_id, changed_at)"
        f" VALUES ('{what}', {whose}, now() AT TIME ZONE 'UTC'); END IF;"
    )


def drop_triggers(cr):
    """Remove what was added to tables that are not the addon's."""
    for table in CHANGES:
        cr.execute(SQL("DROP FUNCTION IF EXISTS %s() CASCADE", SQL.identifier(PREFIX + table)))
