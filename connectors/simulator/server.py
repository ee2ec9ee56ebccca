"""The simulator as an HTTP server: sockets, faults on the wire, who may pull the strings."""

import ipaddress
import logging
import socket
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import control_calls
from .control import Control
from .faults import Fault, Kind
from .interfaces import Interface
from .pages import page
from .web import Answer, Refusal, Request, Router, refusal_answer

_logger = logging.getLogger(__name__)

MAX_REQUEST = 40 * 1024 * 1024
IDLE_SECONDS = 120
TRICKLE_PIECES = 50


class Server(ThreadingHTTPServer):
    """Serves the insurer's interfaces, its controls and its page on one address.

    Stopping closes the connections that are open, too: a stopped simulator answers nobody.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], control: Control, interfaces: list[Interface]) -> None:
        self.control = control
        self.router = Router()
        for interface in interfaces:
            interface.mount(self.router)
        self.prefixes = tuple(f"{interface.prefix}/" for interface in interfaces)
        self._refusals = {f"{item.prefix}/": getattr(item, "refuse", refusal_answer) for item in interfaces}
        self.strings = control_calls.mount(self.router, control)
        self.router.add("GET", "/", lambda _request: page(control))
        self.stopping = threading.Event()
        self.last_answers: dict[str, Answer] = {}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    @property
    def url(self) -> str:
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def refuse(self, request: Request, refusal: Refusal) -> Answer:
        """``refusal`` in the form of the interface that the request is for."""
        for prefix, refuse in self._refusals.items():
            if request.path.startswith(prefix):
                answer: Answer = refuse(refusal)
                return answer
        return refusal_answer(refusal)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        self.stopping.set()
        super().server_close()
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            _logger.exception("unexpected")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _handle(self) -> None:
        try:
            request = self._read()
        except Refusal as refusal:
            self.close_connection = True  # what is left of the body must not be taken for a request
            self._send(refusal_answer(refusal))
            return
        if self.server.stopping.is_set():
            self.close_connection = True
        elif request.path.startswith(self.server.prefixes):
            self.server.strings.scenarios.called(request.path)
            self._serve(request, self.server.control.faults.take(request))
        else:
            self._send(self._answer(request))

    def _read(self) -> Request:
        parts = urllib.parse.urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            raise Refusal(411, "no_length", "Send a Content-Length")
        if int(length) > MAX_REQUEST:
            raise Refusal(413, "too_large", f"At most {MAX_REQUEST} bytes")
        body = self.rfile.read(int(length))
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, parts.path, query, headers, body)

    def _answer(self, request: Request) -> Answer:
        try:
            self._check_origin(request)
            self.server.control.catch_up()
            return self.server.router.answer(request)
        except Refusal as refusal:
            return self.server.refuse(request, refusal)
        except Exception:
            if not self.server.stopping.is_set():  # a book closed in the middle of a call is no bug
                _logger.exception("%s %s", request.method, request.path)
            return self.server.refuse(request, Refusal(500, "bug", "The simulator failed; see its output"))

    # --- Faults -------------------------------------------------------------------------------------------------

    def _serve(self, request: Request, fault: Fault | None) -> None:
        """Carry out a call of the interface, well or as badly as ``fault`` wants."""
        if fault and fault.kind is Kind.EXPIRE_TOKENS:
            self.server.control.book.expire_tokens()
        if fault and fault.when == "before" and fault.kind is not Kind.TRICKLE:
            self.server.stopping.wait(fault.seconds)
        if self.server.stopping.is_set():
            self.close_connection = True
            return
        answer = Answer(204) if fault and fault.prevents else self._answer(request)
        if fault and fault.when == "after" and fault.kind is not Kind.TRICKLE:
            self.server.stopping.wait(fault.seconds)
        if fault:
            answer = self._spoilt(request, answer, fault)
        self.server.last_answers[request.path] = answer
        self._note(request, answer, fault)
        self._send(answer, fault)

    def _spoilt(self, request: Request, answer: Answer, fault: Fault) -> Answer:
        try:
            last = self.server.last_answers.get(request.path)
            return fault.spoil(answer, last, lambda refusal: self.server.refuse(request, refusal))
        except (LookupError, TypeError, ValueError, SyntaxError):
            _logger.exception("the fault %s does not fit the answer to %s", fault.kind, request.path)
            return answer

    def _note(self, request: Request, answer: Answer, fault: Fault | None) -> None:
        self.server.control.log.append(
            {
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "status": None if fault and fault.is_mute else answer.status,
                "fault": fault.kind if fault else "",
                "correlationId": request.headers.get("x-correlation-id", ""),
                "idempotencyKey": request.headers.get("idempotency-key", ""),
            }
        )

    def _send(self, answer: Answer, fault: Fault | None = None) -> None:
        if fault and fault.is_mute:
            self.close_connection = True
            _shut(self.connection)
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.content)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self._write(answer.content, fault)

    def _write(self, content: bytes, fault: Fault | None) -> None:
        if fault and fault.kind is Kind.TRUNCATE:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            _shut(self.connection)
        elif fault and fault.kind is Kind.TRICKLE:
            piece = len(content) // TRICKLE_PIECES + 1
            for start in range(0, len(content), piece):
                self.wfile.write(content[start : start + piece])
                self.server.stopping.wait(fault.seconds / TRICKLE_PIECES)
        else:
            self.wfile.write(content)

    # --- Who may pull the strings ---------------------------------------------------------------------------------

    def _check_origin(self, request: Request) -> None:
        """A page on another site must not read the controls or post to them through a visitor's browser.

        The ``Host`` must be ours (a name rebound to this machine is not), a request that a browser marks as coming
        from elsewhere is refused, and a form must be marked as coming from here.
        """
        if request.path.startswith(self.server.prefixes):
            return
        host = request.headers.get("host", "")
        if is_loopback(str(self.server.server_address[0])) and not is_loopback(_host_name(host)):
            raise Refusal(403, "foreign_host", "This address is not ours")
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "none")
        if origin not in (None, f"http://{host}") or (request.method != "GET" and site not in ("none", "same-origin")):
            raise Refusal(403, "foreign_origin", "Requests from other sites are refused")
        if request.is_form and origin is None and site != "same-origin":
            raise Refusal(403, "foreign_origin", "A form must come from our own page")

    def date_time_string(self, timestamp: float | None = None) -> str:
        """For the header ``Date``: the time by the insurer's clock."""
        return super().date_time_string(self.server.control.book.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        _logger.info("%s %s", self.address_string(), format % args)


def is_loopback(host: str) -> bool:
    """Whether ``host`` can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host_name(host: str) -> str:
    try:
        return urllib.parse.urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side was faster
