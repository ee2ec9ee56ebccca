"""The decision card of a sales order as plain data: what the gate says now, what it said then, and what would help.

The server decides what a reader may see; the card draws what it is given and formats amounts and dates itself.

    {"tone": "pass" | "tight" | "observe" | "hold",
     "state": "" | "held" | "ready" | "released" | "rejected",
     "currency_id": the currency of ``now`` and ``then``,
     "order_currency_id": the currency of the amounts in ``ways``,
     "now": FIGURES or null when the gate is off, "then": FIGURES with "on" (UTC) while a hold stands,
     "reasons": [{"kind": "hold" | "warn" | "lifted" | "info", "text": sentence}],
     "basis": why it passes, one sentence,
     "data_age_days": days or null, "data_stale": bool, "opens_buyer": may the reader open the buyer's credit record,
     "ways": [{"kind", "method", "label"?, "amount"?, "date"?, "days"?, "name"?}],
     "decider": {"name", "deputy", "since", "requested_by", "requested_on", "decided_by", "note"} or null}

    FIGURES = {"limit": amount or null, "layers": [{"kind": "insured" | "own" | "guaranteed", "amount"}], "exposure",
               "sources": [{"source", "amount"}], "document", "prepaid", "headroom", "shortfall", "would_pass",
               "shared": {"name", "limit", "exposure" of all who share it} or null, of now only}

A reader outside the credit groups gets sums only, and never the name of an alert, which may tell a grade.
"""

from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from odoo.addons.credit_insurance.rules.policy import Basis, Mode, Outcome, Severity

from .reasons import CREDIT_GROUP, describe_reasons, reasons_to_json

_lt = LazyTranslate(__name__)

# A passing order leaves less than this share of the limit: worth a second look before more is promised.
TIGHT_SHARE = Decimal("0.1")
SOURCES = ("overdue", "not_due", "confirmed", "credits", "reserved")
BASIS_TEXTS = {
    Basis.ZERO_AMOUNT: _lt("There is nothing to pay."),
    Basis.PREPAID: _lt("It is paid."),
    Basis.CASH_BEFORE_DELIVERY: _lt("The delivery waits for the money."),
    Basis.SECURED: _lt("A guarantee secures it."),
    Basis.TOLERANCE: _lt("It is within the tolerance over the limit."),
    Basis.BELOW_THRESHOLD: _lt("Its amount is below the threshold."),
    Basis.RELEASED: _lt("It was released."),
}


class CreditInsuranceCard(models.AbstractModel):
    _name = "credit.insurance.card"
    _description = "Decision Card"

    @api.model
    def _make(self, order):
        """The card of ``order``, saved or being typed; False where the gate has nothing to say. Nothing is written."""
        order = order.sudo()
        if order.state not in ("draft", "sent") or not order._credit_buyer_partner() or not order.company_id:
            return False
        hold = order.credit_hold_id
        company = order.company_id.root_id
        if company.credit_gate_mode == "off":
            return self._make_without_gate(order, hold) if self._stands(hold) else False
        [(case, decision)] = self.env["credit.insurance.gate"]._preview(order)
        if not case.checked:
            return False
        return self._make_card(order, hold if self._stands(hold) else hold.browse(), case, decision)

    @api.model
    def _stands(self, hold):
        return hold.state in ("open", "rejected")

    @api.model
    def _make_without_gate(self, order, hold):
        """While the gate is off nothing is compared: what stopped the order stays visible."""
        return {
            **self._make_frame(order, hold),
            "tone": "observe",
            "currency_id": hold.currency_id.id,
            "now": None,
            "reasons": self._describe(hold.decision_id.reasons),
            "basis": self.env._("The credit gate is off: the order can be confirmed."),
            "data_age_days": None,
            "data_stale": False,
            "opens_buyer": False,
            "ways": [{"kind": "confirm", "method": "action_confirm"}],
        }

    @api.model
    def _make_card(self, order, hold, case, decision):
        limit = case.buyer.limit
        return {
            **self._make_frame(order, hold),
            "tone": self._get_tone(case, decision),
            "currency_id": case.buyer.currency_id,
            "now": self._make_figures(case, decision),
            "reasons": self._describe(reasons_to_json(decision.reasons)),
            "basis": self._describe_basis(case, decision),
            "data_age_days": limit.data_age_days,
            "data_stale": limit.stale,
            "opens_buyer": bool(case.buyer.buyer_id) and self.env.user.has_group(CREDIT_GROUP),
            "ways": self._get_ways(order, hold, case, decision),
        }

    @api.model
    def _make_frame(self, order, hold):
        """What does not depend on a new decision."""
        return {
            "state": order.credit_state or "",
            "order_currency_id": order.currency_id.id,
            "then": self._make_figures_then(hold) if hold else None,
            "decider": self._make_decider(hold) if hold else None,
        }

    @api.model
    def _get_tone(self, case, decision):
        if decision.would_be is Outcome.HOLD:
            return "hold" if case.mode is Mode.ON else "observe"
        warned = any(reason.severity is not Severity.INFO or reason.exempted_by for reason in decision.reasons)
        left = None if decision.limit is None else decision.limit - decision.after
        tight = left is not None and left < decision.limit.percent(TIGHT_SHARE * 100)
        return "tight" if warned or (tight and decision.basis is Basis.WITHIN_LIMIT) else "pass"

    @api.model
    def _describe_basis(self, case, decision):
        if decision.would_be is Outcome.HOLD:
            return "" if case.mode is Mode.ON else self._describe_observing(case)
        text = BASIS_TEXTS.get(decision.basis)
        return self.env._(text) if text else ""

    @api.model
    def _describe_observing(self, case):
        if case.company.credit_gate_mode == "on":
            return self.env._("The order can be confirmed: its goods wait until there is room for them.")
        return self.env._("The credit gate only observes: nothing is held.")

    @api.model
    def _get_spoken_for(self, pairs):
        """Which ``(commercial partner, company)`` pairs the gate checks; one statement per root company."""
        spoken = set()
        by_root = {}
        for partner, company in pairs:
            root = company.sudo().root_id
            if partner.ids and root.credit_gate_mode in ("on", "observe"):
                by_root.setdefault(root, set()).add((partner, company))
        for root, found in by_root.items():
            asked = [(partner._origin.id, root.id) for partner, _company in found if partner._origin.id]
            limits = self.env["credit.insurance.limit"].sudo()._get_limits(asked, root._credit_today())
            spoken |= {
                (partner, company)
                for partner, company in found
                if (limit := limits.get((partner._origin.id, root.id))) and limit.checked
            }
        return spoken

    # === FIGURES === #

    @api.model
    def _make_figures(self, case, decision):
        exposure, limit = decision.exposure, case.buyer.limit
        sources = {name: float(getattr(exposure, name).amount) for name in SOURCES}
        parts = {"insured": limit.insured, "own": limit.own, "guaranteed": limit.guaranteed}
        return {
            "limit": _number(decision.limit),
            "layers": self._make_layers(decision.limit, {kind: float(part.amount) for kind, part in parts.items()}),
            "exposure": _number(exposure.total),
            "sources": [{"source": name, "amount": amount} for name, amount in sources.items() if amount],
            "document": _number(decision.document),
            "prepaid": _number(decision.prepaid),
            "headroom": _number(decision.headroom),
            "shortfall": _number(decision.shortfall),
            "would_pass": _number(decision.would_pass),
            "shared": self._make_shared(decision.shared),
        }

    @api.model
    def _make_shared(self, shared):
        return shared and {
            "name": shared.name,
            "limit": _number(shared.limit),
            "exposure": _number(shared.exposure),
        }

    @api.model
    def _make_figures_then(self, hold):
        """The figures of the decision that holds the order, as they were."""
        log = hold.decision_id
        parts = {"insured": log.insured_limit, "own": log.own_limit}
        # Not the rest of the limit: where the company takes the larger of own and insured, these are more than it.
        counted = [line for line in log.limit_lines or () if line["kind"] == "Guarantee" and line["counted"]]
        parts["guaranteed"] = log.currency_id.round(float(sum(Decimal(line["amount"]) for line in counted)))
        return {
            "on": fields.Datetime.to_string(log.create_date),
            "limit": log.limit_amount if log.limit_checked else None,
            "layers": self._make_layers(log.limit_checked or None, parts),
            "exposure": log.exposure,
            "sources": [
                {"source": name, "amount": log[f"exposure_{name}"]} for name in SOURCES if log[f"exposure_{name}"]
            ],
            "document": log.document_amount,
            "prepaid": log.prepaid,
            "headroom": log.headroom if log.limit_checked else None,
            "shortfall": log.shortfall,
            "would_pass": log.would_pass if log.limit_checked else None,
        }

    @api.model
    def _make_layers(self, limit, parts):
        return [] if limit is None else [{"kind": kind, "amount": part} for kind, part in parts.items() if part > 0]

    # === WORDS === #

    @api.model
    def _describe(self, reasons):
        """Stored reasons for this reader: what holds first, then what warns, what was lifted last."""
        order = {"hold": 0, "warn": 1, "info": 2, "lifted": 3}
        kinds = [("lifted" if reason["exempted_by"] else reason["severity"], reason) for reason in reasons or ()]
        return [
            {"kind": kind, "text": describe_reasons(self.env, [reason])[0]}
            for kind, reason in sorted(kinds, key=lambda item: order[item[0]])
        ]

    @api.model
    def _make_decider(self, hold):
        """Who decides since when, in whose place, and who asked."""
        return {
            "name": hold._get_decider().name or "",
            "deputy": hold._get_deputy().name or "",
            "since": fields.Datetime.to_string(hold.create_date),
            "requested_by": hold.requested_by_id.name or "",
            "requested_on": fields.Datetime.to_string(hold.requested_on) or "",
            "decided_by": hold.decided_by_id.name or "",
            "note": hold.note or "",
        }


def _number(money):
    return None if money is None else float(money.amount)
