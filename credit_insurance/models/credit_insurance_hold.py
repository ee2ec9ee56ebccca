from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

HOLD_STATES = [
    ("open", "Open"),
    ("released", "Released"),
    ("rejected", "Rejected"),
    ("cleared", "Cleared by itself"),
    ("lapsed", "Lapsed"),
]

# The fields of a hold that name what was stopped, by model.
DOCUMENT_FIELDS = {"sale.order": "order_id", "stock.picking": "picking_id", "account.move": "move_id"}


class CreditInsuranceHold(models.Model):
    """A document stopped by the credit gate: who, when, why, with every figure of that moment, and what became of it.

    Roles only read holds. The gate opens and closes them, the wizards decide them after checking authority.
    """

    _name = "credit.insurance.hold"
    _description = "Credit Hold"
    _inherit = ["credit.insurance.buyer.thread", "mail.activity.mixin"]
    _order = "state, create_date desc, id desc"
    _mail_post_access = "read"

    name = fields.Char(readonly=True, required=True, copy=False)
    order_id = fields.Many2one("sale.order", ondelete="set null", index="btree_not_null", readonly=True)
    picking_id = fields.Many2one(
        "stock.picking", string="Delivery", ondelete="set null", index="btree_not_null", readonly=True
    )
    move_id = fields.Many2one(
        "account.move", string="Invoice", ondelete="set null", index="btree_not_null", readonly=True
    )
    order_name = fields.Char(string="Document", readonly=True)
    decision_id = fields.Many2one("credit.insurance.decision", required=True, ondelete="restrict", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", string="Buyer", required=True, ondelete="restrict", readonly=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    salesperson_id = fields.Many2one(
        "res.users", compute="_compute_salesperson_id", store=True, precompute=True, index="btree_not_null"
    )
    state = fields.Selection(HOLD_STATES, default="open", required=True, readonly=True, index=True, tracking=True)
    order_amount = fields.Monetary(
        string="Document Amount", currency_field="order_currency_id", readonly=True, help="In the document's currency."
    )
    order_currency_id = fields.Many2one("res.currency", readonly=True)

    currency_id = fields.Many2one(related="decision_id.currency_id")
    document_amount = fields.Monetary(related="decision_id.document_amount")
    limit_checked = fields.Boolean(related="decision_id.limit_checked")
    limit_amount = fields.Monetary(related="decision_id.limit_amount")
    insured_limit = fields.Monetary(related="decision_id.insured_limit")
    own_limit = fields.Monetary(related="decision_id.own_limit")
    exposure_not_due = fields.Monetary(related="decision_id.exposure_not_due")
    exposure_overdue = fields.Monetary(related="decision_id.exposure_overdue")
    exposure_confirmed = fields.Monetary(related="decision_id.exposure_confirmed")
    exposure_credits = fields.Monetary(related="decision_id.exposure_credits")
    exposure_reserved = fields.Monetary(related="decision_id.exposure_reserved")
    exposure = fields.Monetary(related="decision_id.exposure", string="Exposure Then")
    headroom = fields.Monetary(related="decision_id.headroom")
    shortfall = fields.Monetary(related="decision_id.shortfall", string="Shortfall Then")
    data_age_days = fields.Integer(related="decision_id.data_age_days")
    reasons_text = fields.Text(related="decision_id.reasons_text")

    asker_ids = fields.Many2many(
        "res.users",
        "credit_insurance_hold_asker_rel",
        string="Made or Asked By",
        readonly=True,
        help="Whoever made, confirmed or asked for this document. The list only grows. From the company's four-eyes "
        "amount on, none of them decides the hold.",
    )
    requested_by_id = fields.Many2one("res.users", string="Release Asked By", readonly=True)
    requested_on = fields.Datetime(readonly=True)
    request_note = fields.Text(readonly=True)

    _open_uniq = models.UniqueIndex("(order_id) WHERE state = 'open'", "An order has one open hold.")
    _open_picking_uniq = models.UniqueIndex("(picking_id) WHERE state = 'open'", "A delivery has one open hold.")
    _open_move_uniq = models.UniqueIndex("(move_id) WHERE state = 'open'", "An invoice has one open hold.")

    # === COMPUTE METHODS === #

    @api.depends("order_id.user_id", "picking_id.sale_id.user_id", "move_id.invoice_user_id")
    def _compute_salesperson_id(self):
        """Who looks after the document now; the hold of one that was deleted stays with who did."""
        for hold in self:
            document = hold._get_document()
            hold.salesperson_id = document._credit_salesperson() if document else hold.salesperson_id

    # === ACTIONS === #

    def action_open_order(self):
        """Open the document that was stopped."""
        self.ensure_one()
        document = self._get_document()
        return {
            "type": "ir.actions.act_window",
            "res_model": document._name,
            "res_id": document.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _get_document(self):
        """The order, delivery or invoice that was stopped; empty once it is deleted."""
        self.ensure_one()
        return self.picking_id or self.move_id or self.order_id

    @api.model
    def _open(self, document, decision, terms=None):
        """Put ``document`` on hold, or bring its open hold up to date with the newest decision.

        :param terms: what of an order is not as the order says, such as the total it grows to, as values of the hold
        """
        field, user = DOCUMENT_FIELDS[document._name], self.env.user
        self = self._as_teller()  # pylint: disable=self-cls-assignment
        holds = self.sudo().search([(field, "=", document.id)])
        hold = holds.filtered(lambda hold: hold.state == "open")
        if hold and (hold.partner_id, hold.company_id) != (decision.partner_id, decision.company_id):
            hold._close("lapsed")
            hold = self.browse()
        askers = self._get_authors(document) | document._credit_salesperson() | user
        # What was rejected or lapsed is asked anew.
        askers |= holds.filtered(lambda hold: hold.state in ("rejected", "lapsed")).asker_ids
        vals = {
            "asker_ids": [fields.Command.link(user.id) for user in askers if user.id != SUPERUSER_ID],
            "decision_id": decision.id,
            "order_name": document.display_name,
            "order_currency_id": document._credit_currency().id,
            "order_amount": document._credit_amount(),
            **(terms or {}),
        }
        if hold:
            told = hold.order_amount, hold.shortfall
            hold.write(vals)
            if told != (hold.order_amount, hold.shortfall):
                hold._tell_changed()
            return hold
        vals |= {
            "name": self.env["ir.sequence"].sudo().next_by_code("credit.insurance.hold") or document.name,
            field: document.id,
            "partner_id": decision.partner_id.id,
            "company_id": decision.company_id.id,
        }
        hold = self.sudo().create(vals)
        hold._tell_opened()
        return hold

    def _as_teller(self):
        """What colleagues are told of it comes from whoever acts, and from the system when that is a customer, who pays
        or signs."""
        return self if self.env.user._is_internal() else self.with_user(SUPERUSER_ID)

    @api.model
    def _get_authors(self, document):
        """Who made or shaped the document; the rest of a split quotation was made by whoever made that one."""
        if document._name != "sale.order":
            return document.create_uid
        origin = document.sudo()._credit_get_split_origin()
        return origin.create_uid | (origin | document.sudo()).credit_author_ids

    def _get_release(self, document):
        """The release among these holds that still lets ``document`` pass as it is now."""
        currency, amount = document._credit_currency(), document._credit_amount()
        return self.filtered(
            lambda hold: (
                hold.state == "released"
                and hold.company_id == document._credit_company()
                and hold.release_valid_until >= hold.company_id._credit_today()
                and hold.order_currency_id == currency
                and hold.partner_id == document._credit_buyer_partner()
                and currency.compare_amounts(amount, hold.release_amount) <= 0
                and document._credit_within_terms(hold)
            )
        )[:1]

    def _request_release(self, note):
        """The document's side asks for a release: on record, and in the activity of whoever decides."""
        self.ensure_one()
        if self.state != "open":
            raise UserError(self.env._("Hold %s is closed already.", self.name))
        hold = self.sudo()
        hold.asker_ids |= self.env.user
        hold.write({"requested_by_id": self.env.uid, "requested_on": fields.Datetime.now(), "request_note": note})
        hold.message_post(
            body=self.env._("%(user)s asks for a release: %(note)s", user=self.env.user.name, note=note or "-")
        )
        activities = hold.activity_search(["credit_insurance.mail_activity_type_hold"])
        if activities:
            activities.write({"note": plaintext2html(note or "")})
        else:
            hold._schedule_decision(note)

    def _close(self, state):
        """Close open holds that nobody decided: cleared by itself, or lapsed with its document."""
        for hold in self._as_teller().sudo().filtered(lambda hold: hold.state == "open"):
            hold.state = state
            hold.activity_unlink(["credit_insurance.mail_activity_type_hold"])

    def _format(self, amount):
        self.ensure_one()
        return self.currency_id.format(amount)
