"""What screening costs: all buyers with one worker and with two, those that changed, one alone; a worker's memory."""

# ruff: noqa: TID251 (runs inside Odoo)
import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import yaml
from confirmation import print_goal
from measuring import median, p95
from psycopg2 import OperationalError
from worlds import World

from odoo.api import SUPERUSER_ID, Environment
from odoo.orm.registry import Registry
from odoo.sql_db import Cursor, close_all
from odoo.tools import split_every

RULES = Path(__file__).with_name("risk_rules.yaml")
CHANGED_SHARE = 100
SINGLES = 200
MEMORY_RUNS = 10
TRIES = 5
MEMORY_BUYERS = 10_000
MEGABYTE = 1024 * 1024


def prepare_rules(env: Environment) -> int:
    """The benchmark's rules as the only active ones."""
    rules = env["credit.insurance.rule"]
    found = rules.search([("key", "=like", "r__"), ("state", "=", "active")])
    if found:
        return len(found)
    rules.search([]).write({"state": "draft"})
    texts = [yaml.safe_dump(rule, sort_keys=False) for rule in yaml.safe_load(RULES.read_text())["rules"]]
    created = rules.create([{"document": text} for text in texts])
    created.write({"state": "active"})
    return len(created)


def measure_screening(world: World) -> None:
    """Print each figure with its goal. Runs of several workers are processes, as Odoo's are."""
    with world.registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        rules = prepare_rules(env)
        cr.commit()
    ids = _buyer_ids(world)
    print(f"\nscreening of {len(ids):,} buyers by {rules} rules")
    # The data of a company that is at work are in memory: what the first run reads from the disk is nobody's cost.
    _full_run(world, ids, workers=2)
    one, alerts = _full_run(world, ids, workers=1)
    _print("one worker, alerts written", f"{one:7.1f} s", f"{alerts:,} alerts")
    two, _alerts = _full_run(world, ids, workers=2)
    _print("two workers", f"{two:7.1f} s", f"{one / two:.2f} x")
    again = _timed_blocks(world, ids)
    _print("again, nothing changed", f"{again:7.1f} s", "")
    changed = _incremental(world, ids)
    _print(f"after {len(ids) // CHANGED_SHARE:,} changed", f"{changed:7.2f} s", "")
    single, child = _singles(world, ids)
    _print(
        "single buyer, p50", f"{median(single):7.2f} ms", f"p95 {p95(single):.2f} ms, the child {median(child):.2f} ms"
    )
    memory = _memory(world, ids)
    _print("memory of a worker", f"{max(memory):7.0f} MB", f"{memory[0]:.0f} MB after the first run of {len(memory)}")
    print_goal("all buyers within 60 s, one worker", f"{one:.1f} s", one <= 60)
    print_goal("two workers at least 1.6 x faster", f"{one / two:.2f} x", one / two >= 1.6)
    print_goal("changed buyers within 2 s", f"{changed:.2f} s", changed <= 2)
    print_goal("single buyer p50 within 5 ms", f"{median(single):.2f} ms", median(single) <= 5)
    print_goal("of which the child within 0.5 ms", f"{median(child):.2f} ms", median(child) <= 0.5)
    flat = max(memory) <= 300 and memory[-1] - memory[1] <= 10
    print_goal("memory within 300 MB and flat", f"{max(memory):.0f} MB", flat)


def _print(name: str, figure: str, note: str) -> None:
    print(f"  {name:38}{figure:>12}   {note}", flush=True)


def _buyer_ids(world: World) -> list[int]:
    with world.environment() as env:
        return env["credit.insurance.buyer"].search([], order="id").ids


def _full_run(world: World, ids: Sequence[int], workers: int) -> tuple[float, int]:
    """Seconds from the first block to the last, and the alerts written; nothing is left of a run before."""
    with world.registry.cursor() as cr:
        cr.execute("TRUNCATE credit_insurance_receivable_total")
        cr.execute("TRUNCATE credit_insurance_alert CASCADE")
        cr.execute("DELETE FROM mail_message WHERE model = 'credit.insurance.alert'")
        cr.execute("DELETE FROM mail_activity WHERE res_model = 'credit.insurance.alert'")
        cr.commit()
    from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_screening

    blocks = list(split_every(credit_insurance_screening.BLOCK, ids, list))
    context = multiprocessing.get_context("fork")
    queue, ready = context.Queue(), context.Semaphore(0)
    go = context.Event()
    for block in blocks:
        queue.put(block)
    for _worker in range(workers):
        queue.put(None)
    close_all()
    processes = [
        context.Process(target=_work, args=(world.registry.db_name, queue, ready, go)) for _worker in range(workers)
    ]
    for process in processes:
        process.start()
    for _process in processes:
        ready.acquire()
    started = time.perf_counter()
    _sum_receivables(world)
    go.set()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - started
    if any(process.exitcode for process in processes):
        raise RuntimeError("a worker failed")
    with world.environment() as env:
        return seconds, env["credit.insurance.alert"].search_count([("ended_on", "=", False)])


def _sum_receivables(world: World) -> None:
    """What the daily job does before it queues the blocks."""
    with _transaction(world.registry) as env:
        env["credit.insurance.receivable.total"]._refresh(env["res.company"].search([("parent_id", "=", False)]))


def _work(name: str, queue: "multiprocessing.Queue[list[int] | None]", ready: object, go: object) -> None:
    """One worker: takes blocks until there are none, each in a transaction of its own, as a job is."""
    registry = Registry(name)
    with _transaction(registry) as env:
        env["credit.insurance.screening"]._screen(env["credit.insurance.buyer"])
    ready.release()
    go.wait()
    while block := queue.get():
        _run_job(registry, block)
    _end_child()
    os._exit(0)


def _run_job(registry: Registry, block: list[int]) -> None:
    """As the job queue does: a job that met another one is tried again."""
    for left in reversed(range(TRIES)):
        try:
            with _transaction(registry) as env:
                env["credit.insurance.screening"]._job_screen(block)
                return
        except OperationalError:
            if not left:
                raise


@contextlib.contextmanager
def _transaction(registry: Registry) -> Iterator[Environment]:
    with registry.cursor() as cr:
        yield Environment(cr, SUPERUSER_ID, {"lang": "en_US", "tz": "UTC"})
        cr.commit()


def _end_child() -> None:
    from odoo.addons.credit_insurance.rules.risk import shared_host

    shared_host().close()


def _timed_blocks(world: World, ids: Sequence[int]) -> float:
    started = time.perf_counter()
    from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_screening

    for block in split_every(credit_insurance_screening.BLOCK, ids, list):
        with _transaction(world.registry) as env:
            env["credit.insurance.screening"]._job_screen(block)
    return time.perf_counter() - started


def _incremental(world: World, ids: Sequence[int]) -> float:
    """One invoice of one buyer in a hundred falls due earlier; then what the minutely job does."""
    changed = ids[::CHANGED_SHARE]
    with _transaction(world.registry) as env:
        env.cr.execute("DELETE FROM credit_insurance_change")
        env.cr.execute(
            """
            UPDATE account_move_line SET date_maturity = date_maturity - 40
             WHERE id IN (SELECT MIN(l.id) FROM account_move_line l
                            JOIN credit_insurance_buyer b ON b.partner_id = l.partner_id
                           WHERE b.id = ANY(%s) AND l.display_type = 'payment_term' AND l.amount_residual > 0
                           GROUP BY b.id)
            """,
            [list(changed)],
        )
        noted = env["credit.insurance.change"].search_count([])
    started = time.perf_counter()
    with _transaction(world.registry) as env:
        if noted > 500:
            buyers = env["credit.insurance.change"]._take()
            env["credit.insurance.receivable.total"]._refresh(buyers.company_id)
            env["credit.insurance.screening"]._job_screen(buyers.ids)
        else:
            env["credit.insurance.change"]._cron_screen_changed()
    return time.perf_counter() - started


def _singles(world: World, ids: Sequence[int]) -> tuple[list[float], list[float]]:
    """Milliseconds of single buyers in all, each in a transaction of its own, and those of the child process.

    The connection is kept, as a worker's is between the buyers of a job; Odoo resets one that a request takes, and then
    the first statements are planned again.
    """
    from odoo.addons.credit_insurance.rules.risk import EngineHost

    asked: list[float] = []
    evaluate = EngineHost.evaluate

    def measured(host: EngineHost, *args: object) -> object:
        started = time.perf_counter()
        try:
            return evaluate(host, *args)
        finally:
            asked.append(1000 * (time.perf_counter() - started))

    EngineHost.evaluate = measured
    try:
        with world.registry.cursor() as cr:
            total = [_single(cr, buyer_id) for buyer_id in ids[7 :: len(ids) // SINGLES]]
    finally:
        EngineHost.evaluate = evaluate
    return total[5:], asked[5:]


def _single(cr: Cursor, buyer_id: int) -> float:
    env = Environment(cr, SUPERUSER_ID, {"lang": "en_US", "tz": "UTC"})
    env.invalidate_all()
    buyer = env["credit.insurance.buyer"].browse(buyer_id)
    started = time.perf_counter()
    env["credit.insurance.screening"]._screen(buyer)
    cr.commit()
    return 1000 * (time.perf_counter() - started)


def _memory(world: World, ids: Sequence[int]) -> list[float]:
    """Resident memory after each of some runs, in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    close_all()
    process = context.Process(target=_run_repeatedly, args=(world.registry.db_name, ids[:MEMORY_BUYERS], sending.send))
    process.start()
    sizes = [receiving.recv() for _run in range(MEMORY_RUNS)]
    process.join()
    return sizes


def _run_repeatedly(name: str, ids: Sequence[int], tell: Callable[[float], None]) -> None:
    from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_screening

    registry = Registry(name)
    for _run in range(MEMORY_RUNS):
        for block in split_every(credit_insurance_screening.BLOCK, ids, list):
            with _transaction(registry) as env:
                env["credit.insurance.screening"]._job_screen(block)
        tell(_resident())
    _end_child()
    os._exit(0)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
