from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import ValidationError

from .company_calendar import company_day_bounds
from .growth_refused import GrowthRefused

TODO = "mail.mail_activity_data_todo"


class SaleOrder(models.Model):
    """A change of a confirmed order that goes beyond its pass: what of it a release would have to cover."""

    _inherit = "sale.order"

    def _credit_stop_deliveries(self, decision, described):
        """The order owes more than its credit: whoever decides credit is told, and what is still to go out waits.

        :param decision: the record of what was decided
        :param described: the decision itself, of which the reasons are told
        """
        self.ensure_one()
        waiting = self._credit_waiting_deliveries()
        for picking in waiting:
            self.env["credit.insurance.hold"]._open(picking, decision)
        if not waiting:
            self._credit_tell_grown(described)

    def _credit_tell_grown(self, decision):
        """An activity of whoever decides credit; one that waits says the newest reasons, and no second one is made."""
        responsible = self.company_id.root_id._get_credit_responsible() or self.env.user
        order = self.with_context(lang=responsible.lang)
        summary = order.env._("%s grew beyond its credit", order.name)
        note = order.env["credit.insurance.gate"]._describe(decision)
        told = order.activity_search([TODO], user_id=responsible.id, additional_domain=[("summary", "=", summary)])
        if told:
            told.note = note
            return
        # A customer's payment that is taken back comes in a session that is not of ours.
        teller = order if self.env.user._is_internal() else order.with_user(SUPERUSER_ID)
        teller.activity_schedule(TODO, summary=summary, note=note, user_id=responsible.id)

    def _credit_waiting_deliveries(self):
        """Deliveries of the order whose goods have not left."""
        return self.sudo().picking_ids.filtered(lambda picking: picking._credit_is_delivery())

    def _credit_refuse_growth(self, refused, open_amounts):
        """Refuse the edit that made these orders grow, and say what to do.

        :param refused: why, by order
        :raise ValidationError: always; with a button that asks for a release where one is possible
        """
        order = next(iter(refused))
        if len(refused) > 1:
            advice = self.env._("To ask for a release, change one order at a time.")
        else:
            advice = order._credit_get_advice()
        message = "\n".join(filter(None, (*refused.values(), advice)))
        if advice:
            raise ValidationError(message)
        raise GrowthRefused(message, order, order._credit_get_wanted(open_amounts))

    def _credit_get_advice(self):
        """What to do about a change that no release of this order can cover; empty where one can."""
        self.ensure_one()
        live = self.sudo().credit_pass_ids.filtered("live")
        if live and live.company_id != self.company_id.root_id:
            return self.env._(
                "A confirmed order does not move to another company beyond its credit: cancel %s and confirm a "
                "quotation there.",
                self.name,
            )
        if live and live.currency_id != self.currency_id:
            return self.env._(
                "A confirmed order does not change its currency beyond its credit: cancel %(order)s and confirm a "
                "quotation in %(currency)s. If that is held, its release can be asked for.",
                order=self.name,
                currency=self.currency_id.name,
            )
        return ""

    def _credit_get_wanted(self, open_amounts):
        """Total, debtor, payment term and delivery date of this refused change, as far as its pass does not cover them.

        The total is always among them: it is what a release is up to.
        """
        self.ensure_one()
        live = self.sudo().credit_pass_ids.filtered("live")
        # More may have been delivered than was ordered.
        owed = open_amounts.get(self.id, 0.0) + self._credit_invoiced()
        wanted = {"amount": self.currency_id.round(max(self.amount_total, owed))}
        if live.partner_id != self._credit_buyer_partner():
            wanted["partner_invoice_id"] = self.partner_invoice_id.id
        if not self._credit_term_within(live.payment_term_id):
            wanted["payment_term_id"] = self.payment_term_id.id
        if not self._credit_delivery_within(live.delivery_until):
            wanted["commitment_date"] = fields.Datetime.to_string(self.commitment_date)
        return wanted

    def _credit_make_wanted(self, partner_invoice=None, payment_term=None, commitment_date=None):
        """This order in memory, with what somebody wants of it; what is not given stays as it is."""
        self.ensure_one()
        return self.new(
            {
                "partner_invoice_id": (partner_invoice or self.partner_invoice_id).id,
                "payment_term_id": (payment_term or self.payment_term_id).id,
                "commitment_date": commitment_date or self.commitment_date,
            },
            origin=self,
        )

    def _credit_goes_beyond(self, wanted, amount):
        """Whether ``wanted``, with that total, is more than this order's total and pass cover."""
        self.ensure_one()
        live = self.sudo().credit_pass_ids.filtered("live")
        return (
            self.currency_id.compare_amounts(amount, self.amount_total) > 0
            or live.partner_id != wanted._credit_buyer_partner()
            or not wanted._credit_within_terms(live)
        )

    def _credit_within_terms(self, given):
        return self._credit_term_within(given.payment_term_id) and self._credit_delivery_within(given.delivery_until)


class CreditInsuranceHold(models.Model):
    _inherit = "credit.insurance.hold"

    payment_term_id = fields.Many2one(
        "account.payment.term", readonly=True, help="A release lets the order be paid this late, or earlier."
    )
    delivery_date = fields.Date(readonly=True, help="When the goods were to leave.")
    delivery_until = fields.Date(
        readonly=True,
        help="A release covers deliveries up to this day: the end of the cover, or the later delivery that was asked "
        "for. Empty: any day.",
    )

    def _get_decided(self):
        """What this hold decides about: its document, or a confirmed order as somebody wants to change it."""
        self.ensure_one()
        order = self.order_id
        if self.picking_id or self.move_id or order.state != "sale":
            return self._get_document()
        moved = self.partner_id != order._credit_buyer_partner()
        wanted_on = self.delivery_date and company_day_bounds(self.company_id, self.delivery_date)[0]
        return order._credit_make_wanted(moved and self.partner_id, self.payment_term_id, wanted_on)
