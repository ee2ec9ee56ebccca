"""The queue of holds: why, since when, the figures now beside those of then, and what would clear each."""

from odoo import api, fields, models

from odoo.addons.credit_insurance.rules.policy import Outcome, ReasonCode

REASON_LABELS = [
    (ReasonCode.BUYER_BLOCKED.value, "Buyer blocked"),
    (ReasonCode.RELATED_BUYER_BLOCKED.value, "Recipient blocked"),
    (ReasonCode.COVER_STOPPED.value, "Cover stopped"),
    (ReasonCode.MEP_PASSED.value, "Maximum extension period passed"),
    (ReasonCode.LIMIT_ZERO.value, "No credit"),
    (ReasonCode.LIMIT_UNKNOWN.value, "Limit could not be read"),
    (ReasonCode.BUYER_CASH_ONLY.value, "Cash only"),
    (ReasonCode.NOT_PAID_YET.value, "Not paid yet"),
    (ReasonCode.OVER_LIMIT.value, "Over the limit"),
    (ReasonCode.OVER_SHARED_LIMIT.value, "Over the shared limit"),
    (ReasonCode.OVERDUE.value, "Overdue"),
    (ReasonCode.TERM_TOO_LONG.value, "Payment term too long"),
    (ReasonCode.COVER_ENDS_BEFORE_DELIVERY.value, "Cover ends before delivery"),
    (ReasonCode.CURRENCY_NOT_COVERED.value, "Currency not covered"),
    (ReasonCode.COUNTRY_NOT_COVERED.value, "Country not covered"),
    (ReasonCode.RATE_MISSING.value, "Exchange rate missing"),
    (ReasonCode.STALE_DATA.value, "Insurer data too old"),
    (ReasonCode.ALERT.value, "Risk alert"),
    (ReasonCode.BUYER_WATCH.value, "Buyer on watch"),
    (ReasonCode.DIFFERENT_ENTITIES.value, "Different legal entities"),
    (ReasonCode.MEP_EXCUSED.value, "Unpaid, but does not stop cover"),
    ("other", "Other"),
]
NOW_FIELDS = ("exposure_now", "limit_now", "shortfall_now", "to_pay_now", "limit_needed")


class CreditInsuranceHold(models.Model):
    _inherit = "credit.insurance.hold"

    main_reason = fields.Selection(
        REASON_LABELS,
        compute="_compute_main_reason",
        store=True,
        index=True,
        help="The gravest of the reasons for which it is held.",
    )
    age_days = fields.Integer(string="Age (days)", compute="_compute_age")
    age = fields.Char(compute="_compute_age")
    now_currency_id = fields.Many2one("res.currency", compute="_compute_now", compute_sudo=True)
    exposure_now = fields.Monetary(compute="_compute_now", compute_sudo=True, currency_field="now_currency_id")
    limit_now = fields.Monetary(compute="_compute_now", compute_sudo=True, currency_field="now_currency_id")
    shortfall_now = fields.Monetary(compute="_compute_now", compute_sudo=True, currency_field="now_currency_id")
    to_pay_now = fields.Monetary(
        string="Payment That Would Do",
        compute="_compute_now",
        compute_sudo=True,
        currency_field="now_currency_id",
        help="The smallest payment with which it would pass now. Zero: it passes, or no payment helps.",
    )
    limit_needed = fields.Monetary(
        string="Limit That Would Do",
        compute="_compute_now",
        compute_sudo=True,
        currency_field="now_currency_id",
        help="Exposure now and this document.",
    )
    passes_now = fields.Boolean(compute="_compute_now", compute_sudo=True)
    is_live = fields.Boolean(compute="_compute_now", compute_sudo=True, help="Whether there are figures of now.")
    order_state = fields.Selection(related="order_id.state", string="State of the Order")
    clears_on = fields.Date(
        string="Expected to Clear On",
        compute="_compute_clears_on",
        compute_sudo=True,
        help="When payments that fall due are expected to have freed enough.",
    )

    # === COMPUTE METHODS === #

    @api.depends("decision_id")
    def _compute_main_reason(self):
        order = {code: position for position, (code, _label) in enumerate(REASON_LABELS)}
        for hold in self:
            codes = [
                reason["code"]
                for reason in hold.sudo().decision_id.reasons or ()
                if reason["severity"] == "hold" and not reason["exempted_by"] and reason["code"] in order
            ]
            hold.main_reason = min(codes, key=order.get, default="other")

    @api.depends_context("lang", "tz")
    @api.depends("create_date", "state")
    def _compute_age(self):
        buyers = self.env["credit.insurance.buyer"]
        for hold in self:
            hold.age_days = buyers._get_age_days(hold.create_date)
            hold.age = buyers._describe_age(hold.create_date)

    @api.depends("state", "decision_id")
    def _compute_now(self):
        """All at once: the queue costs the same few queries however many holds it shows."""
        live = self._preview_orders()
        for hold in self:
            _case, decision = live.get(hold, (None, None))
            hold.now_currency_id = _case.buyer.currency_id if decision else hold.currency_id
            hold.is_live = bool(decision)
            hold.passes_now = bool(decision) and decision.outcome is Outcome.PASS
            if not decision:
                for name in NOW_FIELDS:
                    hold[name] = 0.0
                continue
            hold.exposure_now = float(decision.exposure.total.amount)
            hold.limit_now = float(decision.limit.amount) if decision.limit is not None else 0.0
            hold.shortfall_now = float(decision.shortfall.amount)
            hold.to_pay_now = float(decision.prepayment.amount) if decision.prepayment is not None else 0.0
            hold.limit_needed = float(decision.after.amount)

    def _preview_orders(self):
        """What the gate would say now about the quotations among these open holds: ``{hold: (Case, Decision)}``."""
        waiting = self.filtered(
            lambda hold: hold.state == "open" and hold.order_id.state in ("draft", "sent") and isinstance(hold.id, int)
        )
        by_order = {hold.order_id: hold for hold in waiting}
        if not by_order:
            return {}
        pairs = self.env["credit.insurance.gate"]._preview(waiting.order_id)
        return {by_order[case.subject]: (case, decision) for case, decision in pairs}

    @api.depends("state", "decision_id")
    def _compute_clears_on(self):
        card, live = self.env["credit.insurance.card"], self._preview_orders()
        for hold in self:
            case, decision = live.get(hold, (None, None))
            way = card._get_way_wait(hold.order_id, case, decision) if decision else None
            hold.clears_on = way["date"] if way else False
