"""Which row of the insurer's dated history is in force on a day, and why the others are not.

Rows of one policy and layer replace each other in the order of their first day; on the same day, of decision, of
reading, of position. A request, an unreadable answer and the refusal of an increase replace nothing: the cover stands
as it was. A withdrawal or reduction acts from its first day; until then the earlier row is in force. What a policy's
days cut off counts for nothing, and is in its place all the same: a cover of before does not come after a later one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from .limit_rows import (
    INSURED,
    WITH_AMOUNT,
    CoverStatus,
    DiscretionaryLimit,
    InsurerCover,
    Layer,
    LimitRow,
    LineCode,
)

_BARE = {
    CoverStatus.NONE: LineCode.NEVER_ASKED,
    CoverStatus.REQUESTED: LineCode.REQUESTED,
    CoverStatus.REFUSED: LineCode.REFUSED,
    CoverStatus.WITHDRAWN: LineCode.WITHDRAWN,
    CoverStatus.EXPIRED: LineCode.EXPIRED,
    CoverStatus.UNKNOWN: LineCode.UNREADABLE,
}
_WORSENS = frozenset({CoverStatus.WITHDRAWN, CoverStatus.REDUCED})
_REPLACES_NOTHING = frozenset({CoverStatus.REQUESTED, CoverStatus.UNKNOWN})


def judge_insured(on: date, rows: Sequence[LimitRow], *, adverse_since: date | None = None) -> dict[int, LineCode]:
    """Return, for the position of every insurer's cover and discretionary limit in `rows`, what it is on that day.

    COUNTED means in force. `adverse_since` is the day adverse information became known; it voids discretionary limits.
    """
    covers = [(position, row) for position, row in enumerate(rows) if isinstance(row, InsurerCover)]
    verdicts = _judge_covers(on, covers) if covers else {}
    for position, row in enumerate(rows):
        if isinstance(row, DiscretionaryLimit):
            mine = [(cover, verdicts[at]) for at, cover in covers if cover.policy == row.policy]
            verdicts[position] = _judge_discretionary(on, row, mine, adverse_since)
    return verdicts


def insured_until(on: date, rows: Sequence[LimitRow], in_force: Sequence[LimitRow]) -> date | None:
    """Return the last day on which everything in `in_force` still stands, as far as is known; None: no end known."""
    insured = [row for row in in_force if isinstance(row, INSURED)]
    if not insured:
        return None
    ends = [row.last_day for row in insured]
    policies = {row.policy for row in insured}
    for row in rows:
        if isinstance(row, InsurerCover) and row.policy in policies and row.start > on and row.status in _WORSENS:
            ends.append(row.start - timedelta(days=1))
    return min((end for end in ends if end is not None), default=None)


def _judge_covers(on: date, covers: Sequence[tuple[int, InsurerCover]]) -> dict[int, LineCode]:
    slots: dict[tuple[str, Layer, str], list[tuple[int, InsurerCover]]] = defaultdict(list)
    for position, row in covers:
        slots[(row.policy, row.layer, row.reference if row.layer is Layer.TEMPORARY else "")].append((position, row))
    verdicts: dict[int, LineCode] = {}
    withdrawn: dict[str, date] = {}
    # The permanent layer first: its withdrawal takes the temporary amounts with it.
    for (policy, layer, _reference), slot in sorted(slots.items(), key=lambda item: item[0][1] is Layer.TEMPORARY):
        standing = _judge_slot(on, slot, verdicts)
        if standing and standing.status is CoverStatus.WITHDRAWN and layer is Layer.PERMANENT:
            withdrawn[policy] = standing.start
        if layer is Layer.TEMPORARY and policy in withdrawn:
            for position, row in slot:
                if verdicts[position] is LineCode.COUNTED and row.start <= withdrawn[policy]:
                    verdicts[position] = LineCode.WITHDRAWN
    return verdicts


def _judge_slot(
    on: date, slot: Sequence[tuple[int, InsurerCover]], verdicts: dict[int, LineCode]
) -> InsurerCover | None:
    """Fill in the verdicts of one policy and layer; return the row that stands."""
    started = []
    for position, row in slot:
        if row.first_day <= on:
            started.append((row.start, row.decided_on or row.start, row.fetched_on or date.min, position, row))
        else:
            verdicts[position] = LineCode.NOT_YET
    if len(started) > 1:
        started.sort(key=lambda item: item[:4])
    standing: InsurerCover | None = None
    trail: list[int] = []  # positions that an answer to come would supersede
    for *_dates, position, row in started:
        if _replaces(row, standing):
            verdicts.update(dict.fromkeys(trail, LineCode.SUPERSEDED))
            trail, standing = [], row
        verdicts[position] = _BARE.get(row.status) or _verdict(on, row)
        trail.append(position)
    return standing


def _replaces(row: InsurerCover, standing: InsurerCover | None) -> bool:
    if row.status in _REPLACES_NOTHING:
        return False
    if row.status is not CoverStatus.REFUSED or row.ends_cover or standing is None:
        return True
    lapsed = standing.last_day is not None and standing.last_day < row.start
    return standing.status not in WITH_AMOUNT or lapsed


def _verdict(on: date, row: InsurerCover) -> LineCode:
    if row.last_day is not None and row.last_day < on:
        return LineCode.EXPIRED
    return LineCode.UNREADABLE if row.amount is None else LineCode.COUNTED


def _judge_discretionary(
    on: date,
    row: DiscretionaryLimit,
    covers: Sequence[tuple[InsurerCover, LineCode]],
    adverse_since: date | None,
) -> LineCode:
    if row.cancelled:
        return LineCode.CANCELLED
    if on < row.first_day:
        return LineCode.NOT_YET
    if row.last_day is not None and on > row.last_day:
        return LineCode.EXPIRED
    begun = {cover.status for cover, _code in covers if cover.start <= on}
    codes = {code for _cover, code in covers}
    objections = (
        (LineCode.NAMED_COVER, LineCode.COUNTED in codes),
        (LineCode.VOID_WITHDRAWN, CoverStatus.WITHDRAWN in begun),
        (LineCode.VOID_REFUSED, CoverStatus.REFUSED in begun),
        (LineCode.VOID_ADVERSE_INFORMATION, adverse_since is not None and adverse_since <= on),
        # What could not be read may have been a refusal.
        (LineCode.UNREADABLE, LineCode.UNREADABLE in codes),
        (LineCode.NO_EVIDENCE, not row.evidenced),
    )
    return next((code for code, applies in objections if applies), LineCode.COUNTED)
