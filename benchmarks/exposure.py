"""What the exposure of all buyers costs, beside one aggregate over receivables and beside sale_financial_risk."""

# ruff: noqa: TID251 (runs inside Odoo)
from confirmation import print_goal
from measuring import median, timed
from worlds import World

from odoo import fields
from odoo.tools import SQL

REPEATS = 5
AGGREGATE = """
    SELECT l.partner_id, SUM(l.amount_residual)
      FROM account_move_line l
      JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
     WHERE l.parent_state = 'posted' AND l.reconciled IS NOT TRUE
     GROUP BY l.partner_id
"""


def measure_exposures(ours: World, peer: World | None) -> None:
    """Measure in turn, print the table, and say whether the goal is met."""
    columns: tuple[list[float], list[float], list[float]] = ([], [], [])
    for number in range(REPEATS + 1):
        figures = _aggregate(ours), _exposure(ours), _peer(peer) if peer else 0.0
        if number:
            for values, figure in zip(columns, figures, strict=True):
                values.append(figure)
    base, exposure = median(columns[0]), median(columns[1])
    print(f"\n{f'exposure of {ours.bench.sizes.buyers:,} buyers':38}{'median':>13}{'ratio':>10}")
    _print_row("one aggregate over receivables", base, base)
    _print_row("this addon, every source", exposure, base)
    if peer:
        _print_row("sale_financial_risk, receivables+orders", median(columns[2]), base)
        print(f"  (measured on {_sample_size(peer):,} buyers, multiplied)")
    ratio = exposure / base
    print_goal("all exposures within 5 x the aggregate", f"{ratio:.1f} x", ratio <= 5)


def _print_row(name: str, ms: float, base: float) -> None:
    print(f"{name:38}{ms:10.0f} ms{ms / base:8.1f} x")


def _aggregate(world: World) -> float:
    with world.environment() as env:
        return timed(lambda: env.execute_query(SQL(AGGREGATE)))


def _exposure(world: World) -> float:
    with world.environment() as env:
        ids, companies = world.bench.partners.ids, env.company.root_id.ids
        model, today = env["credit.insurance.exposure"], fields.Date.today()
        return timed(lambda: model._get_rows(ids, companies, today))


def _peer(world: World) -> float:
    """The same for all buyers, extrapolated from a sample that leaves out the buyer with most invoices."""
    with world.environment() as env:
        count = _sample_size(world)
        partners = env["res.partner"].browse(world.bench.partners.ids[1 : count + 1])
        return timed(lambda: partners.mapped("risk_total")) * world.bench.partners.buyers / count


def _sample_size(world: World) -> int:
    return min(world.bench.sizes.sample, world.bench.partners.buyers - 1)
