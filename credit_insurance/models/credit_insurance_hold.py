from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.credit_insurance.rules.policy import Outcome

HOLD_STATES = [
    ("open", "Open"),
    ("released", "Released"),
    ("rejected", "Rejected"),
    ("cleared", "Cleared by itself"),
    ("lapsed", "Lapsed"),
]

# The bar of the decision card: what uses the limit, and the colour of each part.
CARD_SOURCES = [
    ("exposure_overdue", "danger"),
    ("exposure_not_due", "primary"),
    ("exposure_confirmed", "info"),
    ("exposure_reserved", "secondary"),
    ("document_amount", "warning"),
]


class CreditInsuranceHold(models.Model):
    """An order stopped by the credit gate: who, when, why, with every figure at that moment, and what became of it.

    Roles only read holds. The gate opens and closes them, the release wizard decides them after checking authority.
    """

    _name = "credit.insurance.hold"
    _description = "Credit Hold"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "state, create_date desc, id desc"
    _mail_post_access = "read"

    name = fields.Char(readonly=True, required=True, copy=False)
    order_id = fields.Many2one("sale.order", ondelete="set null", index="btree_not_null", readonly=True)
    order_name = fields.Char(string="Document", readonly=True)
    decision_id = fields.Many2one("credit.insurance.decision", required=True, ondelete="restrict", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", string="Buyer", required=True, ondelete="restrict", readonly=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    salesperson_id = fields.Many2one("res.users", readonly=True, index="btree_not_null")
    state = fields.Selection(HOLD_STATES, default="open", required=True, readonly=True, index=True, tracking=True)
    order_amount = fields.Monetary(currency_field="order_currency_id", readonly=True)
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
        string="Asked By",
        readonly=True,
        help="Whoever made, confirmed or asked for this order. The list only grows. From the company's four-eyes "
        "amount on, none of them decides the hold.",
    )
    requested_by_id = fields.Many2one("res.users", readonly=True)
    requested_on = fields.Datetime(readonly=True)
    request_note = fields.Text(readonly=True)
    decided_by_id = fields.Many2one("res.users", readonly=True, tracking=True)
    decided_on = fields.Datetime(readonly=True)
    reason_id = fields.Many2one("credit.insurance.release.reason", readonly=True, tracking=True)
    note = fields.Text(string="Decision Note", readonly=True)
    release_amount = fields.Monetary(
        string="Released up to", currency_field="order_currency_id", readonly=True, tracking=True
    )
    release_valid_until = fields.Date(string="Released Until", readonly=True, tracking=True)

    _open_uniq = models.UniqueIndex("(order_id) WHERE state = 'open'", "An order has one open hold.")

    # === ACTIONS === #

    def action_open_order(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "view_mode": "form",
        }

    def action_release(self):
        """Open the wizard that records a release."""
        return self._get_decision_action("release", self.env._("Release"))

    def action_reject(self):
        """Open the wizard that records a rejection."""
        return self._get_decision_action("reject", self.env._("Reject"))

    def _get_decision_action(self, decision, name):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "credit.insurance.hold.release",
            "view_mode": "form",
            "target": "new",
            "context": {"default_hold_id": self.id, "default_decision": decision},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, order, decision):
        """Put ``order`` on hold, or bring its open hold up to date with the newest decision."""
        hold = self.sudo().search([("order_id", "=", order.id), ("state", "=", "open")])
        if hold and (hold.partner_id, hold.company_id) != (decision.partner_id, decision.company_id):
            hold._close("lapsed")
            hold = self.browse()
        askers = order.create_uid | order.user_id | self.env.user
        vals = {
            "asker_ids": [fields.Command.link(user.id) for user in askers if user.id != SUPERUSER_ID],
            "decision_id": decision.id,
            "order_amount": order.amount_total,
            "order_currency_id": order.currency_id.id,
        }
        if hold:
            hold.write(vals)
            return hold
        vals |= {
            "name": self.env["ir.sequence"].sudo().next_by_code("credit.insurance.hold") or order.name,
            "order_id": order.id,
            "order_name": order.name,
            "partner_id": decision.partner_id.id,
            "company_id": decision.company_id.id,
            "salesperson_id": order.user_id.id,
        }
        hold = self.sudo().create(vals)
        hold._schedule_decision()
        return hold

    def _schedule_decision(self):
        for hold in self:
            # By the system: an activity of the rep's own could be deleted by the rep.
            hold.with_user(SUPERUSER_ID).activity_schedule(
                "credit_insurance.mail_activity_type_hold",
                summary=self.env._(
                    "%(order)s is held: short %(amount)s", order=hold.order_name, amount=hold._format(hold.shortfall)
                ),
                user_id=hold.company_id._get_credit_responsible().id or self.env.uid,
            )

    def _format(self, amount):
        self.ensure_one()
        return self.currency_id.format(amount)

    def _prepare_card_values(self):
        """What the decision card on the order shows: figures, the bar's segments in percent, reasons, who decides."""
        self.ensure_one()
        decision = self.decision_id
        sources = [
            (name, decision._fields[name]._description_string(self.env), decision[name], color)
            for name, color in CARD_SOURCES
            if decision[name] > 0
        ]
        whole = max(decision.limit_amount, sum(amount for _name, _label, amount, _color in sources)) or 1
        return {
            "hold": self,
            "decision": decision,
            "sources": [
                {"name": name, "label": label, "amount": amount, "color": color, "percent": 100 * amount / whole}
                for name, label, amount, color in sources
            ],
            "limit_percent": min(100, 100 * decision.limit_amount / whole),
            "reasons": decision.reasons_text.splitlines(),
            "responsible": self.activity_user_id or self.company_id._get_credit_responsible(),
            "format": self._format,
        }

    def _request_release(self, note):
        """The sales side asks for a release: on record, and in the activity of whoever decides."""
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
            activities.write({"note": note})
        else:
            hold._schedule_decision()

    def _get_release(self, order):
        """The release among these holds that still lets ``order`` pass as it is now."""
        return self.filtered(
            lambda hold: (
                hold.state == "released"
                and hold.company_id == order.company_id.root_id
                and hold.release_valid_until >= hold.company_id._credit_today()
                and hold.order_currency_id == order.currency_id
                and hold.partner_id == order._credit_buyer_partner()
                and order.currency_id.compare_amounts(order.amount_total, hold.release_amount) <= 0
            )
        )[:1]

    def _check_authority(self):
        """Only credit managers decide, and from the company's four-eyes amount on not about their own request."""
        self.ensure_one()
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            raise AccessError(self.env._("Only a credit manager may release or reject hold %s.", self.name))
        self.check_access("read")
        if self.state != "open":
            raise UserError(self.env._("Hold %s is closed already.", self.name))
        asked_by_me = self.env.user in self.sudo().asker_ids
        if asked_by_me and self.document_amount >= self.company_id.sudo().credit_four_eyes_amount:
            raise AccessError(
                self.env._(
                    "You asked for %s yourself: another credit manager has to decide it.", self.order_name or self.name
                )
            )

    def _release(self, reason, note, amount, valid_until):
        """Let the order pass up to ``amount`` (order currency) until ``valid_until``, and confirm it.

        :raise AccessError: the user may not decide this hold
        :raise UserError: the hold is closed, the amount is not positive or the date is past
        """
        self._check_authority()
        if not self.sudo().order_id:
            raise UserError(self.env._("The order of hold %s does not exist any more.", self.name))
        if amount <= 0 or not valid_until or valid_until < fields.Date.context_today(self):
            raise UserError(self.env._("A release needs an amount above zero and a last day that is not past."))
        self._decide("released", reason, note, release_amount=amount, release_valid_until=valid_until)
        self.sudo().order_id._credit_confirm_released()

    def _reject(self, reason, note):
        self._check_authority()
        self._decide("rejected", reason, note)

    def _decide(self, state, reason, note, **vals):
        hold = self.sudo()
        hold.write(
            {
                "state": state,
                "reason_id": reason.id,
                "note": note,
                "decided_by_id": self.env.uid,
                "decided_on": fields.Datetime.now(),
                **vals,
            }
        )
        hold.activity_feedback(["credit_insurance.mail_activity_type_hold"], feedback=note or reason.name)
        hold._tell_salesperson()

    def _tell_salesperson(self):
        for hold in self.filtered("order_id"):
            state = dict(self._fields["state"]._description_selection(self.env))[hold.state]
            hold.order_id.message_post(
                body=self.env._(
                    "Credit hold %(hold)s: %(state)s by %(user)s. %(note)s",
                    hold=hold.name,
                    state=state,
                    user=self.env.user.name,
                    note=hold.note or "",
                ),
                partner_ids=hold.salesperson_id.partner_id.ids,
            )

    @api.model
    def _cron_redecide(self):
        """Decide open holds again, oldest order first: what passes now is ready to confirm, and its rep is told.

        Payments, credit notes, new limits and covers change the answer, and so does a confirmation that was running
        at the same moment and ended; two statements read the figures of all holds.
        """
        self.env["credit.insurance.reservation"]._gc_ended()
        holds = self.search([("state", "=", "open"), ("order_id.state", "in", ("draft", "sent"))])
        by_order = {hold.order_id: hold for hold in holds}
        gate = self.env["credit.insurance.gate"]
        for case, decision in gate._preview(holds.order_id, together=True):
            hold = by_order[case.order]
            if decision.outcome is Outcome.PASS:
                hold._close("cleared")
                hold._tell_ready()
            elif hold.exposure_reserved:
                # Its figures rest on something that has ended: keep the true ones.
                hold.decision_id = gate._log(case, decision, "recheck")

    def _tell_ready(self):
        for hold in self:
            hold.order_id.message_post(
                body=self.env._("Credit hold %s has cleared: the order can be confirmed now.", hold.name),
                partner_ids=hold.salesperson_id.partner_id.ids,
            )

    def _close(self, state):
        """Close open holds that nobody decided: cleared by itself, or lapsed with its order."""
        for hold in self.sudo().filtered(lambda hold: hold.state == "open"):
            hold.state = state
            hold.activity_unlink(["credit_insurance.mail_activity_type_hold"])


class CreditInsuranceReleaseReason(models.Model):
    _name = "credit.insurance.release.reason"
    _description = "Reason of a Credit Release or Rejection"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "This reason code exists already.")
