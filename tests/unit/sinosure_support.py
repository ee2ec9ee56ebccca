"""SINOSURE in tests: a simulator with a policy in US dollars, connections to it, and answers put in by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from connectors import (
    Claim,
    ClaimCause,
    CoverRequest,
    CoverRequestKind,
    Credentials,
    Exchange,
    Hooks,
    Insurer,
    OverdueInvoice,
    OverdueNotice,
    Shipment,
    ShipmentDeclaration,
    TransportOptions,
    connect,
)
from connectors.calls import Answer, Call
from connectors.simulator import Simulator

DATA = Path(__file__).parent / "data" / "sinosure"
POLICY = "SCH047100-202000"
BUYER = "USA/089971"
OTHER = "CHN/000017"
# 07:59:59 on 1 March in China is still 28 February in UTC.
NOW = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
STATES = "01=approved, 02=partial, 03=reduced, 04=withdrawn, 05=expired, 00=refused"
SETTINGS = {"client_no": "20000592", "quota_states": STATES}
# What the simulator answers by returnCode is not public of the insurer.
SIMULATED = {"return_codes": "1=accepted, 0=refused"}
SEED = {
    "policies": [
        {
            "policyNumber": POLICY,
            "holder": "华东出口有限公司",
            "currency": "USD",
            "startsOn": -300,
            "insuredPercentage": "90",
            "callsPerHour": 50,
        }
    ],
    "buyers": [
        {
            "buyerId": BUYER,
            "name": "Evergreen Imports Inc.",
            "country": "US",
            "registrationNumber": "C1234567",
            "address": {"street": "5 Harbor Way", "city": "Oakland"},
            "grades": [{"value": "61", "gradedOn": -200}, {"value": "55", "gradedOn": -3}],
            "cover": {"statusCode": "APPROVED", "amount": "500000.00", "effectiveFrom": -200, "effectiveTo": 165},
        },
        {
            "buyerId": OTHER,
            "name": "上海华东贸易有限公司",
            "country": "CN",
            "cover": {"statusCode": "PARTIAL", "amount": "12.30", "effectiveFrom": -1, "conditions": ["货到付款"]},
        },
        {"buyerId": "DEU/000003", "name": "Nordwind GmbH", "country": "DE"},
    ],
}


@dataclass
class Stage:
    """A simulator at ``clock``, which tests move, and what passed between it and the connections."""

    simulator: Simulator
    transport: str
    clock: list[datetime]
    exchanges: list[Exchange] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)

    def connect(self, limiter: Any = None, **settings: str) -> Insurer:
        return connect(
            "sinosure",
            base_url=f"{self.simulator.url}/sinosure",
            credentials=Credentials(),
            options=TransportOptions(read_seconds=20.0, attempts=3),
            hooks=Hooks(
                on_exchange=self.exchanges.append,
                sleep=self.sleeps.append,
                now=lambda: self.clock[0],
                limiter=limiter,
            ),
            settings={**SETTINGS, **SIMULATED, "transport": self.transport, **settings},
        )

    def pass_time(self, **duration: float) -> None:
        self.clock[0] += timedelta(**duration)

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return self.simulator.control.sent(kind)

    def decide(self, decision: str, **members: Any) -> None:
        waiting = [each for each in self.sent("cover_request") if each["status"] == "PENDING"]
        self.simulator.control.decide(waiting[-1]["number"], decision, **members)


@contextmanager
def stage(transport: str) -> Iterator[Stage]:
    clock = [NOW]
    with Simulator(now=lambda: clock[0]) as simulator:
        simulator.control.seed(data=SEED)
        yield Stage(simulator, transport, clock)


# --- Answers put in by hand -----------------------------------------------------------------------------------------


@dataclass
class Script:
    """A connection whose calls leave for nowhere: ``contents`` answer them in turn, the last one all that follow, and
    ``methods`` those of a method; ``calls`` are what would have been sent."""

    insurer: Insurer
    contents: list[bytes]
    methods: Mapping[str, bytes]
    status: int
    calls: list[Call] = field(default_factory=list)

    def send(self, call: Call) -> Answer:
        self.calls.append(call)
        content = self.methods.get(call.operation, b"")
        if not content and self.contents:
            content = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        elif not content:
            content = response(call.operation)
        answer = Answer("sinosure", "r1", self.status, {}, content, lambda text: text)
        self.insurer._wire._object(answer)
        return answer


def script(
    *contents: bytes,
    methods: Mapping[str, bytes] | None = None,
    status: int = 200,
    transport: str = "soap",
    **settings: str,
) -> Script:
    made = connect(
        "sinosure",
        base_url="http://10.0.132.59:14114",
        credentials=Credentials(),
        hooks=Hooks(now=lambda: NOW),
        settings={**SETTINGS, "transport": transport, **settings},
    )
    scripted = Script(made, list(contents), methods or {}, status)
    made._wire.transport.send = scripted.send
    return scripted


def fixture(name: str) -> bytes:
    return (DATA / name).read_bytes()


def canonical(document: bytes) -> bytes:
    """The document without the layout that makes a fixture readable."""
    parser = etree.XMLParser(remove_blank_text=True)
    return etree.tostring(etree.fromstring(document, parser), method="c14n")


def response(method: str, records: str = "") -> bytes:
    """An answer of the web service with these records."""
    out = f"<s:out>{records}</s:out>" if records else ""
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:s="http://service.edi.exchange.sinosure.com" xmlns="http://po.edi.exchange.sinosure.com"><soap:Body>'
        f"<s:{method}Response>{out}</s:{method}Response></soap:Body></soap:Envelope>"
    ).encode()


# --- Messages -------------------------------------------------------------------------------------------------------


def a_request(reference: str = "CR/2026/0007", amount: str = "750000.00", **members: Any) -> CoverRequest:
    kind = members.pop("kind", CoverRequestKind.INCREASE)
    return CoverRequest(reference, POLICY, members.pop("buyer_id", BUYER), kind, "USD", Decimal(amount), **members)


def an_invoice(number: str, open_amount: str = "90.05") -> OverdueInvoice:
    return OverdueInvoice(number, date(2025, 10, 1), date(2025, 12, 30), Decimal("100.10"), Decimal(open_amount), "USD")


def a_notice(*numbers: str, reference: str = "OVN/2026/0001", buyer_id: str = BUYER) -> OverdueNotice:
    return OverdueNotice(reference, POLICY, buyer_id, tuple(map(an_invoice, numbers)), "买方拖欠货款")


def a_claim(*numbers: str, case_number: str = "", reference: str = "CLM/2026/0001") -> Claim:
    invoices = tuple(map(an_invoice, numbers))
    total = sum((invoice.open_amount for invoice in invoices), Decimal(0))
    cause = ClaimCause.PROTRACTED_DEFAULT
    return Claim(reference, POLICY, BUYER, cause, invoices, total, "USD", case_number=case_number)


def a_shipment(reference: str, invoice: str, amount: str = "120.50", buyer_id: str = BUYER) -> Shipment:
    sums = Decimal(amount), Decimal("100.00")
    return Shipment(
        reference, buyer_id, invoice, date(2021, 2, 25), *sums, "USD", 30, goods="羽绒被", goods_code="9404909000"
    )


def a_declaration(*shipments: Shipment) -> ShipmentDeclaration:
    return ShipmentDeclaration("DS/2026/0001", POLICY, shipments)
