from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from . import credit_insurance_submission  # noqa: F401 (has to be loaded first)
from .declaration_words import DECLARATION_STATES, KINDS, TOLD_BY_HAND


class CreditInsuranceDeclaration(models.Model):
    """What the premium is worked out from: the turnover of a period, its shipments, or the payments received.

    Lines are read from posted invoices and payments until it is queued, and never after. Sales that are not insurable
    stand in lines of their own with the reason, so that all of them add up to the sales of the period.
    """

    _name = "credit.insurance.declaration"
    _description = "Declaration to an Insurer"
    _inherit = ["credit.insurance.submission"]
    _order = "period_from desc, id desc"
    _check_company_auto = True

    _draft_fields = frozenset({"policy_id", "kind", "period_from", "period_to", "comment", "user_id"})
    _figure_fields = frozenset({"policy_id", "kind", "period_from", "period_to"})
    _sender_groups = ("account.group_account_invoice",)
    _asked_states = ()

    policy_id = fields.Many2one(default=lambda self: self._default_policy())
    state = fields.Selection(DECLARATION_STATES)
    kind = fields.Selection(KINDS, required=True, default="turnover", tracking=True)
    period_from = fields.Date(string="From", required=True, default=lambda self: self._default_period()[0])
    period_to = fields.Date(
        string="To", required=True, default=lambda self: self._default_period()[1], help="The last day is included."
    )
    due_on = fields.Date(string="Declare Until", compute="_compute_due_on", store=True)
    live = fields.Boolean(compute="_compute_live", store=True, help="Neither refused nor cancelled.")
    line_ids = fields.One2many("credit.insurance.declaration.line", "declaration_id", string="All Lines", copy=False)
    declared_line_ids = fields.One2many(
        "credit.insurance.declaration.line", "declaration_id", string="Lines", domain=[("left_out", "=", False)]
    )
    left_out_line_ids = fields.One2many(
        "credit.insurance.declaration.line", "declaration_id", string="Left Out", domain=[("left_out", "!=", False)]
    )
    total_text = fields.Char(string="Total", compute="_compute_total_text")
    left_out_text = fields.Char(string="Left Out", compute="_compute_total_text")
    refused_count = fields.Integer(string="Lines Refused", compute="_compute_total_text")
    premium = fields.Monetary(
        readonly=True, copy=False, tracking=True, currency_field="premium_currency_id", help="As the insurer tells it."
    )
    premium_currency_id = fields.Many2one("res.currency", readonly=True, copy=False)
    warning_text = fields.Text(compute="_compute_warning_text")

    _name_uniq = models.UniqueIndex("(name)", "This reference exists already.")
    _period_uniq = models.UniqueIndex(
        "(policy_id, kind, period_from) WHERE live", "This period is declared under this policy already."
    )
    _period_ordered = models.Constraint("CHECK(period_to >= period_from)", "The period ends before it begins.")

    def _default_period(self):
        """The month before this one."""
        first = self.env.company.root_id._credit_today().replace(day=1)
        return first - relativedelta(months=1), first - relativedelta(days=1)

    def _default_policy(self):
        """The policy of the last month, where the company had one."""
        first, last = self._default_period()
        policies = self.env["credit.insurance.policy"].sudo()._get_in_force(self.env.company, first, last)
        return policies.sudo(False) if len(policies) == 1 else self.env["credit.insurance.policy"]

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_live(self):
        for declaration in self:
            declaration.live = declaration.state not in ("refused", "cancelled")

    @api.depends("period_to", "policy_id.declaration_days")
    def _compute_due_on(self):
        for declaration in self:
            days = declaration.sudo().policy_id.declaration_days
            end = declaration.period_to
            declaration.due_on = end + relativedelta(days=days) if days and end else False

    @api.depends("line_ids.amount", "line_ids.refusal_code")
    def _compute_total_text(self):
        for declaration in self:
            lines = declaration.line_ids
            declaration.total_text = declaration._get_sums(lines.filtered(lambda line: not line.left_out))
            declaration.left_out_text = declaration._get_sums(lines.filtered("left_out"))
            declaration.refused_count = len(lines.filtered("refusal_code"))

    def _get_sums(self, lines):
        sums = lines.grouped("currency_id").items()
        return " + ".join(currency.format(sum(group.mapped("amount"))) for currency, group in sums) or "–"

    @api.depends("period_to", "policy_id", "state", "kind")
    def _compute_warning_text(self):
        """What may still change, as long as something can be done about it."""
        for declaration in self:
            still = declaration.state in ("draft", "failed") and declaration.policy_id and declaration.period_to
            declaration.warning_text = "\n".join(declaration._get_warnings()) if still else False

    def _get_warnings(self):
        warnings = []
        today = self.company_id._credit_today()
        if self.period_to >= today:
            warnings.append(self.env._("The period is not over."))
        if self.due_on and self.due_on < today:
            warnings.append(self.env._("It was to be declared until %s.", format_date(self.env, self.due_on)))
        drafts = self.env["account.move"].sudo().search_count(self._get_draft_domain())
        warnings += self._get_change_warnings()
        if drafts and self.kind != "receipts":
            warnings.append(self.env._("%s invoices of the period are not posted yet.", drafts))
        return warnings

    def _get_change_warnings(self):
        """About what changed since it was declared."""
        warnings = []
        numbers = ", ".join(self._get_told_by_hand().mapped("number"))
        if numbers and self.kind == "receipts":
            warnings.append(
                self.env._(
                    "Payments were taken back after they were declared (%s). No interface takes that: tell it.", numbers
                )
            )
        elif numbers:
            warnings.append(
                self.env._("Invoices changed after they were declared (%s). No interface takes that: tell it.", numbers)
            )
        corrected = self.sudo().line_ids.filtered("corrects_id").move_ids
        if reset := corrected.filtered(lambda move: move.state == "draft"):
            warnings.append(
                self.env._(
                    "Declared invoices are in draft again and so are taken back (%s). Post them first if they stand.",
                    ", ".join(reset.mapped("display_name")),
                )
            )
        return warnings

    def _get_draft_domain(self):
        return [
            ("company_id", "child_of", self.company_id.id),
            ("move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
            ("state", "=", "draft"),
            ("invoice_date", ">=", self.period_from),
            ("invoice_date", "<=", self.period_to),
        ]

    # === CONSTRAINTS === #

    @api.constrains("policy_id", "kind", "period_from", "period_to", "live")
    def _check_one_per_period(self):
        for declaration in self.filtered("live"):
            days = (declaration.period_from, declaration.period_to)
            self._check_not_declared(declaration.policy_id.id, declaration.kind, *days, declaration.id)

    @api.model
    def _check_not_declared(self, policy_id, kind, start, end, own_id=0):
        domain = [("policy_id", "=", policy_id), ("kind", "=", kind), ("live", "=", True), ("id", "!=", own_id)]
        other = self.sudo().search([*domain, ("period_from", "<=", end), ("period_to", ">=", start)], limit=1)
        if other:
            names = self._get_readable_names(other)
            named = names and self.env._("%s declares days of this period already.", names[0])
            raise ValidationError(named or self.env._("This period is declared under this policy already."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """The unique index sees to one per period in any case; here the other one is named."""
        for vals in vals_list:
            first, last = self._default_period()
            days = (vals.get("period_from") or first, vals.get("period_to") or last)
            self._check_not_declared(vals.get("policy_id"), vals.get("kind", "turnover"), *days)
        return super().create(vals_list)

    # === ACTIONS === #

    def action_open_invoices(self):
        """The invoices behind the lines that are declared."""
        self.ensure_one()
        return self.declared_line_ids._get_invoices_action(self.name)

    # === BEFORE IT IS SENT === #

    def _get_told_by_hand(self):
        """Changes of what was declared that a person has to tell the insurer."""
        return self.sudo().left_out_line_ids.filtered(lambda line: line.left_out in TOLD_BY_HAND)

    def _check_ready(self):
        lines = self.sudo().declared_line_ids
        if self.kind != "turnover" and not (lines or self._get_told_by_hand()):
            raise UserError(self.env._("%s has nothing to declare.", self.name))
        if self.kind == "turnover" and (bare := lines.filtered(lambda line: not line.country_id)):
            names = bare.move_ids.commercial_partner_id.mapped("display_name")
            raise UserError(self.env._("Enter the country of: %s", ", ".join(names[:10])))

    def _check_connection(self):
        result = super()._check_connection()
        if self.kind != "turnover" and not self.sudo().declared_line_ids:
            raise UserError(
                self.env._(
                    "There are only changes of what was declared: tell the insurer, and mark it as sent by hand."
                )
            )
        lines = self.sudo().declared_line_ids.filtered("buyer_id")
        numbers = self._get_buyer_numbers()
        unknown = lines.buyer_id.filtered(lambda buyer: buyer.id not in numbers)
        if unknown:
            names = ", ".join(unknown[:10].mapped("partner_id.display_name"))
            raise UserError(self.env._("The insurer's number is not known: link these buyers first: %s", names))
        return result

    def _get_buyer_numbers(self):
        """The insurer's number by buyer: ``{buyer id: number}``."""
        self.ensure_one()
        trusted = self.sudo()
        links = self.env["credit.insurance.buyer.link"].sudo()
        domain = [("account_id", "=", trusted.policy_id.account_id.id), ("external_id", "!=", False)]
        found = links.search([*domain, ("buyer_id", "in", trusted.declared_line_ids.buyer_id.ids)])
        return {link.buyer_id.id: link.external_id for link in found}
