"""The insurer simulator with many made-up buyers, as a process of its own.

python benchmarks/insurer.py 100000      prints its address and key, and serves until its input is closed
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POLICY_NUMBER = "TCI-2026-0001"


@dataclass(frozen=True)
class Address:
    url: str
    api_key: str


@contextmanager
def simulated(buyers: int) -> Iterator[Address]:
    """The simulator with ``buyers``, each graded and covered under POLICY_NUMBER, for the time of the block."""
    command = [sys.executable, __file__, str(buyers)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            line = child.stdout.readline().split()
            if len(line) != 2:
                raise RuntimeError("the insurer simulator did not start")
            yield Address(*line)
        finally:
            child.stdin.close()


def number(n: str) -> str:
    """SQL: the insurer's number of its buyer n, itself given as SQL."""
    return f"'B' || lpad(({n})::text, 7, '0')"


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from connectors.simulator import Simulator

    with Simulator() as simulator:
        simulator.control.seed(generate=int(sys.argv[1]))
        print(simulator.url, simulator.api_key, flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
