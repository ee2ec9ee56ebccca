"""Every connector, every call it has, every fault of the simulator: the documented error or success; nothing lost,
nothing doubled, no secret shown.

The table ``FAULTS`` says in what each lasting fault ends. After it the fault goes away, and the call is repeated as
``base.py`` prescribes; in the end the insurer has what was sent exactly once.
"""

import traceback
from dataclasses import dataclass, field
from typing import Any

import pytest
from connectors_samples import SAMPLES, WRITES
from connectors_support import OPENINGS, Opening, Rig

from connectors import (
    CONNECTORS,
    FINDERS,
    AuthenticationError,
    ConnectorError,
    Insurer,
    MemoryTokenStore,
    Operation,
    Page,
    RateLimited,
    TransportError,
    TransportOptions,
    UnexpectedResponse,
)
from connectors.simulator import Simulator

PATIENT = TransportOptions(
    connect_seconds=5.0, read_seconds=5.0, total_seconds=30.0, attempts=2, max_bytes=300_000, backoff_seconds=0.1
)
HASTY = {"read_seconds": 0.05, "attempts": 1}


@dataclass(frozen=True)
class Case:
    """``ends``: what a lasting fault may end in; ``None`` among them is success. ``named``: the error names a field."""

    fault: dict[str, Any]
    ends: tuple[type[ConnectorError] | None, ...]
    named: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join(str(value)[:20] for value in self.fault.values())


def case(kind: str, *ends: type[ConnectorError] | None, named: bool = False, **fault: Any) -> Case:
    options = HASTY if kind in ("hang", "trickle") else {}
    return Case({"kind": kind, **fault}, ends, named, options)


FAULTS = [
    case("latency", None, seconds=0.002),
    case("hang", TransportError, seconds=0.1),
    case("hang", TransportError, seconds=0.1, when="after"),
    case("trickle", TransportError, None, seconds=0.005),
    case("drop", TransportError),
    case("drop", TransportError, when="after"),
    case("truncate", TransportError),
    case("status", AuthenticationError, status=401),
    case("status", AuthenticationError, status=403),
    case("status", RateLimited, status=429, retry_after="1"),
    case("status", TransportError, status=500),
    case("status", TransportError, status=500, when="after"),
    case("status", TransportError, status=503, retry_after="1"),
    case("status", TransportError, status=503, when="after"),
    case("malformed", UnexpectedResponse),
    case("wrong_types", UnexpectedResponse, named=True),
    case("too_large", UnexpectedResponse, size=400_000),
    case("duplicate_page", UnexpectedResponse, AuthenticationError, None),
    case("reorder", None),
    case("expire_tokens", AuthenticationError, None),
    case("deep", UnexpectedResponse, size=5_000),
    case("billion_laughs", UnexpectedResponse),
    case("external_entity", UnexpectedResponse),
]
OFFERED = {code: connector.capabilities() for code, connector in sorted(CONNECTORS.items())}
# What only damages the answer of a call that was carried out makes no other difference to a call that reads.
CASES = [
    pytest.param(code, operation, fault, id=f"{code}-{operation}-{fault}")
    for code, offered in OFFERED.items()
    for operation in Operation
    for fault in FAULTS
    if operation in offered and (operation in WRITES or fault.fault.get("when") != "after")
]


@dataclass
class Net(Rig):
    """``calm``: one connection per connector for what is done while nothing goes wrong."""

    calm: dict[str, Insurer] = field(default_factory=dict)

    def calmly(self, code: str) -> Insurer:
        if code not in self.calm:
            self.calm[code] = self.connect(code=code)
        return self.calm[code]


@pytest.fixture(scope="module")
def net():
    with Simulator(seed="demo") as simulator:
        simulator.control.notify("1006", "PAYMENT_DELAY", "Pays late")
        made = Net(simulator, options=PATIENT, token_store=MemoryTokenStore())
        yield made
        for insurer in made.calm.values():
            insurer.close()


def test_every_connector_can_be_opened_against_the_simulator():
    assert set(OPENINGS) == {code for code, connector in CONNECTORS.items() if connector.capabilities()}


def test_every_operation_has_a_sample():
    assert set(SAMPLES) == set(Operation)
    assert set(FINDERS) <= WRITES


@pytest.mark.parametrize(("code", "operation", "fault"), CASES)
def test_fault_ends_in_the_documented_error_or_in_success(net, code, operation, fault):
    opening = OPENINGS[code]
    arguments, before = made_ready(net, code, operation)
    control = net.simulator.control
    members = {"value": f"{net.simulator.url}{opening.prefix}/entity"} if "entity" in fault.fault["kind"] else {}
    control.fault(path=opening.prefix, times=99, **fault.fault, **members)
    with net.connect(code=code, **fault.options) as insurer:
        error = outcome(insurer, operation, arguments)
    assert type(error) in {kind or type(None) for kind in fault.ends}, error
    sent = submissions(net) - before
    if error:
        assert error.insurer == code and str(error).startswith(f"{code}: ")
        assert not sent or error.may_have_acted, "the insurer has it, and the error denies it"
        assert not fault.named or error.field, f"no field is named: {error}"
    control.faults.clear()
    if operation in WRITES:
        repeat(net, code, operation, arguments, error, acted=sent > 0)
        assert submissions(net) - before == 1
    assert not [call for call in control.requests() if call["path"].endswith("/entity")], "an entity was fetched"
    assert_nothing_is_shown(net, opening, error)


QUESTIONS = [
    pytest.param(code, operation, id=f"{code}-{operation}")
    for code, offered in OFFERED.items()
    for operation in sorted(offered - WRITES)
]


@pytest.mark.parametrize(("code", "operation"), QUESTIONS)
def test_page_of_somebody_else_once_does_not_end_a_question(net, code, operation):
    arguments, _before = made_ready(net, code, operation)
    net.simulator.control.fault("malformed", path=OPENINGS[code].prefix)
    with net.connect(code=code) as insurer:
        assert outcome(insurer, operation, arguments) is None


# --- How it is done -------------------------------------------------------------------------------------------------


def made_ready(net: Net, code: str, operation: Operation) -> tuple[tuple[Any, ...], int]:
    """The arguments of the call, and how many submissions the insurer has before it."""
    control = net.simulator.control
    control.book.store.run("DELETE FROM submission")
    control.faults.clear()
    control.log.clear()
    net.exchanges.clear()
    return SAMPLES[operation](net.calmly(code), OPENINGS[code]), submissions(net)


def submissions(net: Rig) -> int:
    return net.simulator.control.book.store.rows("SELECT count(*) AS n FROM submission")[0]["n"]


def outcome(insurer: Insurer, operation: Operation, arguments: tuple[Any, ...]) -> ConnectorError | None:
    """The error in which the call ended, or that kept an entry of its list from being read; any that is none of the
    package's is a failure of the test."""
    try:
        answer = getattr(insurer, operation.value)(*arguments)
        if isinstance(answer, Page):
            answer.whole()
    except ConnectorError as error:
        return error
    return None


def repeat(
    net: Net,
    code: str,
    operation: Operation,
    arguments: tuple[Any, ...],
    error: ConnectorError | None,
    acted: bool,
) -> None:
    """What base.py prescribes after an error: ask; repeat what is recognised; or leave it to a person, who sees whether
    the insurer ``acted``."""
    if error is None:
        return
    connector = CONNECTORS[code]
    finder = FINDERS.get(operation)
    if error.may_have_acted and finder in OFFERED[code]:
        if getattr(net.calmly(code), finder.value)(*arguments) is not None:
            return
    elif error.may_have_acted and operation not in connector.recognises and acted:
        return
    getattr(net.calmly(code), operation.value)(*arguments)


def assert_nothing_is_shown(net: Rig, opening: Opening, error: ConnectorError | None) -> None:
    tokens = [row["value"] for row in net.simulator.control.book.store.rows("SELECT value FROM token")]
    shown = "".join(map(repr, net.exchanges))
    if error:
        shown += "".join(traceback.format_exception(error))
    assert not [secret for secret in (*opening.credentials.values(), *tokens) if secret in shown]
