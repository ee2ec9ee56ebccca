from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_list

from odoo.addons.credit_insurance.connectors import CollectionOrder, CollectionState, Operation
from odoo.addons.credit_insurance.rules.policy import StopCause

from . import credit_insurance_split, credit_insurance_submission_buyer  # noqa: F401 (have to be loaded first)
from .credit_insurance_submission_job import naive_utc
from .invoice_table import get_invoice_table

COLLECTION_STATES = [
    ("draft", "Draft"),
    ("ready", "To hand in"),
    ("queued", "Being sent"),
    ("failed", "Could not be sent"),
    ("uncertain", "To be checked at the insurer"),
    ("sent", "Sent by hand"),
    ("acknowledged", "Received by the insurer"),
    ("in_progress", "Being collected"),
    ("legal", "Before the court"),
    ("paid", "Paid"),
    ("closed", "Closed"),
    ("refused", "Declined"),
    ("cancelled", "Cancelled"),
]
RUNNING_STATES = ("sent", "acknowledged", "in_progress", "legal")
STATES = {
    CollectionState.RECEIVED: "acknowledged",
    CollectionState.IN_PROGRESS: "in_progress",
    CollectionState.LEGAL: "legal",
    CollectionState.PAID: "paid",
    CollectionState.CLOSED: "closed",
}


class CreditInsuranceCollectionCase(models.Model):
    """Debts of one buyer handed over to the insurer, or its agency, and what comes of it at what cost.

    An invoice is handed over once: a case that is closed keeps its invoices, one that was refused frees them.
    """

    _name = "credit.insurance.collection.case"
    _description = "Collection Case"
    _inherit = ["credit.insurance.submission.buyer"]
    _order = "id desc"
    _check_company_auto = True

    _draft_fields = frozenset({"policy_id", "buyer_id", "comment", "user_id", "line_ids", "claim_id", "notice_id"})
    _figure_fields = frozenset({"policy_id", "buyer_id", "line_ids"})
    _sender_groups = ("account.group_account_invoice",)
    _asked_states = RUNNING_STATES
    _waiting_states = ("failed", "uncertain", *RUNNING_STATES)
    _answer_states = ("acknowledged", "in_progress", "legal", "paid", "closed", "refused")
    _sheet_report = "credit_insurance.action_report_collection_case"

    state = fields.Selection(COLLECTION_STATES)
    live = fields.Boolean(compute="_compute_live", store=True, help="Neither refused nor cancelled.")
    line_ids = fields.One2many("credit.insurance.collection.line", "case_id", string="Invoices", copy=False)
    claim_id = fields.Many2one("credit.insurance.claim", ondelete="restrict", check_company=True, copy=False)
    notice_id = fields.Many2one(
        "credit.insurance.overdue.notice",
        string="Overdue Notice",
        ondelete="restrict",
        check_company=True,
        copy=False,
    )
    amount_open = fields.Monetary(
        string="Handed Over",
        compute="_compute_amount_open",
        store=True,
        tracking=True,
        help="In the policy's currency, at the rate of the day on which the figures were taken.",
    )
    case_currency_id = fields.Many2one("res.currency", string="Currency of the Case", readonly=True, copy=False)
    recovered_amount = fields.Monetary(
        string="Recovered", readonly=True, copy=False, tracking=True, currency_field="case_currency_id"
    )
    costs = fields.Monetary(readonly=True, copy=False, tracking=True, currency_field="case_currency_id")
    approved_costs = fields.Monetary(
        readonly=True,
        copy=False,
        tracking=True,
        currency_field="case_currency_id",
        help="Agreed beforehand: only these are refunded.",
    )
    own_costs = fields.Monetary(
        string="Costs Not Approved", compute="_compute_own_costs", currency_field="case_currency_id"
    )

    _name_uniq = models.UniqueIndex("(name)", "This reference exists already.")

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_live(self):
        for case in self:
            case.live = case.state not in ("refused", "cancelled")

    @api.depends("line_ids.policy_open")
    def _compute_amount_open(self):
        for case in self:
            case.amount_open = sum(case.line_ids.mapped("policy_open"))

    @api.depends("costs", "approved_costs")
    def _compute_own_costs(self):
        for case in self:
            case.own_costs = max(case.costs - case.approved_costs, 0.0)

    # === CONSTRAINTS === #

    @api.constrains("buyer_id", "claim_id", "notice_id")
    def _check_one_buyer(self):
        for case in self.sudo():
            if (case.claim_id.buyer_id | case.notice_id.buyer_id) - case.buyer_id:
                raise ValidationError(self.env._("The claim and the notice of a case are those of its buyer."))

    # === MAKING ONE === #

    @api.model
    def _create_from_rest(self, submission, claim=None):
        """Drafts on the invoices of a claim or notice, as far as they are open and not handed over.

        :raise UserError: nothing is left
        """
        moves = submission.line_ids.move_id
        lines = self.env["credit.insurance.collection.line"].sudo()
        taken = lines.search([("move_id", "in", moves.ids), ("live", "=", True)]).move_id
        unpaid = moves.filtered(lambda move: move.payment_state in ("not_paid", "partial")) - taken
        if not unpaid:
            raise UserError(self.env._("No invoice of %s is left to hand over.", submission.name))
        return self._create_from_invoices(unpaid, claim)

    @api.model
    def _create_from_invoices(self, moves, claim=None):
        """Drafts on these open customer invoices, one for each buyer and policy.

        :raise UserError: one is paid, not insured, or was handed over already
        """
        self.check_access("create")
        moves.check_access("read")
        moves = moves.sudo()
        self._check_unpaid(moves)
        self._check_not_handed_over(moves)
        policies = {move: claim.policy_id if claim else move.credit_insurance_policy_id for move in moves}
        if uninsured := [move.name for move, policy in policies.items() if not policy]:
            raise UserError(self.env._("No credit insurance policy covers %s.", format_list(self.env, uninsured)))
        groups = moves.grouped(lambda move: (move.commercial_partner_id, move.company_id.root_id, policies[move]))
        return self.create([self._prepare_vals(*key, group) for key, group in groups.items()])

    @api.model
    def _prepare_vals(self, partner, company, policy, moves):
        buyer = self.env["credit.insurance.buyer"]._get_or_create(partner, company)
        claims = moves.credit_insurance_claim_line_ids.filtered("live").claim_id
        lines = moves.credit_insurance_overdue_line_ids
        notices = lines.filtered(lambda line: line.live and line.kind == "notice").notice_id
        ordered = moves.sorted(lambda move: (move.invoice_date_due, move.id))
        return {
            "buyer_id": buyer.id,
            "policy_id": policy.id,
            "claim_id": claims.filtered(lambda claim: claim.policy_id == policy)[:1].id,
            "notice_id": notices.filtered(lambda notice: notice.policy_id == policy)[:1].id,
            "line_ids": [fields.Command.create({"move_id": move.id}) for move in ordered],
        }

    @api.model
    def _check_not_handed_over(self, moves):
        lines = self.env["credit.insurance.collection.line"].sudo()
        found = lines.search([("move_id", "in", moves.ids), ("live", "=", True)])
        if found:
            names = [f"{line.number} ({line.case_id.name})" for line in found]
            raise UserError(self.env._("Handed over already: %s.", format_list(self.env, names)))

    # === BEFORE IT IS SENT === #

    def _refresh_figures(self):
        for case in self.sudo().filtered(lambda case: case.state == "draft" and case.line_ids):
            case.line_ids._refresh_figures()

    def _check_ready(self):
        if not self.line_ids:
            raise UserError(self.env._("%s lists no invoice.", self.name))
        if self.state == "draft":
            self._check_unpaid(self.sudo().line_ids.move_id)

    # === MESSAGES === #

    def _get_operation(self):
        return Operation.START_COLLECTION

    def _get_status_operation(self):
        return Operation.COLLECTION_STATUS

    def _get_message(self):
        trusted = self.sudo()
        return CollectionOrder(
            reference=self.name,
            policy_number=self.policy_id.number,
            buyer_id=self._get_message_buyer_id(),
            invoices=tuple(line._get_message() for line in self.line_ids),
            case_number=trusted._get_file_number(),
            comment=self.comment or "",
        )

    def _get_file_number(self):
        """The insurer's file of the claim or of the notice, as far as it was opened where this is sent."""
        numbers = {self.claim_id: self.claim_id.insurer_reference, self.notice_id: self.notice_id.case_number}
        known = [number for owner, number in numbers.items() if owner and number and not owner._is_elsewhere()]
        return known[0] if known else ""

    # === ANSWERS === #

    def _prepare_receipt_vals(self, receipt):
        vals = self._prepare_status_vals(receipt)
        if vals["state"] in ("queued", "failed"):  # a code we do not know: the insurer has it in any case
            vals["state"] = "acknowledged"
        return {**vals, "acknowledged_on": naive_utc(receipt.updated_at)}

    def _prepare_status_vals(self, status):
        currency = self.env["res.currency"]._credit_get(status.currency)
        return {
            "state": STATES.get(status.state, self.state),
            "insurer_reference": status.case_number or self.insurer_reference,
            "insurer_status_code": status.raw_code,
            "insurer_words": status.words or False,
            # The currency first: the amounts are rounded by it.
            "case_currency_id": (currency[:1] or self.currency_id).id,
            "recovered_amount": float(status.recovered_amount),
            "costs": float(status.costs),
            "approved_costs": float(status.approved_costs),
            "status_changed_on": naive_utc(status.updated_at),
        }

    def _prepare_answer_vals(self, state, *, amount, decided_on):
        if state not in ("paid", "closed") or not amount:
            return {}
        return {"case_currency_id": self.currency_id.id, "recovered_amount": amount}

    def _get_status_answers(self, answers):
        return answers.collection_statuses

    def _get_duties(self):
        """Handing over is the escalation that the deadlines ask for."""
        deadlines = self.sudo().line_ids.move_id.credit_insurance_deadline_ids
        return deadlines.filtered(lambda deadline: deadline.kind == "escalation")

    def _on_changed(self, before):
        """Whoever handed the debts over is told when there is nothing more to wait for."""
        if self.state in ("paid", "closed", "refused"):
            state = dict(self._fields["state"]._description_selection(self.env))[self.state]
            summary = self.env._("Collection of %(buyer)s: %(state)s", buyer=self.partner_id.display_name, state=state)
            self._tell_responsible(summary, self.insurer_words or self.insurer_status_code or "")

    # === COVER SHEET === #

    def _get_sheet_rows(self):
        rows = [
            *super()._get_sheet_rows(),
            (self.env._("Buyer"), self.sudo().partner_id.display_name),
            (self.env._("Buyer's number"), self.sudo()._get_message_buyer_id()),
            (self.env._("Insurer's file"), self.sudo()._get_message().case_number or "–"),
            (self.env._("Handed Over"), self.currency_id.format(self.amount_open)),
        ]
        return [*rows, (self.env._("Comment for the Insurer"), self.comment)] if self.comment else rows

    def _get_sheet_table(self):
        return get_invoice_table(self.line_ids)

    def _get_open_action(self):
        """The form of one case, the list of several."""
        if len(self) == 1:
            return self._get_form_action()
        xmlid = "credit_insurance.credit_insurance_collection_case_action"
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return {**action, "domain": [("id", "in", self.ids)], "context": {}}


class CreditInsuranceSplit(models.AbstractModel):
    _inherit = "credit.insurance.split"

    @api.model
    def _get_claim_stops(self, buyers):
        """Cover for new deliveries stops when debts are handed over, until the case has ended."""
        stops = super()._get_claim_stops(buyers)
        domain = [("buyer_id", "in", buyers.ids), ("live", "=", True), ("acknowledged_on", "!=", False)]
        for case in self.env["credit.insurance.collection.case"].sudo().search(domain):
            ended = case.state in ("paid", "closed")
            stops[case.buyer_id.id].append(self._make_stop(case, StopCause.COLLECTION, ended))
        return stops
