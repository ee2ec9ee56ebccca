"""A simulator, a connection to it that does not really sleep, and what both have seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from connectors import (
    Claim,
    ClaimCause,
    Credentials,
    Exchange,
    Hooks,
    Insurer,
    OverdueInvoice,
    TransportOptions,
    connect,
)
from connectors.simulator import Simulator

POLICY = "TCI-2026-0001"
QUICK = TransportOptions(
    connect_seconds=2.0, read_seconds=0.25, total_seconds=20.0, attempts=3, max_bytes=200_000, backoff_seconds=1.0
)


@dataclass
class Rig:
    simulator: Simulator
    exchanges: list[Exchange] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    options: TransportOptions = QUICK
    dice: float = 0.0

    def connect(self, base_url: str = "", api_key: str = "", **options: object) -> Insurer:
        """A fresh connection, as another worker or the same one after a crash would have it."""
        return connect(
            "sandbox",
            base_url=base_url or self.simulator.url,
            credentials=Credentials(api_key=api_key or self.simulator.api_key),
            options=replace(self.options, **options),
            hooks=Hooks(on_exchange=self.exchanges.append, sleep=self.sleeps.append, random=lambda: self.dice),
        )

    def statuses(self, path: str) -> list[int | None]:
        """What the simulator answered to calls on this path, in order."""
        return [call["status"] for call in self.simulator.control.requests() if call["path"] == path]


@contextmanager
def rig() -> Iterator[Rig]:
    with Simulator(seed="demo") as simulator:
        yield Rig(simulator)


def a_claim(reference: str = "CLM/2026/0001", amount: str = "12300.45") -> Claim:
    invoice = OverdueInvoice(
        number="INV/2026/0042",
        issued_on=date(2026, 1, 10),
        due_on=date(2026, 3, 11),
        amount=Decimal("15000.00"),
        open_amount=Decimal(amount),
        currency="EUR",
    )
    cause = ClaimCause.PROTRACTED_DEFAULT
    return Claim(reference, POLICY, "1006", cause, (invoice,), Decimal(amount), "EUR", date(2026, 9, 7))
