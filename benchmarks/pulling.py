"""Pulls as a worker of the job queue carries them out: job by job, each in transactions of its own."""

# ruff: noqa: TID251 (runs inside Odoo)
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloning import clone, loading
from confirmation import print_goal
from dev.messages import step
from insurer import POLICY_NUMBER, Address, number

from odoo.api import SUPERUSER_ID, Environment
from odoo.orm.registry import Registry
from odoo.sql_db import close_all
from odoo.tools import config

MEGABYTE = 1024 * 1024
MEMORY_PULLS = 3
COVERS = ("cover_page",)
GRADES = ("grades",)


@dataclass(frozen=True)
class Pulled:
    """What a pull took, and what it did."""

    seconds: float
    cpu: float
    rows: int
    pages: int
    jobs: int


def opened(conf: Path, name: str, covers: int) -> Registry:
    """The database with a linked buyer for each cover, made when there is none."""
    config.parse_config([f"--config={conf}", "--no-http", "--max-cron-threads=0"], setup_logging=False)
    registry = Registry(name)
    with registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        if env["credit.insurance.buyer.link"].search_count([]) < covers:
            with step(f"Generating buyers in {name}"):
                _generate(env, covers)
                cr.commit()
        cr.execute("DELETE FROM queue_job")
        cr.commit()
    return registry


def _generate(env: Environment, covers: int) -> None:
    env.ref("base.EUR").active = True
    insurer = env.ref("credit_insurance.insurer_allianz_trade")
    account = env["credit.insurance.account"].create(
        {"name": "Simulator", "insurer_id": insurer.id, "connector": "sandbox", "company_id": env.company.id}
    )
    env["credit.insurance.policy"].create(
        {
            "number": POLICY_NUMBER, "insurer_id": insurer.id, "account_id": account.id,
            "currency_id": env.ref("base.EUR").id, "date_start": "2026-01-01",
        }
    )  # fmt: skip
    partner = env["res.partner"].create({"name": "Buyer", "is_company": True})
    buyer = env["credit.insurance.buyer"].create({"partner_id": partner.id})
    link = env["credit.insurance.buyer.link"].create(
        {"account_id": account.id, "buyer_id": buyer.id, "external_id": "B0000001"}
    )
    env.flush_all()
    count = covers - 1
    with loading(env.cr, ("res_partner", "credit_insurance_buyer", "credit_insurance_buyer_link")):
        base = clone(env.cr, "res_partner", partner.id, count, commercial_partner_id="-1", name="'Buyer ' || n")
        env.cr.execute("UPDATE res_partner SET commercial_partner_id = id WHERE commercial_partner_id = -1")
        first = clone(env.cr, "credit_insurance_buyer", buyer.id, count, partner_id=f"{base} + n")
        clone(
            env.cr, "credit_insurance_buyer_link", link.id, count,
            buyer_id=f"{first} + n", external_id=number("n + 1"),
        )  # fmt: skip


def measure_pulls(registry: Registry, insurer: Address, covers: int) -> None:
    """The first pull of covers, one in which nothing changed, that of grades; the memory of a worker."""
    _prepare(registry, insurer)
    first = _pulled(registry, COVERS)
    _print("covers, first pull", first)
    again = _pulled(registry, COVERS)
    _print("covers, nothing changed", again)
    _print("grades, first pull", _pulled(registry, GRADES))
    _print("grades, nothing changed", _pulled(registry, GRADES))
    print_goal("history rows within 90 s", f"{first.seconds:.1f} s", first.seconds <= 90)
    print_goal("nothing changed within 25 s", f"{again.seconds:.1f} s", again.seconds <= 25)
    print_goal("every cover taken over, once", f"{first.rows:,} rows", first.rows == covers)
    print_goal("nothing written the second time", f"{again.rows:,} rows", again.rows == 0)
    memory = _measure_memory(registry)
    figure = " · ".join(f"{size:.0f}" for size in memory)
    print_goal("memory of a worker flat", f"{figure} MB", memory[-1] - memory[0] <= 20)


def _prepare(registry: Registry, insurer: Address) -> None:
    """Nothing is left of a run before."""
    with registry.cursor() as cr:
        cr.execute("TRUNCATE credit_insurance_cover, credit_insurance_grade, credit_insurance_pull CASCADE")
        cr.execute("TRUNCATE credit_insurance_change")
        env = Environment(cr, SUPERUSER_ID, {})
        account = env["credit.insurance.account"].search([("connector", "=", "sandbox")], limit=1)
        account.write({"state": "test", "base_url": insurer.url, "api_key": insurer.api_key})
        account.write({"covers_pulled_at": False, "grades_pulled_at": False, "grades_listed_at": False})
        cr.execute("ANALYZE credit_insurance_buyer_link, credit_insurance_buyer")


def _pulled(registry: Registry, operations: Sequence[str]) -> Pulled:
    """One pull to its end, as a worker that takes a job after the other."""
    with registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        account = env["credit.insurance.account"].search([("connector", "=", "sandbox")], limit=1)
        pull_id = env["credit.insurance.pull"]._start(account, operations).id
    started, cpu, jobs = time.perf_counter(), time.process_time(), 0
    while _perform_next(registry):
        jobs += 1
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    with registry.cursor() as cr:
        pull = Environment(cr, SUPERUSER_ID, {})["credit.insurance.pull"].browse(pull_id)
        if pull.state != "done":
            raise RuntimeError(f"the pull is {pull.state}: {pull.error}")
        return Pulled(seconds, cpu, pull.changed_count + pull.grade_count, pull.page_count, jobs)


def _perform_next(registry: Registry) -> bool:
    """Carry out the job that waits, as the job queue's controller does; whether there was one."""
    from odoo.addons.queue_job.controllers.main import RunJobController
    from odoo.addons.queue_job.job import ENQUEUED, Job

    with registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {"lang": "en_US", "tz": "UTC"})
        waiting = env["queue.job"].search([("state", "=", "pending")], order="id", limit=1)
        if not waiting:
            return False
        job = Job.load(env, waiting.uuid)
        job.state = ENQUEUED
        job.store()
        cr.commit()
        job = RunJobController._acquire_job(env, job.uuid)
        RunJobController._runjob(env, job)
        return True


def _print(name: str, pulled: Pulled) -> None:
    note = f"{pulled.rows:,} rows written, {pulled.pages} pages, {pulled.jobs} jobs, {pulled.cpu:.1f} s of our own"
    print(f"  {name:38}{pulled.seconds:9.1f} s   {note}", flush=True)


def _measure_memory(registry: Registry) -> list[float]:
    """Megabytes of a worker after each of some further pulls, in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    close_all()
    process = context.Process(target=_pull_repeatedly, args=(registry.db_name, sending.send))
    process.start()
    sizes = [receiving.recv() for _pull in range(MEMORY_PULLS)]
    process.join()
    return sizes


def _pull_repeatedly(name: str, tell: Callable[[float], None]) -> None:
    registry = Registry(name)
    for _pull in range(MEMORY_PULLS):
        _pulled(registry, COVERS)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        tell(pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE)
    os._exit(0)
