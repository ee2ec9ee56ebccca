"""Messages of every kind for the tests of the file exchange: generated ones, and one of each by hand."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from connectors import OverdueInvoice
from connectors.files.columns import Cell, Column, Kind, Part
from connectors.files.records import CONDITIONS

DAYS = st.dates(date(1890, 1, 1), date(2150, 12, 31))
AMOUNTS = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("999999999999999.99"), places=2)
FINE = st.decimals(min_value=Decimal(0), max_value=Decimal("99999999"), places=10) | AMOUNTS
LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
# What a text may hold: formulas, quotes, separators, line breaks, every script.
WILD = st.text(
    st.sampled_from("=+-@'\";,\t\r\n <>&:?_x00F") | st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]),
    max_size=40,
)
TEXTS = WILD.filter(lambda text: text == "" or bool(text.strip()))
IDENTIFIERS = WILD.map(str.strip).filter(bool)


def values(column: Column) -> st.SearchStrategy:
    """What may stand under a column, the empty cell not included."""
    made = {
        Cell.TEXT: TEXTS.filter(bool),
        Cell.IDENTIFIER: IDENTIFIERS,
        Cell.AMOUNT: AMOUNTS,
        Cell.NUMBER: FINE | FINE.map(lambda number: -number),
        Cell.PERCENTAGE: st.decimals(min_value=0, max_value=100, places=3),
        Cell.INTEGER: st.integers(0, 3650),
        Cell.FLAG: st.booleans(),
        Cell.DATE: DAYS,
        Cell.INSTANT: st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        Cell.COUNTRY: LETTERS.map(lambda letters: letters[:2]),
        Cell.CURRENCY: LETTERS,
    }
    return st.sampled_from(column.codes) if column.codes else made[column.cell]


def items(owner: type, columns: tuple[Column, ...], **fixed: st.SearchStrategy) -> st.SearchStrategy:
    """Instances of ``owner``: what is not required is left out half of the time."""
    has_default = {
        field.name
        for field in dataclasses.fields(owner)
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    }
    needed, free = {}, {}
    for column in columns:
        made = fixed.get(column.name, values(column))
        if column.name in has_default and not column.required:
            free[column.name] = made
        elif column.required or column.cell is Cell.IDENTIFIER:
            needed[column.name] = made
        else:
            absent = None if column.cell in (Cell.DATE, Cell.AMOUNT) else ""
            needed[column.name] = st.just(absent) | made
    if "raw_code" in needed:
        needed["raw_code"] = IDENTIFIERS
    return st.fixed_dictionaries(needed, optional=free)


@st.composite
def invoices(draw: st.DrawFn) -> OverdueInvoice:
    issued, due = sorted((draw(DAYS), draw(DAYS)))
    open_amount, amount = sorted((draw(AMOUNTS), draw(AMOUNTS)))
    return OverdueInvoice(draw(IDENTIFIERS), issued, due, amount, open_amount, draw(LETTERS))


def lines(part: Part) -> st.SearchStrategy:
    """The lines of a part, each key once."""
    if part is CONDITIONS:
        return st.lists(TEXTS.filter(bool), max_size=3, unique_by=str.strip).map(tuple)
    one = invoices() if part.type is OverdueInvoice else _part_items(part)
    names = part.key or [column.name for column in part.columns]

    def key(line: object) -> tuple[str, ...]:
        return tuple(str(getattr(line, name)) for name in names)

    if part.single:
        return one
    many = st.lists(one, min_size=part.needed, max_size=3, unique_by=key)
    if part.item == "instalment":
        many = many.map(lambda found: sorted(found, key=lambda line: line.due_on))
    return many.map(tuple)


def _part_items(part: Part) -> st.SearchStrategy:
    def build(told: dict) -> object:
        if "insured_amount" in told:
            told["insured_amount"], told["amount"] = sorted((told["insured_amount"], told["amount"]))
        return part.type(**told)

    return items(part.type, part.columns).map(build)


def messages(kind: Kind) -> st.SearchStrategy:
    """Messages of one kind."""
    parts = st.fixed_dictionaries({part.name: lines(part) for part in kind.parts})
    return st.tuples(items(kind.type, kind.columns), parts).map(lambda told: _message(kind, {**told[0], **told[1]}))


def _message(kind: Kind, told: dict) -> object:
    """Sets right what the message would refuse."""
    if kind.code == "cover_request":
        if told["kind"] == "cancel":
            told.pop("amount", None)
        else:
            told.setdefault("amount", Decimal("1000.00"))
    if kind.code == "turnover_declaration":
        told["period_from"], told["period_to"] = sorted((told["period_from"], told["period_to"]))
    if kind.code == "invoice_extension":
        told["new_due_on"] = max(told["new_due_on"], date(2151, 1, 1))
    if kind.code == "claim" and all(invoice.currency == told["currency"] for invoice in told["invoices"]):
        told["total"] = sum(invoice.open_amount for invoice in told["invoices"])
    if kind.code == "buyer_query":
        told.setdefault("name", "Buyer")
    return kind.type(**told)
