"""Checkpoints after or beside the order: deliveries, and invoices that come from no order."""

from dataclasses import replace
from datetime import timedelta

from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import Money, Outcome, ReasonCode

from .credit_insurance_gate_cases import ORDER_CHECKPOINTS

# Deliveries that wait for one of these are compared with the limit.
WAIT_FOR_LIMIT = ("growth", "order")


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    # === ENTRY POINTS === #

    @api.model
    def _hold_deliveries(self, pickings):
        """Decide deliveries and put what is stopped on hold. Return it."""
        return self._hold_documents(pickings, "delivery")

    @api.model
    def _refuse_deliveries(self, pickings):
        """Decide deliveries that are being done: ``{picking: why it is refused}``."""
        return self._refuse_documents(pickings, "delivery")

    @api.model
    def _hold_invoices(self, asked):
        """Decide invoices and put what is stopped on hold. Return it; those of a company that only warns say why.

        :param asked: ``{invoice: what of it comes from no order}``
        """
        return self._hold_documents(
            self.env["account.move"].union(*asked),
            "invoice",
            warned=lambda case: case.company.credit_check_invoice == "warn",
            amounts={move.id: amount for move, amount in asked.items()},
        )

    @api.model
    def _refuse_invoices(self, asked):
        """Decide invoices that are being posted: ``{move: why it is refused}``. A company that only warns says why."""
        warned = {move: asked[move] for move in asked if move.company_id.root_id.credit_check_invoice == "warn"}
        self._hold_invoices(warned)
        moves = self.env["account.move"].union(*(asked.keys() - warned.keys()))
        return self._refuse_documents(moves, "invoice", {move.id: asked[move] for move in moves})

    @api.model
    def _hold_documents(self, documents, checkpoint, warned=lambda _case: False, amounts=None):
        held = documents.browse()
        for case, decision in self._decide_documents(documents, checkpoint, warned, amounts):
            document = case.subject
            if decision.outcome is Outcome.PASS:
                self._log(case, decision, checkpoint)
                document.credit_hold_ids._close("cleared")
            elif warned(case):
                self._log(case, replace(decision, outcome=Outcome.PASS), checkpoint)
                document._credit_warn(self._describe(decision))
            else:
                terms = {"order_amount": amounts[document.id]} if amounts else None
                self.env["credit.insurance.hold"]._open(document, self._log(case, decision, checkpoint), terms)
                held |= document
        return held

    @api.model
    def _refuse_documents(self, documents, checkpoint, amounts=None):
        refused = {}
        for case, decision in self._decide_documents(documents, checkpoint, amounts=amounts):
            if decision.outcome is Outcome.PASS:
                self._log(case, decision, checkpoint)
            else:
                told = self.env._("%s is held by credit and stays as it was.", case.subject.display_name)
                refused[case.subject] = f"{told}\n{self._describe(decision)}"
        return refused

    @api.model
    def _decide_documents(self, documents, checkpoint, accepted=None, amounts=None):
        if not documents:
            return []
        if checkpoint == "delivery":
            return self._decide_deliveries(documents, self._decide)
        return self._decide(documents, checkpoint, amounts, accepted)

    @api.model
    def _decide_deliveries(self, pickings, decide):
        """The decision of each delivery as ``[(Case, Decision)]``, as if they were validated one after the other.

        Orders behind them are owed already. Those that are compared with the limit are decided one by one: each finds
        the other orders in what is owed, and what of its own order left with those before it.

        :param decide: decides documents at a checkpoint, with what is left to invoice by their ids
        """
        waiting = pickings._credit_get_waiting()
        orders = {order for order, live in waiting.items() if live.deliveries_wait in WAIT_FOR_LIMIT}
        compared = pickings.filtered(lambda picking: not orders.isdisjoint(picking._credit_order()))
        others, left = pickings - compared, pickings.browse()
        decided = decide(others, "delivery", {}) if others else []
        for picking in compared.sorted("id"):
            [(case, decision)] = decide(picking, "delivery", self._get_open_delivery_amounts(picking, left))
            decided.append((case, decision))
            if decision.outcome is Outcome.PASS:
                left |= picking
        return decided

    # === WHAT A CHECKPOINT ASKS DIFFERENTLY === #

    @api.model
    def _get_open_delivery_amounts(self, picking, left):
        """What a delivery that is compared with the limit needs room for, by its id.

        Goods of an order that was not checked need it for what leaves and what has left and is not invoiced; any other
        order in the delivery needs it for all that is left to invoice.

        :param left: deliveries that leave before it
        """
        waiting, orders = picking._credit_get_waiting(), picking._credit_order()
        amounts = self.env["credit.insurance.exposure"]._get_open_order_amounts(orders)
        parts = orders.filtered(lambda order: order in waiting and waiting[order].deliveries_wait == "order")
        return {
            picking.id: picking._credit_sum(
                {
                    order: max(0.0, amounts.get(order.id, 0.0) - (left | picking)._credit_left_behind(order & parts))
                    for order in orders
                }
                | picking._credit_get_unconfirmed()
            )
        }

    @api.model
    def _prepare_checkpoint_vals(self, subject, checkpoint):
        company = subject._credit_company()
        if checkpoint in ORDER_CHECKPOINTS:
            return {"grace_days": company.credit_order_grace_days}
        if checkpoint == "invoice":
            return {"grace_days": company.credit_invoice_grace_days}
        if checkpoint != "delivery":
            return super()._prepare_checkpoint_vals(subject, checkpoint)
        live = subject._credit_order().credit_pass_ids.filtered("live")
        waits, unconfirmed = set(live.mapped("deliveries_wait")), bool(subject._credit_get_unconfirmed())
        return {
            "check_limit": unconfirmed or not waits.isdisjoint(WAIT_FOR_LIMIT),
            "must_be_paid": "cash" in waits,
            "goods_leave": True,
            "look_around": company.credit_check_delivery or unconfirmed or "order" in waits,
            "grace_days": company.credit_delivery_grace_days,
            "live_passes": live,
        }

    @api.model
    def _with_amounts(self, case):
        case = super()._with_amounts(case)
        if case.checkpoint != "delivery":
            return case
        changes = {"cover_stopped": self._get_cover_stopped(case)}
        if case.check_limit:
            # Others see the order already, but for another delivery of it that leaves at the same moment.
            leaving = case.subject._credit_leaving_in_parts()
            leaving += case.subject._credit_sum(case.subject._credit_get_unconfirmed())
            changes["reserve"] = self._in_limit_currency(case.subject, case.buyer, leaving, case.today)
        else:
            paid = self._in_limit_currency(case.subject, case.buyer, case.subject._credit_paid(), case.today)
            changes |= {"prepaid": paid, "booked": ()}
        if case.released is None and case.live_passes.hold_id:
            accepted = frozenset.intersection(*map(self._get_accepted, case.live_passes))
            changes |= {"released": case.document, "released_reasons": accepted}
        return replace(case, **changes)

    @api.model
    def _get_accepted(self, live):
        """What was accepted when the order of a pass was released is accepted for its deliveries.

        Credit that no cover stood behind goes on without one; what ends or stops cover later was accepted by nobody.
        """
        decision = live.hold_id.decision_id
        accepted = {ReasonCode(reason["code"]) for reason in decision.reasons or () if reason["severity"] == "hold"}
        if accepted & {ReasonCode.LIMIT_ZERO, ReasonCode.OVER_LIMIT} and not decision.insured_limit:
            accepted.add(ReasonCode.COVER_STOPPED)
        return frozenset(accepted)

    @api.model
    def _get_cover_stopped(self, case):
        """How the cover that the goods counted on ended, after the days of grace; empty when it stands.

        Credit at own risk takes its place as far as it goes: goods leave while all that is owed fits it.
        """
        ended = case.buyer.limit.cover_ended
        if not ended or not self._needs_cover(case):
            return ""
        if case.grace_days:
            before = case.today - timedelta(days=case.grace_days)
            limits = self.env["credit.insurance.limit"]._get_limits([case.key], case.today, on=before)
            if not limits[case.key].limit.cover_ended:
                return ""
        return ended.value

    @api.model
    def _needs_cover(self, case):
        passes = case.live_passes.filtered(lambda live: self._counted_on_cover(live, case.today))
        if case.live_passes and not passes:
            return False
        limit = case.buyer.limit
        if limit.amount is None or not limit.amount.amount:
            return True
        if passes and all(live.decision_id and not live.decision_id.insured_limit for live in passes):
            return False
        exposure, currency = (
            self.env["credit.insurance.exposure"],
            self.env["res.currency"].browse(case.buyer.currency_id),
        )
        rows = exposure._get_rows([case.buyer.partner_id], [case.buyer.company_id], case.today)
        owed = sum(exposure._convert_rows(rows[case.key], case.company, currency, case.today).values())
        return Money(owed, limit.currency).rounded(currency.decimal_places) > limit.amount

    @api.model
    def _counted_on_cover(self, live, today):
        """Whether an order passed as credit: a small one did not, nor one that a guarantee of its own still secures."""
        order, basis = live.order_id, live.decision_id.basis
        if basis == "secured":
            secured = self.env["credit.insurance.guarantee"]._get_secured(order, today).get(order.id, 0)
            return order.currency_id.compare_amounts(float(secured), order.amount_total - order._credit_paid()) < 0
        return basis != "below_threshold"
