"""How much data the benchmarks generate and how often they measure. Each size is read from the environment."""

import os
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Sizes:
    """`BENCH_BUYERS=200 BENCH_INVOICES=2000 BENCH_BIG=100 BENCH_ROUNDS=10 make bench` is a quick run.

    Attributes:
        buyers: buyers with a limit, an insurer's cover and one confirmed order each
        unconfigured: buyers nobody has looked at
        invoices: open invoices over all buyers, those of the big buyer included
        big: open invoices of the big buyer
        paid: invoices that are paid, spread evenly
        invoiced: orders invoiced in full, spread evenly
        drafts: confirmed orders whose invoice is still a draft
        rounds: confirmations measured per kind of buyer
        sample: buyers whose exposure the community module computes, extrapolated to all
    """

    buyers: int = 20_000
    unconfigured: int = 200
    invoices: int = 200_000
    big: int = 10_000
    paid: int = 100_000
    invoiced: int = 60_000
    drafts: int = 1_000
    rounds: int = 100
    sample: int = 1_000

    @classmethod
    def from_environment(cls) -> "Sizes":
        return cls(
            **{field.name: int(os.environ.get(f"BENCH_{field.name.upper()}", field.default)) for field in fields(cls)}
        )
