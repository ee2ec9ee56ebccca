"""The credit gate: which orders may be confirmed now.

    orders -> limits, exposure (this transaction's snapshot) -> lock buyers, add what others reserved
           -> rules.policy.decide_batch -> reserve what passes, unlock -> decision log, passes, holds

The gate is only reached through private methods. Nothing in the context, and nothing a client can call, opens it.
"""

from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal

from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import (
    Base,
    BuyerStatus,
    Decision,
    DecisionRequest,
    Exposure,
    Mode,
    Money,
    Outcome,
    decide,
    decide_batch,
)

from .amounts import to_decimal
from .credit_insurance_limit import BuyerLimit
from .reasons import describe_reasons, reasons_to_json


@dataclass(frozen=True)
class Case:
    """An order with everything its decision needs. Amounts are in the limit's currency.

    ``booked`` is the part of ``prepaid`` that stands in the exposure already and must not count twice; ``reserve`` is
    what the order takes from the headroom that others see, ``open_amount`` what is decided in the order's currency.
    """

    order: object
    buyer: BuyerLimit
    mode: Mode
    today: object
    document: Decimal
    open_amount: float
    prepaid: Decimal = Decimal(0)
    booked: Decimal = Decimal(0)
    released: Decimal | None = None
    reserve: Decimal = Decimal(0)


class CreditInsuranceGate(models.AbstractModel):
    _name = "credit.insurance.gate"
    _description = "Credit Gate"

    # === ENTRY POINTS === #

    @api.model
    def _pass_or_hold(self, orders):
        """Decide ``orders`` in order of their creation; write a pass or a hold for each. Return those that pass."""
        passed = orders.browse()
        for case, decision in self._decide(orders, "confirmation"):
            order = case.order
            log = self._log(case, decision, "confirmation")
            if decision.outcome is Outcome.PASS:
                self._write_pass(case, log)
                passed |= order
            else:
                self.env["credit.insurance.hold"]._open(order, log)
        passed.sudo().credit_hold_ids._close("cleared")
        return orders.filtered(lambda order: order in passed)

    @api.model
    def _pass_or_refuse(self, orders, checkpoint):
        """Decide orders that are, or are about to be, confirmed without a pass: ``{order: why it is refused}``."""
        refused = {}
        for case, decision in self._decide(orders, checkpoint):
            if decision.outcome is Outcome.PASS:
                self._write_pass(case, self._log(case, decision, checkpoint))
            else:
                told = self.env._("%s is over its credit and stays as it was.", case.order.name)
                refused[case.order] = f"{told}\n{self._describe(decision)}"
        return refused

    @api.model
    def _pass_grown_by_core(self, orders):
        """Accept growth that a document of Odoo itself caused, such as a re-invoiced expense: it is owed already.

        It is on record, and whoever decides credit gets an activity when it went over the limit.
        """
        for case, decision in self._decide(orders, "growth"):
            over = decision.outcome is Outcome.HOLD
            accepted = replace(decision, outcome=Outcome.PASS)
            self._write_pass(case, self._log(case, accepted, "growth"))
            if over:
                case.order.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("%s grew beyond its credit", case.order.name),
                    note=self._describe(decision),
                    user_id=case.order.company_id.root_id._get_credit_responsible().id or self.env.uid,
                )

    @api.model
    def _preview(self, orders, together=False):
        """What orders would get if they were confirmed now, as ``[(Case, Decision)]``; nothing is written.

        :param together: one after the other in order of creation, sharing the headroom, instead of each by itself
        """
        orders = orders.sudo().sorted(lambda order: (order.create_date, order.id))
        cases = self._prepare_cases(orders, "confirmation")
        exposures = self._get_exposures([case for case in cases if case.buyer.checked], orders)
        pairs = []
        for batch in self._grouped(cases).values():
            requests = [self._make_request(case, exposures, {}) for case in batch]
            decisions = decide_batch(requests) if together else [decide(request) for request in requests]
            pairs += zip(batch, decisions, strict=True)
        return pairs

    # === DECIDING === #

    @api.model
    def _decide(self, orders, checkpoint):
        """The decision of each order as ``[(Case, Decision)]``; headroom of what passes is reserved on return."""
        cases = self._prepare_cases(orders.sudo().sorted(lambda order: (order.create_date, order.id)), checkpoint)
        checked = [case for case in cases if case.mode is not Mode.OFF and case.buyer.checked]
        exposures = self._get_exposures(checked, orders)
        decisions = {}
        with self._open_ledger(checked) as ledger:
            for batch in self._grouped(cases).values():
                reserved = ledger.reserved if ledger else {}
                requests = [self._make_request(case, exposures, reserved) for case in batch]
                for case, decision in zip(batch, decide_batch(requests), strict=True):
                    decisions[case.order] = (case, decision)
                    if ledger and case.buyer.checked and decision.outcome is Outcome.PASS and case.reserve > 0:
                        ledger.reserve(
                            case.buyer.partner_id,
                            case.buyer.company_id,
                            case.order.id,
                            case.buyer.currency_id,
                            case.reserve,
                        )
        return [decisions[case.order] for case in cases]

    @api.model
    def _open_ledger(self, cases):
        if not cases:
            return nullcontext()
        reservations = self.env["credit.insurance.reservation"]
        return reservations._open_ledger(reservations._get_snapshot(), [case.buyer.partner_id for case in cases])

    @api.model
    def _grouped(self, cases):
        """Cases that share headroom, in the order given."""
        groups = defaultdict(list)
        for case in cases:
            groups[case.buyer.partner_id, case.buyer.company_id].append(case)
        return groups

    @api.model
    def _prepare_cases(self, orders, checkpoint):
        pairs = {order: (order._credit_buyer_partner().id, order.company_id.root_id.id) for order in orders}
        limits = {}
        for company in orders.company_id.root_id:
            own = [pair for pair in pairs.values() if pair[1] == company.id]
            limits |= self.env["credit.insurance.limit"]._get_limits(own, company._credit_today())
        open_amounts = {}
        if checkpoint == "growth":
            open_amounts = self.env["credit.insurance.exposure"]._get_open_order_amounts(orders)
        return [self._prepare_case(order, limits[pairs[order]], checkpoint, open_amounts) for order in orders]

    @api.model
    def _prepare_case(self, order, buyer, checkpoint, open_amounts):
        company = order.company_id.root_id
        mode, today = Mode(company.credit_gate_mode), company._credit_today()
        total = open_amounts.get(order.id, 0.0) if checkpoint == "growth" else order.amount_total
        if mode is Mode.OFF or not buyer.checked:
            document = self._in_limit_currency(order, buyer, total, today)
            return Case(order, buyer, mode, today, document, total)
        grown = total
        live = order.credit_pass_ids.filtered("live")
        if checkpoint == "growth" and live.partner_id.id == buyer.partner_id and live.currency_id == order.currency_id:
            # Others see what the order was: only what it takes in addition has to be reserved.
            grown = max(0, total - live.open_amount)
        hold = order.credit_hold_ids._get_release(order)
        prepaid, booked = order._credit_prepaid()
        return Case(
            order,
            buyer,
            mode,
            today,
            document=self._in_limit_currency(order, buyer, total, today),
            open_amount=total,
            prepaid=self._in_limit_currency(order, buyer, prepaid, today),
            booked=self._in_limit_currency(order, buyer, booked, today),
            released=self._in_limit_currency(order, buyer, hold.release_amount, today) if hold else None,
            reserve=self._in_limit_currency(order, buyer, grown, today),
        )

    @api.model
    def _in_limit_currency(self, order, buyer, amount, today):
        exact = to_decimal(amount, order.currency_id)
        target = self.env["res.currency"].browse(buyer.currency_id)
        return self.env["credit.insurance.exposure"]._convert(exact, order.currency_id, target, order.company_id, today)

    @api.model
    def _get_exposures(self, cases, orders):
        """Exposure rows of the buyers concerned, the orders being decided left out."""
        rows = {}
        for company_id in {case.buyer.company_id for case in cases}:
            own = [case for case in cases if case.buyer.company_id == company_id]
            rows |= self.env["credit.insurance.exposure"]._get_rows(
                [case.buyer.partner_id for case in own], [company_id], own[0].today, exclude_order_ids=orders.ids
            )
        return rows

    @api.model
    def _make_request(self, case, exposures, reserved):
        currency = self.env["res.currency"].browse(case.buyer.currency_id)
        status = case.buyer.status
        if not case.buyer.checked and status is BuyerStatus.NORMAL and not case.buyer.limit.unreadable:
            status = BuyerStatus.NOT_CHECKED
        order, company = case.order, case.order.company_id.root_id
        rows = exposures.get((case.buyer.partner_id, case.buyer.company_id), ())
        overdue = [row for row in rows if row.source == "overdue"]
        # An extension moves the due date in the ledger, not the one the policy counts from.
        owed = [row for row in rows if row.source in ("overdue", "not_due")]
        return DecisionRequest(
            document=Money(case.document, currency.name),
            exposure=self._make_exposure(case, currency, exposures, reserved),
            limit=case.buyer.limit,
            mode=case.mode,
            buyer_status=status,
            prepaid=Money(case.prepaid, currency.name),
            released=Money(case.released, currency.name) if case.released is not None else None,
            overdue_days=max(((case.today - row.oldest_due).days for row in overdue), default=0),
            max_overdue_days=company.credit_max_overdue_days or None,
            max_overdue_amount=self._company_money(company, company.credit_max_overdue_amount, currency, case.today),
            mep_passed=any(self._is_mep_passed(policy.mep, owed, case.today) for policy in case.buyer.policies),
            payment_term_days=order._credit_term_days(case.today),
            max_payment_term_days=min(
                (policy.max_payment_term_days for policy in case.buyer.policies if policy.max_payment_term_days),
                default=None,
            ),
            delivery_date=order.commitment_date.date() if order.commitment_date else None,
            country=case.buyer.country,
            country_allowed=all(
                policy.countries is None or case.buyer.country in policy.countries for policy in case.buyer.policies
            ),
            document_currency=order.currency_id.name,
            decimal_places=currency.decimal_places,
        )

    @api.model
    def _is_mep_passed(self, mep, owed, today):
        """Whether an open item is unpaid beyond the maximum extension period, which stops cover for new deliveries."""
        starts = [row.oldest_invoiced if mep.base is Base.INVOICE_DATE else row.oldest_due for row in owed]
        return any(mep.passed(today, start) for start in starts)

    @api.model
    def _company_money(self, company, amount, currency, today):
        exact = to_decimal(amount, company.currency_id)
        converted = self.env["credit.insurance.exposure"]._convert(exact, company.currency_id, currency, company, today)
        return Money(converted, currency.name)

    @api.model
    def _make_exposure(self, case, currency, exposures, reserved):
        if not case.buyer.checked:
            return Exposure.of(currency.name)
        model = self.env["credit.insurance.exposure"]
        key = (case.buyer.partner_id, case.buyer.company_id)
        company = case.order.company_id.root_id
        amounts = model._convert_rows(exposures.get(key, ()), company, currency, case.today)
        amounts["credits"] += case.booked
        running = sum(
            (
                model._convert(amount, self.env["res.currency"].browse(currency_id), currency, company, case.today)
                for currency_id, amount in reserved.get(key, {}).items()
            ),
            Decimal(0),
        )
        return Exposure.of(currency.name, reserved=running, **amounts)

    @api.model
    def _describe(self, decision):
        """The reasons of a decision in the reader's language, a line each."""
        return "\n".join(describe_reasons(self.env, reasons_to_json(decision.reasons)))

    # === RECORDING === #

    @api.model
    def _log(self, case, decision, checkpoint):
        return (
            self.env["credit.insurance.decision"].sudo().create(self._prepare_decision_vals(case, decision, checkpoint))
        )

    @api.model
    def _prepare_decision_vals(self, case, decision: Decision, checkpoint):
        limit, exposure = case.buyer.limit, decision.exposure
        amounts = {
            "document_amount": decision.document,
            "limit_amount": decision.limit,
            "insured_limit": limit.insured,
            "own_limit": limit.own,
            "exposure_not_due": exposure.not_due,
            "exposure_overdue": exposure.overdue,
            "exposure_confirmed": exposure.confirmed,
            "exposure_credits": exposure.credits,
            "exposure_reserved": exposure.reserved,
            "exposure": exposure.total,
            "headroom": decision.headroom,
            "shortfall": decision.shortfall,
            "prepaid": decision.prepaid,
            "would_pass": decision.would_pass,
        }
        # The currencies first: an amount set before its currency is known reads it back from the database.
        return {
            "currency_id": case.buyer.currency_id,
            "order_currency_id": case.order.currency_id.id,
            "order_id": case.order.id,
            "order_name": case.order.name,
            "partner_id": case.buyer.partner_id,
            "company_id": case.buyer.company_id,
            "checkpoint": checkpoint,
            "gate_mode": case.mode.value,
            "outcome": decision.outcome.value,
            "would_hold": decision.would_be is Outcome.HOLD and decision.outcome is Outcome.PASS,
            "basis": decision.basis.value,
            "order_amount": case.order.amount_total,
            "limit_checked": decision.limit is not None,
            "limit_state": decision.limit_state.value,
            "data_age_days": limit.data_age_days or 0,
            "reasons": reasons_to_json(decision.reasons),
            "limit_lines": self._limit_lines_to_json(limit),
            **{name: float(money.amount) for name, money in amounts.items() if money is not None},
        }

    @api.model
    def _limit_lines_to_json(self, limit):
        return [
            {
                "reference": line.row.reference,
                "kind": type(line.row).__name__,
                "counted": line.counted,
                "code": line.code.value,
                "amount": str(line.amount.amount) if line.amount is not None else None,
                "age_days": line.age_days,
            }
            for line in limit.lines
        ]

    @api.model
    def _write_pass(self, case, log):
        """Give the order its live pass; the one before it ends."""
        order = case.order
        order._credit_end_passes()
        release = order.credit_hold_ids._get_release(order) if log.basis == "released" else None
        released = release.release_amount if release else 0
        self.env["credit.insurance.pass"].sudo().create(
            {
                "currency_id": order.currency_id.id,
                "open_amount": max(case.open_amount, released),
                "order_id": order.id,
                "partner_id": case.buyer.partner_id,
                "company_id": case.buyer.company_id,
                "amount": max(order.amount_total, released),
                "order_amount": order.amount_total,
                "decision_id": log.id,
                "hold_id": release.id if release else False,
            }
        )
