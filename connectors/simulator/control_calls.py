"""The strings of control.py as calls under ``/_control``.

Bodies are JSON, or the fields of a form (which is answered by a redirection to the page).

| call | body |
|---|---|
| ``GET  state`` | everything there is, except the log |
| ``POST reset`` | empties the book, the log and the faults, and sets the clock right |
| ``POST seed`` | ``{"name": "demo"}``, ``{"generate": 100000}`` or ``{"data": {…}}`` as in seeding.py |
| ``POST covers/change`` | ``{"share": 0.01, "statusCode"?, "factor"?, "gradeBy"?}``: every n-th of all covers |
| ``POST clock`` | ``{"seconds"}`` go by at once; 0 sets the clock right |
| ``POST tick`` · ``GET/POST scenario`` | see scenarios.py |
| ``POST buyers/{id}/own-reference`` | ``{"reference"}``, the policyholder's own number of the buyer |
| ``POST buyers/{id}/grade`` | ``{"value", "gradedOn"?}`` |
| ``POST buyers/{id}/cover`` | ``{"statusCode"?, "amount"?, "effectiveFrom"?, "effectiveTo"?, "conditions"?,`` |
|  | ``"announcements"?, "policyNumber"?}`` |
| ``POST buyers/{id}/withdraw`` | ``{"inDays"?}`` |
| ``POST buyers/{id}/reduce`` | ``{"amount", "inDays"?}`` |
| ``POST buyers/{id}/notify`` | ``{"kind"?, "message"?}`` |
| ``POST cover-requests/{id}/decide`` | ``{"decision": "APPROVED" or "PARTIAL" or "REFUSED", "amount"?, "message"?}`` |
| ``POST buyer-numbers/{id}/give`` | ``{"buyerId"?, "message"?, "refuse"?}`` |
| ``POST reports/{id}/deliver`` | ``{"message"?, "refuse"?}`` |
| ``POST extensions/{number}/answer`` | ``{"decision": "AGREED" or "REFUSED", "message"?}`` |
| ``POST plans/{number}/answer`` | ``{"decision": "AGREED" or "REFUSED", "message"?}`` |
| ``POST collections/{number}/advance`` | ``{"to"?, "recovered"?, "costs"?, "approvedCosts"?, "message"?}`` |
| ``GET  claims`` | ``?reference=``; ``{"count", "claims"}`` |
| ``GET  sent/{kind}`` | ``?reference=``; ``{"count", "sent"}`` |
| ``POST claims/{number}/advance`` | ``{"to"?, "amount"?, "message"?}`` |
| ``POST claims/advance`` | moves every claim one step on |
| ``POST webhooks`` · ``webhooks/remove`` | ``{"url", "secret"?, "interface"?}`` · ``{"url"}`` |
| ``POST webhooks/wake`` | ``{"kind"?, "buyerId"?, "requestId"?}`` calls them now |
| ``GET  deliveries`` | the calls made to them |
| ``GET  requests`` · ``POST requests/clear`` | the last calls received, oldest first |
| ``GET/POST faults`` · ``POST faults/clear`` | see faults.py |
| ``POST tokens/expire`` | all tokens end now |
"""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

from .control import Control
from .faults import Fault
from .scenarios import Scenarios
from .store import Row
from .web import Answer, Handler, Refusal, Request, Router, json_answer

Action = Callable[..., object]
COVER_MEMBERS = ("statusCode", "amount", "effectiveFrom", "effectiveTo", "conditions", "announcements", "policyNumber")
OUTCOME = ("amount", "message")


class Strings:
    """Finds the string that a path pulls."""

    def __init__(self, control: Control) -> None:
        self.scenarios = Scenarios(self.pull, control.book.now)
        self.actions = {**_insurer_actions(control), **_stage_actions(control, self.scenarios)}

    def pull(self, path: str, body: Row) -> None:
        """Pull the string at ``path``, as a POST there does."""
        for pattern, act in self.actions.items():
            match = re.fullmatch(pattern.replace("{name}", "([^/]+)"), path)
            if match:
                act(body, *map(unquote, match.groups()))
                return
        raise Refusal(404, "no_such_control", f"There is no control {path!r}")


def mount(router: Router, control: Control) -> Strings:
    strings = Strings(control)
    for path, answer in _readings(control, strings.scenarios).items():
        router.add("GET", f"/_control/{path}", _reading(answer))
    for path, act in strings.actions.items():
        router.add("POST", f"/_control/{path}", _acting(act))
    return strings


def _readings(control: Control, scenarios: Scenarios) -> dict[str, Callable[..., Row]]:
    def sent(request: Request, kind: str, listed: str = "sent") -> Row:
        found = control.sent(kind, request.query.get("reference", ""))
        return {"count": len(found), listed: found}

    return {
        "state": lambda _request: control.state(),
        "claims": lambda request: sent(request, "claim", "claims"),
        "sent/{kind}": sent,
        "requests": lambda _request: {"requests": control.requests()},
        "deliveries": lambda _request: {"deliveries": control.deliveries()},
        "faults": lambda _request: {"faults": [asdict(fault) for fault in control.faults.waiting()]},
        "scenario": lambda _request: scenarios.state(),
    }


def _insurer_actions(control: Control) -> dict[str, Action]:
    """What the insurer's people do."""
    amounts = ("recovered", "costs", "approvedCosts")
    return {
        "claims/advance": lambda _body: control.advance_claims(),
        "claims/{name}/advance": lambda body, name: control.advance_claim(name, **_only(body, "to", *OUTCOME)),
        "buyers/{name}/own-reference": lambda body, name: control.set_own_reference(
            name, str(body.get("reference") or "")
        ),
        "buyers/{name}/grade": lambda body, name: control.set_grade(name, *_grade(body)),
        "buyers/{name}/cover": lambda body, name: control.set_cover(name, **_only(body, *COVER_MEMBERS)),
        "buyers/{name}/withdraw": lambda body, name: control.withdraw(name, **_snake(_days(body, "inDays"))),
        "buyers/{name}/reduce": lambda body, name: control.reduce(name, **_snake(_days(body, "amount", "inDays"))),
        "buyers/{name}/notify": lambda body, name: control.notify(name, **_only(body, "kind", "message")),
        "cover-requests/{name}/decide": lambda body, name: control.decide(name, **_only(body, "decision", *OUTCOME)),
        "buyer-numbers/{name}/give": lambda body, name: control.give_number(
            name, **_snake(_only(body, "buyerId", "message", "refuse"))
        ),
        "reports/{name}/deliver": lambda body, name: control.deliver_report(name, **_only(body, "message", "refuse")),
        "extensions/{name}/answer": lambda body, name: control.answer_extension(
            name, **_only(body, "decision", "message")
        ),
        "plans/{name}/answer": lambda body, name: control.answer_plan(name, **_only(body, "decision", "message")),
        "collections/{name}/advance": lambda body, name: control.advance_collection(
            name, **_snake(_only(body, "to", "message", *amounts))
        ),
    }


def _stage_actions(control: Control, scenarios: Scenarios) -> dict[str, Action]:
    """What nobody at the insurer does."""
    return {
        "reset": lambda _body: _reset(control, scenarios),
        "seed": lambda body: control.seed(**_only(body, "name", "generate", "data")),
        "clock": lambda body: control.move_clock(_number(body, "seconds")),
        "covers/change": lambda body: control.change_share(
            _number(body, "share"),
            *(str(body.get("statusCode") or ""), _number(body, "factor", 1.0), int(_number(body, "gradeBy"))),
        ),
        "tick": lambda _body: scenarios.tick(),
        "scenario": scenarios.load,
        "requests/clear": lambda _body: control.log.clear(),
        "faults": lambda body: control.faults.add(Fault.read(body)),
        "faults/clear": lambda _body: control.faults.clear(),
        "tokens/expire": lambda _body: control.book.expire_tokens(),
        "webhooks": lambda body: control.add_webhook(**_only(body, "url", "secret", "interface")),
        "webhooks/remove": lambda body: control.remove_webhook(**_only(body, "url")),
        "webhooks/wake": lambda body: control.wake(**_snake(_only(body, "kind", "buyerId", "requestId"))),
    }


def _reset(control: Control, scenarios: Scenarios) -> None:
    scenarios.clear()
    control.reset()


def _reading(answer: Callable[..., Row]) -> Handler:
    return lambda request, **names: json_answer(answer(request, *names.values()))


def _acting(act: Action) -> Handler:
    def handle(request: Request, **names: str) -> Answer:
        act(request.members() if request.body else {}, *names.values())
        return Answer(303, headers={"Location": "/"}) if request.is_form else json_answer({"done": True})

    return handle


def _only(body: Row, *names: str) -> Row:
    unknown = set(body) - set(names)
    if unknown:
        raise Refusal(422, "unknown_member", f"not known here: {', '.join(sorted(unknown))}")
    return body


def _snake(body: Row) -> Row:
    return {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in body.items()}


def _days(body: Row, *names: str) -> Row:
    """The body with its ``inDays`` as a number, whether it came as JSON or from a form."""
    _only(body, *names)
    if "amount" in names and body.get("amount") is None:
        raise Refusal(422, "missing", "amount is missing")
    return {**body, "inDays": int(_number(body, "inDays"))}


def _number(body: Row, name: str, default: float = 0.0) -> float:
    try:
        return float(body.get(name, default))
    except (TypeError, ValueError) as exc:
        raise Refusal(422, "bad_number", f"{name}: {body.get(name)!r} is no number") from exc


def _grade(body: Row) -> tuple[str, Any]:
    if not str(_only(body, "value", "gradedOn").get("value", "")).strip():
        raise Refusal(422, "missing", "value is missing")
    return str(body["value"]).strip(), body.get("gradedOn", 0)
