"""The truth table of exposure, for the part of it that lives on one order."""

from decimal import Decimal

import pytest

from rules.policy import Moves, OrderLine, open_order_amount


def line(ordered=10, delivered=0, price=100, invoiced=0, refunded_owed_again=0, drafted=0, **values):
    return OrderLine(
        ordered=Decimal(ordered),
        delivered=Decimal(delivered),
        unit_price=Decimal(price),
        invoiced=Decimal(invoiced),
        refunded_owed_again=Decimal(refunded_owed_again),
        drafted=Decimal(drafted),
        **values,
    )


CASES = [
    ("confirmed, nothing invoiced", [line()], {}, 1000),
    ("confirmed and delivered", [line(delivered=10)], {}, 1000),
    ("down payment of 300 posted: 700 here and 300 receivable", [line()], {"down_payments": Decimal(300)}, 700),
    ("the rest as a draft invoice counts as the order", [line()], {"down_payments": Decimal(300)}, 700),
    ("the rest posted, the down payment deducted on it", [line(invoiced=1000)], {}, 0),
    ("half invoiced", [line(invoiced=500)], {}, 500),
    ("cancelled", [line()], {"down_payments": Decimal(300), "confirmed": False}, 0),
    ("quotation", [line()], {"confirmed": False}, 0),
    ("credit note, nothing to deliver again", [line(invoiced=1000, delivered=10)], {}, 0),
    ("credit note, goods owed again", [line(invoiced=1000, refunded_owed_again=200)], {}, 200),
    ("moves settled, less delivered", [line(delivered=7, moves=Moves.SETTLED)], {}, 700),
    ("moves settled, delivered and invoiced", [line(delivered=7, invoiced=700, moves=Moves.SETTLED)], {}, 0),
    ("moves settled, invoiced more than delivered", [line(delivered=7, invoiced=1000, moves=Moves.SETTLED)], {}, 0),
    (
        "moves settled, a draft bills more than was delivered",
        [line(delivered=4, drafted=1000, moves=Moves.SETTLED)],
        {},
        1000,
    ),
    ("moves open, the draft counts as the order", [line(delivered=4, drafted=1000, moves=Moves.OPEN)], {}, 1000),
    ("moves cancelled", [line(moves=Moves.SETTLED)], {}, 0),
    ("moves open, part delivered", [line(delivered=7, moves=Moves.OPEN)], {}, 1000),
    ("service line closed", [line(closed=True)], {}, 0),
    ("over-delivery", [line(delivered=12)], {}, 1200),
    ("line added by a delivery", [line(ordered=0, delivered=5)], {}, 500),
    ("down payment larger than what remains", [line(invoiced=900)], {"down_payments": Decimal(300)}, 0),
    ("one line invoiced beyond its amount does not lower another", [line(invoiced=1500), line()], {}, 1000),
    ("no lines", [], {}, 0),
]


@pytest.mark.parametrize("what, lines, facts, amount", CASES, ids=[case[0] for case in CASES])
def test_open_amount_of_an_order(what, lines, facts, amount):
    assert open_order_amount(lines, **facts) == Decimal(amount)
