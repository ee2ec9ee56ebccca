"""The credit gate: which documents may pass now.

    documents -> limits, exposure (this transaction's snapshot) -> lock buyers, add what others reserved
              -> rules.policy.decide_batch -> reserve what passes, unlock -> decision log, passes, holds

The gate is only reached through private methods. Nothing in the context, and nothing a client can call, opens it.
What a decision needs is prepared in ``credit_insurance_gate_cases`` and put to the rules in
``credit_insurance_gate_requests``; what comes out is recorded in ``credit_insurance_gate_records``.
"""

from contextlib import nullcontext
from dataclasses import replace

from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import Outcome, decide, decide_batch

from .reasons import describe_reasons, reasons_to_json


class CreditInsuranceGate(models.AbstractModel):
    _name = "credit.insurance.gate"
    _description = "Credit Gate"

    # === ENTRY POINTS === #

    @api.model
    def _pass_or_hold(self, orders):
        """Decide ``orders`` in order of their creation; write a pass or a hold for each. Return those that pass."""
        self._prefetch_partners(orders)
        evaluated = self._screen_orders(orders)
        unchecked = self._prepare_unchecked(orders, evaluated)
        cases = self._prepare_cases(orders, "confirmation", attached=unchecked)
        if unchecked and unchecked.recorded:
            return orders
        self._note_configured(cases)
        decided, passed = self._decide_cases(cases), orders.browse()
        for (case, decision), log in zip(decided, self._record(decided, "confirmation", evaluated), strict=True):
            if decision.outcome is Outcome.PASS:
                passed |= case.subject
            else:
                self.env["credit.insurance.hold"]._open(case.subject, log, self._prepare_terms(case))
        passed.sudo().credit_hold_ids._close("cleared")
        return orders.filtered(lambda order: order in passed)

    @api.model
    def _prefetch_partners(self, orders):
        """Read the partners of the orders together with the user's own, which the message about the confirmation needs:
        one query for both."""
        trusted = orders.sudo()
        partners = trusted.partner_invoice_id | trusted.partner_id | trusted.partner_shipping_id
        (partners | self.env.user.partner_id.sudo()).mapped("commercial_partner_id")

    @api.model
    def _pass_or_refuse(self, orders, checkpoint, open_amounts=None):
        """Decide orders that are, or are about to be, confirmed without a pass: ``{order: why it is refused}``."""
        evaluated = self._screen_orders(orders)
        refused, passing = {}, []
        for case, decision in self._decide(orders, checkpoint, open_amounts):
            if decision.outcome is Outcome.PASS:
                passing.append((case, decision))
            else:
                told = self.env._("%s does not pass the credit check and stays as it was.", case.subject.name)
                refused[case.subject] = f"{told}\n{self._describe(decision)}"
        self._record(passing, checkpoint, evaluated)
        for case, _decision in passing:
            case.subject.credit_hold_ids._close("cleared")
        return refused

    @api.model
    def _pass_grown_by_core(self, orders, open_amounts, unpaid):
        """Accept growth that a document of Odoo itself caused, such as a re-invoiced expense: it is owed already.

        It is on record and takes its headroom. When it went over the limit, the order's deliveries wait for a decision,
        and whoever decides credit is told.

        :param unpaid: those of the orders whose payment was taken back: their goods wait even when they are invoiced
        """
        cases = [
            replace(case, goods_leave=case.subject in unpaid and bool(case.subject._credit_waiting_deliveries()))
            for case in self._prepare_cases(orders, "growth", open_amounts)
        ]
        decided = self._decide_cases(cases, accepted=lambda _case: True)
        accepted = [(case, replace(decision, outcome=Outcome.PASS)) for case, decision in decided]
        for (case, decision), log in zip(decided, self._record(accepted, "growth"), strict=True):
            if decision.outcome is Outcome.HOLD:
                case.subject._credit_stop_deliveries(log, decision)

    @api.model
    def _preview(self, subjects, together=False, mode=None):
        """What documents would get if they were decided now, as ``[(Case, Decision)]``; nothing is written.

        :param together: one after the other in order of creation, sharing the headroom, instead of each by itself
        :param mode: the mode of the gate they would be decided in; without it the one of their company
        """
        cases = self._foresee_rules(self._prepare_cases(subjects, "confirmation", mode=mode))
        figures = self._get_figures(cases)
        if together:
            return self._judge(cases, figures, None)
        return [(case, decide(self._make_request(case, figures, None))) for case in cases]

    @api.model
    def _judge_again(self, subjects, checkpoint, open_amounts=None):
        """What documents that are held would get if they were decided now, as ``[(Case, Decision)]``."""
        cases = self._prepare_cases(subjects, checkpoint, open_amounts)
        return self._judge(cases, self._get_figures(cases), None)

    # === DECIDING === #

    @api.model
    def _decide(self, subjects, checkpoint, open_amounts=None, accepted=None):
        """The decision of each document as ``[(Case, Decision)]``; headroom of what passes is reserved on return.

        :param open_amounts: what is left to invoice, by the id of the document, where that is what has to fit
        :param accepted: says of a case that it takes headroom although it is held, because it is owed all the same
        """
        return self._decide_cases(self._prepare_cases(subjects, checkpoint, open_amounts), accepted)

    @api.model
    def _decide_cases(self, cases, accepted=None):
        taking = [case for case in cases if case.takes_headroom]
        figures = self._get_figures(cases, bool(taking))
        with self._open_ledger(taking, figures.snapshot) as ledger:
            pairs = self._judge(cases, figures, ledger, accepted)
            for case, decision in pairs:
                takes = decision.outcome is Outcome.PASS or (accepted and accepted(case))
                if ledger and case.takes_headroom and takes:
                    ledger.reserve(case, decision)
        return pairs

    @api.model
    def _open_ledger(self, cases, snapshot):
        if not cases:
            return nullcontext()
        reservations = self.env["credit.insurance.reservation"]
        groups = {case.group.group_id: case.group for case in cases if case.group}
        members = {partner_id for group in groups.values() for partner_id, _company in group.members}
        buyers = {case.buyer.partner_id for case in cases}
        return reservations._open_ledger(snapshot, buyers, groups, members)

    @api.model
    def _judge(self, cases, figures, ledger, accepted=None):
        """Decide the cases one after the other, sharing headroom within one company.

        :param accepted: as in :meth:`_decide`
        """
        requests = [self._make_request(case, figures, ledger) for case in cases]
        if accepted:
            requests = [
                replace(request, owed_anyway=accepted(case)) for case, request in zip(cases, requests, strict=True)
            ]
        return list(zip(cases, decide_batch(requests), strict=True))

    @api.model
    def _describe(self, decision):
        """The reasons of a decision in the reader's language, a line each."""
        return "\n".join(describe_reasons(self.env, reasons_to_json(decision.reasons)))
