"""What the screening of all buyers by risk rules costs.

    BENCH_KEEP=1 …     on the data of the run before
    BENCH_SCREENED=1000 BENCH_OPEN=10000 …     a quick run

Prints figures and whether the goals are met. Missing a goal is a finding, not an error: the exit code stays 0.
"""

# ruff: noqa: TID251 (runs inside Odoo)
import logging
import os
import sys

from databases import CONF, screening_database
from screening import measure_screening
from screening_portfolio import ScreeningGenerator
from sizes import Sizes
from worlds import opened

NAME = "bench_screening"


def main() -> int:
    buyers = int(os.environ.get("BENCH_SCREENED", "100000"))
    invoices = int(os.environ.get("BENCH_OPEN", "1000000"))
    sizes = Sizes(
        buyers=buyers, unconfigured=100, invoices=invoices, big=min(10_000, invoices // 10), paid=invoices // 2,
        invoiced=buyers, drafts=100, rounds=1,
    )  # fmt: skip
    with screening_database(NAME):
        world = opened(CONF, NAME, sizes, ScreeningGenerator)
        generated = world.bench.sizes
        print(f"{generated.buyers:,} buyers, {generated.invoices:,} open invoices, {generated.paid:,} paid ones")
        measure_screening(world)
    return 0


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main())
