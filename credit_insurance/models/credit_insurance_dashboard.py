"""The cards of the credit dashboard: how many holds stand where, and what they are about."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# Each names many: words of their own, as other languages say "held" of one order otherwise.
KINDS = [
    ("held", "Held orders"),
    ("asked", "Release asked for"),
    ("mine", "Mine to decide"),
    ("ready", "Orders ready to confirm"),
    ("released", "Released this week"),
    ("lapsed", "Lapsed this month"),
]


class CreditInsuranceDashboard(models.Model):
    """One card per company and kind; nothing is stored."""

    _name = "credit.insurance.dashboard"
    _description = "Credit Dashboard"
    _auto = False
    _order = "company_id, id"
    _rec_name = "kind"

    company_id = fields.Many2one("res.company", readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    hold_count = fields.Integer(compute="_compute_figures", string="Holds")
    amount = fields.Monetary(
        compute="_compute_figures", help="What the documents are about, in company currency at today's rate."
    )
    oldest = fields.Char(compute="_compute_figures", help="Since when its oldest hold stands.")

    @property
    def _table_query(self):
        kinds = SQL(", ").join(SQL("(%s, %s)", number, kind) for number, (kind, _label) in enumerate(KINDS))
        return SQL(
            """SELECT c.id * 10 + k.number AS id, c.id AS company_id, k.kind::varchar AS kind
                 FROM res_company c
                CROSS JOIN (VALUES %s) AS k (number, kind)
                WHERE c.parent_id IS NULL AND c.active""",
            kinds,
        )

    @api.depends_context("uid", "lang", "tz")
    @api.depends("kind", "company_id")
    def _compute_figures(self):
        """One statement per kind, however many companies."""
        buyers = self.env["credit.insurance.buyer"]
        for kind, cards in self.grouped("kind").items():
            groups = self.env["credit.insurance.hold"]._read_group(
                cards._get_domain(kind) & Domain("company_id", "in", cards.company_id.ids),
                ["company_id", "order_currency_id"],
                ["__count", "order_amount:sum", "create_date:min"],
            )
            for card in cards:
                own = [group for group in groups if group[0] == card.company_id]
                card.hold_count = sum(count for _company, _currency, count, _amount, _oldest in own)
                card.amount = sum(
                    card._convert(currency, amount) for _company, currency, _count, amount, _oldest in own if currency
                )
                oldest = min((begun for *_group, begun in own if begun), default=False)
                card.oldest = buyers._describe_age(oldest) if oldest else False

    def _convert(self, currency, amount):
        company = self.company_id.sudo()
        return currency._convert(amount, company.currency_id, company, company._credit_today())

    @api.model
    def _get_domain(self, kind):
        """Which holds a card counts, and its list shows."""
        today, now = fields.Date.context_today(self), fields.Datetime.now()
        week = today - timedelta(days=today.weekday())
        return {
            "held": Domain("state", "=", "open"),
            "asked": Domain("state", "=", "open") & Domain("requested_by_id", "!=", False),
            "mine": Domain("state", "=", "open") & Domain("decider_id", "=", self.env.uid),
            "ready": Domain("state", "=", "cleared") & Domain("order_id.credit_state", "=", "ready"),
            "released": Domain("state", "=", "released")
            & Domain("decided_on", ">=", fields.Datetime.to_datetime(week)),
            "lapsed": Domain("state", "=", "lapsed") & Domain("write_date", ">=", now - timedelta(days=30)),
        }[kind]

    def action_open(self):
        """Open the holds that this card counts."""
        self.ensure_one()
        label = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        domain = self._get_domain(self.kind) & Domain("company_id", "=", self.company_id.id)
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_hold_action")
        return {**action, "name": label, "domain": list(domain), "context": {}}
