"""Behind the simulator's stage: time, scenarios, webhooks, faults of XML, large books, the page's forms."""

import hashlib
import hmac
import json
import re
import threading
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from connectors_samples import cover_request, report_order
from connectors_support import OPENINGS, POLICY, Rig, a_claim, rig

from connectors import AuthenticationError, CoverStatus, ReportStatus, RequestStatus, TransportError
from connectors.sandbox import Sandbox
from connectors.simulator import Simulator
from connectors.simulator.spoiling import deep, mistyped, reordered, replaced
from connectors.simulator.web import Answer, Refusal

HERE = OPENINGS["sandbox"]


@pytest.fixture
def net():
    with rig() as made:
        made.options = replace(made.options, read_seconds=5.0)
        yield made


@pytest.fixture
def control(net):
    return net.simulator.control


def post(simulator, path, **body):
    request = urllib.request.Request(
        f"{simulator.url}/_control/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


# --- Time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grade", "status", "amount"),
    [("3", RequestStatus.APPROVED, 90_000), ("7", RequestStatus.PARTIAL, 45_000), ("10", RequestStatus.REFUSED, None)],
)
def test_requests_are_decided_when_time_passes(grade, status, amount):
    with Simulator(seed="demo", decide_seconds=60) as simulator, Rig(simulator).connect(read_seconds=5.0) as insurer:
        simulator.control.set_grade("1006", grade)
        number = insurer.request_cover(cover_request(HERE)).request_id
        ordered = insurer.order_report(report_order(HERE)).order_id
        assert insurer.cover_request_state(number).status is RequestStatus.PENDING
        simulator.control.move_clock(61)
        state = insurer.cover_request_state(number)
        assert (state.status, state.amount) == (status, amount)
        assert insurer.report_state(ordered).status is ReportStatus.DELIVERED


def test_announced_changes_come_into_force_on_their_day(net, control):
    with net.connect() as insurer:
        control.withdraw("1001", in_days=10)
        control.reduce("1002", "5000", in_days=20)
        statuses = []
        for _step in range(3):
            covers = {cover.buyer_id: cover for cover in insurer.covers(POLICY)}
            statuses.append((covers["1001"].status, covers["1002"].status, covers["1002"].amount))
            control.move_clock(10 * 86400)
            insurer = net.connect()  # the tokens have ended with the days
    assert statuses == [
        (CoverStatus.APPROVED, CoverStatus.APPROVED, 120_000),
        (CoverStatus.WITHDRAWN, CoverStatus.APPROVED, 120_000),
        (CoverStatus.WITHDRAWN, CoverStatus.REDUCED, 5_000),
    ]
    assert covers["1002"].previous_amount == 120_000 and covers["1002"].announcements == ()


@pytest.mark.parametrize("seconds", [-86400, 86400])
def test_clock_that_is_wrong_shows_in_the_date_of_answers_and_harms_nothing(net, control, seconds):
    post(net.simulator, "clock", seconds=seconds)
    with net.connect() as insurer:
        assert insurer.policy_details(POLICY).number == POLICY
        receipt = insurer.submit_claim(a_claim())
    [date] = {exchange.response_headers["Date"] for exchange in net.exchanges[-1:]}
    off = parsedate_to_datetime(date) - datetime.now(UTC)
    assert abs(off.total_seconds() - seconds) < 60
    assert abs((receipt.received_at - datetime.now(UTC)).total_seconds() - seconds) < 60


def test_clock_ahead_ends_tokens_that_are_good_by_ours(net, control):
    with net.connect() as insurer:
        insurer.policy_details(POLICY)
        control.move_clock(7200)
        insurer.policy_details(POLICY)
    assert net.statuses("/v1/idp/oauth2/authorize") == [200, 200]


# --- Scenarios --------------------------------------------------------------------------------------------------


def test_insurer_is_down_for_an_hour(net, control):
    post(net.simulator, "scenario", name="down_for_an_hour")
    with net.connect(attempts=1) as insurer:
        for minutes in (0, 59):
            control.clock.reset()
            control.clock.move(minutes * 60)
            with pytest.raises(TransportError, match="Maintenance"):
                insurer.policy_details(POLICY)
        control.clock.move(120)
        assert insurer.policy_details(POLICY).number == POLICY


def test_claim_goes_to_its_payment_tick_by_tick(net, control):
    with net.connect() as insurer:
        number = insurer.submit_claim(a_claim()).claim_number
        post(net.simulator, "scenario", name="claim_to_payment")
        seen = []
        for _tick in range(4):
            seen.append(insurer.claim_status(number).raw_code)
            post(net.simulator, "tick")
    assert seen == ["RECEIVED", "IN_REVIEW", "ACCEPTED", "PAID"]


def test_cover_is_withdrawn_between_two_pages(net, control, monkeypatch):
    monkeypatch.setattr("connectors.sandbox.PAGE_SIZE", 3)
    step = {"afterCalls": 1, "path": "/v1/covers", "do": "buyers/1008/withdraw"}
    post(net.simulator, "scenario", steps=[step])
    with net.connect() as insurer:
        covers = {cover.buyer_id: cover for cover in insurer.covers(POLICY)}
    assert len(covers) == 8 and covers["1008"].status is CoverStatus.WITHDRAWN


def test_every_scenario_can_be_played(net, control):
    from importlib.resources import files

    names = [
        entry.name.removesuffix(".json") for entry in files("connectors.simulator").joinpath("scenarios").iterdir()
    ]
    assert len(names) >= 4
    for name in names:
        control.reset()
        control.seed("demo")
        post(net.simulator, "scenario", name=name)
        for _step in range(12):
            net.simulator.control.clock.move(600)
            post(net.simulator, "tick")
            with net.connect(attempts=1) as insurer:
                try:
                    insurer.policy_details(POLICY)
                except (TransportError, AuthenticationError):
                    pass
        with urllib.request.urlopen(f"{net.simulator.url}/_control/scenario", timeout=10) as answer:
            state = json.loads(answer.read())
        assert state["problems"] == [] and state["waiting"] == [], name


def test_step_that_fails_is_told_and_the_rest_goes_on(net, control):
    steps = [
        {"do": "buyers/9999/withdraw"},
        {"do": "nothing/at/all"},
        {"do": "buyers/1001/grade", "with": {"value": "9"}},
    ]
    post(net.simulator, "scenario", steps=steps)
    with urllib.request.urlopen(f"{net.simulator.url}/_control/scenario", timeout=10) as answer:
        problems = json.loads(answer.read())["problems"]
    assert [problem.split(":")[0] for problem in problems] == ["buyers/9999/withdraw", "nothing/at/all"]
    assert control.book.grades("1001")[0]["value"] == "9"


# --- Webhooks ---------------------------------------------------------------------------------------------------


@contextmanager
def receiver(*statuses):
    """An address that answers with these statuses, and then with 200, and what it was sent."""
    heard, answers = [], list(statuses)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook/s3cret-path", heard
    server.shutdown()
    server.server_close()


@pytest.fixture
def hooked():
    with Simulator(seed="demo", webhook_retry_seconds=0.01) as simulator:
        yield Rig(simulator)


def test_decision_wakes_up_the_address_signed(hooked):
    control = hooked.simulator.control
    with receiver() as (address, heard), hooked.connect(read_seconds=5.0) as insurer:
        control.add_webhook(address, "signing-secret")
        number = insurer.request_cover(cover_request(HERE)).request_id
        control.decide(number, "APPROVED")
        assert hooked.simulator.webhooks.settle()
    woken = [Sandbox.read_wake_up(headers, body) for _path, headers, body in heard]
    assert {operation for wake_up in woken for operation in wake_up.operations} == {"cover_page", "cover_request_state"}
    assert any(wake_up.request_ids == (number,) for wake_up in woken)
    for path, headers, body in heard:
        assert path == "/hook/s3cret-path"
        expected = hmac.new(b"signing-secret", body, hashlib.sha256).hexdigest()
        assert headers["x-signature-256"] == f"sha256={expected}"
    assert {call["status"] for call in control.deliveries()} == {200}


def test_call_that_fails_is_tried_again_and_recorded(hooked):
    control = hooked.simulator.control
    with receiver(500, 302) as (address, heard):
        control.add_webhook(address)
        control.set_grade("1001", "9")
        assert hooked.simulator.webhooks.settle()
    assert [(call["attempt"], call["status"]) for call in control.deliveries()] == [(1, 500), (2, 302)]
    assert len(heard) == 2


def test_address_that_is_not_there_holds_nobody_up(hooked):
    control = hooked.simulator.control
    control.add_webhook("http://127.0.0.1:1/nobody")
    started = time.monotonic()
    for _change in range(50):
        control.set_grade("1001", "9")
    assert time.monotonic() - started < 2
    assert hooked.simulator.webhooks.settle()
    assert len(control.deliveries()) == 150 and all(call["error"] for call in control.deliveries())


def test_watching_with_a_callback_registers_it(hooked):
    from connectors_samples import monitoring_order

    with receiver() as (address, heard), hooked.connect(read_seconds=5.0) as insurer:
        insurer.monitor(replace(monitoring_order(HERE), callback_url=address))
        hooked.simulator.control.set_grade("1006", "9")
        assert hooked.simulator.webhooks.settle()
    assert [json.loads(body)["kind"] for _path, _headers, body in heard] == ["GRADE_CHANGED"]


def test_wake_up_can_be_sent_by_hand_and_the_address_removed(hooked):
    with receiver() as (address, heard):
        post(hooked.simulator, "webhooks", url=address)
        post(hooked.simulator, "webhooks/wake", kind="CLAIM_MOVED", requestId="CL-1")
        assert hooked.simulator.webhooks.settle()
        post(hooked.simulator, "webhooks/remove", url=address)
        post(hooked.simulator, "webhooks/wake")
        assert hooked.simulator.webhooks.settle()
    assert [json.loads(body)["requestIds"] for _path, _headers, body in heard] == [["CL-1"]]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x", "", "javascript:1"])
def test_only_addresses_of_the_web_are_called(hooked, address):
    with pytest.raises(Refusal, match="no address to call"):
        hooked.simulator.control.add_webhook(address)


# --- Answers made wrong -----------------------------------------------------------------------------------------

XML = Answer(200, b'<s:E xmlns:s="urn:s"><s:B><r>1</r><t/><r>2</r><r>3</r></s:B></s:E>', "text/xml; charset=utf-8")
JSON = Answer(200, b'{"rows": [{"a": 1.10}, {"a": 2}], "next": null}')


def test_values_are_replaced_in_json_and_in_xml():
    assert json.loads(replaced(JSON, ["rows", "1", "a"], "x").content)["rows"][1]["a"] == "x"
    assert b"<r>1</r><t/><r>x</r><r>3</r>" in replaced(XML, ["B", "r", "1"], "x").content
    assert b"<t/>" not in replaced(XML, ["B", "t"], None).content


def test_rows_come_in_the_opposite_order():
    assert [row["a"] for row in json.loads(reordered(JSON).content)["rows"]] == [2, "1.10"]
    assert b"<r>3</r><t/><r>2</r><r>1</r>" in reordered(XML).content


def test_types_become_wrong_and_the_shape_stays():
    assert json.loads(mistyped(JSON).content) == {
        "rows": [{"a": {"unexpected": True}}, {"a": {"unexpected": True}}],
        "next": {"unexpected": True},
    }
    assert mistyped(XML).content.count(b"?") == 4


def test_nesting_is_of_the_answers_kind():
    assert deep(JSON, 3).content == b'{"a":[[[]]]}'
    assert deep(XML, 2).content == b"<a><a></a></a>"


# --- Large books ------------------------------------------------------------------------------------------------


def test_hundred_thousand_covers_are_there_at_once():
    simulator = Simulator()
    started = time.process_time()
    simulator.control.seed(generate=100_000)
    assert time.process_time() - started < 5  # about 1 s on a quiet machine
    rows, total = simulator.control.book.cover_page(POLICY, 99_000, 10)
    assert (len(rows), total, rows[0]["buyer_id"]) == (10, 100_000, "B0099001")
    assert simulator.control.book.grades("B0000010") == [
        {
            "id": 10,
            "buyer_id": "B0000010",
            "value": "2",
            "graded_on": (simulator.control.book.today() - timedelta(days=10)).isoformat(),
        }
    ]
    simulator.control.seed(generate=100)
    assert simulator.control.book.cover_page(POLICY, 0, 1)[1] == 100_000


def test_share_of_all_covers_changes_at_once(net, control):
    control.reset()
    control.seed(generate=1000)
    post(net.simulator, "covers/change", share=0.1, statusCode="REDUCED", factor=0.5, gradeBy=2)
    with net.connect() as insurer:
        covers = list(insurer.covers(POLICY))
        changed = [cover for cover in covers if cover.status is CoverStatus.REDUCED]
        grade = insurer.grade(changed[0].buyer_id)
        assert len(insurer.grade_changes(POLICY, control.book.today()).items) >= 100
    assert len(covers) == 1000 and len(changed) == 100
    assert all(cover.amount * 2 == cover.previous_amount for cover in changed)
    assert int(grade.value) == min(10, int(grade.previous_value) + 2)


# --- The page ---------------------------------------------------------------------------------------------------


def opened(simulator):
    with urllib.request.urlopen(simulator.url, timeout=10) as answer:
        return answer.read().decode()


def submit(simulator, action, **fields):
    request = urllib.request.Request(
        simulator.url + action, urllib.parse.urlencode(fields).encode(), {"Origin": simulator.url}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def test_person_decides_withdraws_and_moves_on_the_page(net, control):
    with net.connect() as insurer:
        request = insurer.request_cover(cover_request(HERE))
        claim = insurer.submit_claim(a_claim())
        action = re.search(r'action="(/_control/cover-requests/[^"]+)"', opened(net.simulator))[1]
        submit(net.simulator, action, decision="PARTIAL", amount="50000", message="So <much> and no more")
        state = insurer.cover_request_state(request.request_id)
        assert (state.status, state.amount, state.words) == (RequestStatus.PARTIAL, 50_000, "So <much> and no more")
        submit(net.simulator, "/_control/buyers/1002/withdraw", inDays="30")
        submit(net.simulator, "/_control/buyers/1001/reduce", amount="1000", inDays="")
        submit(net.simulator, f"/_control/claims/{claim.claim_number}/advance", to="REFUSED", message="Late")
        covers = {cover.buyer_id: cover for cover in insurer.covers(POLICY)}
        assert covers["1002"].status is CoverStatus.APPROVED and covers["1002"].announcements
        assert (covers["1001"].status, covers["1001"].amount) == (CoverStatus.REDUCED, 1000)
    text = opened(net.simulator)
    assert "So &lt;much&gt; and no more" in text and "Late" in text


def test_page_shows_what_any_interface_has_sent(net, control):
    """Bodies of other interfaces have other members."""
    from connectors.simulator.submissions import KINDS

    for kind in (*KINDS, "something_else"):
        control.book.submit(kind, {"reference": f"X/{kind}"}, lambda _body: None)
    text = opened(net.simulator)
    assert all(f"X/{kind}" in text for kind in KINDS)


def test_page_keeps_the_addresses_and_secrets_of_webhooks_to_itself(net, control):
    control.add_webhook("https://user:pass@odoo.example/hook/s3cret-path", "signing-secret")
    text = opened(net.simulator)
    assert "odoo.example" in text
    assert not [
        secret for secret in ("s3cret-path", "signing-secret", "pass@", net.simulator.api_key) if secret in text
    ]


def test_controls_do_not_give_away_what_webhooks_are_signed_with(net, control):
    control.add_webhook("https://odoo.example/hook", "signing-secret")
    assert "signing-secret" not in json.dumps(control.state())
