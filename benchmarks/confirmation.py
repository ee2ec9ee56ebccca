"""What a check adds to the confirmation of an order: time, and statements on the main and on the side connection."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from bypass import without_gate
from measuring import Sample, median, p95, sampled
from worlds import World

KINDS = {"normal": "a normal buyer", "big": "the buyer with most invoices", "unconfigured": "an unconfigured buyer"}
WARM_UP = 3


@dataclass(frozen=True)
class Variant:
    """A way to confirm: in which database, with which context, and what is switched off meanwhile."""

    name: str
    world: World
    context: dict[str, bool]
    switched: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True)
class Added:
    """What a check adds, over the rounds: milliseconds (each against the same round without), statements.

    ``sql`` is the part of the median that is spent waiting for PostgreSQL, the side connection included.
    """

    base: float
    ms: list[float]
    sql: float
    main: int
    side: int
    side_transactions: int

    @property
    def median(self) -> float:
        return median(self.ms)


def measure_confirmations(ours: World, peer: World | None) -> None:
    """Measure, print the table, and say which goals are met."""
    samples = _sample_all(list(_variants(ours, peer)))
    added = {kind: _compare(by_name["this addon"], by_name["no check"]) for kind, by_name in samples.items()}
    columns = f"{'without':>10}{'median':>10}{'of it SQL':>10}{'p95':>10}{'main':>7}{'side':>7}"
    print(f"\n{'added to a confirmation':38}{columns}")
    for kind, by_name in samples.items():
        _print_row("this addon", kind, added[kind])
        if peer:
            _print_row("sale_financial_risk", kind, _compare(by_name["peer"], by_name["peer bypassed"]))
    _print_goals(added)
    if os.environ.get("BENCH_STATEMENTS") == "1":
        for kind, by_name in samples.items():
            _print_statements(kind, by_name["this addon"], by_name["no check"])


def _variants(ours: World, peer: World | None) -> Iterator[Variant]:
    yield Variant("this addon", ours, {})
    yield Variant("no check", ours, {}, lambda: without_gate(ours.registry))
    if peer:
        yield Variant("peer", peer, {})
        yield Variant("peer bypassed", peer, {"bypass_risk": True})


def _sample_all(variants: list[Variant]) -> dict[str, dict[str, list[Sample]]]:
    """Each round confirms each kind's order in each way, starting with another way every time."""
    samples: dict[str, dict[str, list[Sample]]] = {kind: defaultdict(list) for kind in KINDS}
    rounds = len(variants[0].world.bench.quotations["normal"])
    for number in range(-WARM_UP, rounds):
        for kind in KINDS:
            for shift in range(len(variants)):
                variant = variants[(number + shift) % len(variants)]
                sample = _confirm(variant, variant.world.bench.quotations[kind][max(number, 0)])
                if number >= 0:
                    samples[kind][variant.name].append(sample)
    return samples


def _confirm(variant: Variant, order_id: int) -> Sample:
    """Confirm in a transaction of its own, up to but without its commit, so that every round finds the same data."""
    world = variant.world
    with variant.switched(), world.environment(world.bench.user_id) as env:
        order = env["sale.order"].with_context(**variant.context).browse(order_id)
        with sampled(env.cr) as sample:
            order.action_confirm()
            env.cr.flush()
        if order.state != "sale":
            raise AssertionError(f"{variant.name}: {order.name} was not confirmed")
        return sample


def _compare(checked: list[Sample], unchecked: list[Sample]) -> Added:
    def count(samples: list[Sample], *, main: bool) -> int:
        return round(median([sample.count(main=main) for sample in samples]))

    pairs = list(zip(checked, unchecked, strict=True))
    return Added(
        base=median([sample.ms for sample in unchecked]),
        ms=[one.ms - other.ms for one, other in pairs],
        sql=median([one.sql_ms - other.sql_ms for one, other in pairs]),
        main=count(checked, main=True) - count(unchecked, main=True),
        side=count(checked, main=False) - count(unchecked, main=False),
        side_transactions=max(sample.side_cursors for sample in checked),
    )


def _print_row(name: str, kind: str, added: Added) -> None:
    print(
        f"{f'{name}, {kind}':38}{added.base:7.1f} ms{added.median:7.1f} ms{added.sql:7.1f} ms{p95(added.ms):7.1f} ms"
        f"{added.main:7d}{added.side:7d}"
    )


def _print_goals(added: dict[str, Added]) -> None:
    normal, big, unconfigured = (added[kind] for kind in KINDS)
    most = max(normal.main, big.main)
    goals = [
        ("normal buyer: median at most 4 ms", f"{normal.median:.1f} ms", normal.median <= 4),
        ("buyer with most invoices: median at most 12 ms", f"{big.median:.1f} ms", big.median <= 12),
        ("at most 4 more queries on the main connection", str(most), most <= 4),
        ("one side transaction", str(normal.side_transactions), normal.side_transactions <= 1),
        ("unconfigured buyer: 1 more query", str(unconfigured.main), unconfigured.main <= 1),
        (
            "unconfigured buyer: no side transaction",
            str(unconfigured.side_transactions),
            not unconfigured.side_transactions,
        ),
    ]
    for text, figure, met in goals:
        print_goal(text, figure, met)


def print_goal(text: str, figure: str, met: bool) -> None:
    print(f"  {'met   ' if met else 'MISSED'}  {text}: {figure}")


def _print_statements(kind: str, checked: list[Sample], unchecked: list[Sample]) -> None:
    """The statements that a confirmation without a check does not send, in their order, with their median time."""
    print(f"\nstatements added for {KINDS[kind]}:")
    plain = [statement.text for statement in unchecked[-1].statements]
    for statement in checked[-1].statements:
        if statement.text in plain:
            plain.remove(statement.text)
            continue
        ms = median([other.ms for sample in checked for other in sample.statements if other.text == statement.text])
        print(f"  {'main' if statement.main else 'side'} {ms:7.2f} ms  {statement.text[:200]}")
    for text in plain:
        print(f"  instead of        {text[:200]}")
