"""The engine in its child process: the reference's answers, in time, whatever happens to the child."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, TODAY, facts, packs

from rules.risk import (
    DEFAULT_CATALOGUE,
    All,
    AnsweredBy,
    EngineBusy,
    EngineHost,
    EngineRefused,
    Pack,
    Rule,
    RuleEngine,
    RulesRefused,
    Scope,
    Severity,
    Signal,
    SignalType,
    State,
    check,
    evaluate,
    load,
)
from rules.risk.client import BATCH
from rules.risk.compiler import compile_pack
from rules.risk.expression import parse_comparison as line
from rules.risk.facts import EXACT, STEP, read_facts

ROOT = Path(__file__).parents[2]
MISBEHAVING = str(Path(__file__).parent / "data" / "rules" / "engine")
PACK = Pack(
    "p",
    (
        Rule("high", "n", line("owed > 100"), severity=Severity.HIGH),
        Rule("above", "n", line("owed > 1.1 * limit"), unless=line("public = yes")),
        Rule("abroad", "n", line('country not in ["FR", "BE"]'), severity=Severity.CRITICAL),
        Rule("order", "n", line("amount > limit"), scope=Scope.ORDER),
    ),
)
FACTS = {"owed": 666, "limit": 100, "country": "DE"}


@contextmanager
def engine(pack=PACK, how="", timeout=5.0, **options):
    environment = {"PYTHONPATH": MISBEHAVING, "MISBEHAVE": how} if how else {}
    host = EngineHost(environment=environment, **options.pop("host", {}))
    try:
        yield RuleEngine(pack, CATALOGUE, timeout=timeout, host=host, **options)
    finally:
        host.close()


def answer(verdict):
    return verdict.fired, verdict.excluded, verdict.undecided


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# --- the same answers


@pytest.fixture(scope="module")
def host():
    host = EngineHost()
    yield host
    host.close()


@given(packs(), st.lists(facts, min_size=15, max_size=30))
@settings(PATIENT, max_examples=100)
def test_the_engine_answers_as_the_reference(host, pack, rows):
    """Random rules that pass the checker, on random facts: not one different answer."""
    sound = Pack("p", tuple(rule for rule in pack.rules if not check(rule, CATALOGUE)))
    if not sound.rules or check(sound, CATALOGUE):
        return
    asked = RuleEngine(sound, CATALOGUE, host=host, timeout=30, compare_share=0)
    asked.prepare()
    for row, verdict in zip(rows, asked.evaluate_batch(rows, TODAY), strict=True):
        assert verdict.engine is AnsweredBy.DURABLE, verdict.note
        states = {rule.key: evaluate(rule, row, TODAY, CATALOGUE).state for rule in sound.rules}
        for state, keys in zip((State.FIRED, State.EXCLUDED, State.UNDECIDED), answer(verdict), strict=True):
            assert set(keys) == {key for key, found in states.items() if found is state}


def test_the_shipped_packs_pass_the_engine_s_own_samples(host):
    for path in sorted((ROOT / "rules" / "risk" / "packs").glob("*.yaml")):
        asked = RuleEngine(load(path.read_text(encoding="utf-8")), DEFAULT_CATALOGUE, host=host)
        asked.prepare()


def test_rules_that_fire_come_in_order_of_precedence():
    with engine() as asked:
        assert asked.evaluate(FACTS, TODAY).fired == ("abroad", "high", "above")


def test_a_rule_that_fired_is_explained():
    with engine() as asked:
        assert asked.explain("above", FACTS, TODAY).trace.line() == "owed 666 > 1.1 × limit 100 = 110: yes"


def test_an_exclusion_silences_and_a_missing_value_is_undecided():
    with engine() as asked:
        verdict = asked.evaluate({"owed": 200, "limit": 100, "public": True}, TODAY)
        assert answer(verdict) == (("high",), ("above",), ("abroad",))
        assert verdict.engine is AnsweredBy.DURABLE


def test_only_rules_of_the_scope_are_asked():
    with engine() as asked:
        assert asked.evaluate({**FACTS, "amount": 200}, TODAY, scope=Scope.ORDER).fired == ("order",)
        assert asked.evaluate({**FACTS, "amount": 200}, TODAY, scope=Scope.EVENT).fired == ()


def test_days_and_companies_are_respected():
    pack = Pack(
        "p", (Rule("a", "n", line("owed > 1"), companies=("A",)), Rule("b", "n", line("owed > 2"), valid_to=TODAY))
    )
    with engine(pack) as asked:
        assert asked.evaluate(FACTS, TODAY, company="A").fired == ("a", "b")
        assert asked.evaluate(FACTS, TODAY.replace(year=2026), company="B").fired == ()


def test_samples_stay_within_what_facts_can_be():
    largest = Decimal(10) ** 14
    when = All((line(f"limit >= {largest - 1}"), line("owed < 10000 * limit"), line("owed > 10000 * used_limit")))
    catalogue = CATALOGUE.extended([Signal("used_limit", "Used", SignalType.MONEY)])
    host = EngineHost()
    try:
        RuleEngine(Pack("p", (Rule("a", "n", when),)), catalogue, host=host).prepare()
    finally:
        host.close()


def test_values_at_the_edges_are_exact():
    largest = Decimal(10) ** 14
    pack = Pack(
        "p", (Rule("a", "n", line("owed < 10000 * limit")), Rule("b", "n", line("owed >= 99999999999999.9999")))
    )
    with engine(pack) as asked:
        assert asked.evaluate({"owed": largest, "limit": largest}, TODAY).fired == ("a", "b")
        assert asked.evaluate({"owed": largest - Decimal("0.0001"), "limit": -largest}, TODAY).fired == ("b",)
        assert asked.evaluate({"owed": largest - Decimal("0.0002"), "limit": largest}, TODAY).fired == ("a",)


def test_texts_nobody_thought_of_are_told_apart():
    with engine(Pack("p", (Rule("a", "n", line("country = seat")), Rule("b", "n", line('country = "1"'))))) as asked:
        hostile = ["\ud800", "\x00", "", "1", "x" * 100_000, '"}', "1.0"]
        for one in hostile:
            fired = ("a", "b") if one == "1" else ("a",)
            assert asked.evaluate({"country": one, "seat": one}, TODAY).fired == fired
            assert "a" not in asked.evaluate({"country": one, "seat": one + "?"}, TODAY).fired


def test_an_unreadable_fact_is_named_and_decides_nothing():
    with engine() as asked:
        verdict = asked.evaluate({"owed": Decimal("NaN")}, TODAY)
        assert verdict.unreadable == (("owed", "not a finite number"),)
        assert set(verdict.undecided) == {"high", "above", "abroad"}


def test_batches_are_cut_into_blocks_and_keep_their_order():
    with engine(timeout=30) as asked:
        rows = [{"owed": number} for number in range(2 * BATCH + 1)]
        verdicts = asked.evaluate_batch(rows, TODAY)
        assert [number for number, verdict in enumerate(verdicts) if "high" in verdict.fired] == list(
            range(101, len(rows))
        )
        assert asked.evaluate_batch([], TODAY) == ()


def test_blocks_around_one_on_which_the_child_breaks_keep_their_place():
    """The next block is with the child before the answers to this one are looked at."""
    rows = [{"owed": number} for number in range(2 * BATCH + 1)]
    rows[BATCH + 7] = FACTS
    with engine(how="crashes", timeout=30) as asked:
        asked.prepare()
        verdicts = asked.evaluate_batch(rows, TODAY)
        expected = [
            asked._by_reference(read_facts(row, CATALOGUE, TODAY), TODAY, Scope.BUYER, None, "") for row in rows
        ]
        assert [answer(verdict) for verdict in verdicts] == [answer(verdict) for verdict in expected]
        by = [{verdict.engine for verdict in verdicts[start : start + BATCH]} for start in range(0, len(rows), BATCH)]
        assert by == [{AnsweredBy.DURABLE}, {AnsweredBy.REFERENCE}, {AnsweredBy.DURABLE}]


@given(st.decimals(-(10**14), 10**14, allow_nan=False, allow_infinity=False))
def test_the_child_gets_numbers_as_whole_ten_thousandths(number):
    read = read_facts({"owed": number, "amount": number}, CATALOGUE, TODAY)
    row = json.loads(compile_pack(PACK).encode(read, Scope.BUYER))
    assert number.quantize(STEP, ROUND_HALF_EVEN, EXACT) * 10_000 in row.values()


def test_rules_that_do_not_pass_the_checker_are_not_used():
    with pytest.raises(RulesRefused):
        RuleEngine(Pack("p", (Rule("a", "n", line("owd > 1")),)), CATALOGUE)


# --- a child that breaks


@pytest.mark.parametrize("how", ["crashes", "hangs"])
def test_a_child_that_breaks_on_a_fact_costs_half_a_second_and_no_answer(how):
    with engine(how=how, timeout=0.5) as asked:
        asked.prepare()
        started = time.monotonic()
        verdict = asked.evaluate(FACTS, TODAY)
        assert time.monotonic() - started < 3
        assert verdict.engine is AnsweredBy.REFERENCE and verdict.note
        assert verdict.fired == ("abroad", "high", "above")


def test_other_facts_are_answered_by_a_new_child():
    with engine(how="crashes") as asked:
        asked.prepare()
        first = asked.host.pid
        asked.evaluate(FACTS, TODAY)
        verdict = asked.evaluate({**FACTS, "owed": 667}, TODAY)
        assert verdict.engine is AnsweredBy.DURABLE and asked.host.pid != first and not alive(first)


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_a_child_that_is_hit_between_two_calls_is_replaced(blow):
    with engine(timeout=4.0) as asked:
        asked.prepare()
        first = asked.host.pid
        os.kill(first, blow)
        started = time.monotonic()
        verdict = asked.evaluate(FACTS, TODAY)
        assert time.monotonic() - started < 4.5
        assert verdict.engine is AnsweredBy.DURABLE and verdict.fired == ("abroad", "high", "above")
        assert not alive(first), "no zombie is left"


def test_a_stopped_child_does_not_block_the_writing_of_a_large_batch():
    with engine(timeout=0.5) as asked:
        asked.prepare()
        os.kill(asked.host.pid, signal.SIGSTOP)
        started = time.monotonic()
        verdicts = asked.evaluate_batch([FACTS] * BATCH, TODAY)
        assert time.monotonic() - started < 5
        assert {verdict.fired for verdict in verdicts} == {("abroad", "high", "above")}


def test_a_child_that_keeps_breaking_is_left_alone_for_a_while():
    with engine(how="hangs", timeout=0.3, host={"rest_seconds": 3.0}) as asked:
        patience = time.monotonic() + 20
        while "rests" not in asked.evaluate(FACTS, TODAY).note and time.monotonic() < patience:
            time.sleep(0.01)
        verdict = asked.evaluate(FACTS, TODAY)
        assert asked.host.pid is None, "no child is asked"
        assert "rests" in verdict.note and verdict.fired == ("abroad", "high", "above")
        time.sleep(3.0)
        asked.prepare()
        assert asked.evaluate({"owed": 1}, TODAY).engine is AnsweredBy.DURABLE


@pytest.fixture
def nothing_collected():
    """At the deepest of a nested answer no stack is left for what Python would clean up of other tests."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("nothing_collected")
@pytest.mark.parametrize("junk", ["nested", "number", "bytes", "list"])
def test_a_child_that_answers_junk_is_replaced_and_the_reference_answers(junk):
    host = EngineHost(python=str(Path(MISBEHAVING).parent / "talks_junk.py"), environment={"JUNK": junk})
    asked = RuleEngine(PACK, CATALOGUE, timeout=5.0, host=host)
    try:
        verdict = asked.evaluate(FACTS, TODAY)
        assert verdict.engine is AnsweredBy.REFERENCE and "gibberish" in verdict.note
        assert verdict.fired == ("abroad", "high", "above")
        assert host.pid is None
    finally:
        host.close()


def test_without_durable_rules_the_reference_answers():
    with engine(how="missing") as asked:
        verdict = asked.evaluate(FACTS, TODAY)
        assert verdict.engine is AnsweredBy.REFERENCE and "durable_rules" in verdict.note
        assert verdict.fired == ("abroad", "high", "above")
        with pytest.raises(EngineBusy):
            asked.prepare()


def test_without_an_interpreter_the_reference_answers():
    with engine(host={"python": "/nowhere/python"}) as asked:
        assert asked.evaluate(FACTS, TODAY).engine is AnsweredBy.REFERENCE


def test_a_slow_start_delays_nobody_and_is_waited_for_by_the_next():
    with engine(how="slow to start", timeout=1.0) as asked:
        started = time.monotonic()
        verdict = asked.evaluate(FACTS, TODAY)
        assert time.monotonic() - started < 3
        assert verdict.engine is AnsweredBy.REFERENCE and "starting" in verdict.note
        started = time.monotonic()
        assert asked.evaluate(FACTS, TODAY).fired == verdict.fired
        assert time.monotonic() - started < 1.0, "only the first caller waits"
        first = asked.host.pid
        asked.prepare()
        assert asked.evaluate(FACTS, TODAY).engine is AnsweredBy.DURABLE and asked.host.pid == first


def test_what_a_library_prints_does_not_reach_the_answers():
    with engine(how="prints") as asked:
        assert asked.evaluate(FACTS, TODAY).engine is AnsweredBy.DURABLE


def test_a_row_the_engine_cannot_evaluate_is_answered_by_the_reference():
    with engine(how="raises") as asked:
        verdicts = asked.evaluate_batch([{**FACTS, "owed": 667}, FACTS], TODAY)
        assert [verdict.engine for verdict in verdicts] == [AnsweredBy.DURABLE, AnsweredBy.REFERENCE]
        assert {verdict.fired for verdict in verdicts} == {("abroad", "high", "above")}


def test_a_wrong_answer_is_found_reported_and_replaced():
    found = []
    with engine(how="lies", compare_share=0.5, chance=lambda: 0.4, on_difference=found.append) as asked:
        verdict = asked.evaluate(FACTS, TODAY)
        assert verdict.engine is AnsweredBy.REFERENCE and "disagree" in verdict.note
        assert verdict.fired == ("abroad", "high", "above")
        (difference,) = found
        assert difference.facts == FACTS and difference.engine.fired == () and difference.reference == verdict


def test_only_a_share_is_compared():
    found = []
    with engine(how="lies", compare_share=0.5, chance=lambda: 0.6, on_difference=found.append) as asked:
        assert asked.evaluate(FACTS, TODAY).fired == () and not found


def test_rules_whose_samples_come_out_wrong_are_refused_and_others_keep_working():
    good = Pack("p", (Rule("a", "n", line('country = "FR"'), unless=line("public = yes")),))
    with engine(good, how="is wrong about samples") as other:
        bad = RuleEngine(Pack("q", (Rule("a", "n", line("owed > 1")),)), CATALOGUE, timeout=5.0, host=other.host)
        with pytest.raises(EngineRefused):
            bad.prepare()
        verdict = bad.evaluate({"owed": 2}, TODAY)
        assert verdict.engine is AnsweredBy.REFERENCE and "refused" in verdict.note and verdict.fired == ("a",)


# --- processes


def test_the_child_is_recycled():
    with engine(host={"recycle_after": 10}) as asked:
        pids = set()
        for _ in range(25):
            assert asked.evaluate(FACTS, TODAY).engine is AnsweredBy.DURABLE
            pids.add(asked.host.pid)
        assert len(pids - {None}) == 3


def test_many_versions_share_one_child_and_dropped_ones_are_loaded_again():
    with engine() as first:
        first.prepare()
        pid = first.host.pid
        for number in range(12):
            pack = Pack("p", (Rule("a", "n", line(f"owed > {number}")),))
            asked = RuleEngine(pack, CATALOGUE, timeout=5.0, host=first.host)
            assert asked.evaluate({"owed": number + 1}, TODAY).engine is AnsweredBy.DURABLE
        assert first.evaluate(FACTS, TODAY).engine is AnsweredBy.DURABLE
        assert first.host.pid == pid


def test_equal_conditions_have_equal_versions():
    assert RuleEngine(PACK, CATALOGUE).version == RuleEngine(replace(PACK, title="other"), CATALOGUE).version
    assert RuleEngine(PACK, CATALOGUE).version != RuleEngine(Pack("p", PACK.rules[:1]), CATALOGUE).version


def test_threads_get_their_own_answers():
    with engine(timeout=10) as asked:
        wrong = []

        def work(owed):
            for _ in range(50):
                if ("high" in asked.evaluate({"owed": owed}, TODAY).fired) != (owed > 100):
                    wrong.append(owed)

        threads = [threading.Thread(target=work, args=(owed,)) for owed in (50, 150, 99, 101, 100, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_a_thread_that_cannot_wait_is_answered_by_the_reference():
    with engine(timeout=0.2) as asked:
        asked.prepare()
        with asked.host._using(time.monotonic() + 1):
            verdict = asked.evaluate(FACTS, TODAY)
        assert verdict.engine is AnsweredBy.REFERENCE and "busy" in verdict.note


def test_a_forked_process_starts_its_own_child_and_leaves_ours_alone():
    with engine(timeout=5) as asked:
        asked.prepare()
        ours = asked.host.pid
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                verdict = asked.evaluate(FACTS, TODAY)
                os.write(writer, f"{verdict.engine} {asked.host.pid}".encode())
                asked.host.close()
            finally:
                os._exit(0)
        os.close(writer)
        by, theirs = os.read(reader, 100).decode().split()
        os.close(reader)
        os.waitpid(pid, 0)
        assert by == AnsweredBy.DURABLE and int(theirs) != ours
        assert asked.evaluate(FACTS, TODAY).engine is AnsweredBy.DURABLE and asked.host.pid == ours


def test_a_forked_process_does_not_hold_our_pipes():
    with engine() as asked:
        asked.prepare()
        pipes = {
            os.readlink(link) for link in Path(f"/proc/{asked.host.pid}/fd").iterdir() if "pipe:" in os.readlink(link)
        }
        pid = os.fork()
        if pid == 0:
            held = set()
            for number in os.listdir("/proc/self/fd"):
                try:
                    held.add(os.readlink(f"/proc/self/fd/{number}"))
                except OSError:
                    continue
            os._exit(len(pipes & held))
        assert len(pipes) == 2
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_fork_while_another_thread_asks_does_not_block_the_forked_process():
    with engine(timeout=5) as asked, asked.host._using(time.monotonic() + 5):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if asked.evaluate(FACTS, TODAY).engine is AnsweredBy.DURABLE else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


PARENT = """
import sys, time
from rules.risk import DEFAULT_CATALOGUE, RuleEngine, load
engine = RuleEngine(load(open("rules/risk/packs/starter.yaml", encoding="utf-8").read()), DEFAULT_CATALOGUE)
engine.prepare()
print(engine.host.pid, "durable_rules_engine" in sys.modules, "durable" in sys.modules, flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("end", ["exits", "is killed"])
def test_the_child_does_not_outlive_its_parent(end):
    seconds = "0" if end == "exits" else "60"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, seconds], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pid, *imported = parent.stdout.readline().split()
    if end == "is killed":
        parent.kill()
    parent.wait()
    parent.stdout.close()
    assert imported == ["False", "False"], "durable_rules is loaded in the child only"
    deadline = time.monotonic() + 5
    while alive(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(int(pid))


def test_the_child_gets_no_secrets_and_no_files(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "secret")
    with open(__file__, encoding="utf-8") as file, engine() as asked:
        os.set_inheritable(file.fileno(), True)
        asked.prepare()
        proc = Path(f"/proc/{asked.host.pid}")
        assert b"PGPASSWORD" not in (proc / "environ").read_bytes()
        assert __file__ not in [os.readlink(link) for link in (proc / "fd").iterdir()]


def test_the_child_s_memory_is_bounded():
    with engine() as asked:
        asked.prepare()
        limits = Path(f"/proc/{asked.host.pid}/limits").read_text(encoding="utf-8")
        (space,) = [row for row in limits.splitlines() if row.startswith("Max address space")]
        assert int(space.split()[3]) <= 1024**3
