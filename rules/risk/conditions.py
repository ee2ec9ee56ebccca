"""The checker of one condition: its comparisons, then what it means as a whole, then what it costs the engine."""

from collections.abc import Iterator

from .comparisons import check_comparison
from .marking import _
from .model import All, Any, Comparison, Condition, Not
from .normal import MAX_BRANCHES, TooManyBranches, branches
from .problems import Place, Problem
from .reasoning import never_false, never_true
from .signals import Scope, SignalCatalogue

MAX_DEPTH = 8
MAX_COMPARISONS = 60
MAX_PER_BRANCH = 12


def condition_problems(
    condition: Condition, catalogue: SignalCatalogue, scope: Scope, path: str, place: Place | None
) -> Iterator[Problem]:
    """Yield the problems of a condition at ``path``; a later stage runs only when those before it found nothing."""
    if _deeper_than(condition, MAX_DEPTH):
        yield Problem("too_deep", _("groups are nested at most %(max_depth)s deep", max_depth=MAX_DEPTH), path, place)
        return
    found = list(_parts(condition, catalogue, scope, path))
    if not found and _count(condition) > MAX_COMPARISONS:
        message = _("a condition has at most %(max_comparisons)s comparisons", max_comparisons=MAX_COMPARISONS)
        found = [Problem("too_many_comparisons", message, path, place)]
    yield from found or _constant_parts(condition, catalogue, path) or _cost(condition, path, place)


def _parts(condition: Condition, catalogue: SignalCatalogue, scope: Scope, path: str) -> Iterator[Problem]:
    match condition:
        case Comparison():
            yield from check_comparison(condition, catalogue, scope, path)
        case Not(part):
            yield from _parts(part, catalogue, scope, f"{path}.not")
        case All(parts) | Any(parts):
            path = f"{path}.{kind_of(condition)}"
            if not parts:
                message = _("this %(kind_of)s is empty", kind_of=kind_of(condition))
                yield Problem("empty_group", message, path, condition.place, _("remove it or fill it"))
            for index, part in enumerate(parts):
                yield from _parts(part, catalogue, scope, f"{path}[{index}]")


def kind_of(group: All | Any) -> str:
    """Return the word a group is written with."""
    return "all" if isinstance(group, All) else "any"


def _constant_parts(condition: Condition, catalogue: SignalCatalogue, path: str) -> list[Problem]:
    """Name the smallest parts that are always or never true; a group counts when its parts are all right."""
    inner: list[Problem] = []
    match condition:
        case Not(part):
            inner = _constant_parts(part, catalogue, f"{path}.not")
        case All(parts) | Any(parts):
            for index, part in enumerate(parts):
                inner += _constant_parts(part, catalogue, f"{path}.{kind_of(condition)}[{index}]")
    if inner:
        return inner
    if never_true(condition, catalogue):
        return [Problem("always_false", _("this can never be true"), path, condition.place, _("no value fits it"))]
    if never_false(condition, catalogue):
        hint = _("it decides nothing: remove it")
        return [Problem("always_true", _("this is true for everybody"), path, condition.place, hint)]
    return []


def _cost(condition: Condition, path: str, place: Place | None) -> Iterator[Problem]:
    hint = _("split the rule in two")
    try:
        longest = max(len(branch) for branch in branches(condition, MAX_BRANCHES))
    except TooManyBranches:
        message = _(
            "this condition has more than %(max_branches)s alternatives, too many for the engine",
            max_branches=MAX_BRANCHES,
        )
        yield Problem("too_many_branches", message, path, place, hint)
        return
    if longest > MAX_PER_BRANCH:
        message = _(
            "one alternative of this condition joins %(longest)s comparisons; the engine takes %(max_per_branch)s",
            longest=longest,
            max_per_branch=MAX_PER_BRANCH,
        )
        yield Problem("too_many_comparisons", message, path, place, hint)


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
