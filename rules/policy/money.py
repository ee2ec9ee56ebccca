"""Exact amounts with their currency, and rates between currencies.

Nothing here rounds by itself: rounding is the caller's last step, because a sum of rounded parts is not the rounded
sum. All amounts are `Decimal` in major units (12.50 = twelve euros fifty).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from .errors import CurrencyMismatch, InvalidAmount, MissingRate

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)
# More digits than any float has before its decimals: an absurd amount is an amount, and held like others.
_WIDE = Context(prec=400)


def exact(value: object) -> Decimal:
    """Return `value` as a finite Decimal.

    Integers are welcome; floats are not, since 0.1 + 0.2 is not 0.3. Raises InvalidAmount.
    """
    if type(value) is Decimal and value.is_finite():
        return value
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise InvalidAmount(value)
    number = Decimal(value)
    if not number.is_finite():
        raise InvalidAmount(value)
    return number


def quantized(value: Decimal, places: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Return `value` with `places` decimals (0 for yen, 2 for euros, 3 for dinars)."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=_WIDE)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency.

    >>> Money(Decimal("10.50"), "EUR") + Money(Decimal("0.50"), "EUR")
    Money(amount=Decimal('11.00'), currency='EUR')
    >>> Money(Decimal(1), "EUR") < Money(Decimal(2), "USD")
    Traceback (most recent call last):
    ...
    rules.policy.errors.CurrencyMismatch: EUR and USD cannot be added or compared: convert first
    >>> Money(Decimal("2.345"), "EUR").rounded(2)
    Money(amount=Decimal('2.35'), currency='EUR')
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", exact(self.amount))

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(ZERO, currency)

    def _same(self, other: Money) -> Decimal:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        """Refused: whether "no money" means zero or unknown is for the caller to say (`is None`, `.amount == 0`)."""
        raise TypeError("the truth of an amount is ambiguous: compare .amount, or test for None")

    def percent(self, percentage: Decimal) -> Money:
        """Return `percentage` per cent of the amount, unrounded.

        >>> Money(Decimal(1150), "EUR").percent(Decimal(90)).amount
        Decimal('1035')
        """
        return Money(self.amount * exact(percentage) / HUNDRED, self.currency)

    def floored(self) -> Money:
        """Return the amount, or zero when it is below zero."""
        return self if self.amount > 0 else Money.zero(self.currency)

    def rounded(self, places: int, rounding: str = ROUND_HALF_UP) -> Money:
        """Return the amount with `places` decimals; `rounding` is one of the constants of `decimal`."""
        return Money(quantized(self.amount, places, rounding), self.currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Return the sum, zero in `currency` when there is nothing to add.

    >>> total([Money(Decimal(1), "EUR"), Money(Decimal(2), "EUR")], "EUR").amount
    Decimal('3')
    """
    result = Money.zero(currency)
    return Money(sum(map(result._same, amounts), ZERO), currency)


@dataclass(frozen=True, slots=True)
class ExchangeRates:
    """Rates of one day: `per_unit[c]` units of currency c are worth one unit of `base` (Odoo's convention).

    >>> rates = ExchangeRates("EUR", date(2025, 1, 1), {"USD": Decimal(2)})
    >>> rates.convert(Money(Decimal(2000), "USD"), "EUR").amount
    Decimal('1000')
    """

    base: str
    on: date
    per_unit: Mapping[str, Decimal]

    def __post_init__(self) -> None:
        checked = {currency: exact(rate) for currency, rate in self.per_unit.items()}
        checked[self.base] = Decimal(1)
        for rate in checked.values():
            if rate <= 0:
                raise InvalidAmount(rate)
        object.__setattr__(self, "per_unit", checked)

    def convert(self, money: Money, currency: str) -> Money:
        """Return `money` in `currency`, unrounded. Raises MissingRate."""
        if money.currency == currency:
            return money
        # Multiply first: the quotient of two rates is rarely exact, and its rounding would grow with the amount.
        return Money(money.amount * self._of(currency) / self._of(money.currency), currency)

    def _of(self, currency: str) -> Decimal:
        try:
            return self.per_unit[currency]
        except KeyError:
            raise MissingRate(currency, self.on) from None


def converted(money: Money, currency: str, rates: ExchangeRates | None) -> Money:
    """Return `money` in `currency`; `rates` may be None as long as nothing needs converting."""
    if money.currency == currency:
        return money
    if rates is None:
        raise MissingRate(money.currency)
    return rates.convert(money, currency)
