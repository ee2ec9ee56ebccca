"""Asking for a limit: who asks, why, with which figures, who decides, and the row that comes of it.

draft ──ask──> asked ──grant──> granted │ partial     (an own limit row)
                 │ ──refuse──> refused
                 └──withdraw──> withdrawn              (by who asked)
"""

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .amounts import is_amount
from .guarded_fields import without_fields

MANAGER_GROUP = "credit_insurance.credit_insurance_group_manager"
REQUEST_TYPE = "credit_insurance.mail_activity_type_limit_request"
# What whoever asks fills in, as long as it is a draft.
ASKED_FIELDS = set("partner_id company_id order_id currency_id kind amount date_to reason attachment_ids".split())


class CreditInsuranceLimitRequest(models.Model):
    _name = "credit.insurance.limit.request"
    _description = "Request for a Limit"
    _inherit = ["credit.insurance.buyer.thread", "mail.activity.mixin", "credit.insurance.amounts"]
    _order = "id desc"
    _mail_post_access = "read"

    name = fields.Char(readonly=True, copy=False, default=lambda self: self.env._("New"))
    partner_id = fields.Many2one(
        "res.partner",
        string="Buyer",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('commercial_partner_id', '=', id)]",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
    )
    buyer_id = fields.Many2one(
        "credit.insurance.buyer",
        string="Credit Record",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        groups="credit_insurance.credit_insurance_group_user",
    )
    order_id = fields.Many2one(
        "sale.order",
        string="For Order",
        ondelete="set null",
        index="btree_not_null",
        domain="[('state', '!=', 'cancel')]",
    )
    currency_id = fields.Many2one("res.currency", required=True, default=lambda self: self.env.company.currency_id)
    kind = fields.Selection(
        [("permanent", "Permanent"), ("temporary", "Temporary")], default="permanent", required=True
    )
    amount = fields.Monetary(
        string="Amount Asked",
        required=True,
        tracking=True,
        help="Permanent: the new own limit. Temporary: what is added to it until the last day.",
    )
    date_to = fields.Date(string="Until")
    reason = fields.Text(required=True)
    attachment_ids = fields.Many2many("ir.attachment", string="Documents", copy=False)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("asked", "Asked"),
            ("granted", "Granted"),
            ("partial", "Granted in part"),
            ("refused", "Not granted"),
            ("withdrawn", "Taken back"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    asked_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, default=lambda self: self.env.user, index=True
    )
    asked_on = fields.Datetime(readonly=True, copy=False)
    figures = fields.Json(readonly=True, copy=False, groups="credit_insurance.credit_insurance_group_user")
    figures_html = fields.Html(
        string="Figures When It Was Asked",
        compute="_compute_figures_html",
        sanitize=False,
        groups="credit_insurance.credit_insurance_group_user",
    )
    decided_by_id = fields.Many2one("res.users", readonly=True, copy=False, tracking=True)
    decided_on = fields.Datetime(readonly=True, copy=False)
    decision_note = fields.Text(readonly=True, copy=False)
    granted_amount = fields.Monetary(readonly=True, copy=False, tracking=True)
    granted_until = fields.Date(readonly=True, copy=False)
    authority = fields.Char(readonly=True, copy=False, groups="credit_insurance.credit_insurance_group_user")
    self_approved = fields.Boolean(readonly=True, copy=False)
    own_limit_id = fields.Many2one(
        "credit.insurance.own.limit",
        string="Limit Granted",
        readonly=True,
        copy=False,
        ondelete="restrict",
        groups="credit_insurance.credit_insurance_group_user",
    )
    may_decide = fields.Boolean(compute="_compute_may_decide")

    _amount_positive = models.Constraint("CHECK(amount > 0)", "A limit asked for is an amount above zero.")

    # === COMPUTE METHODS === #

    @api.depends("figures")
    @api.depends_context("lang")
    def _compute_figures_html(self):
        for request in self:
            request.figures_html = self.env["credit.insurance.limit.figures"]._to_html(request.figures)

    @api.depends_context("uid")
    def _compute_may_decide(self):
        self.may_decide = self.env.user.has_group(MANAGER_GROUP)

    # === CONSTRAINTS === #

    @api.constrains("kind", "date_to", "amount")
    def _check_terms(self):
        for request in self:
            if not is_amount(request.amount):
                raise ValidationError(self.env._("This is no amount."))
            if request.kind == "temporary" and not request.date_to:
                raise ValidationError(self.env._("A temporary limit needs a last day."))

    @api.constrains("partner_id", "company_id", "order_id")
    def _check_buyer(self):
        for request in self:
            if request.partner_id != request.partner_id.commercial_partner_id:
                raise ValidationError(self.env._("A limit is granted to a company, not to a contact of it."))
            owner = request.partner_id.sudo().company_id.root_id
            if owner and owner != request.company_id.root_id:
                raise ValidationError(self.env._("This buyer belongs to another company."))
            order = request.order_id.sudo()
            if order and (order._credit_buyer_partner(), order.company_id.root_id) != (
                request.partner_id,
                request.company_id,
            ):
                raise ValidationError(self.env._("Order %s is not one of this buyer.", order.name))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """A request begins as a draft of whoever enters it."""
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, self._fields.keys() - ASKED_FIELDS)
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and set(vals) & set(self._fields) - self._get_thread_fields():
            if set(vals) & set(self._fields) - ASKED_FIELDS - self._get_thread_fields():
                raise AccessError(self.env._("A request is asked, granted or refused with its buttons."))
            if self.sudo().filtered(lambda request: request.state != "draft"):
                raise UserError(self.env._("What was asked stays as it was asked. Withdraw it and ask anew."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_asked(self):
        if self.filtered(lambda request: request.state != "draft"):
            raise UserError(self.env._("What was asked stays on record. Withdraw it instead."))

    def _get_thread_fields(self):
        return {
            name for name in self._fields if name.startswith(("message_", "activity_", "rating_", "website_message"))
        }

    # === ACTIONS === #

    def action_ask(self):
        """Send the request to who may decide it, with the figures of this moment."""
        self.ensure_one()
        self.check_access("write")
        request = self.sudo()
        if request.state != "draft":
            raise UserError(self.env._("This was asked already."))
        buyer = self.env["credit.insurance.buyer"]._get_or_create(request.partner_id, request.company_id)
        request.write(
            {
                "buyer_id": buyer.id,
                "name": self.env["ir.sequence"].sudo().next_by_code("credit.insurance.limit.request") or request.name,
                "state": "asked",
                "asked_by_id": self.env.uid,
                "asked_on": fields.Datetime.now(),
                "figures": self.env["credit.insurance.limit.figures"].sudo()._freeze(buyer),
            }
        )
        request._schedule_decision()
        return True

    def action_withdraw(self):
        """Whoever asked, or a credit manager, takes the request back."""
        self.ensure_one()
        self.check_access("read")
        request = self.sudo()
        if self.env.user not in request._get_own_askers() and not self.env.user.has_group(MANAGER_GROUP):
            raise AccessError(self.env._("Only who asked may take it back."))
        if request.state not in ("draft", "asked"):
            raise UserError(self.env._("This request was decided already."))
        request.state = "withdrawn"
        request.activity_unlink([REQUEST_TYPE])
        return True

    def action_grant(self):
        return self._get_decision_action("grant", self.env._("Grant"))

    def action_refuse(self):
        return self._get_decision_action("refuse", self.env._("Refuse"))

    def _get_decision_action(self, decision, name):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "credit.insurance.limit.request.decide",
            "view_mode": "form",
            "target": "new",
            "context": {"default_request_id": self.id, "default_decision": decision},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _get_new_action(self, context):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ask for a Limit"),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "context": context,
        }

    @api.model
    def _open_for_order(self, order):
        """The action with which the user asks for the limit that ``order`` lacks.

        Asked is what would let the order pass: its buyer's own limit of today and the shortfall of its open hold.
        """
        order.ensure_one()
        order.check_access("read")
        trusted = order.sudo()
        partner, company = trusted._credit_buyer_partner(), trusted.company_id.root_id
        found = self.search(
            [("order_id", "=", order.id), ("state", "in", ("draft", "asked")), ("partner_id", "=", partner.id)], limit=1
        )
        if found:
            return self._get_new_action({}) | {"name": found.name, "res_id": found.id}
        decision = trusted.credit_hold_ids.filtered(lambda hold: hold.state == "open")[:1].decision_id
        currency = decision.currency_id or company.currency_id
        wanted = decision._get_own_limit_lacking() if decision else trusted.amount_total
        return self._get_new_action(
            {
                "default_partner_id": partner.id,
                "default_company_id": company.id,
                "default_order_id": order.id,
                "default_currency_id": currency.id,
                "default_amount": wanted,
            }
        )

    @api.model
    def _get_askers(self, buyer):
        """Who asked for a limit of this buyer that is not decided: they do not grant it by hand either."""
        requests = self.sudo().search([("buyer_id", "in", buyer.ids), ("state", "=", "asked")])
        return requests._get_own_askers()

    def _get_own_askers(self):
        """Whoever wrote or sent these requests; the system is nobody."""
        requests = self.sudo()
        return (requests.asked_by_id | requests.create_uid).filtered(lambda user: user.id != SUPERUSER_ID)

    def _schedule_decision(self):
        """An activity for who may decide, in that person's language, by the system: who asks cannot delete it."""
        authority = self.env["credit.insurance.authority"]
        for request in self.with_user(SUPERUSER_ID):
            ask = authority._make_ask(
                "limit",
                request.company_id,
                request.amount,
                request.currency_id,
                request.buyer_id,
                request._get_own_askers(),
            )
            decider = authority.sudo()._choose_decider(ask)
            if not decider:
                continue
            texts = request.with_context(lang=decider.lang)
            texts.activity_schedule(
                REQUEST_TYPE,
                user_id=decider.id,
                summary=texts.env._(
                    "%(user)s asks for a limit of %(amount)s for %(buyer)s",
                    user=request.asked_by_id.name,
                    amount=request.currency_id.format(request.amount),
                    buyer=request.partner_id.display_name,
                ),
            )

    def _grant(self, amount, kind, date_from, date_to, next_review, note):
        """Grant up to what is asked, or another amount: creates the row of the buyer's own limit.

        :raise AccessError: beyond the user's authority, or asked by the user
        :raise UserError: decided already, or a limit that is none
        """
        self.ensure_one()
        self._check_open()
        if not is_amount(amount) or amount <= 0 or date_from < self.company_id._credit_today():
            raise UserError(self.env._("A limit granted is an amount above zero, from today on."))
        request = self.sudo()
        row = (
            self.env["credit.insurance.own.limit"]
            .sudo()
            .create(
                {
                    "buyer_id": request.buyer_id.id,
                    "currency_id": request.currency_id.id,
                    "amount": amount,
                    "kind": kind,
                    "date_from": date_from,
                    "date_to": date_to,
                    "next_review": next_review,
                    "reviewer_id": self.env.uid,
                    "request_id": request.id,
                    "granted_by_id": self.env.uid,
                    "note": request.reason.splitlines()[0][:200] if request.reason else False,
                }
            )
        )
        # The row exists within this transaction only, unless the authority is there: what stands beside it counts too.
        used = self.env["credit.insurance.authority"]._check(
            "limit",
            request.company_id,
            row._get_granted_amount(),
            request.currency_id,
            request.buyer_id,
            askers=request._get_own_askers() | self._get_askers(request.buyer_id),
            record=request,
            note=note,
        )
        row.authority = used.display_name if used else False
        whole = kind == request.kind and request.currency_id.compare_amounts(amount, request.amount) >= 0
        request.write(
            {"own_limit_id": row.id, "granted_amount": amount, "granted_until": date_to, "authority": row.authority}
        )
        self._decide("granted" if whole else "partial", note)
        return row

    def _refuse(self, note):
        """:raise AccessError: the user is no credit manager here"""
        self.ensure_one()
        self._check_open()
        if self.env.user not in self.env["credit.insurance.authority"]._get_managers(self.sudo().company_id):
            raise AccessError(self.env._("Only a credit manager may refuse a limit."))
        if not (note or "").strip():
            raise UserError(self.env._("Say why it is refused."))
        self._decide("refused", note)

    def _check_open(self):
        self.check_access("read")
        # Nobody else decides it meanwhile.
        self.sudo().lock_for_update()
        if self.sudo().state != "asked":
            raise UserError(self.env._("This request was decided already."))

    def _decide(self, state, note):
        request = self.sudo()
        request.write(
            {"state": state, "decided_by_id": self.env.uid, "decided_on": fields.Datetime.now(), "decision_note": note}
        )
        request.activity_feedback([REQUEST_TYPE], feedback=note or "")
        asker = request.asked_by_id
        texts = request.with_context(lang=asker.lang)
        state_word = dict(texts._fields["state"]._description_selection(texts.env))[state]
        texts.message_post(
            body=texts.env._(
                "Request for a limit of %(amount)s: %(state)s. %(note)s",
                amount=request.currency_id.format(request.amount),
                state=state_word,
                note=note or "",
            ),
            partner_ids=asker.partner_id.ids,
        )
