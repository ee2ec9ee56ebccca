"""Arithmetic that an administrator writes: numbers, named figures, + - * / and min, max. Nothing else is understood.

The text is parsed, never executed: there are no attributes, no subscripts, no calls but the two, no powers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow

from .errors import InvalidFormula

MAX_LENGTH = 500

_OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}
_FUNCTIONS: dict[str, Callable[..., Decimal]] = {"min": min, "max": max}


def check_formula(text: str, names: Collection[str]) -> None:
    """Raise InvalidFormula, saying what is wrong, unless `text` is arithmetic over `names`.

    >>> check_formula("min(need, capacity) * 0.5", {"need", "capacity"})
    >>> check_formula("needs", {"need"})
    Traceback (most recent call last):
    ...
    rules.policy.errors.InvalidFormula: needs: is not known here; known are need
    """
    evaluate_formula(text, dict.fromkeys(names, Decimal(1)), checking=True)


def evaluate_formula(text: str, figures: Mapping[str, Decimal], *, checking: bool = False) -> Decimal:
    """Return the value of `text`, exactly. Raises InvalidFormula, also for a division by zero.

    >>> evaluate_formula("max(a, b) / 4 - 0.1", {"a": Decimal(1), "b": Decimal(2)})
    Decimal('0.4')
    """
    if len(text) > MAX_LENGTH:
        raise InvalidFormula(text[:20], f"is longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body, text.strip(), figures)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        raise InvalidFormula(text, "is no arithmetic") from exc
    except (DivisionByZero, InvalidOperation, Overflow) as exc:
        if checking:  # with the real figures it may well be defined
            return Decimal(0)
        raise InvalidFormula(text, "divides by zero or has no finite value") from exc


def _value(node: ast.expr, text: str, figures: Mapping[str, Decimal]) -> Decimal:
    match node:
        case ast.Constant(value=bool()):
            raise InvalidFormula(str(node.value), "is no number")
        case ast.Constant(value=int() | float()):
            # From the text, since 0.1 as a float is not 0.1.
            return _number(ast.get_source_segment(text, node) or "")
        case ast.Name(id=name):
            if name not in figures:
                raise InvalidFormula(name, f"is not known here; known are {', '.join(sorted(figures))}")
            return figures[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, text, figures)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)](_value(left, text, figures), _value(right, text, figures))
        case ast.Call(func=ast.Name(id=name), args=[_, _, *_] as arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*[_value(argument, text, figures) for argument in arguments])
    raise InvalidFormula(ast.unparse(node)[:40], "is not allowed: use numbers, names, + - * /, min(a, b), max(a, b)")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as exc:
        raise InvalidFormula(text, "is no decimal number") from exc
