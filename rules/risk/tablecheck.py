"""The checker of a decision table: each cell at its place, each row as a condition, and rows that can never be hit."""

from collections.abc import Iterator

from .comparisons import check_comparison
from .conditions import MAX_PER_BRANCH
from .model import Any, Comparison, Row, Rule, Table
from .normal import MAX_BRANCHES, TooManyBranches, branches
from .problems import Place, Problem, did_you_mean
from .reasoning import never_false, never_true
from .relations import implies
from .signals import SignalCatalogue

MAX_ROWS = 40
MAX_COLUMNS = MAX_PER_BRANCH


def table_problems(
    rule: Rule, table: Table, catalogue: SignalCatalogue, path: str, place: Place | None
) -> Iterator[Problem]:
    """Yield the problems of a rule's table at ``path``; a later stage runs only when those before it found nothing."""
    found = list(_form(rule, table, path, place)) or list(_columns(rule, table, catalogue, path, place))
    if not found:
        for index, row in enumerate(table.rows):
            found += _row(rule, row, catalogue, f"{path}.rows[{index}]", place)
    if not found:
        found = [*_unreachable(table, catalogue, path, place), *_cost(rule, table, path, place)]
    yield from found


def _form(rule: Rule, table: Table, path: str, place: Place | None) -> Iterator[Problem]:
    """A table made by a program can have any form; one that was read has only a size to check."""
    if not table.rows or not table.columns:
        yield Problem("empty_group", "a table needs inputs and rows", path, place)
    if len(table.rows) > MAX_ROWS:
        yield Problem("too_many_rows", f"a table has at most {MAX_ROWS} rows", f"{path}.rows", place, "split it")
    if len(table.columns) > MAX_COLUMNS:
        yield Problem("too_many_columns", f"a table has at most {MAX_COLUMNS} inputs", f"{path}.inputs", place)
    for index, row in enumerate(table.rows):
        here, where = f"{path}.rows[{index}]", row.places.get("") or place
        if len(row.cells) != len(table.columns):
            yield Problem("wrong_row", f"this row has {len(row.cells)} cells", here, where)
        elif any(cell and cell.signal != column.signal for cell, column in zip(row.cells, table.columns, strict=True)):
            yield Problem("wrong_row", "a cell speaks of another signal than its column", here, where)
        elif not any(row.cells):
            yield Problem("empty_group", "this row leaves every column open", here, where, "it would fit everybody")
    if rule.when != table.condition:
        yield Problem("wrong_row", "the condition is not the one of the table", path, place)


def _columns(rule: Rule, table: Table, catalogue: SignalCatalogue, path: str, place: Place | None) -> Iterator[Problem]:
    """A column whose cells are all open would otherwise hide a wrong signal."""
    for index, column in enumerate(table.columns):
        signal = catalogue.get(column.signal)
        here, where = f"{path}.inputs[{index}]", column.place or place
        if signal is None:
            hint = did_you_mean(column.signal, (known.key for known in catalogue.visible(rule.scope)))
            yield Problem("unknown_signal", f"there is no signal {column.signal[:70]!r}", here, where, hint)
        elif signal.scope not in rule.scope.sees:
            message = f"{signal.key} describes {signal.scope}, and this rule is about {rule.scope}"
            yield Problem("wrong_scope", message, here, where, f"give the rule the scope {signal.scope}")
        elif column.operator is not None and column.operator.is_presence:
            yield Problem("wrong_operator", f"write {column.operator} in the cells", here, where)
        elif all(row.cells[index] is None for row in table.rows):
            yield Problem("dead_column", f"no row asks about {signal.key}", here, where, "remove the input")


def _row(rule: Rule, row: Row, catalogue: SignalCatalogue, path: str, place: Place | None) -> Iterator[Problem]:
    found = []
    for index, cell in enumerate(row.cells):
        if isinstance(cell, Comparison):
            here = f"{path}.cells[{index}]"
            problems = list(check_comparison(cell, catalogue, rule.scope, here))
            if not problems and never_true(cell, catalogue):
                problems = [Problem("always_false", "this can never be true", here, cell.place, "no value fits it")]
            elif not problems and never_false(cell, catalogue):
                hint = "write any"
                problems = [Problem("always_true", "this is true for everybody", here, cell.place, hint)]
            found += problems
    yield from found
    if not found and never_true(row.condition, catalogue):
        where = row.places.get("") or place
        yield Problem("always_false", "these cells are never true together", path, where, "no value fits all of them")


def _unreachable(table: Table, catalogue: SignalCatalogue, path: str, place: Place | None) -> Iterator[Problem]:
    for index, row in enumerate(table.rows):
        for earlier in range(index):
            fits = implies(row.condition, table.rows[earlier].condition, catalogue)
            same = fits and implies(table.rows[earlier].condition, row.condition, catalogue)
            if same or (fits and table.first):
                message = f"row {earlier + 1} fits whenever this one does"
                hint = "put it above that row" if not same else "remove one of them"
                where = row.places.get("") or place
                yield Problem("unreachable", message, f"{path}.rows[{index}]", where, hint)
                break


def _cost(rule: Rule, table: Table, path: str, place: Place | None) -> Iterator[Problem]:
    """With hit: first, what silences the last row is every other one and the rule's own exclusion."""
    silencing = [row.condition for row in table.rows[:-1]] if table.first else []
    if rule.unless is not None:
        silencing.append(rule.unless)
    try:
        branches(table.condition, MAX_BRANCHES)
        branches(Any(tuple(silencing)), MAX_BRANCHES)
    except TooManyBranches:
        message = f"this table and its exclusion have more than {MAX_BRANCHES} alternatives, too many for the engine"
        yield Problem("too_many_branches", message, path, place, "split the table in two")
