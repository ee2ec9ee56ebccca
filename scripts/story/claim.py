"""Step 6: a claim, sent once although the process that sends it is killed."""

# ruff: noqa: TID251 (this runs inside an Odoo shell)

import signal
import subprocess
import sys

from odoo.service.model import call_kw

from odoo.addons.queue_job.job import Job

from .narrator import money

DEMO = "credit_insurance.demo_"
# The child of step 6 gets this before its job, and dies when the insurer's answer is there and nothing is written.
DIE_AFTER_THE_ANSWER = """
import os, signal
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox as Connector
from odoo.addons.queue_job.controllers.main import RunJobController

send = Connector.submit_claim

def send_and_die(self, claim):
    send(self, claim)
    os.kill(os.getpid(), signal.SIGKILL)

Connector.submit_claim = send_and_die
job = RunJobController._acquire_job(env, {uuid!r})
RunJobController._runjob(env, job)
"""


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
    script = DIE_AFTER_THE_ANSWER.format(uuid=uuid)
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
        with story.person(None) as env:
            claim = env["credit.insurance.claim"].browse(claim_id)
            decided = {"amount": f"{claim.indemnity_estimate:.2f}"} if state == "accepted" else {}
            story.simulator("POST", f"claims/{claim.insurer_reference}/advance", to=state.upper(), **decided)
            env.ref("credit_insurance.ir_cron_claim_status").method_direct_trigger()
        story.run_jobs()
        with story.person("anna") as env:
            claim = env["credit.insurance.claim"].browse(claim_id)
            figures = f"accepted {money(claim, 'accepted_amount')}, paid {money(claim, 'paid_amount')}"
            story.tell(f"insurer's status {claim.insurer_status_code}", figures)
            story.expect(f"asked later, our claim says {state.replace('_', ' ')}", claim.state == state)
