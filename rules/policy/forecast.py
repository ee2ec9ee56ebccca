"""When payments that fall due are expected to have freed enough of the limit.

    due dates + the days this buyer usually takes longer ──> expected payments ──> the first day their sum is enough

It is an expectation and no promise: it is shown as advice beside a document that is held, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from .money import Money


@dataclass(frozen=True, slots=True)
class Freed:
    """On `on`, payments of `amount` in all are expected to have come in."""

    on: date
    amount: Money


def when_freed(
    needed: Money,
    dues: Iterable[tuple[date, Money]],
    today: date,
    *,
    credit: Money | None = None,
    days_late: int = 0,
    until: date | None = None,
) -> Freed | None:
    """Return the first day on which expected payments add up to `needed`; None when they never do.

    - `dues`: open items as (due date, amount); what is not above zero is left out.
    - `credit`: open credits and payments not applied. They lower the exposure already, and the buyer deducts them from
      what it pays first, so they free nothing again.
    - `days_late`: by how many days this buyer usually pays late. An item whose expected day has passed is not counted:
      nobody can say when it will be paid.
    - `until`: the last day that helps, such as the end of the cover.

    All amounts are in one currency; raises CurrencyMismatch.

    >>> from decimal import Decimal
    >>> def euros(amount: int) -> Money:
    ...     return Money(Decimal(amount), "EUR")
    >>> dues = [(date(2025, 3, 1), euros(100)), (date(2025, 2, 1), euros(150))]
    >>> when_freed(euros(200), dues, date(2025, 1, 15))
    Freed(on=datetime.date(2025, 3, 1), amount=Money(amount=Decimal('250'), currency='EUR'))
    """
    freed = Money.zero(needed.currency)
    if credit is not None:
        freed -= credit.floored()
    if needed.amount <= 0:
        return Freed(today, freed.floored())
    expected: dict[date, Money] = {}
    for due, amount in dues:
        day = due + timedelta(days=days_late)
        if day >= today and amount.amount > 0:
            expected[day] = expected.get(day, Money.zero(needed.currency)) + amount
    for day in sorted(expected):
        if until is not None and day > until:
            return None
        freed += expected[day]
        if freed >= needed:
            return Freed(day, freed)
    return None
