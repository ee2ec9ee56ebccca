from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

CARD_READERS = "sales_team.group_sale_salesman,credit_insurance.credit_insurance_group_user"


class SaleOrder(models.Model):
    """The decision card on the order, live while the quotation is typed, and what its buttons do."""

    _inherit = "sale.order"

    credit_decision = fields.Json(
        compute="_compute_credit_decision",
        groups=CARD_READERS,
        help="What the credit gate would say now, and what it said then. Its shape: credit.insurance.card.",
    )

    @api.depends_context("lang", "uid")
    @api.depends(
        "state",
        "partner_id",
        "partner_invoice_id",
        "partner_shipping_id",
        "company_id",
        "currency_id",
        "amount_total",
        "payment_term_id",
        "commitment_date",
        "order_line.customer_lead",
        "transaction_ids.state",
        "credit_hold_ids.state",
        "credit_hold_ids.decision_id",
        "credit_hold_ids.requested_by_id",
    )
    def _compute_credit_decision(self):
        cards = self.env["credit.insurance.card"]
        for order in self:
            order.credit_decision = cards._make(order)

    # === ACTION METHODS === #

    def action_credit_open_buyer(self):
        """Open the buyer's credit record, for those who may read it."""
        self.ensure_one()
        buyer = (
            self.env["credit.insurance.buyer"]
            .with_context(active_test=False)
            .search(
                [
                    ("partner_id", "=", self._credit_buyer_partner().id),
                    ("company_id", "=", self.company_id.root_id.id),
                    ("merged_into_id", "=", False),
                ],
                limit=1,
            )
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "credit.insurance.buyer",
            "res_id": buyer.id,
            "views": [(False, "form")],
        }

    def action_credit_split(self):
        """Keep here what passes now; the rest becomes a quotation of its own."""
        self._credit_split(self._credit_get_way("split")["amount"])
        return True

    def action_credit_prepayment_link(self):
        """Open the payment link of the prepayment that would let this order pass."""
        way = self._credit_get_way("prepay")
        values = {
            **self._get_default_payment_link_values(),
            "amount": way["amount"],
            "res_model": self._name,
            "res_id": self.id,
        }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payment Link"),
            "res_model": "payment.link.wizard",
            "res_id": self.env["payment.link.wizard"].create(values).id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_credit_shorten_term(self):
        """Give the order the longest payment term that the cover allows."""
        self.payment_term_id = self._credit_get_way("term")["term_id"]
        return True

    def action_credit_remind(self):
        """Put an activity of whoever asks on the order, for the day on which due payments are expected to free enough.

        Asked again it moves to the day that is expected now.
        """
        day = date.fromisoformat(self._credit_get_way("wait")["date"])
        todo = self.env.ref("mail.mail_activity_data_todo")
        summary = self.env._("%s may pass the credit gate now: confirm it again", self.name)
        before = self.activity_ids.filtered(
            lambda activity: (
                (activity.activity_type_id, activity.user_id, activity.summary) == (todo, self.env.user, summary)
            )
        )
        if before:
            before.date_deadline = day
        else:
            self.activity_schedule(activity_type_id=todo.id, date_deadline=day, summary=summary, user_id=self.env.uid)
        return self._credit_tell(self.env._("You will be reminded on %s.", format_date(self.env, day)))

    def action_credit_ask_limit(self):
        """Ask for a higher limit with the figures of this order."""
        self._credit_get_way("insurer")
        return self.env["credit.insurance.limit.request"]._open_for_order(self)

    def action_credit_release(self):
        """Open the wizard that releases this order's hold; whether the user may is decided there."""
        self.ensure_one()
        return self.credit_hold_id.action_release()

    # === BUSINESS METHODS === #

    def _credit_get_way(self, kind):
        """What the card says now about one of the ways out: a client's figures are not taken.

        :raise AccessError: the user may not change this order
        :raise UserError: this would not let the order pass (any more)
        """
        self.ensure_one()
        self.check_access("write")
        card = self.env["credit.insurance.card"]._make(self) or {"ways": []}
        way = next((item for item in card["ways"] if item["kind"] == kind), None)
        if not way:
            raise UserError(self.env._("%s has changed meanwhile: this would not let it pass any more.", self.name))
        return way

    def _credit_tell(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "message": message, "next": {"type": "ir.actions.act_window_close"}},
        }
