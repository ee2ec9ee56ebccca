"""A simulator, connections to it that do not really sleep, and what both have seen."""

from collections.abc import Iterator, Mapping
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
    TokenStore,
    TransportOptions,
    connect,
)
from connectors.simulator import DEMO_API_KEY, Simulator
from connectors.simulator.atradius import APP_KEY, CLIENT_ID
from connectors.simulator.coface import PASSWORD, USERNAME

POLICY = "TCI-2026-0001"
QUICK = TransportOptions(
    connect_seconds=2.0, read_seconds=0.25, total_seconds=20.0, attempts=3, max_bytes=200_000, backoff_seconds=1.0
)


@dataclass(frozen=True)
class Opening:
    """How a connector is opened against the simulator: ``base`` follows the simulator's address, below ``prefix`` lie
    the paths that faults strike. ``policy`` and ``buyer`` are of the seed "demo". ``notice_first``: a claim needs the
    number of the case that a notice has opened."""

    prefix: str
    base: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    policy: str = POLICY
    buyer: str = "1006"
    notice_first: bool = False


# One line per connector that has calls, sorted.
OPENINGS: dict[str, Opening] = {
    "allianz_trade": Opening(
        "/allianz_trade",
        "/allianz_trade",
        {"api_key": DEMO_API_KEY},
        {"business_unit": "ACI", "currency": "EUR", "policies": POLICY},
    ),
    "atradius": Opening(
        "/atradius",
        "/atradius",
        {"client_id": CLIENT_ID, "client_secret": DEMO_API_KEY, "app_key": APP_KEY},
        {"customer_id": "4711"},
    ),
    "coface": Opening("/coface", "/coface", {"api_key": DEMO_API_KEY, "username": USERNAME, "password": PASSWORD}),
    "sandbox": Opening("/v1", credentials={"api_key": DEMO_API_KEY}),
    "sinosure": Opening(
        "/sinosure",
        "/sinosure",
        settings={"client_no": "20000592", "currency": "EUR", "return_codes": "1=accepted, 0=refused"},
        notice_first=True,
    ),
}


@dataclass
class Rig:
    simulator: Simulator
    exchanges: list[Exchange] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    options: TransportOptions = QUICK
    dice: float = 0.0
    token_store: TokenStore | None = None

    def connect(self, base_url: str = "", api_key: str = "", *, code: str = "sandbox", **options: object) -> Insurer:
        """A fresh connection, as another worker or the same one after a crash would have it."""
        opening = OPENINGS[code]
        credentials = {**opening.credentials, **({"api_key": api_key} if api_key else {})}
        return connect(
            code,
            base_url=base_url or self.simulator.url + opening.base,
            credentials=Credentials(**credentials),
            options=replace(self.options, **options),
            hooks=Hooks(on_exchange=self.exchanges.append, sleep=self.sleeps.append, random=lambda: self.dice),
            settings=opening.settings,
            token_store=self.token_store,
        )

    def statuses(self, path: str) -> list[int | None]:
        """What the simulator answered to calls on this path, in order."""
        return [call["status"] for call in self.simulator.control.requests() if call["path"] == path]


@contextmanager
def rig() -> Iterator[Rig]:
    with Simulator(seed="demo") as simulator:
        yield Rig(simulator)


def an_invoice(number: str = "INV/2026/0042", open_amount: str = "12300.45") -> OverdueInvoice:
    return OverdueInvoice(
        number=number,
        issued_on=date(2026, 1, 10),
        due_on=date(2026, 3, 11),
        amount=Decimal("15000.00"),
        open_amount=Decimal(open_amount),
        currency="EUR",
    )


def a_claim(reference: str = "CLM/2026/0001", amount: str = "12300.45") -> Claim:
    cause = ClaimCause.PROTRACTED_DEFAULT
    invoices = (an_invoice(open_amount=amount),)
    return Claim(reference, POLICY, "1006", cause, invoices, Decimal(amount), "EUR", date(2026, 9, 7))
