"""The checker: everything that would make a rule wrong, useless or impossible to run, found when it is saved.

``check`` never raises, whatever it is given as a pack or rule, and what it lets pass never fails at run time:
evaluation, compilation and messages rely on it. Order of the work: the rule's own fields, then each comparison
against its signal, and only when these are right what the whole condition means (always true, never true), what it
costs the engine, and the tests kept with the rule.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from re import compile as pattern

from .catalogue import DEFAULT_ACTIONS, Action
from .comparisons import check_comparison
from .compiler import MAX_BRANCHES, compile_pack
from .document import load
from .errors import DocumentError
from .evaluator import evaluate
from .messages import CONTEXT_WORDS, placeholders
from .model import All, Any, Comparison, Condition, Not, Pack, Rule, RuleTest, State
from .normal import TooManyBranches, branches
from .problems import Problem, did_you_mean, in_order
from .reasoning import never_false, never_true
from .signals import SignalCatalogue

MAX_RULES = 500
MAX_DEPTH = 8
MAX_COMPARISONS = 60
MAX_PACK_BRANCHES = 2000
MAX_FIELDS = 240  # the engine takes facts of at most 252 properties
MAX_PER_BRANCH = 12
_KEY = pattern(r"[a-z][a-z0-9_]{0,62}\Z")
_ANY_DAY = date(2000, 1, 1)


def check(
    subject: Pack | Rule, catalogue: SignalCatalogue, actions: Mapping[str, Action] = DEFAULT_ACTIONS
) -> tuple[Problem, ...]:
    """Return every reason to refuse a pack or a single rule, in document order; empty when it may be used."""
    if isinstance(subject, Rule):
        return in_order(_RuleChecker(subject, catalogue, actions).problems())
    return in_order(_pack_problems(subject, catalogue, actions))


def check_text(
    text: str, catalogue: SignalCatalogue, actions: Mapping[str, Action] = DEFAULT_ACTIONS
) -> tuple[Pack | None, tuple[Problem, ...]]:
    """Read and check a document without raising: the pack (None when the text has no form at all) and its problems."""
    try:
        pack = load(text)
    except DocumentError as error:
        return None, error.problems
    return pack, check(pack, catalogue, actions)


def _pack_problems(pack: Pack, catalogue: SignalCatalogue, actions: Mapping[str, Action]) -> Iterator[Problem]:
    if not _KEY.match(pack.key):
        yield Problem("bad_key", _BAD_KEY.format(pack.key[:70]), "pack", pack.places.get("pack"))
    if len(pack.rules) > MAX_RULES:
        yield Problem("too_many_rules", f"a pack has at most {MAX_RULES} rules", "rules", pack.places.get("rules"))
        return
    found = [problem for rule in pack.rules for problem in _RuleChecker(rule, catalogue, actions).problems()]
    found += _duplicate_keys(pack)
    yield from found
    if not found:
        yield from _twins(pack)
        yield from _pack_cost(pack)


def _duplicate_keys(pack: Pack) -> Iterator[Problem]:
    keys: set[str] = set()
    for rule in pack.rules:
        if rule.key in keys:
            yield Problem(
                "duplicate_key", f"there is another rule {rule.key[:70]!r}", f"rules.{rule.key}", rule.places.get("key")
            )
        keys.add(rule.key)


def _twins(pack: Pack) -> Iterator[Problem]:
    meanings: dict[object, str] = {}
    for rule in pack.rules:
        twin = meanings.setdefault(_meaning(rule), rule.key)
        if twin != rule.key:
            message = f"this rule has the same condition as {twin!r} and would always fire with it"
            yield Problem("same_condition", message, f"rules.{rule.key}.when", rule.places.get("when"))


def _pack_cost(pack: Pack) -> Iterator[Problem]:
    program = compile_pack(pack)
    place = pack.places.get("rules")
    hint = "split the pack in two"
    if program.branches > MAX_PACK_BRANCHES:
        message = f"all conditions together have {program.branches} alternatives; the engine takes {MAX_PACK_BRANCHES}"
        yield Problem("too_many_branches", message, "rules", place, hint)
    if program.fields > MAX_FIELDS:
        message = f"the rules use {program.fields} different signals, products and lists; the engine takes {MAX_FIELDS}"
        yield Problem("too_many_fields", message, "rules", place, hint)


def _meaning(rule: Rule) -> object:
    """Equal for two rules that fire for the same facts, on the same days, for the same companies."""
    forms = [
        frozenset(frozenset(branch) for branch in branches(part, MAX_BRANCHES)) if part else None
        for part in (rule.when, rule.unless)
    ]
    return rule.scope, *forms, rule.valid_from, rule.valid_to, frozenset(rule.companies)


_BAD_KEY = "{!r} cannot be a key: small letters, digits and _, starting with a letter, at most 63"


class _RuleChecker:
    def __init__(self, rule: Rule, catalogue: SignalCatalogue, actions: Mapping[str, Action]) -> None:
        self.rule = rule
        self.catalogue = catalogue
        self.actions = actions
        self.path = f"rules.{rule.key[:63]}"

    def at(self, field: str, code: str, message: str, suggestion: str = "") -> Problem:
        places = self.rule.places
        return Problem(code, message, f"{self.path}.{field}", places.get(field) or places.get(""), suggestion)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems; a later stage runs only when the ones it relies on found nothing."""
        yield from self.fields()
        found = list(self.conditions())
        yield from found
        if not found:
            yield from self.tests()

    # --- fields

    def fields(self) -> Iterator[Problem]:
        rule = self.rule
        if not _KEY.match(rule.key):
            yield self.at("key", "bad_key", _BAD_KEY.format(rule.key[:70]))
        if not rule.name.strip():
            yield self.at("name", "empty", "a rule needs a name")
        if rule.valid_from and rule.valid_to and rule.valid_from > rule.valid_to:
            yield self.at("valid_to", "bad_dates", f"the rule would end on {rule.valid_to}, before it starts")
        for company in rule.companies:
            if not company.strip() or rule.companies.count(company) > 1:
                yield self.at("companies", "bad_company", f"the company {company[:70]!r} is empty or given twice")
                break
        yield from self.message()
        for action in dict.fromkeys(rule.actions):
            yield from self.action(action)

    def message(self) -> Iterator[Problem]:
        try:
            names = placeholders(self.rule.message)
        except ValueError as error:
            hint = "write a plain {signal_key}; a brace itself is written {{ or }}"
            yield self.at("message", "bad_message", f"the message cannot be filled in: {error}", hint)
            return
        known = {signal.key for signal in self.catalogue.visible(self.rule.scope)} | set(CONTEXT_WORDS)
        for name in dict.fromkeys(names):
            if name not in known:
                message = f"a rule about {self.rule.scope} has nothing to say for {{{name[:70]}}}"
                yield self.at("message", "unknown_placeholder", message, did_you_mean(name, known))

    def action(self, key: str) -> Iterator[Problem]:
        action = self.actions.get(key)
        if action is None:
            yield self.at(
                "actions", "unknown_action", f"there is no action {key[:70]!r}", did_you_mean(key, self.actions)
            )
        elif self.rule.scope not in action.scopes:
            yield self.at("actions", "dead_action", f"{key} does nothing in a rule about {self.rule.scope}")
        elif self.rule.actions.count(key) > 1:
            yield self.at("actions", "duplicate_action", f"the action {key} is given twice")

    # --- conditions

    def conditions(self) -> Iterator[Problem]:
        for field, condition in (("when", self.rule.when), ("unless", self.rule.unless)):
            if condition is None:
                continue
            if _deeper_than(condition, MAX_DEPTH):
                yield self.at(field, "too_deep", f"groups are nested at most {MAX_DEPTH} deep")
                continue
            found = list(self.parts(condition, f"{self.path}.{field}"))
            yield from found or self.meaning(field, condition)

    def parts(self, condition: Condition, path: str) -> Iterator[Problem]:
        match condition:
            case Comparison():
                yield from check_comparison(condition, self.catalogue, self.rule.scope, path)
            case Not(part):
                yield from self.parts(part, f"{path}.not")
            case All(parts) | Any(parts):
                kind = "all" if isinstance(condition, All) else "any"
                if not parts:
                    yield Problem(
                        "empty_group",
                        f"this {kind} is empty",
                        f"{path}.{kind}",
                        condition.place,
                        "remove it or fill it",
                    )
                for index, part in enumerate(parts):
                    yield from self.parts(part, f"{path}.{kind}[{index}]")

    def meaning(self, field: str, condition: Condition) -> Iterator[Problem]:
        if _count(condition) > MAX_COMPARISONS:
            yield self.at(field, "too_many_comparisons", f"a condition has at most {MAX_COMPARISONS} comparisons")
            return
        found = list(self.constant_parts(condition, f"{self.path}.{field}"))
        yield from found or self.cost(field, condition)

    def constant_parts(self, condition: Condition, path: str) -> Iterator[Problem]:
        """Name the smallest parts that are always or never true; a group counts when its parts are all right."""
        inner: list[Problem] = []
        match condition:
            case Not(part):
                inner = list(self.constant_parts(part, f"{path}.not"))
            case All(parts) | Any(parts):
                kind = "all" if isinstance(condition, All) else "any"
                for index, part in enumerate(parts):
                    inner += self.constant_parts(part, f"{path}.{kind}[{index}]")
        if inner:
            yield from inner
        elif never_true(condition, self.catalogue):
            yield Problem("always_false", "this can never be true", path, condition.place, "no value fits it")
        elif never_false(condition, self.catalogue):
            yield Problem(
                "always_true", "this is true for everybody", path, condition.place, "it decides nothing: remove it"
            )

    def cost(self, field: str, condition: Condition) -> Iterator[Problem]:
        hint = "split the rule in two"
        try:
            longest = max(len(branch) for branch in branches(condition, MAX_BRANCHES))
        except TooManyBranches:
            message = f"this condition has more than {MAX_BRANCHES} alternatives, too many for the engine"
            yield self.at(field, "too_many_branches", message, hint)
            return
        if longest > MAX_PER_BRANCH:
            message = (
                f"one alternative of this condition joins {longest} comparisons; the engine takes {MAX_PER_BRANCH}"
            )
            yield self.at(field, "too_many_comparisons", message, hint)

    # --- tests

    def tests(self) -> Iterator[Problem]:
        for index, test in enumerate(self.rule.tests):
            unknown = sorted({key for key, _value in test.facts if key not in self.catalogue})
            if unknown:
                hint = did_you_mean(unknown[0], (signal.key for signal in self.catalogue))
                yield self.at(
                    "tests", "unknown_signal", f"test {index + 1} speaks of an unknown signal {unknown[0][:70]!r}", hint
                )
                continue
            outcome = evaluate(self.rule, dict(test.facts), test.today or _day_within(self.rule), self.catalogue)
            if outcome.state is not test.expect or outcome.unreadable:
                yield self.at("tests", "test_failed", self.failed(test, index, outcome.state, outcome.unreadable))

    def failed(self, test: RuleTest, index: int, state: State, unreadable: tuple[tuple[str, str], ...]) -> str:
        why = "".join(f"; {key} is unreadable: {reason}" for key, reason in unreadable)
        return f"test {index + 1} ({test.name[:70]}) expects {test.expect} and gets {state}{why}"


def _day_within(rule: Rule) -> date:
    return rule.valid_from or rule.valid_to or _ANY_DAY


def _deeper_than(condition: Condition, limit: int) -> bool:
    if limit == 0:
        return True
    match condition:
        case Not(part):
            return _deeper_than(part, limit - 1)
        case All(parts) | Any(parts):
            return any(_deeper_than(part, limit - 1) for part in parts)
    return False


def _count(condition: Condition) -> int:
    match condition:
        case Not(part):
            return _count(part)
        case All(parts) | Any(parts):
            return sum(_count(part) for part in parts)
    return 1
