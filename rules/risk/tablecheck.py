"""The checker of a decision table: each cell at its place, each row as a condition, and rows that can never be hit."""

from collections.abc import Iterator

from .comparisons import check_comparison
from .conditions import MAX_PER_BRANCH
from .marking import _
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
        yield Problem("empty_group", _("a table needs inputs and rows"), path, place)
    if len(table.rows) > MAX_ROWS:
        yield Problem(
            "too_many_rows",
            _("a table has at most %(max_rows)s rows", max_rows=MAX_ROWS),
            f"{path}.rows",
            place,
            _("split it"),
        )
    if len(table.columns) > MAX_COLUMNS:
        yield Problem(
            "too_many_columns",
            _("a table has at most %(max_columns)s inputs", max_columns=MAX_COLUMNS),
            f"{path}.inputs",
            place,
        )
    for index, row in enumerate(table.rows):
        here, where = f"{path}.rows[{index}]", row.places.get("") or place
        if len(row.cells) != len(table.columns):
            yield Problem("wrong_row", _("this row has %(value)s cells", value=len(row.cells)), here, where)
        elif any(cell and cell.signal != column.signal for cell, column in zip(row.cells, table.columns, strict=True)):
            yield Problem("wrong_row", _("a cell speaks of another signal than its column"), here, where)
        elif not any(row.cells):
            yield Problem(
                "empty_group", _("this row leaves every column open"), here, where, _("it would fit everybody")
            )
    if rule.when != table.condition:
        yield Problem("wrong_row", _("the condition is not the one of the table"), path, place)


def _columns(rule: Rule, table: Table, catalogue: SignalCatalogue, path: str, place: Place | None) -> Iterator[Problem]:
    """A column whose cells are all open would otherwise hide a wrong signal."""
    for index, column in enumerate(table.columns):
        signal = catalogue.get(column.signal)
        here, where = f"{path}.inputs[{index}]", column.place or place
        if signal is None:
            hint = did_you_mean(column.signal, (known.key for known in catalogue.visible(rule.scope)))
            yield Problem(
                "unknown_signal", _("there is no signal %(signal)r", signal=column.signal[:70]), here, where, hint
            )
        elif signal.scope not in rule.scope.sees:
            message = _(
                "%(key)s describes %(scope)s, and this rule is about %(wanted)s",
                key=signal.key,
                scope=signal.scope,
                wanted=rule.scope,
            )
            yield Problem(
                "wrong_scope", message, here, where, _("give the rule the scope %(scope)s", scope=signal.scope)
            )
        elif column.operator is not None and column.operator.is_presence:
            yield Problem("wrong_operator", _("write %(operator)s in the cells", operator=column.operator), here, where)
        elif all(row.cells[index] is None for row in table.rows):
            yield Problem(
                "dead_column", _("no row asks about %(key)s", key=signal.key), here, where, _("remove the input")
            )


def _row(rule: Rule, row: Row, catalogue: SignalCatalogue, path: str, place: Place | None) -> Iterator[Problem]:
    found = []
    for index, cell in enumerate(row.cells):
        if isinstance(cell, Comparison):
            here = f"{path}.cells[{index}]"
            problems = list(check_comparison(cell, catalogue, rule.scope, here))
            if not problems and never_true(cell, catalogue):
                problems = [
                    Problem("always_false", _("this can never be true"), here, cell.place, _("no value fits it"))
                ]
            elif not problems and never_false(cell, catalogue):
                hint = _("write any")
                problems = [Problem("always_true", _("this is true for everybody"), here, cell.place, hint)]
            found += problems
    yield from found
    if not found and never_true(row.condition, catalogue):
        where = row.places.get("") or place
        yield Problem(
            "always_false", _("these cells are never true together"), path, where, _("no value fits all of them")
        )


def _unreachable(table: Table, catalogue: SignalCatalogue, path: str, place: Place | None) -> Iterator[Problem]:
    for index, row in enumerate(table.rows):
        for earlier in range(index):
            fits = implies(row.condition, table.rows[earlier].condition, catalogue)
            same = fits and implies(table.rows[earlier].condition, row.condition, catalogue)
            if same or (fits and table.first):
                message = _("row %(earlier)s fits whenever this one does", earlier=earlier + 1)
                hint = _("put it above that row") if not same else _("remove one of them")
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
        message = _(
            "this table and its exclusion have more than %(max_branches)s alternatives, too many for the engine",
            max_branches=MAX_BRANCHES,
        )
        yield Problem("too_many_branches", message, path, place, _("split the table in two"))
