"""The one place where this package touches the network.

::

    Call ──> Transport.send ──> limiter ──> attempt ──> judge ──> Answer
                   ^                           |          |
                   |                       Exchange    an error of the tree in errors.py
                   └── wait (backoff, Retry-After) ──┘

What it guarantees: a time limit on everything; TLS verified; no redirect followed and no cookie kept (both would
carry credentials elsewhere); a call repeated only when it certainly was not carried out or is ``repeatable``, and for
an answer that came damaged only when it merely reads; at most ``max_bytes`` read; every attempt logged and handed to
``on_exchange``; no secret in any of it.
"""

import logging
import random
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from itertools import count
from typing import Protocol

import requests
import urllib3

from .calls import Answer, Call, Exchange, TransportOptions
from .deadline import Deadline, LimitedAdapter
from .errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    RateLimited,
    RejectedByInsurer,
    Sent,
    TransportError,
    UnexpectedResponse,
)
from .jsondoc import Node, ShapeError, decode, shorten
from .network import is_set_up_wrong, never_left, plain_reason, retry_after
from .redaction import Redactor
from .urls import checked_base_url, origin

_logger = logging.getLogger(__name__)

CHUNK = 64 * 1024
LONGEST_SECRET = 16 * 1024
BAD_HEADER = "a header holds characters that no header may hold"
RETRYABLE = {408, 500, 502, 503, 504}
OK, PARTIAL = 200, 206  # with a body, the whole of a list or a page of it
Explain = Callable[[Node], tuple[str, str]]
Objection = Callable[[Answer], None]


class RateLimiter(Protocol):
    """Asked before every attempt; returns when the call may leave, or raises ``RateLimited``."""

    def acquire(self, operation: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the surroundings lend to the transport; tests replace the clock, the dice and the ids.

    ``on_exchange`` gets every attempt. It must not fail: what it raises is logged and dropped, because an answer that
    could not be recorded is still the insurer's answer.
    """

    on_exchange: Callable[[Exchange], None] | None = None
    limiter: RateLimiter | None = None
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())


@dataclass(slots=True)
class _Reply:
    """Status, headers and body of an answer, whatever they say."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


class _AnswerTooLarge(Exception):
    pass


class Transport:
    """Sends calls to one insurer at one address.

    :param insurer: code of the connector, for errors and records.
    :param base_url: ``https://host/prefix``; plain ``http`` on this machine only, unless ``options.allow_http``.
    :param redactor: knows the secrets; the connector adds tokens to it as they are issued.
    :param explain: reads (code, words) from the insurer's JSON error document.
    :param origins: addresses besides ``base_url`` at whose hosts calls may go; each is held to the same rules.
    :param objection: looks at every answer, whatever its HTTP status, before anybody else, and raises the error that
        it stands for: for insurers that say no with HTTP 200, or with one status for everything.
    """

    def __init__(
        self,
        insurer: str,
        base_url: str,
        redactor: Redactor,
        *,
        explain: Explain | None = None,
        options: TransportOptions | None = None,
        hooks: Hooks | None = None,
        origins: Iterable[str] = (),
        objection: Objection | None = None,
    ) -> None:
        self.insurer = insurer
        self._options = options or TransportOptions()
        allow_http = self._options.allow_http
        self.base_url = checked_base_url(insurer, base_url, allow_http=allow_http)
        checked = (checked_base_url(insurer, origin(url), allow_http=allow_http) for url in origins)
        self._origins = {origin(self.base_url), *checked}
        self._objection = objection
        self._redactor = redactor
        self._explain = explain
        self.hooks = hooks or Hooks()
        self._deadline = Deadline(self.hooks.clock)
        self._session = self._open_session()

    def __repr__(self) -> str:
        return f"Transport({self.insurer!r}, {self.base_url!r})"

    def close(self) -> None:
        self._session.close()

    def send(self, call: Call) -> Answer:
        """Carry ``call`` out, repeating it where that is safe.

        :raises ConnectorError: any of the tree in ``errors`` except ``NotSupported``.
        """
        request_id = self.hooks.new_id()
        deadline = self.hooks.clock() + self._options.total_seconds
        acted = False
        for attempt in count(1):
            answer = None
            self._admit(call, acted)
            try:
                answer = self._attempt(call, request_id, attempt, deadline)
                self._check_whole(call, answer)
                return answer
            except ConnectorError as error:
                # What an attempt may have done, the failure of a later one does not undo.
                error.may_have_acted = acted = acted or error.may_have_acted
                wait = self._wait_before_repeating(call, error, attempt)
                if wait is None or self.hooks.clock() + wait >= deadline:
                    if answer is not None:  # whoever reads it says best what is wrong with it
                        return answer
                    raise
                _logger.info("%s %s: again in %.1f s after %s", self.insurer, call.operation, wait, error)
                self.hooks.sleep(wait)
        raise AssertionError("unreachable")

    # --- Repeating --------------------------------------------------------------------------------------------

    def _check_whole(self, call: Call, answer: Answer) -> None:
        """:raises TransportError: what was to be read came damaged."""
        if call.reads is None or answer.status not in (OK, PARTIAL):
            return
        try:
            call.reads(answer.content)
        except ShapeError as exc:
            message = f"a damaged answer: {shorten(self._redactor.text(exc.problem))}"
            raise TransportError(
                message, insurer=self.insurer, retryable=True, sent=Sent.YES, request_id=answer.request_id
            ) from None

    def _admit(self, call: Call, acted: bool) -> None:
        """Ask our own limiter. Its no is final: the caller has other things to do than to wait here."""
        if self.hooks.limiter is None:
            return
        try:
            self.hooks.limiter.acquire(call.operation)
        except ConnectorError as error:
            error.may_have_acted = acted
            raise

    def _wait_before_repeating(self, call: Call, error: ConnectorError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt, ``None`` when there must be none."""
        if not isinstance(error, TransportError) or not error.retryable or attempt >= self._options.attempts:
            return None
        if error.may_have_acted and not call.repeatable:
            return None
        if error.retry_after is not None:
            return error.retry_after
        wait = min(self._options.backoff_max_seconds, self._options.backoff_seconds * 2.0 ** (attempt - 1))
        return wait * (1 - self.hooks.random() / 2)

    def _url(self, call: Call) -> str:
        if {".", ".."} & set(urllib.parse.urlsplit(call.path).path.split("/")):
            # On the way these would become the path of another operation.
            message = f"{shorten(call.path)} holds an identifier that no address can hold; nothing was sent"
            raise UnexpectedResponse(self._redactor.text(message), insurer=self.insurer)
        if call.path.startswith("/") or not call.path:
            return self.base_url + call.path
        if origin(call.path) not in self._origins:
            message = f"{shorten(call.path)} lies outside the insurer's addresses; nothing was sent"
            raise UnexpectedResponse(self._redactor.text(message), insurer=self.insurer)
        return call.path

    # --- One attempt ------------------------------------------------------------------------------------------

    def _attempt(self, call: Call, request_id: str, attempt: int, deadline: float) -> Answer:
        headers = self._headers(call, request_id)
        exchange = self._open_exchange(call, request_id, attempt, headers)
        started = self.hooks.clock()
        try:
            reply = self._exchange(call, headers, deadline)
        except (urllib3.exceptions.HTTPError, OSError, _AnswerTooLarge) as exc:
            error = self._network_error(exc, request_id)
            self._record(replace(exchange, error=error.message), started)
            raise error from exc
        self._record(self._with_reply(exchange, reply), started)
        return self._judge(reply, request_id)

    def _exchange(self, call: Call, headers: Mapping[str, str], deadline: float) -> _Reply:
        self._deadline.at = deadline
        left = max(0.001, self._deadline.left())
        response = self._session.request(
            call.method,
            self._url(call),
            params=dict(call.query),
            data=call.body,
            headers=dict(headers),
            timeout=min(self._options.read_seconds, left),
            stream=True,
            allow_redirects=False,
            verify=self._options.ca_bundle or True,
        )
        with response:
            return _Reply(response.status_code, response.headers, self._read_body(response))

    def _read_body(self, response: requests.Response) -> bytes:
        """The decoded body. ``read1`` returns whatever arrived, so that one that is too large ends early."""
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            parts.append(chunk)
            size += len(chunk)
            if size > self._options.max_bytes:
                raise _AnswerTooLarge(f"the answer is larger than {self._options.max_bytes} bytes")
        return b"".join(parts)

    def _headers(self, call: Call, request_id: str) -> dict[str, str]:
        headers = {"Accept": "application/json", self._options.correlation_header: request_id}
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        headers |= dict(call.headers)
        try:
            "".join(headers.values()).encode("latin-1")
        except UnicodeEncodeError:
            raise ConfigurationError(BAD_HEADER, insurer=self.insurer, request_id=request_id) from None
        return headers

    # --- What an attempt means ----------------------------------------------------------------------------------

    def _network_error(self, exc: Exception, request_id: str) -> ConnectorError:
        if isinstance(exc, requests.RequestException):
            exc.request = None  # it holds the headers, and error reporters print what they find
        if isinstance(exc, requests.exceptions.InvalidHeader) and not _came_in(exc):
            exc.args = (BAD_HEADER,)  # the original quotes its value
            return ConfigurationError(BAD_HEADER, insurer=self.insurer, request_id=request_id)
        if isinstance(exc, _AnswerTooLarge):
            return UnexpectedResponse(str(exc), insurer=self.insurer, request_id=request_id)
        message = shorten(self._redactor.text(f"{plain_reason(exc)} ({type(exc).__name__})"))
        if is_set_up_wrong(exc):
            return ConfigurationError(message, insurer=self.insurer, request_id=request_id)
        sent = Sent.NO if never_left(exc) else Sent.UNKNOWN
        return TransportError(message, insurer=self.insurer, retryable=True, sent=sent, request_id=request_id)

    def _judge(self, reply: _Reply, request_id: str) -> Answer:
        status, about = reply.status, {"insurer": self.insurer, "request_id": request_id}
        answer = Answer(self.insurer, request_id, status, reply.headers, reply.content, self._redactor.text)
        if self._objection:
            self._objection(answer)
        if 200 <= status < 300:
            return answer
        code, words = self._error_words(reply)
        wait = retry_after(reply.headers.get("Retry-After"), self.hooks.now())
        if status in (401, 403):
            raise AuthenticationError(f"HTTP {status}: {words}", status=status, **about)
        if status == 429:
            raise RateLimited("HTTP 429: too many calls", retry_after=wait, **about)
        if status >= 500 or status in RETRYABLE:
            retryable = status in RETRYABLE
            message = f"HTTP {status}: {words}"
            raise TransportError(message, retryable=retryable, sent=Sent.YES, retry_after=wait, **about)
        if status >= 400:
            raise RejectedByInsurer(code=code, words=words, status=status, **about)
        raise UnexpectedResponse(f"HTTP {status} is neither success nor error; redirects are not followed", **about)

    def _error_words(self, reply: _Reply) -> tuple[str, str]:
        """Code and explanation of an error answer; whatever text came when it has not the insurer's error shape."""
        text = reply.content.decode("utf-8", "replace")
        code, words = "", text
        if self._explain:
            try:
                code, words = self._explain(decode(reply.content))
            except ShapeError:
                pass
        return self._redactor.text(code), shorten(self._redactor.text(words).strip() or "no explanation")

    # --- Record -------------------------------------------------------------------------------------------------

    def _open_exchange(self, call: Call, request_id: str, attempt: int, headers: Mapping[str, str]) -> Exchange:
        query = f"?{urllib.parse.urlencode(call.query)}" if call.query else ""
        return Exchange(
            insurer=self.insurer,
            operation=call.operation,
            request_id=request_id,
            attempt=attempt,
            started_at=self.hooks.now(),
            seconds=0.0,
            method=call.method,
            url=self._redactor.text(f"{self._url(call)}{query}"),
            request_headers=self._redactor.headers(headers),
            request_body=self._recorded(call.body or b""),
        )

    def _with_reply(self, exchange: Exchange, reply: _Reply) -> Exchange:
        headers = self._redactor.headers(reply.headers)
        body = self._recorded(reply.content)
        return replace(exchange, status=reply.status, response_headers=headers, response_body=body)

    def _recorded(self, content: bytes) -> str:
        """Redacted before it is cut, with a margin, so that no secret survives in half. Spared when nobody listens."""
        if self.hooks.on_exchange is None:
            return ""
        limit = self._options.recorded_chars
        text = content[: 4 * limit + LONGEST_SECRET].decode("utf-8", "replace")[: limit + LONGEST_SECRET]
        return shorten(self._redactor.text(text), limit)

    def _record(self, exchange: Exchange, started: float) -> None:
        exchange = replace(exchange, seconds=self.hooks.clock() - started)
        outcome = exchange.status or exchange.error
        _logger.info(
            "%s %s %s %s: %s in %.3f s, attempt %d, request %s",
            *(exchange.insurer, exchange.operation, exchange.method, exchange.url),
            *(outcome, exchange.seconds, exchange.attempt, exchange.request_id),
        )
        if self.hooks.on_exchange:
            try:
                self.hooks.on_exchange(exchange)
            except Exception:
                _logger.exception("%s: exchange %s was not recorded", self.insurer, exchange.request_id)

    def _open_session(self) -> requests.Session:
        session = requests.Session()
        session.headers["User-Agent"] = "odoo-credit-insurance"
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.auth = _keep_authorization
        for scheme in ("https://", "http://"):
            session.mount(scheme, LimitedAdapter(self._options.connect_seconds, self._deadline))
        return session


def _came_in(exc: requests.exceptions.InvalidHeader) -> bool:
    """Whether the header is one of the answer: then the call was sent."""
    return bool(exc.args) and isinstance(exc.args[0], urllib3.exceptions.InvalidHeader)


def _keep_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without an ``auth`` of our own, requests would put a matching entry of ``~/.netrc`` over our header."""
    return request
