"""The child process: the only place where durable_rules is loaded, because it can crash, hang and leak.

Started by path (``python -P …/worker.py``), it imports nothing of this package. It reads requests as JSON lines from
standard input and answers with one JSON line each, until the input closes:

    {"id": 1, "op": "load", "version": "…", "rule_sets": [{…}], "samples": [[row, [names]], …]}
        -> {"id": 1, "loaded": true}
    {"id": 2, "op": "evaluate", "version": "…", "rows": [row, …]}
        -> {"id": 2, "rows": [[names] or {"error": "…"}, …]}

A row is one set of facts, a JSON object with an ``id`` of "1"; as a text, because it only passes through to the engine.

The first line it writes by itself: ``{"ready": true}`` or ``{"failed": "why"}``. ``{"refused": "why"}`` answers rules
which are outside the accepted grammar, do not compile or answer a sample wrongly; rules loaded before stay as they
were. ``{"unknown": true}`` answers a version which is not loaded (or was dropped: the last ``MAX_VERSIONS`` are
kept).
"""

import importlib
import json
import os
import resource
import signal
import sys
from collections import OrderedDict
from typing import Any, BinaryIO, Protocol, cast

MAX_VERSIONS = 8
MEMORY = 1024**3
SECONDS_PER_REQUEST = 20.0
_COMPARISONS = frozenset({"$neq", "$lt", "$lte", "$gt", "$gte"})
_LARGEST = 2**63 - 1
_PRIME = "$prime"

Json = dict[str, Any]


class Engine(Protocol):
    """What is used of the C module ``durable_rules_engine``."""

    def create_ruleset(self, name: str, rules: str) -> int: ...
    def delete_ruleset(self, handle: int) -> None: ...
    def assert_fact(self, handle: int, fact: str) -> tuple[int, int]: ...
    def start_action_for_state(self, handle: int, offset: int) -> tuple[str, str] | None: ...
    def complete_and_start_action(self, handle: int, offset: int) -> str | None: ...
    def delete_state(self, handle: int, sid: str) -> None: ...


class Refused(Exception):
    """These rules must not be used."""


def _is_field(name: object) -> bool:
    return isinstance(name, str) and name[:1] in ("s", "d") and name[1:].isdigit() and len(name) < 8


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST


def _check_part(part: Json, guarded: set[str]) -> None:
    """Accept ``{"$ex": {f: 1}}``, ``{f: x}``, ``{"$op": {f: x}}``; x an integer or ``{"$m": f2}``, fields guarded."""
    ((head, body),) = part.items()
    if head == "$ex":
        ((name, one),) = body.items()
        if not _is_field(name) or one != 1:
            raise Refused(f"not a guard: {part}")
        guarded.add(name)
        return
    if head in _COMPARISONS:
        ((head, body),) = body.items()
    names = [head]
    if isinstance(body, dict):
        ((word, name),) = body.items()
        if word != "$m":
            raise Refused(f"not a reference: {part}")
        names.append(name)
    elif not _is_integer(body):
        raise Refused(f"not an integer: {part}")
    if not all(_is_field(name) and name in guarded for name in names):
        raise Refused(f"a field without a guard: {part}")


def check_grammar(rule_set: Json) -> None:
    """Raise ``Refused`` for anything but the forms the engine is known to get right, whoever compiled it."""
    if not 1 <= len(rule_set) <= 40:
        raise Refused(f"{len(rule_set)} rules in a rule set")
    for name, rule in rule_set.items():
        try:
            if not name[:1].isalpha() or set(rule) != {"all"}:
                raise Refused("not a rule")
            (((alias, condition),),) = [list(entry.items()) for entry in rule["all"]]
            first, *parts = condition["$and"]
            if (
                alias != "m"
                or set(condition) != {"$and"}
                or set(first) != {"t"}
                or not isinstance(first["t"], str)
                or not parts
            ):
                raise Refused("not a condition")
            guarded: set[str] = set()
            for part in parts:
                _check_part(part, guarded)
        except Refused as error:
            raise Refused(f"{name}: {error}") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Refused(f"{name}: outside the grammar ({type(error).__name__})") from None


class RuleSet:
    """One compiled rule set, primed: the first fact of a fresh one would otherwise read uninitialised memory."""

    def __init__(self, engine: Engine, name: str, rules: Json) -> None:
        self.engine = engine
        rules = rules | {_PRIME: {"all": [{"m": {_PRIME: 1}}]}}
        self.handle = engine.create_ruleset(name, json.dumps(rules))
        if self.names(json.dumps({_PRIME: 1, "id": "1"})) != [_PRIME]:
            raise Refused("the engine does not start")

    def names(self, row: str) -> list[str]:
        """Return the names a row fires: one fact, one state, deleted at once so that nothing is kept between rows."""
        engine, found = self.engine, list[str]()
        _code, offset = engine.assert_fact(self.handle, row)
        try:
            first = engine.start_action_for_state(self.handle, offset)
            message = first[1] if first else None
            while message:
                found += json.loads(message)
                message = engine.complete_and_start_action(self.handle, offset)
        finally:
            engine.delete_state(self.handle, "0")
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Give the memory back."""
        self.engine.delete_ruleset(self.handle)


class Rules:
    """All rule sets of one version."""

    def __init__(self, engine: Engine, version: str, rule_sets: list[Json]) -> None:
        self.rule_sets: list[RuleSet] = []
        for rule_set in rule_sets:
            check_grammar(rule_set)
        try:
            for index, rule_set in enumerate(rule_sets):
                self.rule_sets.append(RuleSet(engine, f"{version}.{index}", rule_set))
        except BaseException:
            self.close()
            raise

    def names(self, row: str) -> list[str]:
        """Return each name once, sorted."""
        return sorted({name for rule_set in self.rule_sets for name in rule_set.names(row)})

    def close(self) -> None:
        """Give the memory back."""
        for rule_set in self.rule_sets:
            rule_set.close()


class Worker:
    """Answers requests; every failure becomes an answer."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.versions: OrderedDict[str, Rules] = OrderedDict()

    def answer(self, request: Json) -> Json:
        """Return the answer to one request."""
        if request["op"] == "load":
            return self.load(request["version"], request["rule_sets"], request["samples"])
        rules = self.versions.get(request["version"])
        if rules is None:
            return {"unknown": True}
        return {"rows": [self.row(rules, row) for row in request["rows"]]}

    def row(self, rules: Rules, row: str) -> list[str] | Json:
        """Evaluate one row; the engine's own errors concern only that row."""
        try:
            return rules.names(row)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:500]}

    def load(self, version: str, rule_sets: list[Json], samples: list[tuple[str, list[str]]]) -> Json:
        """Compile and try rules; only when all is well do they take their place among the versions."""
        try:
            rules = Rules(self.engine, version, rule_sets)
        except Exception as error:
            return {"refused": f"{type(error).__name__}: {error}"[:500]}
        for row, expected in samples:
            found = self.row(rules, row)
            if found != expected:
                rules.close()
                return {"refused": f"for {row} the engine says {found} instead of {expected}"[:500]}
        self.versions[version] = rules
        while len(self.versions) > MAX_VERSIONS:
            self.versions.popitem(last=False)[1].close()
        return {"loaded": True}


def _limit_resources() -> None:
    """Bound the memory, undo the parent's CPU limit, leave no core file, let a time-out kill even a loop in C."""
    for kind, wanted in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _private_output() -> BinaryIO:
    """Keep the pipe to the parent for answers only: whatever a library prints goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _say(output: BinaryIO, message: Json) -> None:
    output.write(json.dumps(message).encode() + b"\n")
    output.flush()


def main() -> None:
    """Serve until the input closes."""
    output = _private_output()
    _limit_resources()
    signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_REQUEST)
    try:
        worker = Worker(cast(Engine, importlib.import_module("durable_rules_engine")))
    except Exception as error:
        _say(output, {"failed": f"durable_rules cannot be loaded: {error}"[:500]})
        return
    _say(output, {"ready": True})
    signal.setitimer(signal.ITIMER_REAL, 0)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_REQUEST)
        request = json.loads(line)
        _say(output, worker.answer(request) | {"id": request["id"]})
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
    os._exit(0)  # the C library's own clean-up is not worth a crash
