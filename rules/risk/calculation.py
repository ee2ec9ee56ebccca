"""Calculations: how a derived signal gets its value, as a tree and as one line of text.

    100 * amount_overdue / exposure          min(headroom, cover_amount - exposure)          (a + b) / 2

Numbers, texts and units are written as in comparisons. What depends on conditions is written as cases in YAML, one
calculation each: ``{cases: [{when: risk_class >= 4, value: 0.5 * cover_amount}], otherwise: cover_amount}``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from .expression import FLAGS, Cursor, ExpressionError, Token, cut, format_operand
from .marking import _
from .model import Condition, Constant, SignalRef, signal_keys
from .problems import Place

MAX_OPERATIONS = 60
MAX_NESTED = 16
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d[\d_]*(?:\.\d+)?(?![\w.]))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<symbol>[-+*/(),%]))""",
    re.ASCII | re.DOTALL,
)


class Arithmetic(StrEnum):
    """What a calculation does; the value is what people write."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDED = "/"

    @property
    def binds(self) -> int:
        """How tightly it binds: * before +."""
        return 2 if self in (Arithmetic.TIMES, Arithmetic.DIVIDED) else 1


@dataclass(frozen=True, slots=True)
class Calculation:
    """``left operator right``; missing when either is, or when it divides by zero."""

    operator: Arithmetic
    left: "Expression"
    right: "Expression"
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Extreme:
    """``min(…)`` or ``max(…)`` of its parts; missing when one of them is."""

    kind: str
    parts: tuple["Expression", ...]
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """The value where a condition is known to hold."""

    when: Condition
    value: "Expression"


@dataclass(frozen=True, slots=True)
class Cases:
    """The first case whose condition holds, else ``otherwise``; missing once a condition on the way is."""

    cases: tuple[Case, ...]
    otherwise: "Expression | None" = None
    place: Place | None = field(default=None, compare=False, repr=False)


Expression = Constant | SignalRef | Calculation | Extreme | Cases


def parts_of(expression: Expression) -> tuple[Expression, ...]:
    """Return the calculations right below this one."""
    match expression:
        case Calculation(_, left, right):
            return left, right
        case Extreme(_, parts):
            return parts
        case Cases(cases, otherwise):
            values = tuple(case.value for case in cases)
            return values if otherwise is None else (*values, otherwise)
    return ()


def nodes(expression: Expression) -> Iterator[Expression]:
    """Yield every node of a calculation, however deep it is."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += parts_of(node)


def source_keys(expression: Expression) -> frozenset[str]:
    """Return the keys of the signals a calculation looks at, its conditions included."""
    keys: set[str] = set()
    for node in nodes(expression):
        if isinstance(node, SignalRef):
            keys.add(node.key)
        elif isinstance(node, Cases):
            keys |= signal_keys(*(case.when for case in node.cases))
    return frozenset(keys)


class _Calculator(Cursor):
    """Recursive descent over one calculation."""

    def __init__(self, tokens: list[Token], base: Place | None) -> None:
        super().__init__(tokens, base)
        self.operations = 0
        self.nested = 0

    def whole(self) -> Expression:
        expression = self.sum()
        rest = self.take()
        if rest.kind != "end":
            raise self.fail(rest, _("the end of the line"), _("between two values stands one of + - * /"))
        return expression

    def count(self, token: Token) -> None:
        self.operations += 1
        if self.operations > MAX_OPERATIONS:
            raise ExpressionError(
                _("a calculation has at most %(max_operations)s operations", max_operations=MAX_OPERATIONS),
                token.offset,
            )

    def sum(self) -> Expression:
        return self.chain((Arithmetic.PLUS, Arithmetic.MINUS))

    def chain(self, operators: tuple[Arithmetic, ...]) -> Expression:
        """Read what operators of one level join, from left to right."""
        is_sum = Arithmetic.PLUS in operators
        left = self.chain((Arithmetic.TIMES, Arithmetic.DIVIDED)) if is_sum else self.signed()
        while self.tokens[0].kind == "symbol" and self.tokens[0].text in operators:
            token = self.take()
            self.count(token)
            right = self.chain((Arithmetic.TIMES, Arithmetic.DIVIDED)) if is_sum else self.signed()
            left = Calculation(Arithmetic(token.text), left, right, self.place(token))
        return left

    def signed(self) -> Expression:
        if not self.next_is("-"):
            return self.atom()
        sign = self.take()
        self.count(sign)
        if self.tokens[0].kind == "number":
            constant = self.constant(self.take())
            return replace(constant, value=-Decimal(constant.value), place=self.place(sign))
        return Calculation(Arithmetic.MINUS, Constant(Decimal(0)), self.signed(), self.place(sign))

    def atom(self) -> Expression:
        token = self.take()
        if token.kind == "symbol" and token.text == "(":
            inner = self.inside(token)
            self.close()
            return inner
        if token.kind == "word" and token.text not in FLAGS:
            if token.text in ("min", "max") and self.next_is("("):
                return self.extreme(token)
            return SignalRef(token.text, place=self.place(token))
        if token.kind not in ("number", "text", "word"):
            raise self.fail(token, _("a number, a signal or ("))
        return self.constant(token)

    def extreme(self, name: Token) -> Extreme:
        opening = self.take()
        parts = [self.inside(opening)]
        while self.next_is(","):
            self.count(self.take())
            parts.append(self.inside(opening))
        self.close()
        return Extreme(name.text, tuple(parts), self.place(name))

    def inside(self, opening: Token) -> Expression:
        self.nested += 1
        if self.nested > MAX_NESTED:
            raise ExpressionError(
                _("parentheses are nested at most %(max_nested)s deep", max_nested=MAX_NESTED), opening.offset
            )
        inner = self.sum()
        self.nested -= 1
        return inner

    def close(self) -> None:
        token = self.take()
        if token.text != ")" or token.kind != "symbol":
            raise self.fail(token, ")")


def parse_calculation(line: str, base: Place | None = None, on_one_line: bool = True) -> Expression:
    """Read one line; raise ``ExpressionError`` when it is not a calculation.

    >>> format_calculation(parse_calculation("100*(a+b)/-2.5 days"))
    '100 * (a + b) / -2.5 days'
    """
    return _Calculator(cut(line, _TOKEN), base if on_one_line else None).whole()


def format_calculation(expression: Expression) -> str:
    """Write a calculation without cases as one line; ``parse_calculation`` reads it back equal."""
    match expression:
        case Calculation(operator, left, right):
            return f"{_inside(left, operator.binds)} {operator} {_inside(right, operator.binds + 1)}"
        case Extreme(kind, parts):
            return f"{kind}({', '.join(map(format_calculation, parts))})"
        case Cases():
            raise TypeError("cases are not written on one line")
    return format_operand(expression)


def _inside(part: Expression, binds: int) -> str:
    text = format_calculation(part)
    return f"({text})" if isinstance(part, Calculation) and part.operator.binds < binds else text
