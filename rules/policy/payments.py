"""What the buyer's money counts for under the policy, whatever the ledger matched it with.

    before the date of loss     for the oldest debt first
    from then on (a recovery)   shared between what is insured and what is not, pro rata

The ledger is not touched: these are figures beside its own, in policy currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from .invoices import Invoice
from .money import ZERO, Money, quantized


def open_oldest_first(
    invoices: Iterable[Invoice],
    *,
    currency: str,
    today: date,
    date_of_loss: date | None = None,
    unmatched: Decimal = ZERO,
    decimal_places: int = 2,
) -> dict[str, Money]:
    """Return what the policy counts as open of each invoice of one buyer, by its number.

    Payments before `date_of_loss` (None: all) go to the debts by their original due date, then by number. Credit notes
    and later payments stay with the invoice they settled. `unmatched` is money of the buyer that settled no invoice
    yet, received before the loss, in policy currency. Raises CurrencyMismatch for an invoice without a rate.
    """
    money, debts = unmatched, []
    for invoice in invoices:
        rate, own = invoice.rate_to(currency), ZERO
        for item in invoice.settlements:
            if item.on > today:
                continue
            if item.is_payment and (date_of_loss is None or item.on < date_of_loss):
                money += item.amount * rate
            else:
                own += item.amount
        for part in invoice.parts():
            taken = min(own, part.amount)
            own -= taken
            debts.append((part.due_date, invoice.number, (part.amount - taken) * rate))
    left: dict[str, Decimal] = {}
    for _due, number, owed in sorted(debts):
        taken = min(money, owed)
        money -= taken
        left[number] = left.get(number, ZERO) + owed - taken
    return {number: Money(quantized(amount, decimal_places), currency) for number, amount in left.items()}


def insurers_share(recovered: Money, *, insured: Money, loss: Money, decimal_places: int = 2) -> Money:
    """Return what of a recovery on a loss is the insurer's: `insured` is what it stands for of the `loss`.

    Nothing where nothing was lost. Raises CurrencyMismatch when the amounts are in several currencies.
    """
    share = min(recovered, loss)
    if insured.floored().amount == 0 or share.floored().amount == 0:
        return Money.zero(recovered.currency)
    part = share.amount * min(insured, loss).amount / loss.amount
    return Money(quantized(part, decimal_places), recovered.currency)
