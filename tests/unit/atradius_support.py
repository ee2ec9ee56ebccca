"""An insurer that answers what the test says, and connections to it and to the simulator."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from connectors import (
    Connection,
    CoverRequest,
    CoverRequestKind,
    Credentials,
    Exchange,
    Hooks,
    Insurer,
    TransportOptions,
    connect,
)
from connectors.atradius import Atradius
from connectors.simulator import DEMO_API_KEY, Simulator

POLICY = "TCI-2026-0001"
DATA = Path(__file__).parent / "data" / "atradius"
SECRETS = {"client_id": "a-client-of-mine", "client_secret": "s3cret/of=mine", "app_key": "app-key-of-mine"}
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
QUICK = TransportOptions(read_seconds=5.0, total_seconds=20.0, attempts=3)

_BASE = {
    "policy": "/credit-insurance/policy-management/v1/policies/details",
    "buyers": "/credit-insurance/organisation-management/v1/buyers",
    "covers": "/credit-insurance/cover-management/v1/covers",
}
PATHS = {
    "token": "/authenticate/v2/tokens",
    **_BASE,
    "buyer": _BASE["buyers"] + "/1001",
    "ratings": _BASE["buyers"] + "/my-buyers",
    **{name: f"{_BASE['covers']}/{name}" for name in ("applications", "decisions", "historic")},
}


def fixture(name: str) -> dict:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def a_cover(**members: object) -> dict:
    """The documented cover with other members."""
    return {**fixture("cover"), **members}


def a_layer(amount: object, until: str = "") -> dict:
    return {"decisionAmtInPolicyCurrency": amount, "decisionExpiryDate": until, "decisionConditions": []}


def a_request(kind: CoverRequestKind = CoverRequestKind.NEW, amount: str = "50000", **members: object) -> CoverRequest:
    values = {"reference": "REQ/1", "policy_number": POLICY, "buyer_id": "1001", "currency": "EUR", **members}
    money = None if kind is CoverRequestKind.CANCEL else Decimal(amount)
    return CoverRequest(**{"kind": kind, "amount": money, **values})


@dataclass
class Heard:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


def query_of(call: Heard) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.query).items()}


@dataclass
class Script:
    """Answers by method and path, each used once but for the last one; and what was heard."""

    url: str = ""
    answers: dict[tuple[str, str], deque[tuple[int, bytes]]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    now: float = 1_700_000_000.0

    def on(self, name: str, answer: object, status: int = 200, method: str = "GET") -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.answers.setdefault((method, PATHS[name]), deque()).append((status, content))

    def calls(self, name: str, method: str = "GET") -> list[Heard]:
        return [call for call in self.heard if (call.method, call.path) == (method, PATHS[name])]

    def connect(self, **options: object) -> Insurer:
        settings = {"customer_id": "4711", **options.pop("settings", {})}
        hooks = Hooks(on_exchange=self.exchanges.append, sleep=lambda _seconds: None, now=lambda: NOW)
        made = Connection(
            self.url,
            Credentials(**SECRETS),
            options=QUICK,
            hooks=hooks,
            settings=settings,
            wall_clock=lambda: self.now,
            **options,
        )
        return Atradius(made)


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _mark, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.heard.append(Heard(self.command, path, query, headers, body))
            waiting = script.answers.get((self.command, path))
            if not waiting:
                status, content = 403, b'{"errors": [{"detail": "Forbidden"}]}'
            else:
                status, content = waiting.popleft() if len(waiting) > 1 else waiting[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_GET

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler


@contextmanager
def scripted() -> Iterator[Script]:
    """An insurer that hands out tokens and else what the test told it; what it was not told is no route, 403."""
    script = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = True
    server.block_on_close = False
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    script.on("token", fixture("token"), method="POST")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Rig:
    simulator: Simulator

    def connect(self, **options: object) -> Insurer:
        return connect(
            "atradius",
            base_url=f"{self.simulator.url}/atradius",
            credentials=Credentials(client_id="demo-client", client_secret=DEMO_API_KEY, app_key="demo-app-key"),
            options=TransportOptions(read_seconds=2.0, attempts=options.pop("attempts", 3), backoff_seconds=0.01),
            hooks=Hooks(sleep=lambda _seconds: None),
            settings={"customer_id": "4711", **options},
        )

    def numbers(self) -> list[str]:
        """The simulator's numbers of the requests it has, oldest first."""
        return [request["number"] for request in self.simulator.control.state()["coverRequests"]]


@contextmanager
def simulated() -> Iterator[Rig]:
    with Simulator(seed="demo") as simulator:
        yield Rig(simulator)
