"""An insurer to play with: real HTTP, real state, and faults on request. Imports nothing of the connectors.

::

    server.py ──> api.py      the insurer's interface, /v1/…       ┐
        │    ──> control.py   the strings to pull, /_control/…     ├──> book.py ──> store.py (SQLite)
        │    ──> pages.py     the page for people, /               ┘       ^
        └─ faults.py misbehaves on the wire                            seeding.py fills it from seeds/

From a shell::

    python -m connectors.simulator --port 8070 --database insurer.sqlite --seed demo

In a test::

    with Simulator(seed="demo") as simulator:
        insurer = connect("sandbox", base_url=simulator.url, credentials=Credentials(api_key=simulator.api_key))
        simulator.control.fault("drop", path="/v1/claims", when="after")
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from .api import TOKEN_SECONDS, Api
from .book import Book
from .control import Control
from .server import Server
from .store import Store

__all__ = ["DEMO_API_KEY", "Simulator"]

DEMO_API_KEY = "demo-key-of-the-simulator"


class Simulator:
    """A simulator in a thread of this process.

    :param seed: name of a file in ``seeds/``; loaded when the book is empty.
    :param database: a file that outlives the simulator, or ``:memory:``.
    :param port: 0 takes a free one.
    :param step_seconds: a claim left alone for so long moves one step on.
    :param now: the insurer's clock, aware and in UTC.
    """

    def __init__(
        self,
        *,
        seed: str = "",
        database: str = ":memory:",
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = DEMO_API_KEY,
        token_seconds: int = TOKEN_SECONDS,
        step_seconds: float | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api_key = api_key
        self._store = Store(database)
        book = Book(self._store, now=now, step_seconds=step_seconds)
        self.control = Control(book)
        if seed and self._store.row("SELECT 1 FROM policy") is None:
            self.control.seed(seed)
        try:
            self._server = Server((host, port), self.control, Api(book, api_key, token_seconds))
        except OSError:
            self._store.close()
            raise
        self.url = self._server.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._store.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
