from odoo import api, fields, models
from odoo.exceptions import ValidationError

PERIOD_KINDS = [
    ("reminder", "Friendly reminder"),
    ("dunning", "Formal dunning starts"),
    ("escalation", "Escalation"),
    ("end_of_mep", "End of the maximum extension period"),
    ("restoration", "Last day of a payment that restores cover"),
    ("notification", "Last day to notify the insurer"),
    ("date_of_loss", "Date of loss"),
    ("claim", "Last day to claim"),
    ("adverse_information", "Last day to report adverse information"),
]
PERIOD_UNITS = [("days", "Days"), ("working_days", "Working days"), ("months", "Months")]
PERIOD_BASES = [
    ("due_date", "Original due date"),
    ("extended_due_date", "Extended due date"),
    ("invoice_date", "Invoice date"),
    ("end_of_mep", "End of the maximum extension period"),
    ("date_of_loss", "Date of loss"),
    ("notification_receipt", "Receipt of the notification"),
    ("knowledge", "Day of knowing"),
]
# The generic template of a policy's periods; the insurers' own templates replace it.
GENERIC_PERIODS = [
    ("reminder", -7, "days", "extended_due_date"),
    ("dunning", 3, "days", "extended_due_date"),
    ("escalation", 30, "days", "extended_due_date"),
    ("end_of_mep", 60, "days", "due_date"),
    ("notification", 30, "days", "end_of_mep"),
    ("date_of_loss", 180, "days", "due_date"),
    ("claim", 180, "days", "date_of_loss"),
    ("adverse_information", 10, "days", "knowledge"),
]


class CreditInsurancePolicy(models.Model):
    _name = "credit.insurance.policy"
    _description = "Credit Insurance Policy"
    _inherit = ["mail.thread", "mail.activity.mixin", "credit.insurance.amounts"]
    _rec_name = "number"
    _order = "date_start desc, number"
    _check_company_auto = True

    number = fields.Char(string="Policy Number", required=True, tracking=True)
    insurer_id = fields.Many2one("credit.insurance.insurer", required=True, ondelete="restrict")
    account_id = fields.Many2one(
        "credit.insurance.account",
        string="Connection",
        domain="[('insurer_id', '=', insurer_id)]",
        check_company=True,
        ondelete="restrict",
        index="btree_not_null",
    )
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company.root_id)
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id, tracking=True
    )
    date_start = fields.Date(string="Start Date", required=True, tracking=True)
    date_end = fields.Date(string="End Date", tracking=True)
    insured_percentage = fields.Float(default=90.0, digits=(5, 2), tracking=True)
    tax_included = fields.Boolean(
        string="Tax Insured", help="Whether cover is counted on amounts with tax. Most policies insure the net amount."
    )
    max_payment_term_days = fields.Integer(string="Maximum Payment Term (days)", default=120, tracking=True)
    max_invoicing_days = fields.Integer(
        string="Maximum Invoicing Period (days)", default=30, help="Days after delivery within which to invoice."
    )
    period_ids = fields.One2many(
        "credit.insurance.policy.period",
        "policy_id",
        string="Periods",
        copy=True,
        default=lambda self: self._default_periods(),
    )
    country_ids = fields.Many2many("res.country", string="Countries Covered", help="Empty: every country.")
    currency_ids = fields.Many2many("res.currency", string="Currencies Covered", help="Empty: every currency.")
    covers_public_buyers = fields.Boolean(tracking=True, help="Also those whom the insurer has not named.")
    covers_private_persons = fields.Boolean(tracking=True, help="Also those whom the insurer has not named.")
    covers_affiliates = fields.Boolean(tracking=True, help="Sales to companies of the own group are insured.")
    refill = fields.Boolean(
        string="Room Moves Up",
        default=True,
        help="When an older invoice is paid, its room goes to the next oldest invoice.",
    )
    freeze = fields.Selection(
        [("stop", "When cover stops"), ("loss", "On the date of loss"), ("never", "Never")],
        string="Split Is Fixed",
        default="stop",
        required=True,
        help="From when on a payment no longer moves room from one invoice to the next.",
    )
    payments_to_oldest = fields.Boolean(
        string="Payments Count for the Oldest Invoice",
        default=True,
        tracking=True,
        help="Whatever a payment before the date of loss was matched with, the insurer counts it for the oldest "
        "invoice. A claim tells what that changes.",
    )
    disputed_share = fields.Float(
        string="Disputed Share (%)",
        default=15.0,
        digits=(5, 2),
        tracking=True,
        help="Disputed amounts past the maximum extension period that stay below this share of the insured limit do "
        "not stop cover.",
    )
    tolerance = fields.Monetary(
        tracking=True,
        help="An instalment of which less than this is open does not stop cover when its maximum extension period "
        "is over, and raises no alarm.",
    )
    missed_notification = fields.Selection(
        [
            ("cover_lost", "The invoice is not insured"),
            ("indemnity_reduced", "Less is paid"),
            ("warning", "Nothing"),
        ],
        string="Late Notification Costs",
        default="warning",
        required=True,
        tracking=True,
        help="What it costs when the insurer hears of an overdue invoice after the last day to notify. An invoice that "
        "is not insured for it adds nothing to the estimate of the indemnity.",
    )
    threshold = fields.Monetary(help="A loss not above it pays nothing, a loss above it pays in full.")
    minimum_retention = fields.Monetary()
    each_and_every_first_loss = fields.Monetary(help="Deducted from every loss.")
    aggregate_first_loss = fields.Monetary(help="Borne by the policyholder once per insurance year.")
    maximum_liability = fields.Monetary(help="What the insurer pays at most in the insurance year. Zero: no maximum.")
    active = fields.Boolean(default=True)

    _number_uniq = models.UniqueIndex("(insurer_id, number, company_id)", "This policy exists already.")
    _percentage_range = models.Constraint(
        "CHECK(insured_percentage > 0 AND insured_percentage <= 100)",
        "The insured percentage lies above 0 and is at most 100.",
    )

    _disputed_share_range = models.Constraint(
        "CHECK(disputed_share >= 0 AND disputed_share <= 100)", "The disputed share lies between 0 and 100."
    )
    _amounts_positive = models.Constraint(
        "CHECK(threshold >= 0 AND minimum_retention >= 0 AND each_and_every_first_loss >= 0"
        " AND aggregate_first_loss >= 0 AND maximum_liability >= 0)",
        "The amounts of a policy are zero or more.",
    )
    _tolerance_positive = models.Constraint("CHECK(tolerance >= 0)", "A tolerance is an amount of zero or more.")

    def _default_periods(self):
        return [
            fields.Command.create({"kind": kind, "number": number, "unit": unit, "base": base})
            for kind, number, unit, base in GENERIC_PERIODS
        ]

    @api.constrains("date_start", "date_end")
    def _check_dates(self):
        for policy in self:
            if policy.date_end and policy.date_end < policy.date_start:
                raise ValidationError(self.env._("Policy %s ends before it starts.", policy.number))

    @api.constrains("account_id", "insurer_id")
    def _check_one_insurer(self):
        for policy in self.sudo():
            if policy.account_id and policy.account_id.insurer_id != policy.insurer_id:
                raise ValidationError(
                    self.env._(
                        "Policy %(policy)s and the connection “%(account)s” belong to different insurers.",
                        policy=policy.number,
                        account=policy.account_id.name,
                    )
                )

    @api.constrains("company_id")
    def _check_root_company(self):
        for policy in self:
            if policy.company_id.parent_id:
                raise ValidationError(
                    self.env._(
                        "A policy belongs to %s: branches share the cover of their root company.",
                        policy.company_id.root_id.name,
                    )
                )

    def _is_in_force(self, day):
        """Whether the policy runs on that day; both its first and its last day count."""
        self.ensure_one()
        return self.date_start <= day and not (self.date_end and self.date_end < day)

    @api.model
    def _get_in_force(self, company, first, last):
        """The policies of a company, or of the root of a branch, in force on some day of a period; newest first."""
        return self.search(
            [
                ("company_id", "=", company.root_id.id),
                ("date_start", "<=", last),
                *("|", ("date_end", "=", False), ("date_end", ">=", first)),
            ]
        )


class CreditInsurancePolicyPeriod(models.Model):
    """One of the policy's periods: so many days, working days or months after a date."""

    _name = "credit.insurance.policy.period"
    _description = "Period of a Policy"
    _order = "policy_id, id"

    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="cascade", index=True)
    kind = fields.Selection(PERIOD_KINDS, required=True)
    number = fields.Integer(string="Length", required=True)
    unit = fields.Selection(PERIOD_UNITS, required=True, default="days")
    base = fields.Selection(PERIOD_BASES, required=True, default="due_date")
    last_day_counts = fields.Boolean(
        default=True, help="An act on the last day itself is still in time. Otherwise the day before is the last one."
    )

    _kind_uniq = models.UniqueIndex("(policy_id, kind)", "Each period stands once in a policy.")

    @api.model_create_multi
    def create(self, vals_list):
        periods = super().create(vals_list)
        self.env["credit.insurance.deadline"]._enqueue_sync(periods.policy_id)
        return periods

    def write(self, vals):
        before, result = self.policy_id, super().write(vals)
        self.env["credit.insurance.deadline"]._enqueue_sync(before | self.policy_id)
        return result

    def unlink(self):
        policies, result = self.policy_id, super().unlink()
        self.env["credit.insurance.deadline"]._enqueue_sync(policies.exists())
        return result
