"""Allianz Trade without a network: answers as its documentation and clients' code show them, and what was sent."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from connectors import Credentials, Exchange, Hooks, MemoryTokenStore, TokenStore, TransportOptions, connect

DATA = Path(__file__).parent / "data" / "allianz_trade"
SETTINGS = {"business_unit": "ACI", "currency": "USD", "policies": "100200"}
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TEST_HOST = "https://api-services.uat.1placedessaisons.com"


def document(name: str) -> bytes:
    return (DATA / name).read_bytes()


def shape(name: str) -> Any:
    return json.loads(document(name))


class _Raw(io.BytesIO):
    def read1(self, size: int = -1, decode_content: bool = False) -> bytes:  # noqa: ARG002
        return super().read1(size)


@dataclass
class Sent:
    method: str
    url: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass
class Wire:
    """Answers calls by the end of their path, each path's answers in order and the last one again and again."""

    answers: dict[str, list[requests.Response]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    store: TokenStore = field(default_factory=MemoryTokenStore)
    clock: float = 1_000_000.0
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.on("/authorize", document("authorize_answer.json"))

    def plugged(self, monkeypatch: pytest.MonkeyPatch) -> Self:
        """In the place of the network."""
        monkeypatch.setattr(requests.Session, "request", lambda *given, **named: self.request(*given, **named))
        return self

    def on(self, path: str, body: bytes | str | Any, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body)
        response = requests.Response()
        response.status_code = status
        response.headers.update(headers)
        response._content = content if isinstance(content, bytes) else content.encode()
        self.answers.setdefault(path, []).append(response)

    def request(self, _session: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
        body = json.loads(options["data"]) if options.get("data") else None
        self.sent.append(Sent(method, url, dict(options["params"]), body, dict(options["headers"])))
        fitting = [path for path in self.answers if url.endswith(path)]
        assert fitting, f"nothing answers {method} {url}"
        waiting = self.answers[max(fitting, key=len)]
        canned = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        response = requests.Response()
        response.status_code, response.headers = canned.status_code, canned.headers
        response.raw = _Raw(canned.content)
        return response

    def bodies(self, path: str) -> list[Any]:
        return [call.body for call in self.sent if call.url.endswith(path)]

    def urls(self) -> list[str]:
        return [call.url for call in self.sent]

    def connect(self, *, secrets: dict[str, str] | None = None, **members: Any):
        settings = {**SETTINGS, **members.pop("settings", {})}
        return connect(
            "allianz_trade",
            credentials=Credentials(api_key="a-key", **(secrets or {})),
            settings=settings,
            options=TransportOptions(attempts=1),
            hooks=Hooks(on_exchange=self.exchanges.append, now=lambda: self.now, sleep=lambda _seconds: None),
            token_store=self.store,
            **members,
        )
