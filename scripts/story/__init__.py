"""The product's story, told on a database with demo data; `make story` runs it in an Odoo shell (see run.py).

    day one -> pull -> stop -> release -> invoice -> alert -> claim
    beginning.py       gate.py            insurance.py       claim.py      told with narrator.py

Every act is what a browser would send: a public method, called as the person of the story, in a transaction of its
own. Jobs run one after the other as queue_job's runner runs them. The insurer is the simulator, over real HTTP; its
address stands in CREDIT_INSURANCE_SIMULATOR_URL. What is printed is read from the records.
"""

import os

from . import beginning, claim, gate, insurance
from .narrator import Story

__all__ = ["Story", "tell"]

STEPS = (
    beginning.step_0_day_one,
    beginning.step_1_pull,
    gate.step_2_stop,
    gate.step_3_release,
    insurance.step_4_invoice,
    insurance.step_5_alert,
    claim.step_6_claim,
)


def tell(env):
    """Tell the whole story and return the exit code: 1 when something is not as told."""
    env.cr.rollback()  # the shell's own transaction would see nothing of what is committed from here on
    story = Story(env.registry, os.environ.get("CREDIT_INSURANCE_SIMULATOR_URL", "http://127.0.0.1:8070"))
    with story.person(None) as root:
        root.ref("credit_insurance.demo_account").base_url = story.simulator_url
    for step in STEPS:
        step(story)
    print(f"\n{len(story.wrong)} things are not as told." if story.wrong else "\nAll as told.", flush=True)
    return 1 if story.wrong else 0
