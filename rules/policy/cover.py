"""How much of each open invoice of one buyer is insured.

    insurable invoices, by delivery date, then number
      covered   = min(open amount, what older invoices leave of the insured limit on the delivery date)
      insured   = covered x the percentage of that cover       own share = covered - insured
      uninsured = open - covered

    What is not insurable takes no room. A reduction acts on later deliveries: older ones keep their limit (run-off).
    When the policy freezes the split at a stop, what was uninsured then stays so, even if older invoices are paid.

Amounts are in policy currency. They are rounded once, before room is given out, so that the parts add up exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from .deadlines import DeadlineKind, invoice_deadlines
from .history import judge_insured
from .invoices import BuyerFacts, Invoice, InvoiceKind
from .limit_rows import DiscretionaryLimit, InsurerCover, LineCode
from .money import HUNDRED, ZERO, ExchangeRates, Money, converted, quantized
from .stops import Stop, mep_stops, withdrawal_stops
from .terms import NO_HOLIDAYS, Freeze, PolicyTerms

CoverRow = InsurerCover | DiscretionaryLimit
_DAY = timedelta(days=1)
_NOBODY = BuyerFacts()


class UncoveredReason(StrEnum):
    """Why an invoice, or a part of it, is not covered."""

    POLICY_NOT_IN_FORCE = "policy_not_in_force"
    COUNTRY_NOT_COVERED = "country_not_covered"
    TERM_TOO_LONG = "term_too_long"
    INVOICED_TOO_LATE = "invoiced_too_late"
    PUBLIC_BUYER = "public_buyer"
    PRIVATE_PERSON = "private_person"
    AFFILIATED = "affiliated"
    DOWN_PAYMENT = "down_payment"
    NOT_DELIVERED = "not_delivered"
    DISPUTED = "disputed"
    NO_COVER = "no_cover"  # on the delivery date
    STOPPED = "stopped"  # cover was stopped on the delivery date
    LIMIT_USED = "limit_used"  # insurable, but older invoices leave too little room
    FROZEN = "frozen"  # room was freed after the split was frozen
    TAX = "tax"  # the policy insures the net amount


@dataclass(frozen=True, slots=True)
class CoverPart:
    """What one cover gives to one invoice; `insured` is not rounded."""

    row: CoverRow
    covered: Decimal
    percentage: Decimal

    @property
    def insured(self) -> Decimal:
        return self.covered * self.percentage / HUNDRED


@dataclass(frozen=True, slots=True)
class InvoiceCover:
    """The split of one invoice, in policy currency: insured + own_share = covered, covered + uninsured = open.

    `base` is the insurable part of `open` (net of tax where the policy insures net amounts). `rate` and `rate_date`
    are the ones the amounts were converted with.
    """

    number: str
    open: Money
    base: Money
    covered: Money
    insured: Money
    own_share: Money
    uninsured: Money
    parts: tuple[CoverPart, ...]
    reasons: tuple[UncoveredReason, ...]
    rate: Decimal
    rate_date: date | None

    @property
    def insurable(self) -> bool:
        """Nothing but room, a freeze or tax stands between the invoice and its cover."""
        return not set(self.reasons) - {UncoveredReason.LIMIT_USED, UncoveredReason.FROZEN, UncoveredReason.TAX}

    @property
    def cover_reference(self) -> str:
        """The insurer's number of the (first) cover that gives room, or an empty text."""
        return self.parts[0].row.reference if self.parts else ""


def split_cover(
    terms: PolicyTerms,
    covers_history: Sequence[CoverRow],
    invoices: Iterable[Invoice],
    *,
    today: date,
    stops: Iterable[Stop] = (),
    buyer: BuyerFacts = _NOBODY,
    rates: ExchangeRates | None = None,
    adverse_since: date | None = None,
    holidays: AbstractSet[date] = NO_HOLIDAYS,
    decimal_places: int = 2,
) -> tuple[InvoiceCover, ...]:
    """Return the cover of every invoice of one buyer that is open today, in the order in which they take room.

    - `covers_history`: the rows of this one policy; `rates` for those in another currency than the policy's.
    - `invoices`: also the paid ones that may have stopped cover, or taken room that is not given back.
    - `stops`: those that are not in the figures: country decision, insolvency, collection, claim. Stops by the MEP and
      by withdrawal are found here.
    """
    ordered = tuple(sorted(invoices, key=lambda invoice: invoice.order))
    layers = _Layers(terms.currency, covers_history, rates, adverse_since, decimal_places)
    found = mep_stops(terms, ordered, today=today, insured_limit=layers.limit, holidays=holidays)
    all_stops = (*stops, *found, *withdrawal_stops(covers_history, today=today))
    reasons = {inv.number: _objections(terms, inv, buyer, layers, all_stops, today) for inv in ordered}
    insurable = tuple(invoice for invoice in ordered if not reasons[invoice.number])
    split = _Split(terms, layers, decimal_places)
    for day in _freeze_days(terms, ordered, insurable, all_stops, today, holidays):
        split.freeze(insurable, day)
    given = split.give(insurable, today)
    return tuple(
        _result(split, invoice, given.get(invoice.number, ()), reasons[invoice.number], today)
        for invoice in ordered
        if invoice.open_on(today) > 0
    )


class _Layers:
    """The covers in force on any day, and their amounts in policy currency."""

    def __init__(
        self,
        currency: str,
        rows: Sequence[CoverRow],
        rates: ExchangeRates | None,
        adverse_since: date | None,
        places: int,
    ) -> None:
        self._currency = currency
        self._places = places
        self._rows = rows
        self._rates = rates
        self._adverse_since = adverse_since
        self._known: dict[date, tuple[tuple[CoverRow, Decimal], ...]] = {}

    def on(self, day: date) -> tuple[tuple[CoverRow, Decimal], ...]:
        """Return the rows in force with their amounts, in the order of the history."""
        if day not in self._known:
            verdicts = judge_insured(day, self._rows, adverse_since=self._adverse_since)
            self._known[day] = tuple(
                (row, self._amount(row.amount))
                for position, row in enumerate(self._rows)
                if verdicts[position] is LineCode.COUNTED and row.amount is not None
            )
        return self._known[day]

    def _amount(self, amount: Money) -> Decimal:
        """Rounded down: a limit is never more than the insurer said."""
        return quantized(converted(amount, self._currency, self._rates).amount, self._places, ROUND_DOWN)

    def limit(self, day: date) -> Decimal:
        return sum((amount for _row, amount in self.on(day)), ZERO)


class _Split:
    """Gives out room; remembers what a freeze allows each invoice at most."""

    def __init__(self, terms: PolicyTerms, layers: _Layers, places: int) -> None:
        self.terms = terms
        self.places = places
        self._layers = layers
        self._caps: dict[str, Decimal] = {}

    def amounts(self, invoice: Invoice, day: date) -> tuple[Decimal, Decimal]:
        """Return what was open that day and the insurable part of it, rounded, in policy currency."""
        gross = invoice.open_on(day) * invoice.rate_to(self.terms.currency)
        net = gross if self.terms.tax_included else gross - gross * invoice.tax / invoice.total.amount
        return quantized(gross, self.places), quantized(net, self.places)

    def frozen(self, invoice: Invoice, base: Decimal) -> bool:
        return self._caps.get(invoice.number, base) < base

    def freeze(self, invoices: Sequence[Invoice], day: date) -> None:
        """From the end of that day on, no invoice delivered until then gets more room than it has."""
        delivered = [invoice for invoice in invoices if invoice.order[0] <= day]
        given = self.give(delivered, day)
        for invoice in delivered:
            self._caps[invoice.number] = sum((part.covered for part in given[invoice.number]), ZERO)

    def give(self, invoices: Sequence[Invoice], day: date) -> dict[str, tuple[CoverPart, ...]]:
        """Return what each invoice gets of the limits, looking at what was open at the end of that day."""
        used: dict[int, Decimal] = defaultdict(lambda: ZERO)
        result = {}
        for invoice in invoices:
            base = self.amounts(invoice, day)[1]
            wanted = min(base, self._caps.get(invoice.number, base))
            result[invoice.number] = self._take(invoice, wanted, used)
        return result

    def _take(self, invoice: Invoice, wanted: Decimal, used: dict[int, Decimal]) -> tuple[CoverPart, ...]:
        """Fill the layers in force on the delivery date; the sum is bounded by what is left of the limit as a whole."""
        layers = self._layers.on(invoice.order[0])
        left = sum((amount for _row, amount in layers), ZERO) - sum(used.values(), ZERO)
        wanted = min(wanted, max(left, ZERO))
        parts = []
        for row, amount in layers:
            taken = max(min(wanted, amount - used[id(row)]), ZERO)
            if taken:
                used[id(row)] += taken
                wanted -= taken
                share = row.percentage if row.percentage is not None else self.terms.insured_percentage
                parts.append(CoverPart(row, taken, share))
        return tuple(parts)


def _freeze_days(
    terms: PolicyTerms,
    invoices: Sequence[Invoice],
    insurable: Sequence[Invoice],
    stops: Iterable[Stop],
    today: date,
    holidays: AbstractSet[date],
) -> list[date]:
    """Return the days at whose end the split is frozen, oldest first."""
    days: set[date] = set()
    if terms.freeze is Freeze.STOP:
        days.update(stop.start - _DAY for stop in stops if stop.start <= today)
    elif terms.freeze is Freeze.LOSS:
        days.update(day for day in (_loss(terms, invoice, today, holidays) for invoice in invoices) if day)
    if not terms.refill:
        # Room is given once, at delivery: the split of each delivery day is final.
        days.update(invoice.order[0] for invoice in insurable)
    return sorted(days)


def _loss(terms: PolicyTerms, invoice: Invoice, today: date, holidays: AbstractSet[date]) -> date | None:
    """Return the day before the invoice's date of loss, when that has come while it was open."""
    deadlines = invoice_deadlines(terms, invoice, holidays=holidays)
    loss = next(item.date for item in deadlines if item.kind is DeadlineKind.DATE_OF_LOSS)
    if loss is None or loss > today or invoice.open_on(loss) <= 0:
        return None
    return loss - _DAY


def _objections(
    terms: PolicyTerms,
    invoice: Invoice,
    buyer: BuyerFacts,
    layers: _Layers,
    stops: Iterable[Stop],
    today: date,
) -> tuple[UncoveredReason, ...]:
    """Return everything that makes the invoice uninsurable; empty when it is insurable."""
    day = invoice.insured_date
    term = (invoice.due_date - invoice.invoice_date).days
    waited = (invoice.invoice_date - day).days if day else 0
    checks = {
        UncoveredReason.POLICY_NOT_IN_FORCE: not terms.in_force(invoice.order[0]),
        UncoveredReason.COUNTRY_NOT_COVERED: not terms.covers_country(buyer.country),
        UncoveredReason.TERM_TOO_LONG: terms.max_payment_term_days is not None and term > terms.max_payment_term_days,
        UncoveredReason.INVOICED_TOO_LATE: terms.max_invoicing_days is not None and waited > terms.max_invoicing_days,
        UncoveredReason.PUBLIC_BUYER: buyer.is_public and not terms.covers_public_buyers,
        UncoveredReason.PRIVATE_PERSON: buyer.is_private_person and not terms.covers_private_persons,
        UncoveredReason.AFFILIATED: buyer.is_affiliated and not terms.covers_affiliates,
        UncoveredReason.DOWN_PAYMENT: invoice.kind is InvoiceKind.DOWN_PAYMENT,
        UncoveredReason.NOT_DELIVERED: day is None or day > today,
        UncoveredReason.DISPUTED: invoice.disputed,
        UncoveredReason.NO_COVER: day is not None and not layers.on(day),
        UncoveredReason.STOPPED: day is not None and any(stop.covers(day) for stop in stops),
    }
    return tuple(reason for reason, applies in checks.items() if applies)


def _result(
    split: _Split,
    invoice: Invoice,
    parts: tuple[CoverPart, ...],
    objections: tuple[UncoveredReason, ...],
    today: date,
) -> InvoiceCover:
    gross, base = split.amounts(invoice, today)
    covered = sum((part.covered for part in parts), ZERO)
    insured = quantized(sum((part.insured for part in parts), ZERO), split.places)
    reasons = list(objections)
    if not objections and covered < base:
        reasons.append(UncoveredReason.FROZEN if split.frozen(invoice, base) else UncoveredReason.LIMIT_USED)
    if base < gross:
        reasons.append(UncoveredReason.TAX)
    currency = split.terms.currency
    return InvoiceCover(
        number=invoice.number,
        open=Money(gross, currency),
        base=Money(base, currency),
        covered=Money(covered, currency),
        insured=Money(insured, currency),
        own_share=Money(covered - insured, currency),
        uninsured=Money(gross - covered, currency),
        parts=parts,
        reasons=tuple(reasons),
        rate=invoice.rate_to(currency),
        rate_date=invoice.rate_date,
    )
