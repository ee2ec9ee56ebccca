from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from . import credit_insurance_submission_buyer  # noqa: F401 (has to be loaded first)
from .company_calendar import company_today
from .submission_words import SUBMISSION_STATES

KINDS = [
    ("notice", "Overdue notice"),
    ("extension", "Extension of an invoice"),
    ("plan", "Repayment plan"),
]
REASONS = [
    ("cash_shortage", "The buyer is short of cash"),
    ("dispute", "The buyer disputes it"),
    ("documents", "Papers are missing"),
    ("other", "Another reason"),
]


class CreditInsuranceOverdueNotice(models.Model):
    """Telling the insurer that a buyer pays late: a notice, more time for one invoice, or a repayment plan.

    Once it is sent its figures are frozen; what was paid since is shown beside them. A notice that arrived, or was
    handed in, ends the duty to notify its invoices. An extension and a plan do not: they need the notice, too.
    """

    _name = "credit.insurance.overdue.notice"
    _description = "Overdue Notice"
    _inherit = ["credit.insurance.submission.buyer"]
    _order = "id desc"
    _check_company_auto = True

    _asked = "kind line_ids new_due_date reason agreed_on instalment_ids".split()
    _draft_fields = frozenset({"policy_id", "buyer_id", "comment", "user_id", *_asked})
    _figure_fields = frozenset({"policy_id", "buyer_id", "line_ids"})
    _sender_groups = ("account.group_account_invoice",)

    state = fields.Selection(SUBMISSION_STATES)
    kind = fields.Selection(KINDS, required=True, default="notice", tracking=True)
    line_ids = fields.One2many("credit.insurance.overdue.line", "notice_id", string="Invoices", copy=False)
    amount_open = fields.Monetary(
        string="Reported",
        compute="_compute_amount_open",
        store=True,
        tracking=True,
        help="In the policy's currency, at the rate of the day on which the figures were taken.",
    )
    paid_since = fields.Monetary(compute="_compute_paid_since", help="Not told to the insurer.")
    notify_by = fields.Date(
        string="Last Day to Notify", readonly=True, copy=False, help="Of the invoice that ends first."
    )
    live = fields.Boolean(compute="_compute_live", store=True, help="Stands, or is under way.")
    new_due_date = fields.Date(help="The day until which the invoice is to be paid. Its original due date counts on.")
    reason = fields.Selection(REASONS, default="other")
    agreed_on = fields.Date(default=fields.Date.context_today, help="When the buyer agreed to the plan.")
    instalment_ids = fields.One2many(
        "credit.insurance.overdue.instalment", "notice_id", string="Instalments", copy=False
    )
    plan_currency_id = fields.Many2one("res.currency", compute="_compute_plan_currency_id", store=True)
    plan_amount = fields.Monetary(
        compute="_compute_plan_amount", currency_field="plan_currency_id", string="Sum of the Instalments"
    )
    case_number = fields.Char(string="Insurer's File", readonly=True, copy=False, help="A claim later refers to it.")
    task_id = fields.Many2one("credit.insurance.action.task", readonly=True, copy=False, ondelete="set null")
    warning_text = fields.Text(compute="_compute_warning_text")

    _name_uniq = models.UniqueIndex("(name)", "This reference exists already.")

    # === COMPUTE METHODS === #

    @api.depends("state", "kind")
    def _compute_live(self):
        """An extension or plan that was agreed is over: another one may follow."""
        for notice in self:
            settled = notice.state == "accepted" and notice.kind != "notice"
            notice.live = notice.state not in ("refused", "cancelled") and not settled

    @api.depends("line_ids.policy_open")
    def _compute_amount_open(self):
        for notice in self:
            notice.amount_open = sum(notice.line_ids.mapped("policy_open"))

    @api.depends("line_ids.paid_since", "line_ids.rate")
    def _compute_paid_since(self):
        for notice in self:
            notice.paid_since = sum(line.paid_since * line.rate for line in notice.line_ids)

    @api.depends("line_ids.currency_id", "policy_id")
    def _compute_plan_currency_id(self):
        for notice in self:
            currencies = notice.line_ids.currency_id
            notice.plan_currency_id = currencies if len(currencies) == 1 else notice.currency_id

    @api.depends("instalment_ids.amount")
    def _compute_plan_amount(self):
        for notice in self:
            notice.plan_amount = sum(notice.instalment_ids.mapped("amount"))

    @api.depends("state", "kind", "notify_by", "buyer_id", "policy_id", "plan_amount", "line_ids.amount_open")
    def _compute_warning_text(self):
        """What the insurer may object to, as long as something can still be done about it."""
        for notice in self:
            still = notice.state in ("draft", "failed") and notice.buyer_id and notice.policy_id
            notice.warning_text = "\n".join(notice._get_warnings()) if still else False

    def _get_warnings(self):
        warnings = []
        if self.kind == "notice" and self.notify_by and self.notify_by < company_today(self.company_id):
            warnings.append(self.env._("The last day to notify is over: send it at once."))
        owed = sum(self.line_ids.mapped("amount_open"))
        currency = self.plan_currency_id
        if self.kind == "plan" and self.line_ids and currency == self.line_ids.currency_id:
            if currency.compare_amounts(owed, self.plan_amount):
                warnings.append(
                    self.env._(
                        "The instalments come to %(plan)s, the invoices to %(owed)s.",
                        plan=currency.format(self.plan_amount),
                        owed=currency.format(owed),
                    )
                )
        if not self.route_note and not self._get_insurer_buyer_id():
            warnings.append(self.env._("The insurer's number of this buyer is not known."))
        return warnings

    # === MAKING ONE === #

    @api.model
    def _create_from_invoices(self, moves, kind="notice"):
        """Drafts on these open customer invoices: one for each buyer and policy, for each invoice if an extension.

        :raise UserError: one is paid, not insured, or reported in a live notice of this kind
        """
        self.check_access("create")
        moves.check_access("read")
        moves = moves.sudo()
        self._check_unpaid(moves)
        self._check_not_reported(moves, kind)
        policies = {move: move.credit_insurance_policy_id for move in moves}
        if uninsured := [move.name for move, policy in policies.items() if not policy]:
            raise UserError(self.env._("No credit insurance policy covers %s.", format_list(self.env, uninsured)))
        groups = moves.grouped(
            lambda move: (
                move.commercial_partner_id,
                move.company_id.root_id,
                policies[move],
                move if kind == "extension" else None,
            )
        )
        return self.create([self._prepare_vals(kind, *key[:3], group) for key, group in groups.items()])

    @api.model
    def _prepare_vals(self, kind, partner, company, policy, moves):
        buyer = self.env["credit.insurance.buyer"]._get_or_create(partner, company)
        ordered = moves.sorted(lambda move: (move.invoice_date_due, move.id))
        return {
            "kind": kind,
            "buyer_id": buyer.id,
            "policy_id": policy.id,
            "line_ids": [fields.Command.create({"move_id": move.id}) for move in ordered],
        }

    @api.model
    def _check_not_reported(self, moves, kind):
        lines = (
            self.env["credit.insurance.overdue.line"]
            .sudo()
            .search([("move_id", "in", moves.ids), ("live", "=", True), ("kind", "=", kind)])
        )
        if lines:
            raise UserError(
                self.env._(
                    "Reported already: %s.",
                    format_list(self.env, [f"{line.number} ({line.notice_id.name})" for line in lines]),
                )
            )

    def _get_notification_deadlines(self):
        """The duties that a notice of these invoices ends."""
        deadlines = self.sudo().line_ids.move_id.credit_insurance_deadline_ids
        return deadlines.filtered(lambda deadline: deadline.kind == "notification")

    # === BEFORE IT IS SENT === #

    def _refresh_figures(self):
        for notice in self.sudo().filtered(lambda notice: notice.state == "draft" and notice.line_ids):
            notice.line_ids._refresh_figures()
            pending = notice._get_notification_deadlines().filtered(lambda row: row.state in ("pending", "missed"))
            notice.notify_by = min(filter(None, pending.mapped("date")), default=False)

    def _check_ready(self):
        if not self.line_ids:
            raise UserError(self.env._("%s lists no invoice.", self.name))
        if self.kind == "extension" and (len(self.line_ids) != 1 or not self.new_due_date):
            raise UserError(self.env._("An extension names one invoice and its new due date."))
        if self.kind == "extension" and self.new_due_date <= self.line_ids.due_date:
            raise UserError(self.env._("The new due date must be later than the original one."))
        if self.kind == "plan":
            self._check_plan()
        if self.state == "draft":
            self._check_unpaid(self.sudo().line_ids.move_id)

    def _check_plan(self):
        if not self.instalment_ids or not self.agreed_on:
            raise UserError(self.env._("A repayment plan has instalments, and a day on which it was agreed."))
        days = self.instalment_ids.mapped("due_on")
        if len(set(days)) < len(days):
            raise UserError(self.env._("Two instalments are due on the same day."))
