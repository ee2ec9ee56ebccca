"""An insurer to play with: real HTTP, real state, and faults on request. Imports nothing of the connectors.

::

    server.py ──> interfaces.py     the insurers' interfaces, /v1/… and others   ┐
        │    ──> control_calls.py   the strings of control.py, /_control/…       ├──> book.py ──> store.py (SQLite)
        │    ──> pages.py           the page for people, /                       ┘       ^
        ├─ faults.py misbehaves on the wire                             seeding.py fills it from seeds/
        └─ scenarios.py pulls strings by itself                         passing.py lets time pass in it
                                                                        webhooks.py tells what happened

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

from .api import TOKEN_SECONDS
from .book import Book
from .clock import Clock
from .control import Control
from .interfaces import mounted
from .server import Server
from .store import Store
from .webhooks import Webhooks

__all__ = ["DEMO_API_KEY", "TICK_SECONDS", "Simulator"]

DEMO_API_KEY = "demo-key-of-the-simulator"
TICK_SECONDS = 0.5


class Simulator:
    """A simulator in a thread of this process.

    :param seed: name of a file in ``seeds/``; loaded when the book is empty.
    :param database: a file that outlives the simulator, or ``:memory:``.
    :param port: 0 takes a free one.
    :param step_seconds: a claim left alone for so long moves one step on.
    :param decide_seconds: a request left alone for so long is decided, a report delivered.
    :param webhook: an address to wake up, and ``webhook_secret`` what its calls are signed with.
    :param scenario: name of a file in ``scenarios/``.
    :param now: the insurer's clock, aware and in UTC; ``control.move_clock`` sets it ahead or behind.
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
        decide_seconds: float | None = None,
        webhook: str = "",
        webhook_secret: str = "",
        webhook_retry_seconds: float = 2.0,
        scenario: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api_key = api_key
        self._store = Store(database)
        clock = Clock(now)
        book = Book(self._store, now=clock)
        self.control = Control(book, clock, step_seconds, decide_seconds)
        self.webhooks = Webhooks(book, retry_seconds=webhook_retry_seconds)
        self._stopping = threading.Event()
        try:
            if seed and self._store.row("SELECT 1 FROM policy") is None:
                self.control.seed(seed)
            if webhook:
                self.control.add_webhook(webhook, webhook_secret)
            self._server = Server((host, port), self.control, mounted(book, api_key, token_seconds))
            if scenario:
                self._server.strings.scenarios.load({"name": scenario})
        except BaseException:
            self._store.close()
            raise
        self.url = self._server.url
        self._threads = [threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)]
        if step_seconds is not None or decide_seconds is not None:
            self._threads.append(threading.Thread(target=self._let_time_pass, daemon=True))

    def _let_time_pass(self) -> None:
        """What is due happens even when nobody calls, so that webhooks leave in time."""
        while not self._stopping.wait(TICK_SECONDS):
            self._server.strings.scenarios.passed()
            self.control.catch_up()

    def start(self) -> None:
        self.webhooks.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self.webhooks.stop()
        for thread in self._threads:
            thread.join()
        self._store.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
