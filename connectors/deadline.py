"""A time limit over all that is read of an answer: status line, headers, body, trailers.

A socket's own limit counts from byte to byte, and an answer may begin with any number of "100 Continue": a server that
trickles, or that never comes to the point, meets neither.
"""

import io
import math
import socket
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPResponse
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline(threading.local):
    """When what a thread reads has to be complete, by ``clock``; never, unless somebody says so."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.at = math.inf

    def left(self) -> float:
        return self.at - self._clock()


class LimitedAdapter(HTTPAdapter):
    """Keeps all that is read to ``deadline``, and gives connecting a limit of its own.

    ``Session.request`` gets one number, not ``requests``' pair, because Odoo's test base compares it with a number.
    """

    def __init__(self, connect_seconds: float, deadline: Deadline) -> None:
        self._connect_seconds = connect_seconds
        self._pools = _pools(deadline)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        limits = (min(self._connect_seconds, timeout), timeout)
        return super().send(request, stream, limits, verify, cert, proxies)


class _Incoming(io.RawIOBase):
    """What a socket receives, as long as there is time left."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._between_bytes = sock.gettimeout() or math.inf
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        limit = min(self._between_bytes, left)
        self._sock.settimeout(None if limit == math.inf else limit)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _pools(deadline: Deadline) -> dict[str, Any]:
    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp.close()
            self.fp = io.BufferedReader(_Incoming(sock, deadline))

    class Plain(HTTPConnection):
        response_class = Response

    class Tls(HTTPSConnection):
        response_class = Response

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}
