"""What it costs to take over an insurer's whole portfolio, over HTTP from the simulator, with one worker.

    BENCH_KEEP=1 …         on the data of the run before
    BENCH_COVERS=2000 …    a quick run

Prints figures and whether the goals are met. Missing a goal is a finding, not an error: the exit code stays 0.
"""

# ruff: noqa: TID251 (runs inside Odoo)
import logging
import os
import sys

from databases import CONF, screening_database
from insurer import simulated
from pulling import measure_pulls, opened

NAME = "bench_pull"


def main() -> int:
    covers = int(os.environ.get("BENCH_COVERS", "100000"))
    with screening_database(NAME), simulated(covers) as insurer:
        registry = opened(CONF, NAME, covers)
        print(f"{covers:,} covers, one worker")
        measure_pulls(registry, insurer, covers)
    return 0


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main())
