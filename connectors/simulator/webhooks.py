"""Waking up policyholders: a POST to every registered address when something was decided or has changed.

The body says where to look, not what is there: ``{"kind", "buyerIds", "requestIds"}``. With a secret, the header
``X-Signature-256`` is ``sha256=`` and the hexadecimal HMAC-SHA256 of the body; without, the address itself has to be
the secret. An address belongs to the interface it was registered by; the interface may word its calls in its own way
(``WORDINGS``). Calls are made by a thread of their own, tried ``ATTEMPTS`` times and recorded; nobody waits for them.
"""

import hashlib
import hmac
import json
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from .store import Row, Store
from .submissions import Event, Submissions
from .web import Refusal

ATTEMPTS = 3
TIMEOUT = 5.0
SIGNATURE = "X-Signature-256"
KINDS = (
    *("COVER_REQUEST_DECIDED", "COVER_CHANGED", "GRADE_CHANGED", "CLAIM_MOVED", "REPORT_MOVED"),
    *("COLLECTION_MOVED", "EXTENSION_MOVED", "PLAN_MOVED", "BUYER_NUMBER_GIVEN"),
)

# By interface: the body of its call for an event, None when it makes none.
WORDINGS: dict[str, Callable[[Event], bytes | None]] = {}
METHODS: dict[str, str] = {}  # where it is not POST


class Webhooks:
    """:param retry_seconds: between the attempts of one call."""

    def __init__(self, book: Submissions, *, retry_seconds: float = 2.0) -> None:
        self._book = book
        self._retry_seconds = retry_seconds
        self._queue: queue.SimpleQueue[tuple[Row, str, bytes] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._waiting = 0
        self._thread = threading.Thread(target=self._work, daemon=True)
        book.listeners.append(self.tell)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(TIMEOUT + 1)

    def tell(self, event: Event) -> None:
        """Have every registered address called; returns at once."""
        if event.kind not in KINDS:
            return
        for hook in self._book.store.rows("SELECT * FROM webhook ORDER BY id"):
            body = WORDINGS.get(hook["interface"], own_words)(event)
            if body is not None:
                with self._idle:
                    self._waiting += 1
                self._queue.put((hook, event.kind, body))

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until every call has been made; for tests."""
        with self._idle:
            return self._idle.wait_for(lambda: self._waiting == 0, seconds)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None and not self._stopping.is_set():
            hook, kind, body = job
            for attempt in range(1, ATTEMPTS + 1):
                status, error = _post(hook, body)
                if self._stopping.is_set():
                    return
                self._record(hook["url"], kind, body, attempt, status, error)
                if status is not None and status < 400 or attempt == ATTEMPTS:
                    break
                self._stopping.wait(self._retry_seconds)
            with self._idle:
                self._waiting -= 1
                self._idle.notify_all()

    def _record(self, url: str, kind: str, body: bytes, attempt: int, status: int | None, error: str) -> None:
        row = {"url": url, "kind": kind, "body": body.decode("utf-8", "replace"), "attempt": attempt}
        moment = self._book.now().isoformat()
        self._book.store.insert("delivery", [{**row, "sent_at": moment, "status": status, "error": error}])


def register(
    store: Store, url: str, secret: str = "", *, interface: str = "sandbox", headers: Mapping[str, str] | None = None
) -> None:
    """Call ``url`` from now on; the same address again replaces its secret and its ``headers``."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise Refusal(422, "bad_url", f"{url!r} is no address to call")
    row: dict[str, Any] = {"url": url, "secret": secret, "interface": interface, "headers": json.dumps(headers or {})}
    with store.transaction():
        store.run("DELETE FROM webhook WHERE url = ?", url)
        store.insert("webhook", [row])


def forget(store: Store, url: str) -> None:
    store.run("DELETE FROM webhook WHERE url = ?", url)


def own_words(event: Event) -> bytes:
    body = {
        "kind": event.kind,
        "buyerIds": [event.buyer_id] if event.buyer_id else [],
        "requestIds": [event.request_id] if event.request_id else [],
    }
    return json.dumps(body).encode()


def _post(hook: Row, body: bytes) -> tuple[int | None, str]:
    """(status, error) of one call; a redirection counts as an answer and is not followed."""
    headers = {"Content-Type": "application/json", **json.loads(hook["headers"])}
    if hook["secret"]:
        headers[SIGNATURE] = "sha256=" + hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()
    method = METHODS.get(hook["interface"], "POST")
    request = urllib.request.Request(hook["url"], body or None, headers, method=method)
    try:
        with _OPENER.open(request, timeout=TIMEOUT) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as exc:
        exc.close()
        return exc.code, str(exc.reason)
    except urllib.error.URLError as exc:
        return None, getattr(exc.reason, "strerror", None) or str(exc.reason)
    except (OSError, ValueError) as exc:
        return None, str(exc)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))
