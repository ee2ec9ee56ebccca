"""What can go wrong with the contract's arithmetic.

    PolicyError
    ├── MoneyError
    │   ├── InvalidAmount      a float, NaN or infinity where an exact amount is needed
    │   ├── CurrencyMismatch   two currencies in one addition or comparison: .left, .right
    │   └── MissingRate        no exchange rate for a currency: .currency, .on
    ├── InvalidTerms           a contract that cannot be, e.g. 120 % insured: .field
    ├── InvalidFormula         an administrator's formula that is no arithmetic over known figures: .part
    └── InvalidFacts           an invoice, limit row or request that contradicts itself: .field

Every one of them is a mistake of the caller or of the data, never an answer: "no cover" and "hold" are results.
"""

from __future__ import annotations

from datetime import date


class PolicyError(Exception):
    """Root of everything this package raises."""


class MoneyError(PolicyError):
    """An amount that cannot be computed with."""


class InvalidAmount(MoneyError):
    """The value is not an exact, finite number."""

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(f"an amount is a finite Decimal, not {value!r}")


class CurrencyMismatch(MoneyError):
    """Two currencies met without a rate between them."""

    def __init__(self, left: str, right: str) -> None:
        self.left = left
        self.right = right
        super().__init__(f"{left} and {right} cannot be added or compared: convert first")


class MissingRate(MoneyError):
    """No rate is known for the currency."""

    def __init__(self, currency: str, on: date | None = None) -> None:
        self.currency = currency
        self.on = on
        super().__init__(f"no exchange rate for {currency}" + (f" on {on}" if on else ""))


class InvalidTerms(PolicyError):
    """A field of the contract has a value it cannot have."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


class InvalidFacts(PolicyError):
    """A fact handed in contradicts itself or another one."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


class InvalidFormula(PolicyError):
    """A formula is not arithmetic over known figures, or has no value for these."""

    def __init__(self, part: str, message: str) -> None:
        self.part = part
        super().__init__(f"{part}: {message}")
