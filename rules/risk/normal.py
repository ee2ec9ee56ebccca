"""Conditions in normal form: ``not`` pushed into the comparisons, then "any of these alls".

A comparison and its opposite are both true only for known values, so pushing ``not`` inwards changes nothing about
when a condition is known to be true: ``not (a > 5)`` and ``a <= 5`` are both missing when a is. That is what lets the
engine do without negation.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

from .model import All, Any, Comparison, Condition, Not

MAX_BRANCHES = 40  # of a condition, and per rule set: a fact that matched more than 64 would raise no alert at all
Branch = tuple[Comparison, ...]


class TooManyBranches(Exception):
    """The condition has more alternatives than allowed."""


def negation_normal(condition: Condition, negate: bool = False) -> Condition:
    """Return an equivalent condition without ``Not``.

    >>> from .expression import format_comparison, parse_comparison
    >>> format_comparison(negation_normal(Not(parse_comparison("exposure > 5"))))
    'exposure <= 5'
    """
    match condition:
        case Not(part):
            return negation_normal(part, not negate)
        case Comparison():
            return replace(condition, operator=condition.operator.opposite) if negate else condition
        case All(parts) | Any(parts):
            inner = tuple(negation_normal(part, negate) for part in parts)
            return All(inner) if isinstance(condition, All) != negate else Any(inner)


def branches(condition: Condition, limit: int) -> tuple[Branch, ...]:
    """Return the alternatives of a condition: it is known to be true exactly when every comparison of one branch is.

    Raises ``TooManyBranches`` as soon as there are more than ``limit``. Repeated comparisons and branches are dropped.
    """
    return _branches(negation_normal(condition), limit)


def _branches(condition: Condition, limit: int) -> tuple[Branch, ...]:
    match condition:
        case Any(parts):
            return _distinct((branch for part in parts for branch in _branches(part, limit)), limit)
        case All(parts):
            found: tuple[Branch, ...] = ((),)
            for part in parts:
                pairs = product(found, _branches(part, limit))
                found = _distinct((tuple(dict.fromkeys((*left, *right))) for left, right in pairs), limit)
            return found
        case Comparison():
            return ((condition,),)
    raise TypeError(f"not in negation normal form: {condition!r}")


def _distinct(found: Iterable[Branch], limit: int) -> tuple[Branch, ...]:
    kept: dict[frozenset[Comparison], Branch] = {}
    for branch in found:
        kept.setdefault(frozenset(branch), branch)
        if len(kept) > limit:
            raise TooManyBranches
    return tuple(kept.values())
