"""The product's story, told on a database with demo data: `make story` feeds this file to an Odoo shell.

    day one -> pull -> stop -> release -> invoice -> alert -> claim

Every act is what a browser would send: a public method, called as the person of the story, in a transaction of its
own. Jobs run one after the other as queue_job's runner runs them. The insurer is the simulator, over real HTTP; its
address stands in CREDIT_INSURANCE_SIMULATOR_URL. What is printed is read from the records. The script ends with
exit code 1 when a step is not as told.
"""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import requests

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tools import mute_logger

from odoo.addons.queue_job.controllers.main import RunJobController
from odoo.addons.queue_job.job import Job

DEMO = "credit_insurance.demo_"
REFUSALS = (AccessError, UserError, AttributeError)
# The child of step 6 gets this before its job, and dies when the insurer's answer is there and nothing is written.
DIE_AFTER_THE_ANSWER = """
import os, signal
from odoo.addons.credit_insurance.connectors.sandbox import {connector} as Connector
from odoo.addons.queue_job.controllers.main import RunJobController

send = Connector.submit_claim

def send_and_die(self, claim):
    send(self, claim)
    os.kill(os.getpid(), signal.SIGKILL)

Connector.submit_claim = send_and_die
job = RunJobController._acquire_job(env, {uuid!r})
RunJobController._runjob(env, job)
"""


class Story:
    """Tells and checks. ``steps`` are the functions of this file named ``step_...``, in their order."""

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
    return record._fields[name].get_currency_field(record) and record[
        record._fields[name].get_currency_field(record)
    ].format(record[name])


def prepare(story):
    """The demo company's connection leads to the simulator of this story; nobody runs its crons meanwhile."""
    with story.person(None) as env:
        env.ref(DEMO + "account").base_url = story.simulator_url


# === STEP 0 === #


def step_0_day_one(story):
    story.title("0. Day one: installed in companies with history")
    with story.person(None) as env:
        confirmed = env["sale.order"].search([("state", "=", "sale")])
        passes = env["credit.insurance.pass"].search([("order_id", "in", confirmed.ids), ("live", "=", True)])
        story.tell("orders confirmed before", len(confirmed))
        story.tell("of them with a pass by the install hook", len(passes.filtered(lambda row: not row.decision_id)))
        story.expect("every confirmed order has its pass", passes.order_id == confirmed)
        story.expect("nothing is held", not env["credit.insurance.hold"].search_count([]))
        company = env.ref("base.main_company")
        story.expect(f"the gate of {company.name} only observes", company.credit_gate_mode == "observe")
        demo = env.ref(DEMO + "company")
        story.expect(f"the gate of {demo.name} is switched on", demo.credit_gate_mode == "on")
    observe(story)
    not_checked(story)


def observe(story):
    """In a company that did nothing about credit yet, an order over the limit is noted and confirmed."""
    with story.person("admin") as env:
        company = env.ref("base.main_company")
        env = env(context={**env.context, "allowed_company_ids": company.ids})
        partner = env["res.partner"].create({"name": "Observed Ltd", "is_company": True})
        buyer = env["credit.insurance.buyer"].create({"partner_id": partner.id})
        env["credit.insurance.own.limit"].create({"buyer_id": buyer.id, "amount": 1000})
        product = env["product.product"].create({"name": "Crate", "list_price": 5000, "taxes_id": False})
        order = env["sale.order"].create(
            {"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 1})]}
        )
        call_kw(order, "action_confirm", [order.ids], {})
        decision = env["credit.insurance.decision"].search([("order_id", "=", order.id)], limit=1)
        story.tell(
            "limit there, and an order", f"{money(decision, 'limit_amount')}, {money(decision, 'document_amount')}"
        )
        story.expect(
            "the gate would have held it, says so, and holds nothing", decision.would_hold and order.state == "sale"
        )


def not_checked(story):
    """Where the gate is on, a buyer nobody has looked at is not checked."""
    with story.person("sam") as env:
        order = env.ref(DEMO + "quotation_unknown_customer")
        call_kw(order, "action_confirm", [order.ids], {})
        story.tell(f"{order.partner_id.name}, nobody looked at it", order.currency_id.format(order.amount_total))
        story.expect("a buyer without any limit is not checked: the order is confirmed", order.state == "sale")


# === STEP 1 === #


def step_1_pull(story):
    story.title("1. Pull: the insurer is asked for grades and covers")
    with story.person(None) as env:
        buyers = env["credit.insurance.buyer"].search([("company_id", "=", env.ref(DEMO + "company").id)])
        ids = buyers.ids
        before = {buyer.id: describe(buyer) for buyer in buyers}
        rows = count_history(env, ids)
        env.ref("credit_insurance.ir_cron_pull").method_direct_trigger()
    story.tell("jobs run", story.run_jobs())
    with story.person("maria") as env:
        buyers = env["credit.insurance.buyer"].browse(ids)
        for buyer in buyers:
            story.tell(shorten(buyer.partner_id.name), before[buyer.id])
            story.tell("", f"-> {describe(buyer)}")
        after = count_history(env, ids)
        story.tell("history rows: covers, grades", f"{rows} -> {after}")
        story.expect("history rows appeared", after[0] > rows[0] and after[1] > rows[1])
        story.expect("all data are of today", all(buyer.data_age == "today" for buyer in buyers))
        iberia = env.ref(DEMO + "buyer_iberia")
        story.expect(
            "Iberia Frutas: cover reduced to 15,000, risk class 3",
            (iberia.cover_status, iberia.cover_amount, iberia.risk_class) == ("reduced", 15000, "3"),
        )


def describe(buyer):
    """Grade, class, cover, its status and its age, as the buyer's form shows them."""
    status = dict(buyer._fields["cover_status"]._description_selection(buyer.env))[buyer.cover_status]
    return (
        f"grade {buyer.grade or '-'}, class {buyer.risk_class or '-'}, {money(buyer, 'cover_amount')} {status.lower()}, "
        f"{buyer.data_age}"
    )


def shorten(text, width=40):
    return text if len(text) <= width else f"{text[: width - 1]}…"


def count_history(env, buyer_ids):
    domain = [("buyer_id", "in", buyer_ids)]
    return env["credit.insurance.cover"].search_count(domain), env["credit.insurance.grade"].search_count(domain)


# === STEPS 2 AND 3 === #


def step_2_stop(story):
    story.title("2. Stop: the sales rep confirms an order above the limit in force")
    with story.person("sam") as env:
        order = env.ref(DEMO + "quotation_officina")
        answer = call_kw(order, "action_confirm", [order.ids], {})
        hold = order.credit_hold_id
        story.tell("the rep reads", answer["params"]["message"])
        story.expect("the order stays a quotation and is held", (order.state, order.credit_state) == ("draft", "held"))
        story.expect(
            "the decision card on the order shows the shortfall", money(hold, "shortfall") in str(order.credit_card)
        )
        request = env[order.action_credit_request_release()["res_model"]].create(
            {"hold_id": hold.id, "note": "Bianchi pays the overdue invoice on Friday."}
        )
        call_kw(request, "action_request", [request.ids], {})
    with story.person("maria") as env:
        hold = env["credit.insurance.hold"].search([("state", "=", "open")])
        story.expect(
            "the manager's list of holds has one",
            len(hold) == 1 and hold.order_id == env.ref(DEMO + "quotation_officina"),
        )
        tell_figures(story, hold)
        activity = hold.activity_ids.filtered(lambda activity: activity.user_id == env.user)
        story.tell("the manager's activity", activity.summary)
        story.expect("the manager has an activity", len(activity) == 1)


def tell_figures(story, hold):
    """Limit, exposure by source, this order and what is missing; they must add up."""
    names = ("insured_limit", "own_limit", "limit_amount")
    sources = ("exposure_not_due", "exposure_overdue", "exposure_confirmed", "exposure_credits", "exposure_reserved")
    for name in (*names, *sources, "exposure", "document_amount", "shortfall"):
        label = hold.decision_id._fields[name]._description_string(hold.env)
        story.tell(f"  {label}", f"{money(hold, name):>14}")
    same = hold.currency_id.compare_amounts
    story.expect("the sources add up to the exposure", same(sum(hold[name] for name in sources), hold.exposure) == 0)
    missing = hold.exposure + hold.document_amount - hold.limit_amount
    story.expect("exposure + this order - limit = shortfall", same(missing, hold.shortfall) == 0 and missing > 0)


def step_3_release(story):
    story.title("3. Release: only the credit manager can")
    with story.person("sam") as env:
        order = env.ref(DEMO + "quotation_officina")
        for what, refused in try_everything(story, env, order, order.credit_hold_id):
            story.expect(f"refused to the rep: {what}", refused)
        call_kw(order, "action_confirm", [order.ids], {"context": {"credit_bypass": True, "bypass_risk": True}})
        story.expect(
            "confirming again, with any context, leaves it held", (order.state, order.credit_state) == ("draft", "held")
        )
    with story.person("maria") as env:
        hold = env["credit.insurance.hold"].search([("state", "=", "open")])
        reason = env.ref("credit_insurance.release_reason_payment_announced")
        wizard = env["credit.insurance.hold.release"].create(
            {"hold_id": hold.id, "reason_id": reason.id, "note": "Payment order seen."}
        )
        call_kw(wizard, "action_decide", [wizard.ids], {})
        order = hold.order_id
        story.expect("the order is confirmed", (order.state, order.credit_state) == ("sale", "passed"))
        story.tell(
            "on record", f"{hold.name}: {hold.state} by {hold.decided_by_id.name}, {hold.reason_id.name}: {hold.note}"
        )
        story.tell("up to, until", f"{money(hold, 'release_amount')}, {hold.release_valid_until}")
        decision = env["credit.insurance.decision"].search([("order_id", "=", order.id)], limit=1)
        story.expect("the decision is logged as released", (decision.outcome, decision.basis) == ("pass", "released"))


def try_everything(story, env, order, hold):
    """What a sales rep might send: (what, whether it is refused)."""
    vals = {"hold_id": hold.id, "decision": "release", "reason_id": 1, "amount": order.amount_total}
    ledger = {"order_id": order.id, "partner_id": order.partner_id.id, "company_id": order.company_id.id, "amount": 1e9}
    calls = {
        "the release wizard": ("credit.insurance.hold.release", "create", [vals]),
        "the hold's private method": ("credit.insurance.hold", "_release", hold.ids, False, "", 1e9, "2099-12-31"),
        "writing the hold": ("credit.insurance.hold", "write", hold.ids, {"state": "released"}),
        "writing a pass": ("credit.insurance.pass", "create", [{**ledger, "currency_id": order.currency_id.id}]),
        "writing the order's state": ("sale.order", "write", order.ids, {"state": "sale"}),
        "writing where the order stands": ("sale.order", "write", order.ids, {"credit_state": "released"}),
        "a new order in state sale": ("sale.order", "create", [{**order.copy_data()[0], "state": "sale"}]),
        "the gate itself": ("credit.insurance.gate", "_pass_or_hold", order.ids),
        "switching the gate off": ("res.company", "write", order.company_id.ids, {"credit_gate_mode": "off"}),
    }
    for what, (model, method, *arguments) in calls.items():
        yield what, story.refused(env, model, method, *arguments)


# === STEP 4 === #


def step_4_invoice(story):
    story.title("4. Invoice: delivered, invoiced, insured")
    with story.person("ada") as env:
        picking = env.ref(DEMO + "quotation_officina").picking_ids
        picking.move_ids.quantity = sum(picking.move_ids.mapped("product_uom_qty"))
        call_kw(picking, "button_validate", [picking.ids], {})
        story.tell("delivered", f"{picking.name}: {picking.state}")
    with story.person("anna") as env:
        order = env.ref(DEMO + "quotation_officina")
        wizard = (
            env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=order.ids).create({})
        )
        wizard.create_invoices()
        invoice = order.invoice_ids
        call_kw(invoice, "action_post", [invoice.ids], {})
        for name in ("open", "covered", "insured", "own_share", "uninsured"):
            field = f"credit_insurance_{name}"
            story.tell(f"{invoice.name}: {name.replace('_', ' ')}", money(invoice, field))
        story.tell("policy", invoice.credit_insurance_policy_id.number)
        story.tell("why not all of it", invoice.credit_insurance_reasons or "-")
        for deadline in invoice.credit_insurance_deadline_ids.sorted("date"):
            kind = dict(deadline._fields["kind"]._description_selection(env))[deadline.kind]
            story.tell(f"  {kind}", f"{deadline.date}  {deadline.state}")
        check_invoice(story, invoice)


def check_invoice(story, invoice):
    covered = invoice.credit_insurance_covered
    story.expect(
        "it is covered under TCI-2026-0001",
        covered > 0 and invoice.credit_insurance_policy_id.number == "TCI-2026-0001",
    )
    insured = invoice.currency_id.compare_amounts(invoice.credit_insurance_insured, covered * 0.9) == 0
    story.expect("insured is 90 % of what is covered", insured)
    days = {
        deadline.kind: (deadline.date - deadline.due_date).days for deadline in invoice.credit_insurance_deadline_ids
    }
    told = {"end_of_mep": 60, "notification": 90, "date_of_loss": 180, "claim": 360}
    story.expect("MEP 60, notification 90, loss 180, claim 360 days after the due date", told.items() <= days.items())


# === STEP 5 === #


def step_5_alert(story):
    story.title("5. Alert: a rule in YAML fires once")
    rule_text(story)
    before = screen(story)
    with story.person("maria") as env:
        alert = env["credit.insurance.alert"].search([])
        story.expect("one alert", len(alert) == 1 and alert.partner_id == env.ref(DEMO + "iberia"))
        story.tell("alert", alert.message)
        for name, value in sorted((alert.values_first or {}).items()):
            story.tell(f"  {name}", value)
        for row in alert._get_trace_rows():
            if "label" in row:
                story.tell(f"  {row['label']} {row['needed']}", f"{row['value']}: {row['answer_text']}")
        story.tell("evaluated by", dict(alert._fields["engine"]._description_selection(env))[alert.engine])
        story.expect("durable_rules said so, in its child process", alert.engine == "durable")
    after = screen(story)
    story.tell("alerts after screening once and twice", f"{before}, {after}")
    story.expect("running it again raises none", before == after == 1)


def rule_text(story):
    with story.person("maria") as env:
        rule = env.ref("credit_insurance.rule_grade_drop_and_overdue")
        for line in rule.document.splitlines():
            if not line.startswith("tests:"):
                print(f"    {line}")
            else:
                break


def screen(story):
    """Screen all buyers as the daily job does; return how many alerts there are."""
    with story.person("ada") as env:
        call_kw(env["credit.insurance.rule"], "action_screen_now", [], {})
    story.run_jobs()
    with story.person(None) as env:
        return env["credit.insurance.alert"].search_count([])


# === STEP 6 === #


def step_6_claim(story):
    story.title("6. Claim: sent once, whatever happens")
    with story.person("anna") as env:
        buyer = env.ref(DEMO + "buyer_casa_verde")
        action = call_kw(buyer, "action_make_claim", [buyer.ids], {})
        claim = env[action["res_model"]].browse(action["res_id"])
        for line in claim.line_ids:
            story.tell(
                f"  {line.number}, due {line.due_date}",
                f"{money(line, 'policy_open')}, covered {money(line, 'covered')}",
            )
        for text in (claim.indemnity_text or "").splitlines():
            story.tell("  " + text.partition(": ")[0], text.partition(": ")[2])
        call_kw(claim, "action_submit", [claim.ids], {})
        claim_id, reference = claim.id, claim.name
        story.tell(
            "claim", f"{reference}: {money(claim, 'amount_open')} on {len(claim.line_ids)} invoices, {claim.state}"
        )
    uuid = killed_while_sending(story)
    with story.person(None) as env:
        claim = env["credit.insurance.claim"].browse(claim_id)
        story.expect("we recorded nothing", claim.state == "queued" and not claim.insurer_reference)
        # As the job runner does with jobs whose process is gone.
        job = Job.load(env, uuid)
        job.set_pending(reset_retry=False)
        job.store()
    story.expect("the insurer has it all the same", story.simulator("GET", "claims")["count"] == 1)
    story.run_jobs()
    recorded(story, claim_id, reference)
    statuses(story, claim_id)


def killed_while_sending(story):
    """Run the job that sends the claim in a process that is killed right after the insurer's answer."""
    uuid = story.next_job()
    script = DIE_AFTER_THE_ANSWER.format(connector="SandboxInsurer", uuid=uuid)
    command = [sys.executable, "-m", "odoo", *sys.argv[1:]]
    ended = subprocess.run(command, input=script, text=True, capture_output=True, timeout=120)
    story.tell("the process that sent it ended with signal", -ended.returncode)
    story.expect("it was killed between sending and recording", ended.returncode == -signal.SIGKILL)
    return uuid


def recorded(story, claim_id, reference):
    claims = story.simulator("GET", "claims")
    story.tell("claims at the insurer", claims["count"])
    story.expect("running again leaves exactly one claim at the insurer", claims["count"] == 1)
    with story.person("anna") as env:
        claim = env["credit.insurance.claim"].browse(claim_id)
        story.tell("number", claim.insurer_reference)
        sent = claims["claims"][0]
        told = (claim.state, claim.insurer_reference) == ("acknowledged", sent["number"])
        story.expect("its number stands on our claim", told and sent["reference"] == reference)


def statuses(story, claim_id):
    """Asked later, the insurer says how it goes on."""
    for state in ("in_review", "accepted", "paid"):
        story.simulator("POST", "claims/advance")
        with story.person(None) as env:
            env.ref("credit_insurance.ir_cron_claim_status").method_direct_trigger()
        story.run_jobs()
        with story.person("anna") as env:
            claim = env["credit.insurance.claim"].browse(claim_id)
            figures = f"accepted {money(claim, 'accepted_amount')}, paid {money(claim, 'paid_amount')}"
            story.tell(f"insurer's status {claim.insurer_status_code}", figures)
            story.expect(f"asked later, our claim says {state.replace('_', ' ')}", claim.state == state)


def main(env):
    """Tell the whole story; return the exit code."""
    env.cr.rollback()  # the shell's own transaction sees nothing of what is committed from here on
    story = Story(env.registry, os.environ.get("CREDIT_INSURANCE_SIMULATOR_URL", "http://127.0.0.1:8070"))
    prepare(story)
    for step in (
        step_0_day_one,
        step_1_pull,
        step_2_stop,
        step_3_release,
        step_4_invoice,
        step_5_alert,
        step_6_claim,
    ):
        step(story)
    print(f"\n{len(story.wrong)} steps are not as told." if story.wrong else "\nAll as told.")
    return 1 if story.wrong else 0


sys.exit(main(env))  # noqa: F821 (the shell's environment)
