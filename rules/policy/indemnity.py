"""What the insurer pays for one buyer's loss, every step shown.

    loss per invoice ─ capped at its covered amount, the sum at the insured limit
      ─ nothing, unless the loss is above the threshold
      ─ x percentage ─ not more than loss less minimum retention
      ─ less each-and-every first loss ─ less what is left of the aggregate first loss
      ─ not more than what is left of the maximum liability

"Loss" after the first line is the insured loss, i.e. the capped one. Nothing is rounded but the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .errors import CurrencyMismatch
from .money import Money, total
from .terms import PolicyTerms


class IndemnityStep(StrEnum):
    INVOICE = "invoice"  # the loss of one invoice, capped at its covered amount
    INSURED_LOSS = "insured_loss"  # their sum, capped at the insured limit
    THRESHOLD = "threshold"
    INSURED_PERCENTAGE = "insured_percentage"
    MINIMUM_RETENTION = "minimum_retention"
    EACH_AND_EVERY_FIRST_LOSS = "each_and_every_first_loss"
    AGGREGATE_FIRST_LOSS = "aggregate_first_loss"
    MAXIMUM_LIABILITY = "maximum_liability"


@dataclass(frozen=True, slots=True)
class InvoiceLoss:
    """The loss on one invoice in policy currency, recoveries already taken off; oldest first in a list of them."""

    reference: str
    loss: Money
    covered: Money
    percentage: Decimal | None = None  # of its cover; None: the policy's

    @property
    def capped(self) -> Money:
        return min(self.loss, self.covered).floored()


@dataclass(frozen=True, slots=True)
class IndemnityLine:
    """What is left after a step. `applied` is the figure the policy put in, None where it sets none."""

    code: IndemnityStep
    amount: Money
    applied: Money | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Indemnity:
    """The amount to be paid, rounded, and how it came about."""

    amount: Money
    lines: tuple[IndemnityLine, ...]


def compute_indemnity(
    terms: PolicyTerms, losses: Sequence[InvoiceLoss], *, insured_limit: Money | None = None, decimal_places: int = 2
) -> Indemnity:
    """Return the indemnity for the losses of one buyer.

    `insured_limit` caps the sum (None: only each invoice's covered amount does); the oldest invoices come first.
    Raises CurrencyMismatch for an amount that is not in policy currency.
    """
    for item in losses:
        for money in (item.loss, item.covered):
            if money.currency != terms.currency:
                raise CurrencyMismatch(money.currency, terms.currency)
    lines = [IndemnityLine(IndemnityStep.INVOICE, item.capped, item.covered, item.reference) for item in losses]
    shares = _within(losses, insured_limit)
    loss = total(shares, terms.currency)
    lines.append(IndemnityLine(IndemnityStep.INSURED_LOSS, loss, insured_limit))
    threshold = Money(terms.threshold, terms.currency)
    if loss <= threshold:
        shares, loss = [Money.zero(terms.currency)] * len(losses), Money.zero(terms.currency)
    lines.append(IndemnityLine(IndemnityStep.THRESHOLD, loss, threshold))
    insured = total(
        (
            share.percent(terms.insured_percentage if item.percentage is None else item.percentage)
            for item, share in zip(losses, shares, strict=True)
        ),
        terms.currency,
    )
    lines.append(IndemnityLine(IndemnityStep.INSURED_PERCENTAGE, insured))
    lines += _deductions(terms, loss, insured)
    return Indemnity(lines[-1].amount.rounded(decimal_places), tuple(lines))


def _within(losses: Sequence[InvoiceLoss], insured_limit: Money | None) -> list[Money]:
    """Return the capped losses, the oldest first filling the insured limit."""
    left, shares = insured_limit, []
    for item in losses:
        share = item.capped if left is None else min(item.capped, left)
        left = None if left is None else left - share
        shares.append(share)
    return shares


def _deductions(terms: PolicyTerms, loss: Money, insured: Money) -> list[IndemnityLine]:
    retention = Money(terms.minimum_retention, terms.currency)
    first_loss = Money(terms.each_and_every_first_loss, terms.currency)
    aggregate = Money(terms.aggregate_first_loss_left, terms.currency)
    retained = min(insured, loss - retention).floored()
    after_first = (retained - first_loss).floored()
    after_aggregate = (after_first - aggregate).floored()
    paid, ceiling = after_aggregate, None
    if terms.maximum_liability_left is not None:
        ceiling = Money(terms.maximum_liability_left, terms.currency)
        paid = min(after_aggregate, ceiling)
    return [
        IndemnityLine(IndemnityStep.MINIMUM_RETENTION, retained, retention),
        IndemnityLine(IndemnityStep.EACH_AND_EVERY_FIRST_LOSS, after_first, first_loss),
        IndemnityLine(IndemnityStep.AGGREGATE_FIRST_LOSS, after_aggregate, aggregate),
        IndemnityLine(IndemnityStep.MAXIMUM_LIABILITY, paid, ceiling),
    ]
