"""The time limit of a call holds for every part of an answer, over real sockets."""

import gzip
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from connectors import Sent, TransportError
from connectors.calls import Call, TransportOptions
from connectors.redaction import Redactor
from connectors.transport import Transport

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SLOW, MANY = 0.05, 120  # six seconds in all, then the answer is right
OPTIONS = TransportOptions(read_seconds=5.0, total_seconds=0.5, attempts=1)


@contextmanager
def answering(*parts: bytes):
    """The address of a server that sends ``parts`` one by one, slowly, to whoever calls it, and those it got rid of."""
    sent: list[bytes] = []

    def serve() -> None:
        try:
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                for part in parts:
                    connection.sendall(part)
                    sent.append(part)
                    time.sleep(SLOW if len(parts) > 1 else 0)
        except OSError:
            pass  # the caller has had enough

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", sent
        thread.join()


def send(url: str) -> object:
    return Transport("x", url, Redactor({}), options=OPTIONS).send(Call(operation="x", method="POST", path="/v1/x"))


@pytest.mark.parametrize(
    "parts",
    [
        [*[bytes([byte]) for byte in b"HTTP/1.1 200 " + b"O" * MANY], b"\r\nContent-Length: 2\r\n\r\n{}"],
        [b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * MANY, b"Content-Length: 2\r\n\r\n{}"],
        [*[b"HTTP/1.1 100 Continue\r\n\r\n"] * MANY, END],
        [CHUNKED, *[b"0"] * MANY, b"2\r\n{}\r\n0\r\n\r\n"],
        [CHUNKED, b"2\r\n{}\r\n0\r\n", *[b"X: y\r\n"] * MANY, b"\r\n"],
        [END[:-2].replace(b": 2", b": %d" % (MANY + 2)), *[b" "] * MANY, b"{}"],
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", *[gzip.compress(b"")] * MANY, gzip.compress(b"{}")],
    ],
    ids=["status", "headers", "continue", "chunk size", "trailers", "body", "packed nothing"],
)
def test_answer_that_trickles_ends_with_the_time_of_the_call(parts):
    with answering(*parts) as (url, sent), pytest.raises(TransportError, match="no answer in time") as caught:
        send(url)
    assert len(sent) < len(parts)
    assert caught.value.sent is Sent.UNKNOWN and caught.value.may_have_acted


def test_answer_with_a_header_nobody_may_send_leaves_open_whether_the_call_acted():
    twice = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}abc"
    with answering(twice) as (url, _sent), pytest.raises(TransportError) as caught:
        send(url)
    assert caught.value.sent is Sent.UNKNOWN and caught.value.may_have_acted
