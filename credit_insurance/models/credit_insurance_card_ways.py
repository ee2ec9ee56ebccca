"""What would let a held order pass, each with the method of the order that does it."""

from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import Money, Outcome, ReasonCode, when_freed

from .ledger_sql import open_items_sql
from .sql_functions import int_array

# What more room in the limit can cure.
CURED_BY_ROOM = {ReasonCode.OVER_LIMIT, ReasonCode.OVER_SHARED_LIMIT}


class CreditInsuranceCard(models.AbstractModel):
    _inherit = "credit.insurance.card"

    @api.model
    def _get_ways(self, order, hold, case, decision):
        """What would let the order pass, the most useful first. Amounts are in the order's currency."""
        if decision.would_be is Outcome.PASS:
            return [{"kind": "confirm", "method": "action_confirm"}] if hold else []
        ways = [
            self._get_way_split(order, case, decision),
            self._get_way_prepay(order, case, decision),
            self._get_way_term(order, case, decision),
            self._get_way_wait(order, case, decision),
            self._get_way_insurer(order, case, decision),
        ]
        if hold.state == "open" and self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            ways.append({"kind": "decide", "method": "action_credit_release"})
        elif hold.state == "open" and not hold.requested_by_id:
            ways.append({"kind": "release", "method": "action_credit_request_release"})
        return [way for way in ways if way]

    @api.model
    def _in_order_currency(self, order, case, money, rounding):
        """``money`` of the limit as an amount of the order; rounded so that it still passes."""
        currency = self.env["res.currency"].browse(case.buyer.currency_id)
        exposure = self.env["credit.insurance.exposure"]
        amount = exposure._convert(money.amount, currency, order.currency_id, order.company_id.root_id, case.today)
        return float(amount.quantize(Decimal(1).scaleb(-order.currency_id.decimal_places), rounding=rounding))

    @api.model
    def _get_way_split(self, order, case, decision):
        """The largest amount that passes now; the rest becomes a quotation of its own."""
        if decision.would_pass is None or decision.would_pass.amount <= 0:
            return None
        amount = self._in_order_currency(order, case, decision.would_pass, ROUND_FLOOR)
        if amount <= 0 or not self._can_split(order, amount):
            return None
        return {"kind": "split", "method": "action_credit_split", "amount": amount}

    @api.model
    def _can_split(self, order, amount):
        """Whether some of the lines fit into ``amount``; while they are being typed nobody knows yet."""
        if not order.id:
            return True
        try:
            return bool(order._credit_plan_split(amount))
        except UserError:
            return False

    @api.model
    def _get_way_prepay(self, order, case, decision):
        """The prepayment that would do; never less than what the order asks for anyway."""
        if decision.prepayment is None or decision.prepayment.amount <= 0:
            return None
        amount = self._in_order_currency(order, case, decision.prepayment, ROUND_CEILING)
        amount = max(amount, order._get_prepayment_required_amount() - order.amount_paid)
        return {
            "kind": "prepay",
            "method": "action_credit_prepayment_link",
            "amount": min(amount, order.amount_total - order.amount_paid),
        }

    @api.model
    def _get_way_term(self, order, case, decision):
        """The longest payment term that the cover allows, where the term is what holds the order."""
        reason = next((item for item in decision.holding if item.code is ReasonCode.TERM_TOO_LONG), None)
        if not reason:
            return None
        term, days = self._get_longest_term(order, reason.params["max_days"], case.today)
        if not term:
            return None
        return {
            "kind": "term",
            "method": "action_credit_shorten_term",
            "term_id": term.id,
            "name": term.name,
            "days": days,
            "enough": len(decision.holding) == 1,
        }

    @api.model
    def _get_longest_term(self, order, max_days, today):
        """The payment term with the last due date nearest to ``max_days`` days from today, with its days."""
        terms = self.env["account.payment.term"].sudo().search([("company_id", "in", (False, order.company_id.id))])
        days = {term: order._credit_days_of_term(term, today) or 0 for term in terms}
        allowed = {term: number for term, number in days.items() if number <= max_days}
        return max(allowed.items(), key=lambda item: item[1], default=(terms.browse(), 0))

    @api.model
    def _get_way_wait(self, order, case, decision):
        """When due payments are expected to have freed enough."""
        if not {reason.code for reason in decision.holding} <= CURED_BY_ROOM:
            return None
        needed = max(
            (reason.params["shortfall"] - reason.params.get("tolerance", _zero(case)) for reason in decision.holding),
            default=_zero(case),
        )
        ends = [line.row.last_day for line in case.buyer.limit.lines if line.counted]
        freed = when_freed(
            needed,
            self._get_dues(case),
            case.today,
            credit=-decision.exposure.credits,
            days_late=self._get_days_late(order, case),
            until=min((end for end in ends if end), default=None),
        )
        if not freed or freed.on <= case.today:
            return None
        return {
            "kind": "wait",
            "method": "action_credit_remind",
            "date": fields.Date.to_string(freed.on),
            "limit_amount": float(freed.amount.amount),
        }

    @api.model
    def _get_days_late(self, order, case):
        """How late this buyer paid on average in the last year; not looked up at every key that is typed."""
        if not order.id or not case.buyer.buyer_id:
            return 0
        buyer = self.env["credit.insurance.buyer"].sudo().browse(case.buyer.buyer_id)
        behaviour = self.env["credit.insurance.payment.behaviour"].sudo()
        paid = behaviour._get_payments(buyer, case.today - timedelta(days=365), case.today).get(buyer.id)
        return max(0, round(paid.days_late or 0)) if paid else 0

    @api.model
    def _get_dues(self, case):
        """Open items of the buyer that are not overdue, per due date: ``[(date, Money)]`` in the limit's currency."""
        currency = self.env["res.currency"].browse(case.buyer.currency_id)
        company = self.env["res.company"].browse(case.buyer.company_id).sudo()
        partners, roots = int_array([case.buyer.partner_id]), int_array([case.buyer.company_id])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(l.date_maturity, l.date), i.currency_id, SUM(i.amount)::text, SUM(i.booked)::text
                  FROM (%s) i
                  JOIN account_move_line l ON l.id = i.item_id
                 WHERE i.source = 'not_due' AND i.booked > 0 AND COALESCE(l.date_maturity, l.date) <= %s
                 GROUP BY 1, 2
                """,
                open_items_sql(partners, roots, case.today),
                case.today + timedelta(days=366),
            )
        )
        return [
            (due, Money(self._convert_due(amount, booked, currency_id, currency, company, case.today), currency.name))
            for due, currency_id, amount, booked in rows
        ]

    @api.model
    def _convert_due(self, amount, booked, currency_id, currency, company, today):
        """As in the exposure: the document's own amount where it is in the limit's currency, else what was booked."""
        if currency_id == currency.id:
            return Decimal(amount)
        exposure = self.env["credit.insurance.exposure"]
        return exposure._convert(Decimal(booked), company.currency_id, currency, company, today)

    @api.model
    def _get_way_insurer(self, order, case, decision):
        """Ask for a higher limit, where the buyer's own limit is what holds the order, or a part of it."""
        if ReasonCode.OVER_LIMIT not in {reason.code for reason in decision.holding}:
            return None
        return {"kind": "insurer", "method": "action_credit_ask_limit"}


def _zero(case):
    return Money.zero(case.buyer.limit.currency)
