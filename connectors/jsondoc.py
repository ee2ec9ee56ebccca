"""Reading JSON from outside without trusting it.

``decode`` turns bytes into a ``Node``; a ``Node`` is a value and its path, and hands out typed values or raises a
``ShapeError`` that names the path::

    >>> answer = decode(b'{"covers": [{"amount": 60000.10, "endsOn": null}, {"amount": "abc"}]}')
    >>> first, second = answer["covers"].items()
    >>> first["amount"].decimal(), first["endsOn"].optional(Node.date)
    (Decimal('60000.10'), None)
    >>> second["amount"].decimal()
    Traceback (most recent call last):
    ...
    connectors.jsondoc.ShapeError: covers[1].amount: expected a decimal number, got 'abc'

Numbers never pass through ``float``. NaN, infinities and objects with the same key twice are refused.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar

from .masking import HIDDEN, SECRET_NAMES

Value = TypeVar("Value")
Json = dict[str, Any] | list[Any] | str | int | Decimal | bool | None

MAX_DIGITS = 18  # before the point: more is no amount of money but an attack on arithmetic
MAX_DECIMALS = 10
LARGEST_INTEGER = 2**31 - 1  # what a database's whole number holds
MAX_DEPTH = 100  # arrays and objects inside each other
# The end of a string may be missing, so that a text cut in the middle is read once and not from each of its quotes.
STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
BETWEEN_BRACKETS = re.compile(r"[^\[\]{}]+")
# NUL and halves of surrogate pairs: JSON can name them, and no database holds them.
UNSTORABLE = re.compile("[\\0\ud800-\udfff]")
QUOTED = 4000  # characters of a wrong value; the transport shortens once secrets are out, so that none is cut in half


class ShapeError(ValueError):
    """A value is not what was expected. ``field`` is its path, ``""`` for the document itself."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class Node:
    """One value of a JSON document, with the path that leads to it."""

    __slots__ = ("path", "value")

    def __init__(self, value: Json, path: str = "") -> None:
        self.value = value
        self.path = path

    def __getitem__(self, key: str) -> "Node":
        """The member ``key`` of an object; a missing one is a null, so that ``optional`` covers both."""
        if not isinstance(self.value, dict):
            self._fail("an object")
        return Node(self.value.get(key), f"{self.path}.{key}" if self.path else key)

    def items(self) -> Iterator["Node"]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            self._fail("a list")
        return (Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value))

    def optional(self, read: Callable[["Node"], Value]) -> Value | None:
        """``read(node)``, or ``None`` when the value is null or missing."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        r"""A text that can be stored.

        >>> decode(rb'"No\u0000 way \ud800"').text()
        'No� way �'
        """
        if not isinstance(self.value, str):
            self._fail("a text")
        return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", self.value)

    def identifier(self) -> str:
        """A text that is not empty; insurers send some ids as whole numbers."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        if not isinstance(self.value, str) or not self.value.strip():
            self._fail("an identifier")
        return self.text().strip()

    def integer(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._fail("a whole number")
        if abs(self.value) > LARGEST_INTEGER:
            self._fail("a whole number of sensible size")
        return self.value

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            self._fail("true or false")
        return self.value

    def decimal(self) -> Decimal:
        """A finite number of sensible size, sent as a number or as a text."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | Decimal):
            self._fail("a decimal number")
        try:
            number = Decimal(self.value)
        except InvalidOperation:
            self._fail("a decimal number")
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or number.adjusted() >= MAX_DIGITS or exponent < -MAX_DECIMALS:
            self._fail("a decimal number of sensible size")
        return number

    def amount(self) -> Decimal:
        """An amount of money: a decimal number that is not negative."""
        number = self.decimal()
        if number < 0:
            self._fail("an amount of 0 or more")
        return number

    def percentage(self) -> Decimal:
        number = self.decimal()
        if not 0 <= number <= 100:
            self._fail("a percentage from 0 to 100")
        return number

    def currency(self) -> str:
        code = self.text()
        if len(code) != 3 or not code.isascii() or not code.isupper():
            self._fail("an ISO 4217 currency code")
        return code

    def date(self) -> date:
        """A calendar date ``YYYY-MM-DD``; the other forms of ISO 8601 are not taken."""
        try:
            day = date.fromisoformat(self.text())
        except ValueError:
            self._fail("a date YYYY-MM-DD")
        if day.isoformat() != self.value:
            self._fail("a date YYYY-MM-DD")
        return day

    def instant(self) -> datetime:
        """An ISO 8601 instant, which must name its offset; given back in UTC."""
        try:
            moment = datetime.fromisoformat(self.text())
        except ValueError:
            self._fail("an instant")
        if moment.tzinfo is None:
            self._fail("an instant with its offset from UTC")
        try:
            return moment.astimezone(UTC)
        except OverflowError:  # its year in UTC is 0 or 10000
            self._fail("an instant")

    def _fail(self, expected: str) -> NoReturn:
        got = HIDDEN if SECRET_NAMES.search(self.path) else shorten(repr(self.value), QUOTED)
        raise ShapeError(self.path, f"expected {expected}, got {got}") from None


def decode(body: bytes) -> Node:
    """Parse a JSON document, strictly.

    :raises ShapeError: not UTF-8, not JSON, nested too deeply, a key twice, a number that is none.
    """
    try:
        text = body.decode("utf-8-sig")  # some servers begin with a byte order mark, which says nothing
        if _is_too_deep(text):
            raise ShapeError("", f"nested deeper than {MAX_DEPTH} levels")
        return Node(json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_object))
    except ShapeError:
        raise
    except (ValueError, InvalidOperation) as exc:
        raise ShapeError("", f"not JSON ({exc})") from exc


def encode(value: Json) -> bytes:
    """Write JSON as UTF-8, decimals exactly as they are, as texts.

    >>> encode({"amount": Decimal("60000.10")})
    b'{"amount":"60000.10"}'
    """
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def shorten(text: str, limit: int = 300) -> str:
    """``text``, cut to ``limit`` characters: what an insurer sends is quoted, not poured, into a message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # covers datetime
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be sent as JSON")


def _is_too_deep(text: str) -> bool:
    """Whether ``text`` nests too deeply for a parser that calls itself for each level. Each round takes the innermost
    level away; what no round ends is deeper, or not JSON, which the parser says better unless that is deep too."""
    brackets = BETWEEN_BRACKETS.sub("", STRINGS.sub("", text))
    for _level in range(MAX_DEPTH):
        rest = brackets.replace("[]", "").replace("{}", "")
        if rest == brackets:
            break
        brackets = rest
    return brackets.count("[") + brackets.count("{") > MAX_DEPTH


def _refuse(constant: str) -> NoReturn:
    raise ShapeError("", f"{constant} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ShapeError("", f"the key {name!r} occurs twice in one object")
        members[name] = value
    return members
