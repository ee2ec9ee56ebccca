from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from . import credit_insurance_submission_buyer  # noqa: F401 (has to be loaded first)
from .amounts import is_amount, to_decimal
from .submission_words import SUBMISSION_STATES

KINDS = [
    ("new", "New cover"),
    ("increase", "More cover"),
    ("reduce", "Less cover"),
    ("cancel", "No cover any more"),
]
PRODUCTS = [
    ("credit_limit", "Credit limit"),
    ("credit_check", "Fixed amount of the policy"),
    ("grade_cover", "Cover by grade"),
]
PAYMENT_METHODS = [
    ("open_account", "Open account"),
    ("letter_of_credit", "Letter of credit"),
    ("documents_against_payment", "Documents against payment"),
    ("documents_against_acceptance", "Documents against acceptance"),
]
CLOSED_STATES = ("accepted", "partial", "refused", "cancelled")
# What the buyer's record says, and the field that keeps it in the policy's currency.
FIGURES = {
    "exposure": "exposure",
    "limit_amount": "limit_in_force",
    "headroom": "headroom",
}


class CreditInsuranceCoverRequest(models.Model):
    """Asking the insurer for cover on a buyer: new, more, less, or none any more.

    The decision writes no cover: the covers are asked for again, and their history says what the insurer grants. A
    refused increase leaves the cover as it was. One request is open per buyer, policy and kind.
    """

    _name = "credit.insurance.cover.request"
    _description = "Request for Cover"
    _inherit = ["credit.insurance.submission.buyer"]
    _order = "id desc"
    _check_company_auto = True

    _asked = "kind amount product payment_term_id payment_term_days payment_method urgent".split()
    _draft_fields = frozenset({"policy_id", "buyer_id", "comment", "user_id", *_asked})
    _figure_fields = frozenset({"policy_id", "buyer_id"})
    _sender_groups = ("credit_insurance.credit_insurance_group_user",)

    state = fields.Selection(SUBMISSION_STATES)
    kind = fields.Selection(KINDS, required=True, default="new", tracking=True)
    amount = fields.Monetary(
        string="Cover Asked For", tracking=True, help="The whole cover wanted afterwards, not the difference."
    )
    product = fields.Selection(PRODUCTS, required=True, default="credit_limit")
    payment_term_id = fields.Many2one(
        "account.payment.term",
        check_company=True,
        compute="_compute_payment_term_id",
        store=True,
        readonly=False,
        ondelete="restrict",
    )
    payment_term_days = fields.Integer(
        string="Payment Term (days)", compute="_compute_payment_term_days", store=True, readonly=False
    )
    payment_method = fields.Selection(PAYMENT_METHODS, required=True, default="open_account")
    urgent = fields.Boolean(help="The insurer is asked to decide at once, where it offers that.")
    live = fields.Boolean(compute="_compute_live", store=True, help="Not decided and not cancelled.")
    task_id = fields.Many2one("credit.insurance.action.task", readonly=True, copy=False, ondelete="set null")

    exposure = fields.Monetary(readonly=True, copy=False, help="When it was asked.")
    limit_in_force = fields.Monetary(readonly=True, copy=False)
    headroom = fields.Monetary(readonly=True, copy=False)
    cover_before = fields.Monetary(string="Cover", readonly=True, copy=False)
    cover_reference = fields.Char(string="Insurer's Cover", readonly=True, copy=False)
    receivables = fields.Monetary(readonly=True, copy=False)
    orders = fields.Monetary(string="On Order", readonly=True, copy=False)
    figures = fields.Json(readonly=True, copy=False)
    figures_html = fields.Html(string="Figures When It Was Asked", compute="_compute_figures_html", sanitize=False)
    warning_text = fields.Text(compute="_compute_warning_text")

    granted_amount = fields.Monetary(
        readonly=True, copy=False, tracking=True, currency_field="granted_currency_id", string="Granted"
    )
    granted_currency_id = fields.Many2one("res.currency", readonly=True, copy=False)
    decided_on = fields.Date(readonly=True, copy=False, tracking=True)

    _name_uniq = models.UniqueIndex("(name)", "This reference exists already.")
    _live_uniq = models.UniqueIndex(
        "(buyer_id, policy_id, kind) WHERE live",
        "A request of this kind is open for this buyer under this policy already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_live(self):
        for request in self:
            request.live = request.state not in CLOSED_STATES

    @api.depends("buyer_id")
    def _compute_payment_term_id(self):
        for request in self:
            company = request.buyer_id.company_id or self.env.company
            partner = request.sudo().buyer_id.partner_id.with_company(company)
            request.payment_term_id = partner.property_payment_term_id

    @api.depends("payment_term_id")
    def _compute_payment_term_days(self):
        today = fields.Date.context_today(self)
        for request in self:
            dues = [line._get_due_date(today) for line in request.payment_term_id.line_ids]
            request.payment_term_days = max(((due - today) / timedelta(days=1) for due in dues), default=0)

    @api.depends("figures")
    @api.depends_context("lang")
    def _compute_figures_html(self):
        for request in self:
            request.figures_html = self.env["credit.insurance.limit.figures"]._to_html(request.figures)

    @api.depends("kind", "amount", "product", "cover_before", "cover_reference", "state", "buyer_id", "policy_id")
    def _compute_warning_text(self):
        """What the insurer may object to, as long as something can still be done about it."""
        for request in self:
            still = request.state in ("draft", "failed") and request.buyer_id and request.policy_id
            request.warning_text = "\n".join(request._get_warnings()) if still else False

    def _get_warnings(self):
        warnings = []
        cover, currency = self.cover_before, self.currency_id
        if self.kind == "new" and cover:
            warnings.append(self.env._("A cover of %s stands already.", currency.format(cover)))
        if self.kind != "new" and not cover:
            warnings.append(self.env._("No cover of this buyer under this policy is known."))
        if self.kind == "increase" and cover and self.amount and self.amount <= cover:
            warnings.append(self.env._("That is not more than the cover of %s.", currency.format(cover)))
        if self.kind == "reduce" and cover and self.amount >= cover:
            warnings.append(self.env._("That is not less than the cover of %s.", currency.format(cover)))
        if not self.route_note and not self._get_insurer_buyer_id():
            warnings.append(self.env._("The insurer's number of this buyer is not known."))
        return warnings

    # === CONSTRAINTS === #

    @api.constrains("amount", "payment_term_days")
    def _check_amounts(self):
        for request in self:
            if not is_amount(request.amount) or request.amount < 0 or request.payment_term_days < 0:
                raise ValidationError(self.env._("This is no amount."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_none_open(vals.get("buyer_id"), vals.get("policy_id"), vals.get("kind", "new"))
        return super().create(vals_list)

    @api.model
    def _check_none_open(self, buyer_id, policy_id, kind):
        """The unique index sees to it in any case; here the other one is named to those who may read it."""
        self.env["credit.insurance.buyer"].browse(buyer_id).check_access("read")
        domain = [("buyer_id", "=", buyer_id), ("policy_id", "=", policy_id), ("kind", "=", kind), ("live", "=", True)]
        other = self.sudo().search(domain, limit=1)
        if other and not self._get_readable_names(other):
            raise UserError(self.env._("A request of this kind is open for this buyer under this policy already."))
        if other:
            raise UserError(
                self.env._(
                    "%(name)s asks for that already: %(state)s.",
                    name=other.name,
                    state=dict(self._fields["state"]._description_selection(self.env))[other.state],
                )
            )

    # === BEFORE IT IS SENT === #

    def _check_ready(self):
        if self.kind != "cancel" and self.product == "credit_limit" and self.amount <= 0:
            raise UserError(self.env._("Enter the cover to ask for."))

    def _refresh_figures(self):
        """Exposure, limit, headroom and cover of this moment, in the policy's currency, and all of them as text."""
        for request in self.sudo().filtered(lambda request: request.state == "draft"):
            buyer, cover = request.buyer_id, request._get_cover()
            values = {target: request._in_policy_currency(buyer[name]) for name, target in FIGURES.items()}
            values["cover_before"] = cover._get_amount_on(request.company_id._credit_today()) if cover else 0.0
            owed = buyer.exposure_not_due + buyer.exposure_overdue
            request.write(
                {
                    **values,
                    "cover_reference": cover.external_id if cover else False,
                    "receivables": request._in_policy_currency(owed),
                    "orders": request._in_policy_currency(buyer.exposure_confirmed),
                    "figures": self.env["credit.insurance.limit.figures"]._freeze(buyer),
                }
            )

    def _in_policy_currency(self, amount):
        source, target, company = self.buyer_id.currency_id, self.currency_id, self.company_id
        exposure = self.env["credit.insurance.exposure"]
        return float(exposure._convert(to_decimal(amount, source), source, target, company, company._credit_today()))

    def _get_cover(self):
        """The permanent cover of this buyer under this policy that counts today, or nothing."""
        today = self.company_id._credit_today()
        covers = self.buyer_id.cover_ids.filtered(
            lambda cover: (
                cover.policy_id == self.policy_id
                and cover.layer == "permanent"
                and cover.effective_from <= today
                and cover._get_status_on(today) in ("approved", "partial", "reduced", "withdrawn", "expired")
            )
        )
        return covers.sorted(lambda cover: (cover.effective_from, cover.id))[-1:]
