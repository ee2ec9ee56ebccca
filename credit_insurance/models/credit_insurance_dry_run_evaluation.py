"""What a dry run evaluates: buyers, or their documents, today and on the Mondays of the past.

rule about      a past week holds                                        known as of
buyers          the buyers for whom it fires on the Monday               the Monday
invoices        the invoices that were open on the Monday                the Monday
events          the events of the year before that were known            the Monday
orders          the orders that were put to the gate in the week         the day of each order

Which orders of the past there are is in ``credit_insurance_dry_run_orders``.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from dateutil.relativedelta import MO, relativedelta

from odoo import api, models
from odoo.tools import format_date

from odoo.addons.credit_insurance.rules.risk import Scope, render
from odoo.addons.credit_insurance.rules.risk.facts import read_facts
from odoo.addons.credit_insurance.rules.risk.messages import placeholders

from . import rule_trace
from .credit_insurance_dry_run_orders import PastOrder, to_json
from .credit_insurance_signals import OF_TODAY, SOURCE_KEYS
from .marked_words import tell
from .rule_document import evaluate_rows, rule_keys

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Found:
    """A buyer, or one of its documents, for which the rule fires or keeps an alert open that stands already.

    ``template`` is the message before the ``values`` of its signals were filled in.
    """

    buyer: object
    message: str
    template: str
    values: dict
    document: object = None
    name: str = ""
    past: PastOrder | None = None

    @property
    def key(self):
        return self.buyer, self.document


@dataclass(frozen=True)
class Held:
    """How many orders something would hold, and their value in company currency.

    Of them ``today_count`` count with the amount of today, ``held_count`` were held by the gate then.
    """

    count: int = 0
    amount: float = 0.0
    today_count: int = 0
    held_count: int = 0

    @classmethod
    def of(cls, orders):
        """What it would have held of the past."""
        return cls(
            len(orders),
            sum(order.amount for order in orders),
            sum(order.amount_today for order in orders),
            sum(order.held for order in orders),
        )


class CreditInsuranceDryRun(models.Model):
    _inherit = "credit.insurance.dry.run"

    def _evaluate(self, buyers):
        """Write the lines of these buyers, for today and for the past Mondays."""
        parsed, _problems = self.env["credit.insurance.rule"]._check_text(self.document)
        # The company was chosen here; what the text says about companies does not matter.
        rule = self._get_effective(replace(parsed, companies=()))
        # And whom a rule finds before it counts is what people want to know.
        rule = rule and replace(rule, valid_from=None)
        lines = self._evaluate_today(rule, buyers)
        lines += self._evaluate_past(rule, buyers) if rule else []
        self.env["credit.insurance.dry.run.line"].create(lines)

    def _get_effective(self, rule):
        """The rule under the override that this run tries; None where it is switched off."""
        if not self.override_version_id:
            return rule
        changed, problems = self.override_version_id._apply_to(rule)
        return rule if problems else changed

    # === TODAY === #

    def _evaluate_today(self, rule, buyers):
        alerts = self.env["credit.insurance.alert"].search([("buyer_id", "in", buyers.ids), ("ended_on", "=", False)])
        own = alerts.filtered(lambda alert: self.rule_id and alert.rule_id == self.rule_id)
        others = (alerts - own).grouped("buyer_id")
        standing = {(alert.buyer_id, self._get_document(alert)): alert for alert in own}
        items = self._get_found(rule, buyers, self.evaluated_on, standing) if rule else []
        found = {item.key: item for item in items}
        ended = [
            Found(
                key[0],
                alert.message,
                alert.message_template,
                alert.values_now,
                key[1],
                alert.document_name or "",
            )
            for key, alert in standing.items()
            if key not in found
        ]
        kinds = {key: "same" if key in standing else "new" for key in found} | {item.key: "ended" for item in ended}
        orders = self._get_orders(buyers) if rule else {}
        lines = self._prepare_lines([*found.values(), *ended], kinds, self.evaluated_on, orders, is_past=False)
        counts = {buyer.id: len(alerts) for buyer, alerts in others.items()}
        return [line | {"other_alert_count": counts.get(line["buyer_id"], 0)} for line in lines]

    @api.model
    def _get_document(self, alert):
        return self.env[alert.res_model].browse(alert.res_id) if alert.res_model else None

    # === THE PAST === #

    def _evaluate_past(self, rule, buyers):
        lines, before = [], None
        past_orders = self._get_past_orders(buyers)
        for day in self._get_mondays():
            asked = past_orders.get(day, [])
            if rule.scope is Scope.ORDER:
                found = self._get_found_asked(rule, buyers, asked)
                kinds = {item.key: "new" for item in found}
            else:
                found = self._get_found(rule, buyers, day, before or (), as_of=True)
                # What stands on the first Monday was raised before it.
                kinds = {item.key: "same" if before is None or item.key in before else "new" for item in found}
            before = kinds
            by_partner = {}
            for order in asked:
                by_partner.setdefault(order.partner_id, []).append(order)
            orders = {partner_id: Held.of(own) for partner_id, own in by_partner.items()}
            lines += self._prepare_lines(found, kinds, day, orders, is_past=True)
        return lines

    def _get_found_asked(self, rule, buyers, asked):
        """The orders put to the gate in one week for which the rule fired, each as of its own day."""
        by_day = {}
        for past in asked:
            if past.order_id:
                by_day.setdefault(past.day, {})[past.order_id] = past
        found = []
        for day, own in sorted(by_day.items()):
            orders = self.env["sale.order"].browse(own)
            items = self._get_found_documents(rule, buyers, orders, day, (), as_of=True, past=to_json(own.values()))
            found += [replace(item, past=own[item.document.id]) for item in items]
        return found

    # === WHAT FIRES === #

    def _get_found(self, rule, buyers, day, standing, as_of=False):
        """What would be found on that day.

        :param standing: the keys of what was found before, whose alerts may be kept open (``until``, missing data)
        """
        signals = self.env["credit.insurance.signals"]
        if rule.scope is not Scope.BUYER:
            documents = signals._get_documents(rule.scope, buyers, day, as_of=as_of)
            return self._get_found_documents(rule, buyers, documents, day, standing, as_of)
        catalogue = signals._get_catalogue()
        facts = signals._get_facts(buyers, rule_keys(rule, catalogue), day, as_of=as_of)
        found = (self._find(rule, facts[buyer.id], day, catalogue, buyer, None, standing) for buyer in buyers)
        return [item for item in found if item]

    def _get_found_documents(self, rule, buyers, documents, day, standing, as_of, past=None):
        signals = self.env["credit.insurance.signals"]
        catalogue = signals._get_catalogue()
        keys = rule_keys(rule, catalogue)
        facts = signals._get_document_facts(rule.scope, documents, keys, day, as_of=as_of, past=past)
        found = []
        for document in documents.filtered(lambda row: row.id in facts):
            buyer = buyers.browse(facts[document.id]["_buyer"])
            if item := self._find(rule, facts[document.id], day, catalogue, buyer, document, standing):
                found.append(item)
        return found

    def _find(self, rule, facts, day, catalogue, buyer, document, standing):
        """What the alert would say, as :class:`Found`; None when there would be none."""
        outcomes = evaluate_rows(rule, facts, day, catalogue)
        found = [outcome.rule for outcome in outcomes if outcome.fired]
        if not found and (buyer, document) in standing:
            found = [outcome.rule for outcome in outcomes if not outcome.ended]
        if not found:
            return None
        name = document.display_name if document else ""
        words = {
            "company": self.company_id.name,
            "rule": rule.name,
            "today": day.isoformat(),
            "buyer": buyer.partner_id.name,
            "document": name,
        }
        template = found[0].message
        known = read_facts(facts, catalogue, day, catalogue.reading(placeholders(template))).values
        values = {key: rule_trace.to_json(value) for key, value in known.items()}
        message = render(found[0], facts, day, catalogue, words)
        return Found(buyer, message, template, values, document, name)

    # === WHAT IT WOULD HOLD === #

    def _get_order_domain(self, buyers):
        return [
            ("company_id", "child_of", self.company_id.id),
            ("partner_invoice_id.commercial_partner_id", "in", buyers.partner_id.ids),
        ]

    def _get_orders(self, buyers):
        """What there is of quotations now: ``{partner_id: Held}``."""
        domain = [*self._get_order_domain(buyers), ("state", "in", ("draft", "sent"))]
        found = {}
        for order in self.env["sale.order"].search_fetch(domain, ["amount_total", "currency_rate"]):
            partner_id = order.partner_invoice_id.commercial_partner_id.id
            held = found.get(partner_id, Held())
            found[partner_id] = Held(held.count + 1, held.amount + _in_company_currency(order))
        return found

    def _prepare_lines(self, found, kinds, day, orders, is_past):
        """A line each; the orders of a buyer stand on the first line that it has."""
        lines, counted = [], set()
        for item in found:
            held = Held()
            if kinds[item.key] != "ended":
                held = self._get_held(item, orders, counted)
            lines.append(
                {
                    "run_id": self.id,
                    "buyer_id": item.buyer.id,
                    "res_model": item.document._name if item.document else False,
                    "res_id": item.document.id if item.document else False,
                    "document_name": item.name,
                    "date": day,
                    "is_past": is_past,
                    "kind": kinds[item.key],
                    "message": item.message,
                    "message_template": item.template,
                    "message_values": item.values,
                    "order_count": held.count,
                    "order_amount": held.amount,
                    "today_amount_count": held.today_count,
                    "held_then_count": held.held_count,
                }
            )
        return lines

    def _get_held(self, item, orders, counted):
        """The orders that this would hold: itself, or those of its buyer, counted once."""
        if item.past:
            return Held.of([item.past])
        if item.document and item.document._name == "sale.order":
            # One that is confirmed today cannot be held any more.
            waits = item.document.state in ("draft", "sent")
            return Held(1, _in_company_currency(item.document)) if waits else Held()
        if item.buyer in counted:
            return Held()
        counted.add(item.buyer)
        return orders.get(item.buyer.partner_id.id, Held())

    def _get_mondays(self):
        """The Mondays of the past months up to now, the oldest first."""
        self.ensure_one()
        if not self.months or not self.evaluated_on:
            return []
        day = self.evaluated_on - relativedelta(months=self.months, weekday=MO(1))
        days = []
        while day < self.evaluated_on:
            days.append(day)
            day += WEEK
        return days

    def _describe_limits(self, rule):
        """What a run cannot tell, and where it goes beyond what the text says."""
        begins = (self._get_effective(rule) or rule).valid_from
        notes = self._describe_undated(rule) if self.months else []
        if begins and self.evaluated_on and begins > min([self.evaluated_on, *self._get_mondays()]):
            day = format_date(self.env, begins)
            notes.append(self.env._("The rule counts from %s on, and is tried as if it already did.", day))
        return "\n".join(notes) or False

    def _describe_undated(self, rule):
        """What the past cannot tell. Signals that nobody can know for it count as missing there."""
        signals = self.env["credit.insurance.signals"]
        catalogue = signals._get_catalogue()
        read = catalogue.sources(rule_keys(rule, catalogue))
        notes = []
        if rule.scope is Scope.ORDER:
            notes.append(
                self.env._(
                    "What a past order is compared with are the orders of its buyer that are confirmed today, with the "
                    "amounts of today. Quotations that were deleted are not among the past orders."
                )
            )
        if undated := sorted(read & set(signals._get_undated_keys())):
            labels = ", ".join(tell(self.env, catalogue[key].label) for key in undated)
            notes.append(self.env._("Not known for the past, and missing there: %s.", labels))
        if of_today := sorted(read & OF_TODAY):
            labels = ", ".join(tell(self.env, catalogue[key].label) for key in of_today)
            notes.append(self.env._("Taken as it is today, also for the past: %s.", labels))
        if read & SOURCE_KEYS["deadline"]:
            notes.append(
                self.env._(
                    "Nobody knows which deadlines raised no alarm in the past because little was open or the money was "
                    "in the bank and not matched yet: there all deadlines of open invoices count."
                )
            )
        return notes


def _in_company_currency(order):
    return order.amount_total / (order.currency_rate or 1)
