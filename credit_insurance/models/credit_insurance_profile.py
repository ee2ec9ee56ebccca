from dataclasses import dataclass

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from odoo.addons.credit_insurance.rules.policy import ReasonCode

from . import cached_records  # noqa: F401 (has to be loaded first)
from .reasons import REASON_NAMES


@dataclass(frozen=True)
class ProfileFacts:
    """A profile as the gate reads it; amounts are in ``currency_id``, zero means that the profile says nothing."""

    currency_id: int = 0
    tolerance_percent: float = 0.0
    tolerance: float = 0.0
    order_threshold: float = 0.0
    day_threshold: float = 0.0
    overdue_days: int = 0
    overdue_amount: float = 0.0
    delivery_waits_for_money: bool = False
    severities: tuple[tuple[str, str], ...] = ()

    @property
    def names_amounts(self):
        """Whether anything is to be converted from its currency."""
        overdue = self.overdue_days and self.overdue_amount
        return bool(self.tolerance or self.order_threshold or self.day_threshold or overdue)


NO_PROFILE = ProfileFacts()


class CreditInsuranceProfile(models.Model):
    """How strict the gate is with the buyers that have this profile."""

    _name = "credit.insurance.profile"
    _description = "Credit Profile"
    _inherit = ["mail.thread", "credit.insurance.cached", "credit.insurance.amounts"]
    _order = "name, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Empty: for the buyers of every company.")
    currency_id = fields.Many2one("res.currency", required=True, default=lambda self: self.env.company.currency_id)
    tolerance_percent = fields.Float(
        string="Tolerance (%)", digits=(5, 2), tracking=True, help="How far over the limit an order may go."
    )
    tolerance = fields.Monetary(
        string="Tolerance (amount)",
        tracking=True,
        help="Comes on top of the percentage. Nothing goes over a limit of zero.",
    )
    order_threshold = fields.Monetary(
        string="Small Orders up to", tracking=True, help="Pass over the limit. Zero: none does."
    )
    day_threshold = fields.Monetary(
        string="Small Orders per Day",
        tracking=True,
        help="What small orders of one buyer may come to on one day. Zero: no bound.",
    )
    overdue_days = fields.Integer(
        string="Hold When Overdue More Than (days)", tracking=True, help="Zero: as the company's settings say."
    )
    overdue_amount = fields.Monetary(string="And More Than", tracking=True)
    delivery_waits_for_money = fields.Boolean(
        string="Cash Before Delivery",
        tracking=True,
        help="Orders pass without credit, because their deliveries wait until the order is paid.",
    )
    line_ids = fields.One2many("credit.insurance.profile.line", "profile_id", string="Reasons", copy=True)
    buyer_ids = fields.One2many("credit.insurance.buyer", "profile_id", string="Buyers")
    buyer_count = fields.Integer(compute="_compute_buyer_count")

    _not_negative = models.Constraint(
        "CHECK(tolerance_percent >= 0 AND tolerance >= 0 AND order_threshold >= 0 AND day_threshold >= 0"
        " AND overdue_days >= 0 AND overdue_amount >= 0)",
        "Amounts and days of a profile are zero or more.",
    )

    @api.depends("buyer_ids")
    def _compute_buyer_count(self):
        for profile in self:
            profile.buyer_count = len(profile.buyer_ids)

    @api.constrains("company_id")
    def _check_company(self):
        for profile in self.filtered("company_id"):
            companies = self.env["res.company"].sudo().search([("credit_profile_id", "=", profile.id)])
            if (profile.sudo().buyer_ids.company_id | companies.root_id) - profile.company_id.root_id:
                raise ValidationError(self.env._("%s has buyers of other companies.", profile.name))

    @api.constrains("active")
    def _check_not_in_use(self):
        for profile in self.filtered(lambda profile: not profile.active).sudo():
            companies = self.env["res.company"].sudo().search_count([("credit_profile_id", "=", profile.id)], limit=1)
            if profile.buyer_ids or companies:
                raise ValidationError(self.env._("%s is still in use and cannot be archived.", profile.name))

    # === ACTIONS === #

    def action_open_buyers(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_buyer_action")
        return {**action, "domain": [("profile_id", "=", self.id)], "context": {"default_profile_id": self.id}}

    # === BUSINESS METHODS === #

    @api.model
    def _get_facts_of(self, buyer, company):
        """The profile of a ``BuyerLimit``, else its company's."""
        profile_id = buyer.profile_id or company.credit_profile_id.id
        return self.sudo()._get_facts(profile_id) if profile_id else NO_PROFILE

    @api.model
    @tools.ormcache("profile_id")
    def _get_facts(self, profile_id):
        """Profiles change rarely and every decision asks for one: kept in memory until one is written."""
        profile = self.browse(profile_id)
        return ProfileFacts(
            currency_id=profile.currency_id.id,
            tolerance_percent=profile.tolerance_percent,
            tolerance=profile.tolerance,
            order_threshold=profile.order_threshold,
            day_threshold=profile.day_threshold,
            overdue_days=profile.overdue_days,
            overdue_amount=profile.overdue_amount,
            delivery_waits_for_money=profile.delivery_waits_for_money,
            severities=tuple((line.reason, line.severity) for line in profile.line_ids),
        )


class CreditInsuranceProfileLine(models.Model):
    _name = "credit.insurance.profile.line"
    _description = "What a Reason Means in a Credit Profile"
    _inherit = ["credit.insurance.cached"]
    _order = "profile_id, id"

    profile_id = fields.Many2one("credit.insurance.profile", required=True, ondelete="cascade", index=True)
    reason = fields.Selection(selection="_selection_reason", required=True)
    severity = fields.Selection(
        [("hold", "Hold"), ("warn", "Warn"), ("info", "Record only")], default="hold", required=True
    )

    _reason_uniq = models.UniqueIndex("(profile_id, reason)", "A reason has one line per profile.")

    @api.model
    def _selection_reason(self):
        return [(code.value, self.env._(REASON_NAMES[code])) for code in ReasonCode]


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    profile_id = fields.Many2one(
        "credit.insurance.profile",
        string="Credit Profile",
        ondelete="restrict",
        index="btree_not_null",
        tracking=True,
        domain="[('company_id', 'in', [company_id, False])]",
        help="How strict the gate is with this buyer. Empty: as with the company's other buyers.",
    )

    @api.constrains("profile_id", "company_id")
    def _check_profile_company(self):
        for buyer in self:
            company = buyer.profile_id.company_id
            if company and company.root_id != buyer.company_id:
                raise ValidationError(
                    self.env._("The profile %(name)s belongs to another company.", name=buyer.profile_id.name)
                )
