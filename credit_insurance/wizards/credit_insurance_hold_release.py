from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditInsuranceHoldRelease(models.TransientModel):
    """Records the decision about a hold. Authority is checked on the hold itself, whoever calls this."""

    _name = "credit.insurance.hold.release"
    _description = "Decide a Credit Hold"
    _inherit = ["credit.insurance.amounts"]

    hold_id = fields.Many2one("credit.insurance.hold", required=True, readonly=True, ondelete="cascade")
    decision = fields.Selection(
        [
            ("release", "Release"),
            ("partial", "Release a part"),
            ("reject", "Reject"),
            ("hand_over", "Hand over"),
        ],
        default="release",
        required=True,
    )
    reason_id = fields.Many2one("credit.insurance.release.reason")
    note = fields.Text()
    # Computed and not related: they are only for who may read the hold, in an unsaved wizard as well.
    currency_id = fields.Many2one("res.currency", compute="_compute_figures")
    limit_currency_id = fields.Many2one("res.currency", compute="_compute_figures")
    amount = fields.Monetary(string="Up to", compute="_compute_amount", compute_sudo=False, store=True, readonly=False)
    valid_until = fields.Date(compute="_compute_valid_until", compute_sudo=False, store=True, readonly=False)
    shortfall = fields.Monetary(compute="_compute_figures", currency_field="limit_currency_id")
    reasons_text = fields.Text(compute="_compute_figures")
    payment_term_id = fields.Many2one("account.payment.term", string="Payment Terms", compute="_compute_figures")
    delivery_date = fields.Date(compute="_compute_figures")
    confirms = fields.Boolean(compute="_compute_figures")
    own_request = fields.Boolean(compute="_compute_own_request")
    user_id = fields.Many2one("res.users", string="To", domain="[('id', 'in', decider_ids)]")
    decider_ids = fields.Many2many("res.users", compute="_compute_decider_ids", string="With Authority")
    split_line_ids = fields.One2many(
        "credit.insurance.hold.release.line", "wizard_id", compute="_compute_split_line_ids", string="What Goes Where"
    )
    split_problem = fields.Char(compute="_compute_split_line_ids")
    split_note = fields.Char(compute="_compute_split_line_ids")
    kept_total = fields.Monetary(compute="_compute_split_line_ids", string="Released Now")
    moved_total = fields.Monetary(compute="_compute_split_line_ids", string="Second Quotation")

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        # Stored figures are computed later and by the system, which may see every hold.
        wizards.hold_id.check_access("read")
        return wizards

    def _get_hold(self):
        """The hold with the rights of the system, for whoever may read it.

        :raise AccessError: the user may not see this hold
        """
        self.ensure_one()
        self.hold_id.check_access("read")
        return self.hold_id.sudo()

    @api.depends("hold_id")
    def _compute_figures(self):
        for wizard in self:
            hold = wizard._get_hold()
            wizard.currency_id, wizard.limit_currency_id = hold.order_currency_id, hold.currency_id
            wizard.shortfall, wizard.reasons_text = hold.shortfall, hold.reasons_text
            wizard.payment_term_id, wizard.delivery_date = hold.payment_term_id, hold.delivery_date
            # What a confirmed order may grow to is released, its person saves it again; the same for other documents.
            wizard.confirms = hold.order_id.state in ("draft", "sent")

    @api.depends("hold_id", "decision")
    def _compute_amount(self):
        for wizard in self:
            hold = wizard._get_hold()
            document = hold._get_document() if hold else None
            # The growth of a confirmed order is held before it is there: the hold knows the amount wanted.
            grown = document and document._name == "sale.order" and document.state == "sale"
            total = document._credit_amount() if document and not grown else hold.order_amount
            if hold.decision_id.checkpoint == "growth":
                # What is asked for is the new total, which the order does not have yet.
                total = max(total, hold.order_amount)
            if wizard.decision == "partial":
                passing = max(0, hold.decision_id.would_pass / (hold.document_amount or 1))
                total = min(total, hold.order_amount * passing)
            wizard.amount = total

    @api.depends("hold_id")
    def _compute_valid_until(self):
        for wizard in self:
            company = wizard._get_hold().company_id
            days = company.credit_release_validity_days
            wizard.valid_until = company._get_credit_release_until(days) if company else False

    @api.depends("hold_id")
    def _compute_own_request(self):
        for wizard in self:
            wizard.own_request = self.env.user in wizard._get_hold().asker_ids

    @api.depends("hold_id")
    def _compute_decider_ids(self):
        authority = self.env["credit.insurance.authority"]
        for wizard in self:
            hold = wizard._get_hold()
            ask = hold and hold._make_ask()
            wizard.decider_ids = authority._find_deciders(ask) - self.env.user if ask else False

    @api.depends("hold_id", "amount", "decision")
    def _compute_split_line_ids(self):
        """What the split would do to the cent, before it is done."""
        for wizard in self:
            wizard.split_line_ids = wizard.kept_total = wizard.moved_total = False
            wizard.split_problem = wizard.split_note = False
            order = wizard._get_hold().order_id
            if wizard.decision != "partial" or not order:
                continue
            try:
                plan = order._credit_plan_split(wizard.amount)
            except UserError as error:
                wizard.split_problem = error.args[0]
                continue
            rows = [wizard._prepare_split_line(item) for item in plan if not item.line.display_type]
            wizard.split_line_ids = [fields.Command.create(row) for row in rows]
            wizard.kept_total, wizard.moved_total = totals = order._credit_get_part_totals(plan)
            wizard.split_note = order._credit_describe_rounding(totals, order.amount_total)

    def _prepare_split_line(self, item):
        return {
            "currency_id": self.currency_id.id,
            "name": item.line.name.splitlines()[0] if item.line.name else "",
            "kept_quantity": item.kept,
            "moved_quantity": item.moved,
            "kept_amount": item.line._credit_get_total(item.kept) if item.stays else 0.0,
            "moved_amount": item.line._credit_get_total(item.moved) if item.goes else 0.0,
        }

    def action_decide(self):
        self.ensure_one()
        if self.decision == "hand_over":
            self.hold_id._hand_over(self.user_id, self.note)
            return {"type": "ir.actions.act_window_close"}
        if not self.reason_id:
            raise UserError(self.env._("Choose a reason: it goes on record."))
        if self.decision == "release":
            self.hold_id._release(self.reason_id, self.note, self.amount, self.valid_until)
        elif self.decision == "partial":
            self.hold_id._release_part(self.reason_id, self.note, self.amount, self.valid_until)
        else:
            self.hold_id._reject(self.reason_id, self.note)
        return {"type": "ir.actions.act_window_close"}


class CreditInsuranceHoldReleaseLine(models.TransientModel):
    """A line of the order as a part release would split it. Only shown."""

    _name = "credit.insurance.hold.release.line"
    _description = "Line of a Split Quotation"

    wizard_id = fields.Many2one("credit.insurance.hold.release", ondelete="cascade")
    name = fields.Char(string="Line", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    kept_quantity = fields.Float(string="Now", digits="Product Unit", readonly=True)
    moved_quantity = fields.Float(string="Later", digits="Product Unit", readonly=True)
    kept_amount = fields.Monetary(string="Amount Now", readonly=True)
    moved_amount = fields.Monetary(string="Amount Later", readonly=True)
