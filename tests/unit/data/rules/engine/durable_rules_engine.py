"""Stands before the real durable_rules_engine on the path of a child process and misbehaves as ``MISBEHAVE`` says.

It does so at a fact that holds the number 666 (6660000 ten-thousandths), which no sample of the tests' packs holds.
"""

import importlib.util
import os
import signal
import sys
import time
from importlib.machinery import PathFinder

HOW = os.environ["MISBEHAVE"]
TRIGGER = "6660000"

if HOW == "missing":
    raise ImportError("No module named 'durable_rules_engine'")
if HOW == "slow to start":
    time.sleep(4.0)

_here = os.path.dirname(os.path.abspath(__file__))
_spec = PathFinder.find_spec(__name__, [path for path in sys.path if os.path.abspath(path) != _here])
_myself = sys.modules[__name__]
_real = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_real)
sys.modules[__name__] = _myself  # loading the extension puts it there

create_ruleset = _real.create_ruleset
delete_ruleset = _real.delete_ruleset
delete_state = _real.delete_state
start_action_for_state = _real.start_action_for_state


def complete_and_start_action(handle, offset):
    return _real.complete_and_start_action(handle, offset)


def assert_fact(handle, fact):
    if HOW == "prints":
        os.write(1, b"a line of the C library\n")
    if TRIGGER in fact:
        if HOW == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        if HOW == "hangs":
            time.sleep(60)
        if HOW == "raises":
            raise ValueError("Could not assert fact, error code: 303")
        if HOW == "lies":
            fact = '{"t": "buyer", "id": "1", "s0": 0}'
    if HOW == "is wrong about samples" and '"s0"' in fact:
        fact = '{"t": "buyer", "id": "1"}'
    return _real.assert_fact(handle, fact)
