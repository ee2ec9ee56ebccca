"""Misbehaviour on request: what the simulator does wrong with the next calls, so that clients can be tested.

| kind | what happens | fields |
|---|---|---|
| ``latency`` | answered, but late | ``seconds`` |
| ``hang`` | no answer for ``seconds``, then the connection is closed | ``seconds``, ``when`` |
| ``drop`` | the connection is closed without an answer | ``when`` |
| ``status`` | an error answer | ``status``, ``message``, ``retry_after``, ``when`` |
| ``truncate`` | half of the answer, then the connection is closed | |
| ``malformed`` | an answer that is not JSON | |
| ``replace`` | one value of the answer is another | ``field`` such as ``covers.0.amount``, ``value`` |
| ``too_large`` | an answer of ``size`` bytes more | ``size`` |
| ``trickle`` | the answer byte by byte over ``seconds`` | ``seconds`` |
| ``duplicate_page`` | the answer before this one on the same path, again | |
| ``expire_tokens`` | all tokens end before the call is looked at | |

``when`` is ``before`` (the call is not carried out; the default) or ``after`` (it is, only the answer suffers).
A fault strikes ``times`` calls (default 1) whose path begins with ``path`` and whose method is ``method`` (default
any), after letting ``skip`` of them pass.
"""

import json
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from threading import Lock
from typing import Any

from .web import Answer, Refusal, Request, refusal_answer


class Kind(StrEnum):
    LATENCY = "latency"
    HANG = "hang"
    DROP = "drop"
    STATUS = "status"
    TRUNCATE = "truncate"
    MALFORMED = "malformed"
    REPLACE = "replace"
    TOO_LARGE = "too_large"
    TRICKLE = "trickle"
    DUPLICATE_PAGE = "duplicate_page"
    EXPIRE_TOKENS = "expire_tokens"


@dataclass(slots=True)
class Fault:
    kind: Kind
    path: str = "/"
    method: str = ""
    times: int = 1
    skip: int = 0
    when: str = "before"
    seconds: float = 0.0
    status: int = 500
    message: str = "Something went wrong"
    retry_after: str = ""
    field: str = ""
    value: Any = None
    size: int = 0

    @classmethod
    def read(cls, members: dict[str, Any]) -> "Fault":
        """A fault from a control call."""
        names = {member.name: member for member in fields(cls)}
        unknown = set(members) - set(names)
        if unknown or members.get("kind") not in set(Kind) or members.get("when", "before") not in ("before", "after"):
            raise Refusal(422, "bad_fault", f"unknown: {', '.join(sorted(unknown)) or 'kind or when'}")
        casts: dict[str, Any] = {
            "kind": Kind,
            "retry_after": str,
            "times": int,
            "skip": int,
            "status": int,
            "size": int,
            "seconds": float,
        }
        try:
            return cls(**{name: casts.get(name, _same)(value) for name, value in members.items()})
        except (TypeError, ValueError) as exc:
            raise Refusal(422, "bad_fault", f"not a number: {exc}") from exc

    @property
    def is_mute(self) -> bool:
        """Whether the client gets no answer at all."""
        return self.kind in (Kind.DROP, Kind.HANG)

    @property
    def prevents(self) -> bool:
        """Whether the call is not carried out."""
        return self.kind in (Kind.DROP, Kind.HANG, Kind.STATUS) and self.when == "before"

    def spoil(self, answer: Answer, last: Answer | None) -> Answer:
        """The answer as this fault leaves it; ``last`` is the one given before on the same path."""
        match self.kind:
            case Kind.STATUS:
                refusal = refusal_answer(Refusal(self.status, "fault", self.message))
                headers = {"Retry-After": self.retry_after} if self.retry_after else {}
                return Answer(self.status, refusal.content, headers=headers)
            case Kind.MALFORMED:
                return Answer(answer.status, answer.content[:-1] + b",]")
            case Kind.REPLACE:
                document = json.loads(answer.content, parse_float=Decimal)
                _put(document, self.field.split("."), self.value)
                return Answer(answer.status, json.dumps(document, default=str).encode())
            case Kind.TOO_LARGE:
                return Answer(answer.status, answer.content + b" " * self.size)
            case Kind.DUPLICATE_PAGE:
                return last or answer
            case _:
                return answer


@dataclass(slots=True)
class Faults:
    """The faults that wait for their calls."""

    _waiting: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def take(self, request: Request) -> Fault | None:
        """The first fault that strikes this call, used up by one."""
        with self._lock:
            for fault in self._waiting:
                if not request.path.startswith(fault.path) or fault.method not in ("", request.method):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


def _same(value: Any) -> Any:
    return value


def _put(document: Any, path: list[str], value: Any) -> None:
    """Set the member at ``path``; numbers in it count list elements."""
    for name in path[:-1]:
        document = document[int(name) if isinstance(document, list) else name]
    document[int(path[-1]) if isinstance(document, list) else path[-1]] = value
