"""The interfaces the simulator speaks, one per insurer, each below its own path prefix and all on the same book.

An interface is a class with the attribute ``prefix`` (``"/atradius"``), made from (book, api_key, token_seconds) and
mounted on the router. Faults strike every path below a prefix; the page and the controls lie outside. An interface
with its own form of errors has a method ``refuse(refusal) -> Answer``.
"""

from collections.abc import Callable
from typing import Protocol

from .allianz_trade import AllianzTrade
from .api import Api
from .atradius import Atradius
from .book import Book
from .coface import Coface
from .sinosure import Sinosure
from .web import Router


class Interface(Protocol):
    """``prefix`` begins with a slash and does not end with one."""

    @property
    def prefix(self) -> str: ...

    def mount(self, router: Router) -> None: ...


# One line per interface, in the order of their prefixes.
INTERFACES: tuple[Callable[[Book, str, int], Interface], ...] = (
    AllianzTrade,  # /allianz_trade
    Atradius,  # /atradius
    Coface,  # /coface
    Sinosure,  # /sinosure
    Api,  # /v1
)


def mounted(book: Book, api_key: str, token_seconds: int) -> list[Interface]:
    return [make(book, api_key, token_seconds) for make in INTERFACES]
