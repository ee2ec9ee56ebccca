"""Telling the story: its lines, its people, the job queue and the insurer."""

# ruff: noqa: TID251 (this runs inside an Odoo shell)

from contextlib import contextmanager

import requests

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tools import mute_logger

from odoo.addons.queue_job.controllers.main import RunJobController
from odoo.addons.queue_job.job import Job

REFUSALS = (AccessError, UserError, AttributeError)


class Story:
    """Tells and checks."""

    def __init__(self, registry, simulator_url):
        self.registry = registry
        self.simulator_url = simulator_url
        self.wrong = []

    # === TELLING === #

    def title(self, text):
        print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def tell(self, label, value):
        print(f"  {label:<42} {value}", flush=True)

    def expect(self, what, as_told):
        """One line that must be true; the story goes on when it is not, and ends with exit code 1."""
        print(f"  {'ok          ' if as_told else 'NOT AS TOLD '} {what}", flush=True)
        if not as_told:
            self.wrong.append(what)

    # === ACTING === #

    @contextmanager
    def person(self, login):
        """An environment of this person in a transaction of its own, committed at the end as a request is."""
        with self.registry.cursor() as cr:
            root = api.Environment(cr, SUPERUSER_ID, {})
            user = root["res.users"].search([("login", "=", login)]) if login else root.user
            companies = {} if not login else {"allowed_company_ids": user.company_ids.ids}
            yield api.Environment(cr, user.id, {"lang": "en_US", "tz": user.tz, **companies})

    def refused(self, env, model, method, *arguments, **options):
        """Whether a call over RPC is refused. What it did is undone."""
        savepoint = env.cr.savepoint()
        try:
            with mute_logger("odoo.sql_db"):
                call_kw(env[model], method, list(arguments), options)
                env.cr.flush()
        except REFUSALS:
            return True
        finally:
            savepoint.rollback()
            savepoint.close(rollback=False)
            env.invalidate_all(flush=False)
        return False

    def run_jobs(self):
        """Run what waits in the queue, and what that queues in turn; return how many jobs ran."""
        count = 0
        while uuid := self.next_job():
            with self.person(None) as env:
                job = RunJobController._acquire_job(env, uuid)
                RunJobController._runjob(env, job)
            count += 1
        with self.person(None) as env:
            for job in env["queue.job"].search([("state", "not in", ("done", "cancelled"))]):
                self.expect(f"job {job.name} is done and not {job.state}: {job.exc_message or job.result}", False)
        return count

    def next_job(self):
        """Hand the next job to a worker: its uuid, or None when nothing waits."""
        with self.person(None) as env:
            record = env["queue.job"].search([("state", "=", "pending")], order="priority, date_created, id", limit=1)
            if not record:
                return None
            job = Job.load(env, record.uuid)
            job.set_enqueued()
            job.store()
            return record.uuid

    def simulator(self, method, path, **body):
        """Pull a string of the simulator, and return what it answers."""
        answer = requests.request(method, f"{self.simulator_url}/_control/{path}", json=body or None, timeout=10)
        answer.raise_for_status()
        return answer.json()


def money(record, name):
    """A monetary field as people read it."""
    return record[record._fields[name].get_currency_field(record)].format(record[name])


def shorten(text, width=40):
    return text if len(text) <= width else f"{text[: width - 1]}…"
