"""The little of HTTP that the simulator's own code sees: requests, answers, refusals, routes."""

import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Object = dict[str, Any]


class Refusal(Exception):
    """The call is refused: answered with ``status`` and ``{"error": {"code", "message"}}``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose body has been read. Header names are lower case; of a repeated query key the last counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    def members(self) -> Object:
        """The body as an object: JSON, or the fields of a form without those left empty."""
        if self.is_form:
            return dict(urllib.parse.parse_qsl(self.body.decode("utf-8", "replace")))
        if not self.headers.get("content-type", "").startswith("application/json"):
            raise Refusal(415, "not_json", "Content-Type must be application/json")
        try:
            members = json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError) as exc:
            raise Refusal(400, "bad_json", f"The body is not JSON: {exc}") from exc
        if not isinstance(members, dict):
            raise Refusal(400, "bad_json", "The body must be an object")
        return members


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value, default=str, ensure_ascii=False).encode(), headers=headers)


def refusal_answer(refusal: Refusal) -> Answer:
    return json_answer({"error": {"code": refusal.code, "message": refusal.message}}, refusal.status)


Handler = Callable[..., Answer]


class Router:
    """Finds the handler of a request. ``{name}`` in a pattern is one segment, handed over unquoted as a keyword."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        self._routes.append((method, re.compile(expression), handler))

    def answer(self, request: Request) -> Answer:
        allowed = set()
        for method, expression, handler in self._routes:
            match = expression.fullmatch(request.path)
            if match and method == request.method:
                return handler(request, **{k: urllib.parse.unquote(v) for k, v in match.groupdict().items()})
            if match:
                allowed.add(method)
        if allowed:
            raise Refusal(405, "method_not_allowed", f"Only {', '.join(sorted(allowed))} is allowed here")
        raise Refusal(404, "no_such_route", f"There is nothing at {request.path}")
