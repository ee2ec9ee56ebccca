"""What the gate decided, as it is written down: the decision log and the passes."""

from odoo import api, fields, models

from odoo.addons.credit_insurance.rules.policy import Decision, Outcome

from .credit_insurance_hold import DOCUMENT_FIELDS
from .reasons import reasons_to_json


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _log(self, case, decision, checkpoint):
        return (
            self.env["credit.insurance.decision"].sudo().create(self._prepare_decisions([(case, decision)], checkpoint))
        )

    @api.model
    def _prepare_decisions(self, decided, checkpoint, evaluated=None):
        """The values of the log, in the order of ``decided``, with the rules that each decision rests on."""
        evidence = self._get_rule_evidence(decided, evaluated or {})
        return [
            self._prepare_decision_vals(case, decision, checkpoint) | evidence.get(case.subject, {})
            for case, decision in decided
        ]

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
            "order_currency_id": case.subject._credit_currency().id,
            DOCUMENT_FIELDS[case.subject._name]: case.subject.id,
            "order_name": case.subject.display_name,
            "partner_id": case.buyer.partner_id,
            "company_id": case.buyer.company_id,
            "checkpoint": checkpoint,
            "gate_mode": case.mode.value,
            "outcome": decision.outcome.value,
            "would_hold": decision.would_be is Outcome.HOLD and decision.outcome is Outcome.PASS,
            "basis": decision.basis.value,
            "order_amount": case.open_amount if checkpoint == "invoice" else case.subject._credit_amount(),
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
    def _prepare_pass_vals(self, case, log, waited=False):
        """The live pass of an order that passed.

        :param log: the values of its decision
        :param waited: what its deliveries waited for with the pass before
        """
        order = case.subject
        release = order.credit_hold_ids._get_release(order) if log["basis"] == "released" else None
        released = release.release_amount if release else 0
        unused = released - order._credit_invoiced() if release else 0
        return {
            "currency_id": order.currency_id.id,
            "open_amount": max(case.open_amount, unused),
            "payment_term_id": order.payment_term_id.id,
            "order_id": order.id,
            "partner_id": case.buyer.partner_id,
            "company_id": case.buyer.company_id,
            "amount": max(order.amount_total, released),
            "order_amount": order.amount_total,
            "hold_id": release.id if release else False,
            "deliveries_wait": self._get_deliveries_wait(case, log, waited),
            "delivery_until": self._get_delivery_until(case),
        }

    @api.model
    def _get_delivery_until(self, case):
        """The last day on which the goods may leave as decided; no end without insurance, or with none known."""
        covered = case.buyer.limit.insured_until
        last = covered and max(covered, self._get_delivery_date(case) or covered)
        return fields.Date.to_string(last)

    @api.model
    def _get_delivery_date(self, case):
        """When the goods leave; the lead times of the lines are looked at only where a cover ends."""
        return case.subject._credit_delivery_date(expected=bool(case.buyer.limit.insured_until))

    @api.model
    def _get_deliveries_wait(self, case, log, before):
        """What the deliveries of an order wait for that passed with this decision; ``before``: what they waited for.

        A change decides about what is still to be invoiced only: what waited for the money goes on doing so.
        """
        if log["basis"] == "cash_before_delivery":
            return "cash"
        if before == "cash" and log["checkpoint"] == "growth" and log["basis"] != "released":
            return "cash"
        if not log["would_hold"] or case.company.credit_gate_mode != "on":
            return False
        if not case.company.credit_check_order:
            return "order"
        return "growth" if log["checkpoint"] == "growth" else False
