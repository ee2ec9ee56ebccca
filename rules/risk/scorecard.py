"""Scorecards: how many points a buyer gets for what is known about it, as data that administrators edit.

    scorecard: general
    label: General
    coverage: 40                         # percent of all weights that must be known, else there is no score
    parts:
      - key: behaviour
        label: Payment behaviour
        weight: 45
        criteria:
          - key: delay
            label: Average delay
            signal: days_late_avg_12
            weight: 3
            reason: Those who pay late today pay later tomorrow.
            bands:
              - {if: <= 5 days, points: 100}
              - {if: <= 30 days, points: 50}
              - {if: any, points: 0}

A band's ``if`` is written as a cell of a decision table; the first band that holds gives the points, 0 to 100. A card
with ``industries`` is for those, one without for all others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from .model import Comparison, signal_keys
from .problems import Place


@dataclass(frozen=True, slots=True)
class Band:
    """Points for a value; ``when`` None fits every value that is known."""

    when: Comparison | None
    points: Decimal
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question, answered by one signal."""

    key: str
    label: str
    signal: str
    bands: tuple[Band, ...]
    weight: Decimal = Decimal(1)
    reason: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def signals(self) -> frozenset[str]:
        """The keys of the signals it asks for, on either side of its comparisons."""
        return frozenset({self.signal}) | signal_keys(*(band.when for band in self.bands))


@dataclass(frozen=True, slots=True)
class Part:
    """Criteria that make one view of a buyer: financial, behaviour, sector."""

    key: str
    label: str
    criteria: tuple[Criterion, ...]
    weight: Decimal = Decimal(1)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """``coverage`` is the least share of the weights (0-100) that must be known for a score."""

    key: str
    label: str
    parts: tuple[Part, ...]
    industries: tuple[str, ...] = ()
    coverage: Decimal = Decimal(50)
    reason: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def signals(self) -> frozenset[str]:
        """The keys of all signals it asks for."""
        criteria = (criterion for part in self.parts for criterion in part.criteria)
        return frozenset().union(*(criterion.signals for criterion in criteria))


def card_for(industry: str | None, cards: Iterable[Scorecard]) -> Scorecard | None:
    """Return the card of an industry, whatever its letter case, else the first one without industries, else None."""
    cards = list(cards)
    wanted = (industry or "").casefold()
    for card in cards:
        if wanted and wanted in {name.casefold() for name in card.industries}:
            return card
    return next((card for card in cards if not card.industries), None)
