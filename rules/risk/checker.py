"""The checker: everything that would make a rule wrong, useless or impossible to run, found when it is saved.

``check`` never raises, whatever it is given as a pack or rule, and what it lets pass never fails at run time:
evaluation, compilation and messages rely on it. Order of the work: the rule's own fields, then each comparison
against its signal, and only when these are right what the whole condition means (always true, never true), what it
costs the engine and the tests kept with the rule; and when every rule is right by itself, how they stand to each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .catalogue import DEFAULT_ACTIONS, Action
from .compiler import Program, compile_pack
from .derived import Derived
from .document import load
from .errors import DocumentError
from .marking import _
from .model import Rule
from .pack import Pack
from .problems import Problem, in_order
from .relations import relation_problems
from .rulecheck import KEY, RuleChecker, bad_key
from .signals import SignalCatalogue, check_additions

MAX_RULES = 500
MAX_PACK_BRANCHES = 2000
MAX_FIELDS = 240  # the engine takes facts of at most 252 properties


def check(
    subject: Pack | Rule,
    catalogue: SignalCatalogue,
    actions: Mapping[str, Action] = DEFAULT_ACTIONS,
    others: Sequence[Rule] = (),
) -> tuple[Problem, ...]:
    """Return every reason to refuse a pack or a single rule, in document order; empty when it may be used.

    ``others`` are rules which passed and which the rule or the pack will stand beside: what it adds nothing to, and
    what it contradicts, is refused too. One with the same key is the rule's own former self and left aside.
    """
    rules = (subject,) if isinstance(subject, Rule) else subject.rules
    found = list(faults(subject, catalogue, actions))
    if not found:
        mine = {rule.key for rule in rules}
        beside = [rule for rule in others if rule.key not in mine]
        catalogue = catalogue if isinstance(subject, Rule) else catalogue.with_derived(subject.signals)
        found = list(_pack_cost(subject)) if isinstance(subject, Pack) else []
        found = found or list(relation_problems([*beside, *rules], catalogue, mine))
    return in_order(found)


def faults(
    subject: Pack | Rule, catalogue: SignalCatalogue, actions: Mapping[str, Action] = DEFAULT_ACTIONS
) -> tuple[Problem, ...]:
    """Return what makes a rule or pack impossible to evaluate or senseless by itself, however it stands to others."""
    if isinstance(subject, Rule):
        return in_order(RuleChecker(subject, catalogue, actions).problems())
    return in_order(_pack_faults(subject, catalogue, actions))


def check_derived(derived: Iterable[Derived], catalogue: SignalCatalogue) -> tuple[Problem, ...]:
    """Return every reason why the catalogue cannot take these derived signals, cycles among them included."""
    return in_order(check_additions(derived, catalogue)[1])


def check_text(
    text: str, catalogue: SignalCatalogue, actions: Mapping[str, Action] = DEFAULT_ACTIONS
) -> tuple[Pack | None, tuple[Problem, ...]]:
    """Read and check a document without raising: the pack (None when the text has no form at all) and its problems."""
    try:
        pack = load(text)
    except DocumentError as error:
        return None, error.problems
    return pack, check(pack, catalogue, actions)


def _pack_faults(pack: Pack, catalogue: SignalCatalogue, actions: Mapping[str, Action]) -> Iterator[Problem]:
    if not KEY.match(pack.key):
        yield Problem("bad_key", bad_key(pack.key), "pack", pack.places.get("pack"))
    if sum(len(rule.table.rows) if rule.table else 1 for rule in pack.rules) > MAX_RULES:
        yield Problem(
            "too_many_rules",
            _("a pack has at most %(max_rules)s rules", max_rules=MAX_RULES),
            "rules",
            pack.places.get("rules"),
        )
        return
    catalogue, derived_problems = check_additions(pack.signals, catalogue)
    yield from derived_problems
    for rule in pack.rules:
        yield from RuleChecker(rule, catalogue, actions, with_tests=not derived_problems).problems()
    yield from duplicate_keys(pack)


def duplicate_keys(pack: Pack) -> Iterator[Problem]:
    """Yield a problem for each rule whose key another one has before it."""
    keys: set[str] = set()
    for rule in pack.rules:
        if rule.key in keys:
            message = _("there is another rule %(key)r", key=rule.key[:70])
            yield Problem("duplicate_key", message, f"rules.{rule.key[:63]}", rule.places.get("key"))
        keys.add(rule.key)


def _pack_cost(pack: Pack) -> Iterator[Problem]:
    place = pack.places.get("rules")
    for code, message in too_much(compile_pack(pack)):
        yield Problem(code, message, "rules", place, _("split the pack in two"))


def too_much(program: Program) -> Iterator[tuple[str, str]]:
    """Yield what is more than the engine takes: code and message."""
    if program.branches > MAX_PACK_BRANCHES:
        message = _(
            "all conditions together have %(branches)s alternatives; the engine takes %(max_pack_branches)s",
            branches=program.branches,
            max_pack_branches=MAX_PACK_BRANCHES,
        )
        yield "too_many_branches", message
    if program.fields > MAX_FIELDS:
        message = _(
            "the rules use %(fields)s different signals, products and lists; the engine takes %(max_fields)s",
            fields=program.fields,
            max_fields=MAX_FIELDS,
        )
        yield "too_many_fields", message
