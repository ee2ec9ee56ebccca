"""The lines of a declaration, read from posted invoices and their payments: a few statements whatever their number.

posted customer invoices of the root company and its branches
  └─ sale: day, amount, and why it is not insurable (left_out), by the policy's terms
       ├─ turnover   one line for each country, currency and reason (and buyer, where the policy wants it)
       └─ shipments  one line for each invoice
bank and cash entries matched with declared shipments ── receipts, one line for each invoice and payment

Nothing is declared twice or never: a declaration has the sales of its period and those of the periods before, since the
first one that was declared, as far as no other declaration has them (back-dated, refused, insurable since), what
changed of declared ones (credit_insurance_declaration_sale.py), and of each payment what is matched and was not
declared yet. Declarations of one policy are worked out one after the other.
"""

from odoo import models
from odoo.tools import SQL

from . import credit_insurance_declaration  # noqa: F401 (has to be loaded first)
from .credit_insurance_cover import GRANTED_STATUSES, IN_FORCE_FIRST
from .credit_insurance_declaration_sale import INSERT_TOLD
from .declaration_words import LEFT_OUT

NEW_COLUMNS = SQL(
    "declaration_id, company_id, policy_id, kind, live, create_uid, write_uid, create_date, write_date, reference, "
    "left_out, country_id, currency_id, buyer_id, amount, insured_amount, invoice_count, move_id, payment_move_id, "
    "number, day, shipped_on, payment_term_days, corrects_id"
)


class CreditInsuranceDeclaration(models.Model):
    _inherit = "credit.insurance.declaration"

    def _refresh_figures(self):
        """Write the lines of drafts anew."""
        lines = self.env["credit.insurance.declaration.line"].sudo()
        for declaration in self.sudo().filtered(lambda declaration: declaration.state == "draft"):
            self.env.flush_all()
            # Two at once would both take what neither has: the later one fails and is repeated by Odoo.
            query = "UPDATE credit_insurance_policy SET write_date = write_date WHERE id = %s"
            self.env.cr.execute(SQL(query, declaration.policy_id.id))
            query = "DELETE FROM credit_insurance_declaration_line WHERE declaration_id = %s"
            self.env.cr.execute(SQL(query, declaration.id))
            self.env.cr.execute(getattr(declaration, f"_{declaration.kind}_sql")())
            for model in (lines, lines.sale_ids):
                model.invalidate_model()
            names = ["line_ids", "declared_line_ids", "left_out_line_ids", "total_text", "left_out_text"]
            self.invalidate_model([*names, "refused_count", "warning_text"])

    # === SALES === #

    def _get_first_day(self):
        """The first day that was ever declared of this kind under this policy; not after the period's own."""
        domain = [("policy_id", "=", self.policy_id.id), ("kind", "=", self.kind)]
        sent = self.search([*domain, ("state", "not in", ("draft", "cancelled"))], order="period_from", limit=1)
        return min(filter(None, (self.period_from, sent.period_from)))

    def _sales_sql(self):
        """One row per posted customer invoice, and credit note, that is to be declared, left out or corrected here."""
        by_buyer = self.kind == "shipments" or self.policy_id.declares_per_buyer
        return SQL(
            """
            WITH told AS MATERIALIZED (%(told)s), posted AS MATERIALIZED (%(posted)s)
            SELECT s.id AS move_id, s.id AS invoice_key, s.partner_id, s.number, s.currency_id, s.country_id,
                   %(buyer)s AS buyer_id, s.day, s.amount, s.insured_amount, s.term, s.left_out,
                   NULL::int AS corrects_id
              FROM posted s
             WHERE s.day BETWEEN %(period_from)s AND %(period_to)s AND NOT EXISTS (
                   SELECT 1 FROM credit_insurance_declaration_sale t
                     JOIN credit_insurance_declaration_line d ON d.id = t.line_id
                    WHERE t.invoice_key = s.id AND t.partner_id = s.partner_id AND d.currency_id = s.currency_id
                      AND d.policy_id = %(policy)s AND d.kind = %(kind)s AND (d.live OR d.given_up)
                      AND (d.left_out IS NULL OR d.left_out = 'changed' OR s.left_out IS NOT NULL))
             UNION ALL
            %(corrections)s
            """,
            told=self._told_sql(),
            posted=self._posted_sql(),
            corrections=self._corrections_sql(),
            buyer=SQL("s.buyer_id") if by_buyer else SQL("NULL::int"),
            period_from=self._get_first_day(),
            period_to=self.period_to,
            policy=self.policy_id.id,
            kind=self.kind,
        )

    def _posted_sql(self):
        """The invoices of the period and of those before it, and those of ``told`` whatever their day."""
        shipments = self.kind == "shipments"
        types = ("out_invoice", "out_receipt") if shipments else ("out_invoice", "out_receipt", "out_refund")
        gross = shipments and self.policy_id.tax_included
        return SQL(
            """
            SELECT m.id, m.name AS number, m.currency_id, p.id AS partner_id, p.country_id, b.id AS buyer_id, day.day,
                   %(amount)s AS amount, %(insured)s AS insured_amount,
                   GREATEST(COALESCE(m.credit_insurance_original_due_date, m.invoice_date_due) - day.day, 0) AS term,
                   %(reason)s AS left_out
              FROM account_move m
              JOIN res_company c ON c.id = m.company_id AND split_part(c.parent_path, '/', 1)::int = %(company)s
              JOIN res_partner p ON p.id = m.commercial_partner_id
              LEFT JOIN res_country t ON t.id = p.country_id
              LEFT JOIN credit_insurance_buyer b ON b.partner_id = p.id AND b.company_id = %(company)s
             CROSS JOIN LATERAL (SELECT %(day)s AS day,
                    CASE WHEN m.move_type = 'out_refund' THEN -m.amount_untaxed ELSE m.amount_untaxed END AS net) day
              -- A credit note shares the fate of the invoice that it takes back.
              JOIN account_move o ON o.id = COALESCE(m.reversed_entry_id, m.id)
              LEFT JOIN LATERAL (%(cover)s) cover ON TRUE
             WHERE m.state = 'posted' AND m.move_type = ANY(%(types)s)
               AND (day.day BETWEEN %(period_from)s AND %(period_to)s OR m.id IN (SELECT invoice_key FROM told))
            """,
            amount=SQL("m.amount_total") if shipments else SQL("day.net"),
            insured=SQL("m.amount_total") if gross else SQL("day.net"),
            reason=self._reason_sql(shipments),
            company=self.company_id.id,
            day=SQL("COALESCE(m.delivery_date, m.invoice_date)") if shipments else SQL("m.invoice_date"),
            cover=self._cover_sql(),
            types=list(types),
            period_from=self._get_first_day(),
            period_to=self.period_to,
        )

    def _cover_sql(self):
        """Whether the insurer has named this buyer at all (a row), and what it grants on the day."""
        return SQL(
            """
            SELECT CASE WHEN c.announced_status IS NOT NULL AND c.announced_from <= day.day THEN c.announced_status
                        WHEN c.effective_to < day.day THEN 'expired' ELSE c.status END AS status,
                   CASE WHEN c.announced_status IS NOT NULL AND c.announced_from <= day.day THEN c.announced_amount
                        ELSE c.amount END AS amount
              FROM credit_insurance_cover c
             WHERE c.buyer_id = b.id AND c.policy_id = %s AND c.active AND c.layer = 'permanent'
               AND c.effective_from <= day.day
             ORDER BY %s LIMIT 1
            """,
            self.policy_id.id,
            IN_FORCE_FIRST,
        )

    def _reason_sql(self, shipments):
        """The first reason for which the policy does not insure a sale, NULL for an insurable one.

        As with the cover of invoices, a public buyer or private person that the insurer named was its to judge.
        """
        terms = self.policy_id._get_terms()
        named = SQL("cover.status IN %s", tuple(GRANTED_STATUSES))
        reasons = self._buyer_reasons(terms, named)
        ends_on = self.policy_id.date_end or self.period_to
        reasons["policy"] = SQL("day.day < %s OR day.day > %s", self.policy_id.date_start, ends_on)
        if terms.max_payment_term_days is not None:
            reasons["term"] = SQL(
                "COALESCE(o.credit_insurance_original_due_date, o.invoice_date_due) - o.invoice_date > %s",
                terms.max_payment_term_days,
            )
        if shipments:
            reasons["no_cover"] = SQL("(%s AND cover.amount > 0) IS NOT TRUE", named)
            reasons["down_payment"] = SQL(
                """(SELECT BOOL_AND(l.is_downpayment) FROM account_move_line l
                     WHERE l.move_id = m.id AND l.display_type = 'product')"""
            )
        order = [key for key, _label in LEFT_OUT if key in reasons]
        whens = SQL(" ").join(SQL("WHEN %s THEN %s", reasons[key], key) for key in order)
        return SQL("CASE %s END", whens)

    def _buyer_reasons(self, terms, named):
        """Who the buyer is, by the terms' own words: ``{reason: condition}``."""
        affiliates = self.env["res.company"].sudo().search([]).partner_id.ids  # pylint: disable=no-search-all
        reasons = {}
        if not terms.covers_affiliates:
            reasons["affiliated"] = SQL("p.id = ANY(%s)", affiliates)
        if not terms.covers_public_buyers:
            reasons["public"] = SQL("b.is_public AND (%s) IS NOT TRUE", named)
        if not terms.covers_private_persons:
            private = SQL("COALESCE(b.is_private_person, p.is_company IS NOT TRUE)")
            reasons["private"] = SQL("%s AND (%s) IS NOT TRUE", private, named)
        if terms.countries is not None:
            reasons["country"] = SQL("t.code IS NOT NULL AND t.code <> ALL(%s)", sorted(terms.countries))
        return reasons

    # === LINES === #

    def _head_sql(self):
        """The columns that are the same in all lines, up to ``write_date``."""
        return SQL(
            "%s, %s, %s, %s, TRUE, %s, %s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'",
            *(self.id, self.company_id.id, self.policy_id.id, self.kind, self.env.uid, self.env.uid),
        )

    def _turnover_sql(self):
        return SQL(
            """
            WITH sale AS MATERIALIZED (
                SELECT x.*, %(name)s || '/' || DENSE_RANK() OVER (
                           ORDER BY left_out NULLS FIRST, corrects_id NULLS FIRST, country_id, currency_id, buyer_id)
                       AS reference
                  FROM (%(sales)s) x
            ), line AS (
                INSERT INTO credit_insurance_declaration_line (%(columns)s)
                SELECT %(head)s, reference, left_out, country_id, currency_id, buyer_id, SUM(amount),
                       SUM(insured_amount), COUNT(*), NULL, NULL, NULL, NULL::date, NULL::date, NULL::int, corrects_id
                  FROM sale GROUP BY reference, left_out, country_id, currency_id, buyer_id, corrects_id
                RETURNING id, reference
            )
            %(insert_told)s
            """,
            sales=self._sales_sql(),
            columns=NEW_COLUMNS,
            head=self._head_sql(),
            name=self.name,
            insert_told=self._insert_told_sql("sale"),
        )

    def _shipments_sql(self):
        return SQL(
            """
            WITH sale AS MATERIALIZED (
                SELECT x.*, %(name)s || '/' || ROW_NUMBER() OVER (
                           ORDER BY left_out NULLS FIRST, day, invoice_key, partner_id, currency_id) AS reference
                  FROM (%(sales)s) x
                 WHERE corrects_id IS NOT NULL OR amount > 0 AND insured_amount > 0
            ), line AS (
                INSERT INTO credit_insurance_declaration_line (%(columns)s)
                SELECT %(head)s, reference, left_out, country_id, currency_id, buyer_id, amount, insured_amount, 1,
                       move_id, NULL, number, day, day, term, corrects_id
                  FROM sale
                RETURNING id, reference
            )
            %(insert_told)s
            """,
            sales=self._sales_sql(),
            columns=NEW_COLUMNS,
            head=self._head_sql(),
            name=self.name,
            insert_told=self._insert_told_sql("sale"),
        )

    def _insert_told_sql(self, entries):
        return SQL(INSERT_TOLD, company=self.company_id.id, entries=SQL.identifier(entries))

    def _receipts_sql(self):
        """What was paid of declared shipments until the end of the period and not declared yet.

        What was taken back since is left out: no insurer's interface takes it, a person tells it.
        """
        return SQL(
            """
            WITH payment AS MATERIALIZED (
                SELECT x.*, NULL::int AS partner_id,
                       %(name)s || '/' || ROW_NUMBER() OVER (ORDER BY day, invoice_key, payment_move_id) AS reference
                  FROM (%(paid)s) x
            ), line AS (
                INSERT INTO credit_insurance_declaration_line (%(columns)s)
                SELECT %(head)s, reference, CASE WHEN amount < 0 THEN 'taken_back' END, country_id, currency_id,
                       buyer_id, amount, amount, 1, move_id, payment_move_id, number, day, shipped_on, NULL::int,
                       NULL::int
                  FROM payment
                RETURNING id, reference
            )
            %(insert_told)s
            """,
            paid=self._paid_difference_sql(),
            columns=NEW_COLUMNS,
            head=self._head_sql(),
            name=self.name,
            insert_told=self._insert_told_sql("payment"),
        )

    def _paid_difference_sql(self):
        """One row per declared shipment and payment of which another amount is matched than was declared."""
        return SQL(
            """
            SELECT COALESCE(p.move_id, k.move_id) AS move_id, COALESCE(p.move_id, k.invoice_key) AS invoice_key,
                   COALESCE(p.payment_move_id, k.payment_move_id) AS payment_move_id,
                   COALESCE(p.number, k.number) AS number,
                   COALESCE(p.country_id, k.country_id) AS country_id,
                   COALESCE(p.currency_id, k.currency_id) AS currency_id, COALESCE(p.buyer_id, k.buyer_id) AS buyer_id,
                   COALESCE(p.shipped_on, k.shipped_on) AS shipped_on, COALESCE(p.day, k.day) AS day,
                   COALESCE(p.amount, 0) - COALESCE(k.amount, 0) AS amount
              FROM (%(paid)s) p
              FULL JOIN (%(known)s) k ON k.invoice_key = p.move_id AND k.payment_move_id = p.payment_move_id
             WHERE COALESCE(p.amount, 0) <> COALESCE(k.amount, 0)
            """,
            paid=self._paid_sql(),
            known=self._known_payments_sql(),
        )

    def _known_payments_sql(self):
        """What the declarations so far say of each payment, what was taken back of it included."""
        return SQL(
            """
            SELECT t.invoice_key, MAX(d.move_id) AS move_id, d.payment_move_id, MAX(d.number) AS number,
                   MAX(d.country_id) AS country_id, MAX(d.currency_id) AS currency_id, MAX(d.buyer_id) AS buyer_id,
                   MAX(d.shipped_on) AS shipped_on, MAX(d.day) AS day, SUM(d.amount) AS amount
              FROM credit_insurance_declaration_line d
              JOIN credit_insurance_declaration_sale t ON t.line_id = d.id
             WHERE d.policy_id = %s AND d.kind = 'receipts' AND (d.live OR d.given_up) AND d.day <= %s
             GROUP BY t.invoice_key, d.payment_move_id
            """,
            self.policy_id.id,
            self.period_to,
        )

    def _paid_sql(self):
        """One row per declared shipment and bank or cash entry matched with it."""
        return SQL(
            """
            SELECT d.move_id, d.number, d.country_id, d.currency_id, d.buyer_id, d.shipped_on,
                   e.id AS payment_move_id, MAX(l2.date) AS day, SUM(r.debit_amount_currency) AS amount
              FROM credit_insurance_declaration_line d
              JOIN credit_insurance_declaration s ON s.id = d.declaration_id
               AND s.state IN ('sent', 'acknowledged', 'partial')
              JOIN account_move_line l1 ON l1.move_id = d.move_id
              JOIN account_account a ON a.id = l1.account_id AND a.account_type = 'asset_receivable'
              JOIN account_partial_reconcile r ON r.debit_move_id = l1.id
              JOIN account_move_line l2 ON l2.id = r.credit_move_id
              JOIN account_move e ON e.id = l2.move_id AND e.move_type = 'entry'
              JOIN account_journal j ON j.id = e.journal_id AND j.type IN ('bank', 'cash', 'credit')
             WHERE d.policy_id = %(policy)s AND d.kind = 'shipments' AND d.live AND d.left_out IS NULL
               AND l2.date <= %(period_to)s
             GROUP BY d.move_id, d.number, d.country_id, d.currency_id, d.buyer_id, d.shipped_on, e.id
            HAVING SUM(r.debit_amount_currency) > 0
            """,
            policy=self.policy_id.id,
            period_to=self.period_to,
        )
