"""What two conditions, two rules or two rows of a table say about each other.

"Implies" is meant strictly: wherever the one is *known* to hold, the other is known to hold. It is found only where the
comparisons themselves show it; everything else counts as unrelated, so nobody is told of a relation that is not there.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from .marking import _
from .model import Comparison, Condition, Operator, Rule, SignalRef, signal_keys
from .normal import MAX_BRANCHES, Branch, TooManyBranches, branches
from .problems import Problem
from .reasoning import satisfiable
from .signals import SignalCatalogue

# Actions that undo each other; two rules that ask for both at once were not meant so.
OPPOSITES = frozenset({("request_cover", "reduce_cover"), ("reduce_cover", "request_cover")})


def implies(one: Condition, other: Condition, catalogue: SignalCatalogue) -> bool:
    """True when the other is known to hold wherever this one is; False also means "perhaps"."""
    try:
        return _covered(_possible(one, catalogue), list(map(_indexed, branches(other, MAX_BRANCHES))), catalogue)
    except TooManyBranches:
        return False


class _Indexed(NamedTuple):
    """A branch with its comparisons by the signals they are ``about``, and the signals it says are ``known``."""

    branch: Branch
    about: dict[str, list[Comparison]]
    known: frozenset[str]


def _possible(condition: Condition, catalogue: SignalCatalogue) -> list[_Indexed]:
    return [_indexed(branch) for branch in branches(condition, MAX_BRANCHES) if satisfiable(branch, catalogue)]


def _indexed(branch: Branch) -> _Indexed:
    about: dict[str, list[Comparison]] = {}
    for part in branch:
        for key in _keys(part):
            about.setdefault(key, []).append(part)
    known = {key for part in branch if part.operator is not Operator.MISSING for key in _keys(part)}
    return _Indexed(branch, about, frozenset(known))


def _covered(ones: Sequence[_Indexed], others: Sequence[_Indexed], catalogue: SignalCatalogue) -> bool:
    return all(any(all(_entails(one, part, catalogue) for part in wide.branch) for wide in others) for one in ones)


def _entails(one: _Indexed, part: Comparison, catalogue: SignalCatalogue) -> bool:
    keys = _keys(part)
    if not part.operator.is_presence and not keys <= one.known:
        return False  # without a value neither the comparison nor its opposite holds
    # What the branch says of other signals can be true by itself, whatever these are.
    near = [other for key in keys for other in one.about.get(key, ())]
    if part in near:
        return True
    return not satisfiable((*near, replace(part, operator=part.operator.opposite)), catalogue)


def _keys(part: Comparison) -> set[str]:
    return {part.signal, part.operand.key} if isinstance(part.operand, SignalRef) else {part.signal}


def relation_problems(rules: Sequence[Rule], catalogue: SignalCatalogue, about: Container[str]) -> Iterator[Problem]:
    """Yield the rules that add nothing to another one, or contradict it; all of them are right by themselves.

    ``about`` are the keys of the rules to look at beside all others.
    """
    known = [_Known(rule, signal_keys(rule.when), _possible(rule.when, catalogue)) for rule in rules if not rule.table]
    for index, one in enumerate(known):
        if one.rule.key not in about:
            continue
        for place, other in enumerate(known):
            if place != index and (found := _relation(one, other, place < index, catalogue)):
                yield found
                break


class _Known(NamedTuple):
    rule: Rule
    keys: frozenset[str]
    branches: list[_Indexed]


def _relation(one: _Known, other: _Known, is_later: bool, catalogue: SignalCatalogue) -> Problem | None:
    """The cheap questions first: a large pack has very many pairs. Of two twins only the later is named."""
    rule, beside = one.rule, other.rule
    if rule.scope is not beside.scope or not other.keys <= one.keys:
        return None
    opposed = [(a, b) for a in rule.actions for b in beside.actions if (a, b) in OPPOSITES]
    if not (opposed or _adds_nothing(rule, beside)) or not _covered(one.branches, other.branches, catalogue):
        return None
    twin = one.keys == other.keys and _covered(other.branches, one.branches, catalogue)
    if (twin and not is_later) or not (opposed or _silenced_no_more(rule, beside, catalogue)):
        return None
    if opposed:
        message = _(
            "this rule asks for %(opposed)s, and %(key)r, which fires with it, for %(other)s",
            opposed=opposed[0][0],
            key=beside.key,
            other=opposed[0][1],
        )
        code, hint = "contradiction", _("exclude the one where the other holds")
    elif twin:
        message = _("this rule has the same condition as %(key)r and would always fire with it", key=beside.key)
        code, hint = "same_condition", _("remove one of them")
    else:
        message = _("whenever this rule fires, %(key)r does, as loud and with the same actions", key=beside.key)
        code, hint = "contained", _("remove it, or make it more severe")
    return Problem(code, message, f"rules.{rule.key}.when", rule.places.get("when"), hint)


def _adds_nothing(rule: Rule, other: Rule) -> bool:
    companies = not other.companies or (rule.companies and set(rule.companies) <= set(other.companies))
    starts = not other.valid_from or (rule.valid_from and rule.valid_from >= other.valid_from)
    ends = not other.valid_to or (rule.valid_to and rule.valid_to <= other.valid_to)
    loud = other.severity.rank <= rule.severity.rank and set(rule.actions) <= set(other.actions)
    return bool(companies and starts and ends and loud and rule.until == other.until and rule.observe >= other.observe)


def _silenced_no_more(rule: Rule, other: Rule, catalogue: SignalCatalogue) -> bool:
    if other.unless is None or other.unless == rule.unless:
        return True
    return rule.unless is not None and implies(other.unless, rule.unless, catalogue)
