"""Coface without a network: answers as its documentation shows them, and what was sent."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allianz_trade_wire import NOW, Wire

from connectors import Credentials, Hooks, TransportOptions, connect

DATA = Path(__file__).parent / "data" / "coface"
COMPANY = "14f33e61-f323-3403-b842-1486c381f011"
SECRETS = {"api_key": "an-api-key", "username": "a-user@example.com", "password": "a-password"}
POLICYHOLDER = {
    "cofaserve_api_key": "policy-key",
    "cofaserve_username": "policy-user",
    "cofaserve_password": "policy-password",
}


def document(name: str) -> bytes:
    return (DATA / name).read_bytes()


def shape(name: str) -> Any:
    return json.loads(document(name))


@dataclass
class CofaceWire(Wire):
    def __post_init__(self) -> None:
        self.on("/authentication/v1/token", document("token_answer.json"))

    def connect(self, *, secrets: dict[str, str] | None = None, **members: Any):
        hooks = Hooks(
            on_exchange=self.exchanges.append, now=lambda: self.now, clock=lambda: self.clock, sleep=self.sleep
        )
        return connect(
            "coface",
            credentials=Credentials(**{**SECRETS, **(secrets or {})}),
            options=TransportOptions(attempts=1),
            hooks=hooks,
            token_store=self.store,
            **members,
        )

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def answers_to(self, path: str) -> list[Any]:
        return [call for call in self.sent if call.url.endswith(path)]


__all__ = ["COMPANY", "NOW", "POLICYHOLDER", "SECRETS", "CofaceWire", "document", "shape"]
