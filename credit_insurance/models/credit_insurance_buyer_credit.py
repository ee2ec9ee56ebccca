"""What a buyer may owe and does owe, now: computed when it is looked at, in two statements for any number of buyers."""

from odoo import api, fields, models

from odoo.addons.credit_insurance.rules.policy import LimitState

from .credit_insurance_exposure import SOURCES

LIMIT_STATES = [
    ("not_checked", "Not checked"),
    ("amount", "Limit in force"),
    ("zero", "Zero limit"),
    ("no_credit", "No credit"),
    ("refused", "Refused"),
    ("withdrawn", "Withdrawn"),
    ("expired", "Expired"),
    ("void", "Void"),
    ("stale", "Data too old"),
    ("unknown", "Unknown"),
]


def limit_state(limit):
    """The state of a ``LimitInForce`` as it is shown: somebody who decided on zero is told apart from the others."""
    zero = limit.state is LimitState.AMOUNT and not limit.amount.amount
    return "zero" if zero else limit.state.value


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    limit_state = fields.Selection(LIMIT_STATES, compute="_compute_credit", string="Limit")
    limit_amount = fields.Monetary(
        compute="_compute_credit", string="Limit in Force", help="Compared with what is owed, tax included."
    )
    insured_limit = fields.Monetary(compute="_compute_credit", help="In the limit's currency.")
    own_limit = fields.Monetary(compute="_compute_credit")
    guaranteed = fields.Monetary(compute="_compute_credit", string="Guarantees in the Limit")
    exposure_not_due = fields.Monetary(compute="_compute_credit", string="Open, Not Due")
    exposure_overdue = fields.Monetary(compute="_compute_credit", string="Overdue")
    exposure_confirmed = fields.Monetary(compute="_compute_credit", string="Confirmed, Not Invoiced")
    exposure_credits = fields.Monetary(compute="_compute_credit", string="Payments and Credits Not Applied")
    exposure = fields.Monetary(compute="_compute_credit")
    headroom = fields.Monetary(compute="_compute_credit", help="Below zero it is a shortfall.")
    utilisation = fields.Float(compute="_compute_credit", help="Exposure as a share of the limit in force.")
    hold_count = fields.Integer(compute="_compute_hold_count", string="Held Orders")

    @api.depends(
        "own_limit_ids",
        "cover_ids",
        "guarantee_ids",
        "discretionary_limit_ids",
        "event_ids",
        "adverse_since",
        "status",
    )
    def _compute_credit(self):
        by_company = self.grouped("company_id")
        for company, buyers in by_company.items():
            today = company._credit_today()
            pairs = {buyer: (buyer.partner_id.id, company.id) for buyer in buyers}
            limits = self.env["credit.insurance.limit"]._get_limits(pairs.values(), today)
            exposures = self.env["credit.insurance.exposure"]._get_exposures(buyers, today)
            for buyer in buyers:
                buyer._set_credit(limits[pairs[buyer]].limit, exposures[buyer])

    def _set_credit(self, limit, exposure):
        self.ensure_one()
        for source in SOURCES:
            self[f"exposure_{source}"] = float(exposure[source])
        self.exposure = float(sum(exposure.values()))
        self.limit_state = limit_state(limit)
        self.insured_limit = float(limit.insured.amount)
        self.own_limit = float(limit.own.amount)
        self.guaranteed = float(limit.guaranteed.amount)
        self.limit_amount = float(limit.amount.amount) if limit.amount is not None else 0
        self.headroom = self.limit_amount - self.exposure if limit.amount is not None else 0
        self.utilisation = self.exposure / self.limit_amount if self.limit_amount else 0

    def _compute_hold_count(self):
        groups = self.env["credit.insurance.hold"]._read_group(
            [("partner_id", "in", self.partner_id.ids), ("state", "=", "open")],
            ["partner_id", "company_id"],
            ["__count"],
        )
        counts = {(partner.id, company.id): count for partner, company, count in groups}
        for buyer in self:
            buyer.hold_count = counts.get((buyer.partner_id.id, buyer.company_id.id), 0)

    def action_open_holds(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_hold_action")
        domain = [("partner_id", "=", self.partner_id.id), ("company_id", "=", self.company_id.id)]
        return {**action, "domain": domain}
