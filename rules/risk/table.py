"""Decision tables: the second form of a rule, a grid of conditions with an outcome for each row.

    table:
      hit: first
      inputs: [risk_class >=, amount_overdue >, cover_status]
      rows:
        - {cells: [4, 10000, '= "refused"'], severity: critical, actions: [hold_buyer]}
        - {cells: [4, 0.1 * limit_in_force, any], severity: high}

A cell holds what stands behind its column's operator, or a whole right-hand side with an operator of its own; ``any``
(or ``-``) leaves the column open. A table means the rules of ``expand``: one per row, with the earlier rows as
exclusions where only the first that fits may fire.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from .expression import ExpressionError, format_comparison, format_operand, parse_comparison
from .marking import _
from .model import Any, Column, Comparison, Condition, Operator, Rule, Table
from .problems import Place, did_you_mean

HIT_WORDS = {"first": True, "all": False}
ANYTHING = ("any", "-", "")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OWN_OPERATOR = re.compile(r"\s*(?:[<>=!≥≤≠]|(?:in|not|is)\b)")


def expand(rule: Rule) -> tuple[Rule, ...]:
    """Return the rows of a table as rules, ``key__1`` first; any other rule is returned alone.

    A table's tests speak of the table as a whole and stay with it.
    """
    table = rule.table
    if table is None:
        return (rule,)
    return tuple(_row_rule(rule, table, number) for number in range(len(table.rows)))


def expanded(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return all rules, tables row by row."""
    return tuple(part for rule in rules for part in expand(rule))


def _row_rule(rule: Rule, table: Table, number: int) -> Rule:
    row = table.rows[number]
    silencing: list[Condition] = [] if rule.unless is None else [rule.unless]
    if table.first:
        silencing += [earlier.condition for earlier in table.rows[:number]]
    return replace(
        rule,
        key=f"{rule.key}__{number + 1}",
        name=f"{rule.name} #{number + 1}",
        when=row.condition,
        unless=None if not silencing else silencing[0] if len(silencing) == 1 else Any(tuple(silencing)),
        severity=rule.severity if row.severity is None else row.severity,
        message=rule.message if row.message is None else row.message,
        actions=rule.actions if row.actions is None else row.actions,
        tests=(),
        table=None,
        places={**rule.places, **row.places},
    )


def parse_column(line: str, base: Place | None = None, on_one_line: bool = True) -> Column:
    """Read the head of a column; raise ``ExpressionError`` for anything but a signal and perhaps an operator.

    >>> parse_column("risk_class >=")
    Column(signal='risk_class', operator=<Operator.GE: '>='>)
    """
    words = line.split(None, 1)
    if not words or not _NAME.match(words[0]):
        raise ExpressionError(
            _("expected a signal"), 0, _("a column is a signal and perhaps an operator: risk_class >=")
        )
    if len(words) == 1:
        return Column(words[0], None, base)
    word = " ".join(words[1].split())
    if word not in set(Operator) or Operator(word).is_presence:
        columns = [operator for operator in Operator if not operator.is_presence]
        hint = did_you_mean(word, columns) or _("leave it out where each cell has its own")
        raise ExpressionError(
            _("%(word)r is no operator of a column", word=word[:40]), line.index(words[1], len(words[0])), hint
        )
    return Column(words[0], Operator(word), base)


def format_column(column: Column) -> str:
    """Write the head of a column; ``parse_column`` reads it back equal."""
    return column.signal if column.operator is None else f"{column.signal} {column.operator}"


def parse_cell(text: str, column: Column, base: Place | None = None, on_one_line: bool = True) -> Comparison | None:
    """Read a cell; None when it leaves its column open. Raises ``ExpressionError`` with offsets in the cell.

    >>> format_comparison(parse_cell("1.1 * limit_in_force", Column("exposure", Operator.GT)))
    'exposure > 1.1 * limit_in_force'
    """
    if text.strip() in ANYTHING:
        return None
    operator = column.operator
    head = f"{column.signal} "
    if not _OWN_OPERATOR.match(text):
        if operator is None:
            raise ExpressionError(
                _("this column has no operator"), 0, _("write one, like >= %(text)s", text=text.strip()[:40])
            )
        head += f"{operator} "
    try:
        start = base and Place(base.line, base.column - len(head))
        found = parse_comparison(head + text, start if on_one_line else None, on_one_line)
    except ExpressionError as error:
        offset = min(max(0, error.offset - len(head)), len(text))
        raise ExpressionError(error.message, offset, error.suggestion) from None
    return replace(found, place=base)


def format_cell(cell: Comparison | None, column: Column) -> str:
    """Write a cell; ``parse_cell`` reads it back equal."""
    if cell is None:
        return ANYTHING[0]
    if cell.operator is column.operator and cell.operand is not None:
        return format_operand(cell.operand)
    return format_comparison(cell).removeprefix(f"{cell.signal} ")
