"""The checker of one rule: its own fields, its conditions or its table, and the tests kept with it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from .catalogue import Action
from .conditions import condition_problems
from .evaluator import evaluate
from .marking import _
from .messages import CONTEXT_WORDS, placeholders
from .model import All, Rule, RuleTest, SignalRef, State, comparisons, origin_of, signal_keys
from .problems import Place, Problem, did_you_mean
from .reasoning import never_true
from .relations import implies
from .signals import Scope, SignalCatalogue
from .tablecheck import table_problems

KEY = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
MAX_TABLE_KEY = 58  # leaves room for the number of the row
_ANY_DAY = date(2000, 1, 1)


def bad_key(key: str) -> str:
    return _("%(key)r cannot be a key: small letters, digits and _, starting with a letter, at most 63", key=key[:70])


class RuleChecker:
    """Checks one rule; ``problems`` never raises, whatever the rule holds."""

    def __init__(
        self, rule: Rule, catalogue: SignalCatalogue, actions: Mapping[str, Action], with_tests: bool = True
    ) -> None:
        self.rule = rule
        self.with_tests = with_tests
        self.catalogue = catalogue
        self.actions = actions
        self.path = f"rules.{rule.key[:63]}"

    def at(self, field: str, code: str, message: str, suggestion: str = "", place: Place | None = None) -> Problem:
        places = self.rule.places
        place = place or places.get(field) or places.get(field.partition(".")[0]) or places.get("")
        return Problem(code, message, f"{self.path}.{field}", place, suggestion)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems; a later stage runs only when the ones it relies on found nothing."""
        yield from self.fields()
        found = list(self.conditions()) or [*self.unreachable(), *self.ending()]
        yield from found
        if not found and self.with_tests:
            yield from self.tests()

    # --- fields

    def fields(self) -> Iterator[Problem]:
        rule = self.rule
        if not KEY.match(rule.key):
            yield self.at("key", "bad_key", bad_key(rule.key))
        elif origin_of(rule.key) != rule.key or (rule.table and len(rule.key) > MAX_TABLE_KEY):
            message = _("%(key)r could be mistaken for a row of a table, or is too long for one", key=rule.key)
            yield self.at("key", "bad_key", message, _("do not end it with __ and a number"))
        if not rule.name.strip():
            yield self.at("name", "empty", _("a rule needs a name"))
        if rule.valid_from and rule.valid_to and rule.valid_from > rule.valid_to:
            yield self.at(
                "valid_to",
                "bad_dates",
                _("the rule would end on %(valid_to)s, before it starts", valid_to=rule.valid_to),
            )
        counts = Counter(rule.companies)
        for company in rule.companies:
            if not company.strip() or counts[company] > 1:
                yield self.at(
                    "companies",
                    "bad_company",
                    _("the company %(company)r is empty or given twice", company=company[:70]),
                )
                break
        yield from self.message("message", rule.message)
        yield from self.actions_of("actions", rule.actions)
        for index, row in enumerate(rule.table.rows if rule.table else ()):
            for name, text in (("message", row.message),):
                if text is not None:
                    yield from self.message(f"table.rows[{index}].{name}", text, row.places.get(name))
            if row.actions is not None:
                place = row.places.get("actions")
                yield from self.actions_of(f"table.rows[{index}].actions", row.actions, place)

    def message(self, field: str, text: str, place: Place | None = None) -> Iterator[Problem]:
        try:
            names = placeholders(text)
        except ValueError as error:
            hint = _("write a plain {signal_key}; a brace itself is written twice")
            yield self.at(
                field, "bad_message", _("the message cannot be filled in: %(error)s", error=error), hint, place
            )
            return
        known = {signal.key for signal in self.catalogue.visible(self.rule.scope)} | set(CONTEXT_WORDS)
        for name in dict.fromkeys(names):
            if name not in known:
                message = _(
                    "a rule about %(scope)s has nothing to say for {%(name)s}", scope=self.rule.scope, name=name[:70]
                )
                yield self.at(field, "unknown_placeholder", message, did_you_mean(name, known), place)

    def actions_of(self, field: str, keys: tuple[str, ...], place: Place | None = None) -> Iterator[Problem]:
        for key in dict.fromkeys(keys):
            action = self.actions.get(key)
            if action is None:
                hint = did_you_mean(key, self.actions)
                yield self.at(field, "unknown_action", _("there is no action %(key)r", key=key[:70]), hint, place)
            elif self.rule.scope not in action.scopes:
                message = _("%(key)s does nothing in a rule about %(scope)s", key=key, scope=self.rule.scope)
                scope = next(scope for scope in Scope if scope in action.scopes)
                hint = _("give the rule the scope %(scope)s", scope=scope)
                yield self.at(field, "dead_action", message, hint, place)
            elif keys.count(key) > 1:
                yield self.at(field, "duplicate_action", _("the action %(key)s is given twice", key=key), place=place)

    # --- conditions

    def conditions(self) -> Iterator[Problem]:
        rule = self.rule
        if rule.table:
            place = rule.places.get("table") or rule.places.get("")
            yield from table_problems(rule, rule.table, self.catalogue, f"{self.path}.table", place)
        for field, condition in rule.conditions:
            if field != "when" or not rule.table:
                place = rule.places.get(field) or rule.places.get("")
                yield from condition_problems(condition, self.catalogue, rule.scope, f"{self.path}.{field}", place)

    def unreachable(self) -> Iterator[Problem]:
        rule = self.rule
        if rule.unless is not None and implies(rule.when, rule.unless, self.catalogue):
            message = _("this holds whenever the condition does: the rule can never fire")
            yield self.at("unless", "unreachable", message, _("narrow the exclusion, or widen the condition"))

    def ending(self) -> Iterator[Problem]:
        """An ``until`` must begin where ``when`` ends; one about other signals may hold whenever it likes.

        Comparisons between signals are left alone: whether two of them overlap often hangs on signs nobody states.
        """
        rule = self.rule
        if rule.until is None or not signal_keys(rule.until) <= signal_keys(rule.when):
            return
        if any(isinstance(part.operand, SignalRef) for _, whole in rule.conditions for part in comparisons(whole)):
            return
        if not never_true(All((rule.when, rule.until)), self.catalogue):
            message = _("this can hold while the condition still does")
            hint = _("an alert ends where the condition does not hold, as in when: x > 100, until: x < 80")
            yield self.at("until", "until_overlaps", message, hint)

    # --- tests

    def tests(self) -> Iterator[Problem]:
        for index, test in enumerate(self.rule.tests):
            unknown = sorted({key for key, _value in test.facts if key not in self.catalogue})
            if unknown:
                hint = did_you_mean(unknown[0], (signal.key for signal in self.catalogue))
                yield self.at(
                    "tests",
                    "unknown_signal",
                    _(
                        "test %(index)s speaks of an unknown signal %(unknown)r",
                        index=index + 1,
                        unknown=unknown[0][:70],
                    ),
                    hint,
                )
                continue
            outcome = evaluate(self.rule, dict(test.facts), test.today or _day_within(self.rule), self.catalogue)
            if outcome.state is not test.expect or outcome.unreadable:
                yield self.at("tests", "test_failed", self.failed(test, index, outcome.state, outcome.unreadable))
            elif test.ends is not None and test.ends is not outcome.ended:
                which = {"index": index + 1, "name": test.name[:70]}
                if outcome.ended:
                    message = _("in test %(index)s (%(name)s) an alert that is open ends", **which)
                else:
                    message = _("in test %(index)s (%(name)s) an alert that is open stays open", **which)
                yield self.at("tests", "test_failed", message)

    def failed(self, test: RuleTest, index: int, state: State, unreadable: tuple[tuple[str, str], ...]) -> str:
        which = {"index": index + 1, "name": test.name[:70], "expect": test.expect, "state": state}
        if not unreadable:
            return _("test %(index)s (%(name)s) expects %(expect)s and gets %(state)s", **which)
        key, reason = unreadable[0]
        return _(
            "test %(index)s (%(name)s) expects %(expect)s and gets %(state)s; %(key)s is unreadable: %(reason)s",
            **which,
            key=key,
            reason=reason,
        )


def _day_within(rule: Rule) -> date:
    return rule.valid_from or rule.valid_to or _ANY_DAY
