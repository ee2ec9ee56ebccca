"""Child processes that outlive a call: they end with the block that started them, whatever ends the block."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 15


@contextmanager
def stopping(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Ask the child to end when the block does, and end it when it does not."""
    try:
        yield
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(start: int) -> int:
    """The first free port from `start` on."""
    return next(port for port in range(start, start + 1000) if is_port_free(port))
