"""The limit in force: what the gate compares exposure with, on any date, explained line by line.

    insurer's covers ─┐ (or a discretionary limit, never both)
                      ├─ insured ─┐
    top-up policies ──┘           ├─ add, or the larger of the two ─┐
    own permanent + temporary ────── own ─┘                         ├─ limit in force
    guarantees ─────────────────────────────────────────────────────┘

Every row handed in comes back as a line that says whether it counted and why. Amounts are tax included, as exposure is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Literal

from .errors import InvalidFacts
from .history import insured_until, judge_insured
from .limit_rows import INSURED, Guarantee, InsurerCover, Layer, LimitLine, LimitRow, LineCode, OwnLimit
from .money import ExchangeRates, Money, converted


class LimitState(StrEnum):
    """What is known. Only NOT_CHECKED and UNKNOWN have no amount; the other ones without cover have an amount of 0."""

    NOT_CHECKED = "not_checked"  # nobody has looked at the buyer, and the company does not check those
    AMOUNT = "amount"  # at least one row, or the company's default amount, counts; may be 0
    NO_CREDIT = "no_credit"  # nobody has looked, and the company gives those no credit
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"  # a discretionary limit, ended by adverse information
    STALE = "stale"  # only data older than the company accepts
    UNKNOWN = "unknown"  # the insurer's answer could not be read and nothing else is known


Combine = Literal["add", "max"]
StaleMeans = Literal["accept", "warn", "none"]
Default = Literal["not_checked", "amount", "no_credit"]

_COUNTED = (LineCode.COUNTED, LineCode.COUNTED_STALE)
_AT_OWN_RISK = (OwnLimit, Guarantee)
# When nothing counts, the first of these that was met says why.
_WITHOUT_AMOUNT = {
    LineCode.UNREADABLE: LimitState.UNKNOWN,
    LineCode.STALE: LimitState.STALE,
    LineCode.WITHDRAWN: LimitState.WITHDRAWN,
    LineCode.VOID_WITHDRAWN: LimitState.WITHDRAWN,
    LineCode.REFUSED: LimitState.REFUSED,
    LineCode.VOID_REFUSED: LimitState.REFUSED,
    LineCode.VOID_ADVERSE_INFORMATION: LimitState.VOID,
    LineCode.EXPIRED: LimitState.EXPIRED,
}
_STANDS = (*_COUNTED, LineCode.LESSER, LineCode.STALE, LineCode.UNREADABLE)
_ENDED = {code: state for code, state in _WITHOUT_AMOUNT.items() if code not in _STANDS}


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """The answer for one buyer on one date.

    - `amount`: None when not checked or unknown; otherwise insured, own and guaranteed as the company combines them.
    - `insured`, `own`, `guaranteed`: the parts before combining, in the limit's currency.
    - `lines`: every row, in the order given.
    - `data_age_days`: age of the oldest insurer's row that counts; None when none counts or its age is unknown.
    - `insured_until`: last day on which the insured part is known to stand; None: no end known.
    """

    on: date
    currency: str
    state: LimitState
    amount: Money | None
    insured: Money
    own: Money
    guaranteed: Money
    lines: tuple[LimitLine, ...] = ()
    data_age_days: int | None = None
    insured_until: date | None = None

    @property
    def stale(self) -> bool:
        """Some insurer's data is older than the company wants."""
        return any(line.code in (LineCode.STALE, LineCode.COUNTED_STALE) for line in self.lines)

    @property
    def unreadable(self) -> bool:
        """Some insurer's answer could not be read."""
        return any(line.code is LineCode.UNREADABLE for line in self.lines)

    @property
    def cover_ended(self) -> LimitState | None:
        """How the insurer's part ended, be there credit at own risk or not; None while some stands or is not known.

        AMOUNT is a cover of 0.
        """
        lines = [line for line in self.lines if isinstance(line.row, INSURED)]
        standing = [line for line in lines if line.code in _STANDS]
        if standing:
            known = all(line.amount is not None for line in standing)
            return LimitState.AMOUNT if known and not self.insured.amount else None
        codes = {line.code for line in lines}
        return next((state for code, state in _ENDED.items() if code in codes), None)

    @classmethod
    def flat(cls, amount: Money, on: date) -> LimitInForce:
        """Return a limit of just one amount at own risk."""
        zero = Money.zero(amount.currency)
        return cls(on, amount.currency, LimitState.AMOUNT, amount, zero, amount, zero)

    @classmethod
    def without_check(cls, currency: str, on: date) -> LimitInForce:
        """Return the answer for a buyer nobody has looked at in a company that does not check those."""
        zero = Money.zero(currency)
        return cls(on, currency, LimitState.NOT_CHECKED, None, zero, zero, zero)


def limit_in_force(
    on: date,
    rows: Sequence[LimitRow],
    *,
    currency: str,
    rates: ExchangeRates | None = None,
    combine: Combine = "add",
    default: Default = "not_checked",
    default_amount: Money | None = None,
    stale: StaleMeans = "accept",
    max_age_days: int | None = None,
    today: date | None = None,
    adverse_since: date | None = None,
) -> LimitInForce:
    """Return the limit in force `on` a date, in `currency`, unrounded.

    - `default`, `default_amount`: what the company grants a buyer nobody has looked at: one without rows, or only with
      rows that decide nothing yet (never asked, requested, not yet begun).
    - `stale`, `max_age_days`: what insurer's data older than that, or of unknown age, is worth. Age is counted on
      `today` (default: `on`). Discretionary limits and own rows do not age.
    - `adverse_since`: the day adverse information became known; discretionary limits are void from then.

    Raises MissingRate when a row that counts is in a currency without a rate.
    """
    if default == "amount" and default_amount is None:
        raise InvalidFacts("default_amount", "is needed when the default is an amount")
    verdicts = _judge_own(on, rows) | judge_insured(on, rows, adverse_since=adverse_since)
    lines = []
    for position, row in enumerate(rows):
        age = _age(row, today or on)
        code = _aged(row, verdicts[position], age, stale, max_age_days)
        counted = code in _COUNTED
        amount = converted(row.amount, currency, rates) if counted and row.amount is not None else None
        lines.append(LimitLine(row, counted, code, amount, age))
    state, parts = _state(lines), _Parts.of(lines, currency)
    if state is None:
        state = LimitState(default)
        if default == "amount" and default_amount is not None:
            parts = replace(parts, own=converted(default_amount, currency, rates))
    shown = _without_lesser(lines, parts) if combine == "max" else tuple(lines)
    return _answer(on, rows, shown, state, parts, combine)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The three parts of a limit before they are combined."""

    insured: Money
    own: Money
    guaranteed: Money

    @classmethod
    def of(cls, lines: Sequence[LimitLine], currency: str) -> _Parts:
        insured = own = guaranteed = Money.zero(currency)
        for line in lines:
            if not line.counted or line.amount is None:
                continue
            if isinstance(line.row, OwnLimit):
                own += line.amount
            elif isinstance(line.row, Guarantee):
                guaranteed += line.amount
            else:
                insured += line.amount
        return cls(insured, own, guaranteed)

    def combined(self, combine: Combine) -> Money:
        both = max(self.insured, self.own) if combine == "max" else self.insured + self.own
        return both + self.guaranteed


def _answer(
    on: date,
    rows: Sequence[LimitRow],
    lines: tuple[LimitLine, ...],
    state: LimitState,
    parts: _Parts,
    combine: Combine,
) -> LimitInForce:
    counted = [line for line in lines if line.counted]
    return LimitInForce(
        on=on,
        currency=parts.own.currency,
        state=state,
        amount=None if state in (LimitState.NOT_CHECKED, LimitState.UNKNOWN) else parts.combined(combine),
        insured=parts.insured,
        own=parts.own,
        guaranteed=parts.guaranteed,
        lines=lines,
        data_age_days=max((line.age_days for line in counted if line.age_days is not None), default=None),
        insured_until=insured_until(on, rows, [line.row for line in counted]),
    )


def _state(lines: Sequence[LimitLine]) -> LimitState | None:
    """Return what the rows say; None when they decide nothing and the company's default speaks."""
    for line in lines:
        if line.counted:
            return LimitState.AMOUNT
    codes = {line.code for line in lines}
    return next((state for code, state in _WITHOUT_AMOUNT.items() if code in codes), None)


def _without_lesser(lines: Sequence[LimitLine], parts: _Parts) -> tuple[LimitLine, ...]:
    """Mark the rows of the smaller side as not counted; on a tie the insured side stands."""
    loser = (OwnLimit,) if parts.insured >= parts.own else INSURED
    return tuple(
        replace(line, counted=False, code=LineCode.LESSER) if line.counted and isinstance(line.row, loser) else line
        for line in lines
    )


def _judge_own(on: date, rows: Sequence[LimitRow]) -> dict[int, LineCode]:
    """Return the verdict for every own limit and guarantee, by its position."""
    verdicts: dict[int, LineCode] = {}
    permanent: list[tuple[date, int]] = []
    for position, row in enumerate(rows):
        if not isinstance(row, _AT_OWN_RISK):
            continue
        verdicts[position] = _on_its_dates(on, row)
        if verdicts[position] is LineCode.COUNTED and isinstance(row, OwnLimit) and row.kind is Layer.PERMANENT:
            permanent.append((row.first_day or date.min, position))
    if len(permanent) > 1:
        for _start, position in sorted(permanent)[:-1]:
            verdicts[position] = LineCode.SUPERSEDED
    return verdicts


def _on_its_dates(on: date, row: OwnLimit | Guarantee) -> LineCode:
    if row.cancelled:
        return LineCode.CANCELLED
    if row.first_day and on < row.first_day:
        return LineCode.NOT_YET
    return LineCode.EXPIRED if row.last_day and on > row.last_day else LineCode.COUNTED


def _age(row: LimitRow, today: date) -> int | None:
    if isinstance(row, InsurerCover) and row.fetched_on is not None:
        return max((today - row.fetched_on).days, 0)
    return None


def _aged(row: LimitRow, code: LineCode, age: int | None, stale: StaleMeans, max_age: int | None) -> LineCode:
    """Return the verdict after looking at the age: of unknown age is too old, since it cannot be shown to be fresh."""
    fresh = max_age is None or (age is not None and age <= max_age)
    if code is not LineCode.COUNTED or not isinstance(row, InsurerCover) or fresh or stale == "accept":
        return code
    return LineCode.COUNTED_STALE if stale == "warn" else LineCode.STALE
