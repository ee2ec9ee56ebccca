"""Misbehaviour on request: what the simulator does wrong with the next calls, so that clients can be tested.

| kind | what happens | fields |
|---|---|---|
| ``latency`` | answered, but late | ``seconds`` |
| ``hang`` | no answer for ``seconds``, then the connection is closed | ``seconds``, ``when`` |
| ``drop`` | the connection is closed without an answer | ``when`` |
| ``status`` | an error answer | ``status``, ``message``, ``retry_after``, ``when`` |
| ``truncate`` | half of the answer, then the connection is closed | |
| ``malformed`` | an answer that is neither JSON nor XML | |
| ``replace`` | one value of the answer is another | ``field`` such as ``covers.0.amount``, ``value`` |
| ``wrong_types`` | every value of the answer is of a type it cannot have | |
| ``reorder`` | the rows of the answer in the opposite order | |
| ``deep`` | an answer nested beyond measure | ``size`` levels |
| ``billion_laughs`` | XML whose entities unfold to gigabytes | |
| ``external_entity`` | XML whose entity is a file or an address | ``value``, default ``file:///etc/passwd`` |
| ``too_large`` | an answer of ``size`` bytes more | ``size`` |
| ``trickle`` | the answer in small pieces over ``seconds`` | ``seconds`` |
| ``duplicate_page`` | the answer before this one on the same path, again | |
| ``expire_tokens`` | all tokens end before the call is looked at | |

``when`` is ``before`` (the call is not carried out; the default) or ``after`` (it is, only the answer suffers).
A fault strikes ``times`` calls (default 1) whose path begins with ``path`` and whose method is ``method`` (default
any), after letting ``skip`` of them pass. The insurer's clock is set ahead or behind by the control call ``clock``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from threading import Lock
from typing import Any

from . import spoiling
from .web import Answer, Refusal, Request


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
    WRONG_TYPES = "wrong_types"
    REORDER = "reorder"
    DEEP = "deep"
    BILLION_LAUGHS = "billion_laughs"
    EXTERNAL_ENTITY = "external_entity"


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

    def spoil(self, answer: Answer, last: Answer | None, refuse: Callable[[Refusal], Answer]) -> Answer:
        """The answer as this fault leaves it; ``last`` is the one given before on the same path, ``refuse`` words an
        error as the interface does."""
        match self.kind:
            case Kind.STATUS:
                refusal = refuse(Refusal(self.status, "fault", self.message))
                headers = {"Retry-After": self.retry_after} if self.retry_after else {}
                return replace(refusal, status=self.status, headers={**refusal.headers, **headers})
            case Kind.DUPLICATE_PAGE:
                return last or answer
            case Kind.MALFORMED:
                return spoiling.with_content(answer, answer.content[:-1] + b",]")
            case Kind.TOO_LARGE:
                return spoiling.with_content(answer, answer.content + b" " * self.size)
            case Kind.REPLACE:
                return spoiling.replaced(answer, self.field.split("."), self.value)
            case Kind.WRONG_TYPES:
                return spoiling.mistyped(answer)
            case Kind.REORDER:
                return spoiling.reordered(answer)
            case Kind.DEEP:
                return spoiling.deep(answer, self.size or 100_000)
            case Kind.BILLION_LAUGHS:
                return Answer(200, spoiling.BILLION_LAUGHS, "text/xml; charset=utf-8")
            case Kind.EXTERNAL_ENTITY:
                return spoiling.external_entity(str(self.value or "file:///etc/passwd"))
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
