"""One comparison as one line of text, both ways.

    amount_overdue > 10000              days_overdue_oldest >= 30 days          utilisation > 90 %
    exposure > 1.1 * limit_in_force     cover_status in ["refused", "withdrawn"]     is_public = yes
    registration_number is missing      country != "FR"

Texts stand in double quotes (JSON escapes), a bare word is a signal, numbers are written in full with a decimal point.
"""

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from .marking import _
from .model import Comparison, Constant, ConstantList, Operand, Operator, SignalRef
from .problems import Place, did_you_mean

MAX_LENGTH = 20_000  # the longest list with words of forty characters
TOKEN = re.compile(
    r"""\s*(?:(?P<number>[-+]?\d[\d_]*(?:\.\d+)?(?![\w.]))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<symbol><=|>=|!=|=|<|>|[\[\],*%]))""",
    re.ASCII | re.DOTALL,
)
_UNITS = {"days": "days", "day": "days", "%": "%"}
FLAGS = {"yes": True, "no": False}
UNSTORABLE = _("this text holds half a character or a NUL")
_TYPOS = {"==": "=", "=>": ">=", "=<": "<=", "<>": "!=", "≥": ">=", "≤": "<=", "≠": "!="}


class ExpressionError(Exception):
    """The line is not a comparison; ``offset`` counts characters from its start."""

    def __init__(self, message: str, offset: int, suggestion: str = "") -> None:
        super().__init__(message)
        self.message, self.offset, self.suggestion = message, offset, suggestion


class Token(NamedTuple):
    """One word of a line; ``kind`` is number, text, word, symbol or end."""

    kind: str
    text: str
    offset: int


def cut(line: str, pattern: re.Pattern[str] = TOKEN) -> list[Token]:
    """Cut the line into tokens; the last one is always of kind ``end``."""
    if len(line) > MAX_LENGTH:
        raise ExpressionError(_("a line is at most %(max_length)s characters long", max_length=MAX_LENGTH), 0)
    found, position = [], 0
    end = len(line.rstrip())
    while position < end:
        match = pattern.match(line, position)
        if not match or match.lastgroup is None:
            rest = line[position:end].lstrip()
            start = end - len(rest)
            hint = next(
                (_("write %(right)s", right=right) for wrong, right in _TYPOS.items() if rest.startswith(wrong)), ""
            )
            if rest[0].isdigit() or rest[0] in "+-.":
                hint = _("write numbers in full, like 10000 or -2.5")
            if pattern is not TOKEN and rest[0] in "<>=!":
                hint = _("a comparison stands under when: in one of cases:")
            if rest[0] in "'“”‘’\"":
                hint = _('write texts between straight double quotes, like "FR"')
            raise ExpressionError(_("cannot read %(rest)r", rest=rest[:20]), start, hint)
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        position = match.end()
    return [*found, Token("end", "", len(line))]


class Cursor:
    """Walks the tokens of one line; ``base`` is the place of its first character, when it has one."""

    def __init__(self, tokens: list[Token], base: Place | None) -> None:
        self.tokens = tokens
        self.base = base

    def place(self, token: Token) -> Place | None:
        return self.base and Place(self.base.line, self.base.column + token.offset)

    def take(self) -> Token:
        token = self.tokens[0]
        if token.kind != "end":
            del self.tokens[0]
        return token

    def next_is(self, text: str) -> bool:
        token = self.tokens[0]
        return token.text == text and token.kind in ("word", "symbol")

    def fail(self, token: Token, expected: str, suggestion: str = "") -> ExpressionError:
        found = f"{token.text[:40]!r}" if token.kind != "end" else _("the end of the line")
        return ExpressionError(
            _("expected %(expected)s instead of %(found)s", expected=expected, found=found), token.offset, suggestion
        )

    def constant(self, token: Token) -> Constant:
        if token.kind == "number":
            unit = self.take().text if self.tokens[0].text in _UNITS and self.tokens[0].kind != "text" else ""
            return Constant(_decimal(token), _UNITS.get(unit, ""), self.place(token))
        if token.kind == "text":
            return Constant(_text(token), place=self.place(token))
        if token.text in FLAGS:
            return Constant(FLAGS[token.text], place=self.place(token))
        hint = _('write texts between double quotes: "%(text)s"', text=token.text) if token.kind == "word" else ""
        raise self.fail(token, _("a value"), hint)


class _Parser(Cursor):
    """Recursive descent over one comparison."""

    def comparison(self) -> Comparison:
        subject = self.take()
        if subject.kind != "word":
            raise self.fail(
                subject, _("a signal"), _("the signal stands on the left, what it is compared with on the right")
            )
        operator = self.operator()
        operand = None if operator.is_presence else self.operand(operator)
        rest = self.take()
        if rest.kind != "end":
            hint = _("one comparison per line; join several with all: or any:")
            if rest.kind == "number" or rest.text == ",":
                hint = _("write numbers in full, like 10000 or -2.5")
            raise self.fail(rest, _("the end of the line"), hint)
        return Comparison(subject.text, operator, operand, self.place(subject))

    def operator(self) -> Operator:
        token = self.take()
        words = token.text
        if token.kind == "word" and words in ("is", "not"):
            words = f"{words} {self.take().text}"
        if token.kind in ("word", "symbol") and words in set(Operator):
            following = self.tokens[0]
            typo = _TYPOS.get(f"{words}{following.text}")
            if typo and following.kind == "symbol":
                raise ExpressionError(
                    _("%(words)s%(text)s is not an operator", words=words, text=following.text),
                    token.offset,
                    _("write %(typo)s", typo=typo),
                )
            return Operator(words)
        operators = ", ".join(Operator)
        raise self.fail(token, _("one of %(operators)s", operators=operators), did_you_mean(words, set(Operator)))

    def operand(self, operator: Operator) -> Operand:
        if operator in (Operator.IN, Operator.NOT_IN):
            return self.items()
        token = self.take()
        if token.kind == "number" and self.next_is("*"):
            self.take()
            reference = self.take()
            if reference.kind != "word":
                raise self.fail(reference, _("a signal after *"))
            return SignalRef(reference.text, _decimal(token), self.place(token))
        if token.kind == "word" and token.text not in FLAGS:
            if self.next_is("*"):
                raise self.fail(
                    self.take(), _("the end of the line"), _("write the factor first: 1.1 * limit_in_force")
                )
            return SignalRef(token.text, place=self.place(token))
        return self.constant(token)

    def items(self) -> ConstantList:
        opening = self.take()
        if opening.text != "[":
            raise self.fail(opening, _("a list"), _('like ["refused", "withdrawn"]'))
        items: list[Constant] = []
        while not self.next_is("]"):
            if items:
                comma = self.take()
                if comma.text != ",":
                    raise self.fail(comma, _("a comma or ]"))
            items.append(self.constant(self.take()))
        self.take()
        return ConstantList(tuple(items), self.place(opening))


def _decimal(token: Token) -> Decimal:
    if len(token.text) > 40:
        raise ExpressionError(_("this number is too long"), token.offset)
    return Decimal(token.text.replace("_", ""))


def _text(token: Token) -> str:
    try:
        text = str(json.loads(token.text, strict=False))
    except ValueError:
        text = "\0"
    if not is_storable(text):
        raise ExpressionError(_("this text has a broken \\ escape"), token.offset)
    return text


def is_storable(text: str) -> bool:
    """False for NUL and for halves of surrogate pairs: escapes can name them, and no database holds them."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def parse_comparison(line: str, base: Place | None = None, on_one_line: bool = True) -> Comparison:
    """Read one line; raise ``ExpressionError`` when it is not a comparison.

    ``base`` is where the line starts in its document; a line folded over several has no other positions than its start.

    >>> parse_comparison("exposure > 1.1 * limit_in_force").operand
    SignalRef(key='limit_in_force', factor=Decimal('1.1'))
    """
    comparison = _Parser(cut(line), base if on_one_line else None).comparison()
    return comparison if on_one_line else replace(comparison, place=base)


def format_number(value: Decimal) -> str:
    """Write a number in full, without exponent.

    >>> format_number(Decimal("1E+4")), format_number(Decimal("-0.50"))
    ('10000', '-0.50')
    """
    return format(value, "f")


def format_operand(operand: Operand) -> str:
    """Write the right-hand side of a comparison.

    >>> format_operand(ConstantList((Constant("FR"), Constant("BE"))))
    '["FR", "BE"]'
    """
    match operand:
        case ConstantList(items):
            return f"[{', '.join(format_operand(item) for item in items)}]"
        case SignalRef(key, factor):
            return key if factor == 1 else f"{format_number(factor)} * {key}"
        case Constant(bool() as flag):
            return "yes" if flag else "no"
        case Constant(str() as text):
            return json.dumps(text, ensure_ascii=False)
        case Constant(Decimal() as number, unit):
            return f"{format_number(number)} {unit}".rstrip()
    raise TypeError(f"not an operand: {operand!r}")


def format_comparison(comparison: Comparison) -> str:
    """Write a comparison as one line; ``parse_comparison`` reads it back equal."""
    words = [comparison.signal, comparison.operator.value]
    if comparison.operand is not None:
        words.append(format_operand(comparison.operand))
    return " ".join(words)
