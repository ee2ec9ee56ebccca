"""Scenarios: what the insurer does by itself while a story is played against it.

A scenario is a file in ``scenarios/`` or data of the same shape::

    {"about": "…", "steps": [
        {"do": "faults", "with": {"kind": "status", "status": 503, "times": 1000}},
        {"afterCalls": 3, "path": "/v1/covers", "do": "buyers/1002/withdraw", "with": {"inDays": 30}},
        {"tick": 2, "do": "claims/advance"},
        {"afterSeconds": 3600, "do": "faults/clear"}]}

``do`` is a control call of control_calls.py and ``with`` its body. A step happens at once, before the call that
follows ``afterCalls`` calls on paths that begin with ``path``, at the ``tick``-th control call ``tick``, or
``afterSeconds`` by the insurer's clock; each happens once.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from threading import Lock
from typing import Any

from .store import Row
from .web import Refusal

TRIGGERS = ("afterCalls", "tick", "afterSeconds")


@dataclass(slots=True)
class Step:
    """``left``: calls that pass, or ticks, before it happens."""

    do: str
    body: Row
    path: str = "/"
    calls: int | None = None
    ticks: int | None = None
    due: datetime | None = None

    @classmethod
    def read(cls, members: Any, now: datetime) -> "Step":
        known = {"do", "with", "path", *TRIGGERS}
        if not isinstance(members, dict) or not isinstance(members.get("do"), str) or set(members) - known:
            raise Refusal(422, "bad_scenario", f"a step has do, with, path and one of {', '.join(TRIGGERS)}")
        try:
            seconds = members.get("afterSeconds")
            return cls(
                members["do"],
                dict(members.get("with") or {}),
                str(members.get("path", "/")),
                int(members["afterCalls"]) if "afterCalls" in members else None,
                int(members["tick"]) if "tick" in members else None,
                None if seconds is None else now + timedelta(seconds=float(seconds)),
            )
        except (TypeError, ValueError) as exc:
            raise Refusal(422, "bad_scenario", f"{members['do']}: {exc}") from exc


@dataclass
class Scenarios:
    """The steps that wait. ``pull`` carries out what a step does."""

    pull: Callable[[str, Row], None]
    now: Callable[[], datetime]
    name: str = ""
    waiting: list[Step] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def load(self, body: Row) -> None:
        """Begin the scenario ``{"name"}``, or ``{"steps"}``; the one before ends."""
        scenario = named(body["name"]) if body.get("name") else body
        steps = scenario.get("steps")
        if not isinstance(steps, list):
            raise Refusal(422, "bad_scenario", "steps must be a list")
        moment = self.now()
        read = [Step.read(step, moment) for step in steps]
        with self._lock:
            self.name, self.waiting, self.problems = str(body.get("name") or "unnamed"), read, []
        self._happen(lambda step: step.calls is None and step.ticks is None and step.due is None)

    def clear(self) -> None:
        with self._lock:
            self.name, self.waiting, self.problems = "", [], []

    def state(self) -> Row:
        waiting = [{"do": s.do, "with": s.body, "calls": s.calls, "ticks": s.ticks, "due": s.due} for s in self.waiting]
        return {"name": self.name, "waiting": waiting, "problems": self.problems}

    def called(self, path: str) -> None:
        """A call of an interface is about to be looked at."""

        def due(step: Step) -> bool:
            if step.calls is None or not path.startswith(step.path):
                return False
            step.calls -= 1
            return step.calls < 0

        self.passed()
        self._happen(due)

    def tick(self) -> None:
        def due(step: Step) -> bool:
            if step.ticks is None:
                return False
            step.ticks -= 1
            return step.ticks <= 0

        self._happen(due)

    def passed(self) -> None:
        """Time has passed."""
        if any(step.due for step in self.waiting):
            moment = self.now()
            self._happen(lambda step: step.due is not None and step.due <= moment)

    def _happen(self, due: Callable[[Step], bool]) -> None:
        """Carry out what is due. What fails is kept in ``problems``: nobody is there to hear it."""
        if not self.waiting:
            return
        with self._lock:
            ready = [step for step in self.waiting if due(step)]
            self.waiting = [step for step in self.waiting if step not in ready]
        for step in ready:
            try:
                self.pull(step.do, step.body)
            except (Refusal, TypeError) as problem:
                self.problems.append(f"{step.do}: {problem}")


def named(name: str) -> Row:
    """The scenario in ``scenarios/<name>.json``."""
    known = {entry.name.removesuffix(".json"): entry for entry in files(__package__).joinpath("scenarios").iterdir()}
    if name not in known:
        raise Refusal(422, "no_such_scenario", f"There is no scenario {name!r}; there are: {', '.join(sorted(known))}")
    scenario: Row = json.loads(known[name].read_text(encoding="utf-8"))
    return scenario
