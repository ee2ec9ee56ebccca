"""What the credit gate adds to the confirmation of an order, and what the exposure of all buyers costs.

    python3 scripts/dev bench                          both, on data it generates (sizes.py: the environment sets less)
    BENCH_KEEP=1 …                                     on the data of the run before
    BENCH_STATEMENTS=1 …                               and list the statements the gate sends

Compared within one run, taken in turn, because machines differ and are shared:

    confirmation   this addon | the same database without its hooks | sale_financial_risk | that one told to bypass
    exposure       this addon | one aggregate over receivables      | sale_financial_risk, on a sample

Prints figures and whether the goals are met. Missing a goal is a finding, not an error: the exit code stays 0.
"""

import logging
import sys

from confirmation import measure_confirmations
from databases import CONF, OURS, PEER, prepared
from exposure import measure_exposures
from sizes import Sizes
from worlds import opened


def main() -> int:
    sizes = Sizes.from_environment()
    with prepared() as has_peer:
        ours = opened(CONF, OURS, sizes)
        peer = opened(CONF, PEER, sizes) if has_peer else None
        _introduce(ours.bench.sizes)
        measure_confirmations(ours, peer)
        measure_exposures(ours, peer)
    return 0


def _introduce(sizes: Sizes) -> None:
    print(
        f"{sizes.buyers:,} buyers with a limit, {sizes.invoices:,} open invoices, one buyer with {sizes.big:,}; "
        f"{sizes.rounds} confirmations of each kind"
    )


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main())
