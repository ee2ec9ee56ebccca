"""What of one order is exposure: the pure model the SQL is tested against.

    line  = max(ordered, delivered) x price - invoiced             (nothing below zero)
            once all its stock moves are done or cancelled: delivered x price - invoiced,
            and not less than what a draft bills all the same
    order = sum of its lines - down payments not yet deducted      (nothing below zero)

Posted invoices are not part of it: they are exposure themselves, as receivables. A draft made from the order counts
as the order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .money import ZERO


class Moves(StrEnum):
    """What the stock moves of a line say."""

    NONE = "none"  # a service, or no stock at all
    OPEN = "open"
    SETTLED = "settled"  # they exist, and all are done or cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One order line; quantities in the line's unit, amounts tax included in the order's currency.

    - `invoiced`: gross amount on posted invoices.
    - `refunded_owed_again`: gross amount of posted credit notes whose goods are to be delivered again; other credit
      notes do not reopen the order.
    - `drafted`: gross amount on draft invoices.
    - `closed`: nothing more will come (a service line closed by hand).
    """

    ordered: Decimal
    delivered: Decimal = ZERO
    unit_price: Decimal
    invoiced: Decimal = ZERO
    refunded_owed_again: Decimal = ZERO
    drafted: Decimal = ZERO
    moves: Moves = Moves.NONE
    closed: bool = False

    @property
    def open_amount(self) -> Decimal:
        """What is still to be invoiced of the line."""
        settled = self.closed or self.moves is Moves.SETTLED
        quantity = self.delivered if settled else max(self.ordered, self.delivered)
        left = quantity * self.unit_price - self.invoiced + self.refunded_owed_again
        return max(left, self.drafted if settled else ZERO, ZERO)


def open_order_amount(
    lines: Iterable[OrderLine],
    *,
    down_payments: Decimal = ZERO,
    confirmed: bool = True,
) -> Decimal:
    """Return the exposure of one order besides its posted invoices.

    `down_payments`: gross amount of posted down-payment invoices, less credit notes on them and less what final
    invoices have deducted. `confirmed`: False for a quotation or a cancelled order, which are no exposure.

    >>> line = OrderLine(ordered=Decimal(10), unit_price=Decimal(100))
    >>> open_order_amount([line], down_payments=Decimal(300))
    Decimal('700')
    """
    if not confirmed:
        return ZERO
    return max(sum((line.open_amount for line in lines), ZERO) - down_payments, ZERO)
