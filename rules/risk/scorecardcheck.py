"""The checker of a scorecard: what passes gives every buyer a score between 0 and 100, or none."""

import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from .comparisons import check_comparison
from .marking import _
from .model import Any, Operator
from .problems import Place, Problem, did_you_mean, in_order
from .reasoning import never_false, never_true
from .relations import implies
from .scorecard import Band, Criterion, Part, Scorecard
from .signals import Scope, SignalCatalogue

MAX_CRITERIA = 60
MAX_BANDS = 30
MAX_WEIGHT = Decimal(1000)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_BAD_KEY = _("a key has small letters, digits and _, starts with a letter and is there once")


def check_scorecard(card: Scorecard, catalogue: SignalCatalogue, excluded: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return every reason to refuse a card, in document order.

    ``excluded`` are signals it must not ask for, because they come from the score itself.
    """
    return in_order(_problems(card, catalogue, frozenset(excluded)))


def _problems(card: Scorecard, catalogue: SignalCatalogue, excluded: frozenset[str]) -> Iterator[Problem]:
    if not _KEY.match(card.key):
        yield Problem("bad_key", _BAD_KEY, "scorecard", card.places.get("scorecard"))
    if not card.label.strip():
        yield Problem("empty", _("a scorecard needs a label"), "label", card.places.get("label"))
    if not card.coverage.is_finite() or not 0 <= card.coverage <= 100:
        message = _("the coverage lies between 0 and 100 percent")
        yield Problem("number_range", message, "coverage", card.places.get("coverage"))
    place = card.places.get("parts") or card.places.get("")
    if not card.parts:
        yield Problem("empty_group", _("a scorecard needs parts"), "parts", place)
    if sum(len(part.criteria) for part in card.parts) > MAX_CRITERIA:
        yield Problem(
            "too_many_criteria",
            _("there are at most %(max_criteria)s criteria", max_criteria=MAX_CRITERIA),
            "parts",
            place,
        )
        return
    yield from _keys(card.parts, "parts")
    for index, part in enumerate(card.parts):
        path = f"parts[{index}]"
        yield from _part(part, path)
        for number, criterion in enumerate(part.criteria):
            yield from _criterion(criterion, catalogue, excluded, f"{path}.criteria[{number}]")


def _keys(items: Sequence[Part | Criterion], path: str) -> Iterator[Problem]:
    keys = [item.key for item in items]
    for index, item in enumerate(items):
        place = item.places.get("key") or item.places.get("")
        if not _KEY.match(item.key) or item.key in keys[:index]:
            yield Problem(
                "bad_key", _("%(key)r: %(bad_key)s", key=item.key[:70], bad_key=_BAD_KEY), f"{path}[{index}].key", place
            )
        if not item.label.strip():
            yield Problem("empty", _("a label is needed"), f"{path}[{index}].label", item.places.get("label") or place)
        if not item.weight.is_finite() or not 0 < item.weight <= MAX_WEIGHT:
            where = item.places.get("weight") or place
            message = _("a weight is more than 0 and at most %(max_weight)s", max_weight=MAX_WEIGHT)
            yield Problem("number_range", message, f"{path}[{index}].weight", where)


def _part(part: Part, path: str) -> Iterator[Problem]:
    if not part.criteria:
        place = part.places.get("criteria") or part.places.get("")
        yield Problem("empty_group", _("a part needs criteria"), f"{path}.criteria", place)
    yield from _keys(part.criteria, f"{path}.criteria")


def _criterion(
    criterion: Criterion, catalogue: SignalCatalogue, excluded: frozenset[str], path: str
) -> Iterator[Problem]:
    place = criterion.places.get("signal") or criterion.places.get("")
    signal = catalogue.get(criterion.signal)
    if signal is None or signal.scope is not Scope.BUYER:
        hint = did_you_mean(criterion.signal, (known.key for known in catalogue.visible(Scope.BUYER)))
        message = _("there is no signal %(signal)r about buyers", signal=criterion.signal[:70])
        yield Problem("unknown_signal", message, f"{path}.signal", place, hint)
        return
    for key in sorted(excluded & catalogue.reading(criterion.signals).keys):
        yield Problem("cycle", _("%(key)s comes from the score itself", key=key), f"{path}.signal", place)
    if len(criterion.bands) > MAX_BANDS:
        yield Problem(
            "too_many_bands", _("there are at most %(max_bands)s bands", max_bands=MAX_BANDS), f"{path}.bands", place
        )
        return
    found: list[Problem] = []
    for index, band in enumerate(criterion.bands):
        found += _band(criterion, band, catalogue, f"{path}.bands[{index}]", band.place or place)
    yield from found or _bands_together(criterion, catalogue, f"{path}.bands", place)


def _band(
    criterion: Criterion, band: Band, catalogue: SignalCatalogue, path: str, place: Place | None
) -> Iterator[Problem]:
    if not band.points.is_finite() or not 0 <= band.points <= 100:
        yield Problem("number_range", _("points lie between 0 and 100"), f"{path}.points", place)
    if band.when is None:
        return
    if band.when.signal != criterion.signal:
        yield Problem("wrong_row", _("a band speaks of another signal than its criterion"), path, place)
        return
    problems = list(check_comparison(band.when, catalogue, Scope.BUYER, f"{path}.if"))
    if not problems and band.when.operator is Operator.KNOWN:
        problems = [
            Problem("wrong_operator", _("a value that is known has a band of its own"), path, place, _("write any"))
        ]
    elif not problems and never_true(band.when, catalogue):
        problems = [Problem("always_false", _("this can never be true"), f"{path}.if", place, _("no value fits it"))]
    yield from problems


def _bands_together(
    criterion: Criterion, catalogue: SignalCatalogue, path: str, place: Place | None
) -> Iterator[Problem]:
    """Every value that is known has points, and every band can be reached."""
    said = [band.when for band in criterion.bands]
    for index, band in enumerate(criterion.bands):
        open_before = None in said[:index] and (band.when is None or band.when.operator is not Operator.MISSING)
        earlier = [when for when in said[:index] if when is not None]
        if open_before or (band.when is not None and any(implies(band.when, when, catalogue) for when in earlier)):
            yield Problem(
                "unreachable", _("an earlier band takes every value of this one"), f"{path}[{index}]", band.place
            )
    values = [when for when in said if when is not None and when.operator is not Operator.MISSING]
    if None not in said and not (values and never_false(Any(tuple(values)), catalogue)):
        hint = _("let the last band be {if: any, points: 0}")
        yield Problem("gap", _("some values fit none of these bands"), path, place, hint)
