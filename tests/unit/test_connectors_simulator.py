"""The simulator: as a process, with its controls and its page, and closed to strangers."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from connectors_support import POLICY, a_claim

from connectors import ClaimState, Credentials, TransportError, connect
from connectors.simulator import Simulator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def simulator():
    with Simulator(seed="demo") as running:
        yield running


def opened(simulator):
    return connect("sandbox", base_url=simulator.url, credentials=Credentials(api_key=simulator.api_key))


def ask(simulator, path, body=None, headers=None, method=None):
    """(status, text) of a request by a client that is no connector."""
    data, kind = None, "application/json"
    if isinstance(body, bytes):
        data, kind = body, "application/x-www-form-urlencoded"
    elif body is not None:
        data = json.dumps(body).encode()
    request = urllib.request.Request(
        simulator.url + path, data, {"Content-Type": kind, **(headers or {})}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def control(simulator, path, body=None):
    status, text = ask(simulator, f"/_control/{path}", body)
    assert status == 200, text
    return json.loads(text)


# --- The demo seed ----------------------------------------------------------------------------------------------


def test_demo_buyers_are_the_ones_the_demo_data_know(simulator):
    with opened(simulator) as insurer:
        covers = {cover.buyer_id: cover for cover in insurer.covers(POLICY)}
        grades = {grade.buyer_id: grade for grade in insurer.grades(covers)}
    assert {buyer: (str(cover.status), int(cover.amount), grades[buyer].value) for buyer, cover in covers.items()} == {
        "1001": ("approved", 60_000, "3"),
        "1002": ("approved", 120_000, "2"),
        "1003": ("partial", 40_000, "5"),
        "1004": ("reduced", 25_000, "4"),
        "1005": ("approved", 30_000, "4"),
        "1006": ("reduced", 15_000, "6"),
        "1007": ("refused", 0, "8"),
        "1008": ("approved", 50_000, "3"),
    }
    assert covers["1004"].previous_amount == 50_000
    assert grades["1006"].previous_value == "4"
    assert covers["1008"].announcements[0].effective_from > datetime.now(UTC).date()
    assert {(cover.currency, int(cover.insured_percentage)) for cover in covers.values()} == {("EUR", 90)}


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ({"country": "DE", "name": "Nordwind Maschinenbau"}, "1002"),
        ({"country": "FR", "vat_number": "FR 23 334 175 221"}, "1001"),
        ({"country": "US", "registration_number": "911144442"}, "1008"),
        ({"country": "PT", "buyer_id": "1007"}, "1007"),
        ({"country": "FR", "name": "Nordwind Maschinenbau"}, None),
    ],
)
def test_buyers_are_found_by_number_or_by_likeness(simulator, query, best):
    from connectors import BuyerQuery

    with opened(simulator) as insurer:
        found = insurer.find_buyer(BuyerQuery(**query))
    assert (found[0].buyer_id if found else None) == best
    assert all(0 <= candidate.score <= 100 for candidate in found)


# --- Controls over HTTP -----------------------------------------------------------------------------------------


def test_grade_and_cover_can_be_changed_over_http(simulator):
    control(simulator, "buyers/1001/grade", {"value": "7"})
    control(simulator, "buyers/1001/cover", {"statusCode": "REDUCED", "amount": "20000"})
    with opened(simulator) as insurer:
        grade = insurer.grade("1001")
        cover = next(iter(insurer.covers(POLICY)))
    assert (grade.value, grade.previous_value) == ("7", "3")
    assert (cover.raw_code, int(cover.amount), int(cover.previous_amount)) == ("REDUCED", 20_000, 60_000)


def test_claims_are_counted_and_moved_over_http(simulator):
    with opened(simulator) as insurer:
        number = insurer.submit_claim(a_claim("C/1")).claim_number
        assert control(simulator, "claims?reference=C/1")["count"] == 1
        assert control(simulator, "claims?reference=C/2")["count"] == 0
        control(simulator, "claims/advance", {})
        control(simulator, f"claims/{number}/advance", {"to": "ACCEPTED", "amount": "100.00"})
        status = insurer.claim_status(number)
    assert (status.state, int(status.accepted_amount)) == (ClaimState.ACCEPTED, 100)


def test_faults_and_received_calls_over_http(simulator):
    control(simulator, "faults", {"kind": "status", "status": 503, "path": "/v1/policies", "times": 1})
    assert len(control(simulator, "faults")["faults"]) == 1
    with opened(simulator) as insurer:
        insurer.policy_details(POLICY)
    heard = control(simulator, "requests")["requests"]
    assert [call["status"] for call in heard if "policies" in call["path"]] == [503, 200]
    assert simulator.api_key not in json.dumps(heard)
    control(simulator, "requests/clear", {})
    assert control(simulator, "requests")["requests"] == []


def test_reset_and_seed_over_http(simulator):
    control(simulator, "reset", {})
    assert control(simulator, "state")["buyers"] == []
    control(simulator, "seed", {"generate": 1200})
    with opened(simulator) as insurer:
        assert sum(1 for _cover in insurer.covers(POLICY)) == 1200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("buyers/9999/grade", {"value": "1"}, 422),
        ("buyers/1001/grade", {}, 422),
        ("buyers/1001/cover", {"amuont": "1"}, 422),
        ("buyers/1001/cover", {"amount": "much"}, 422),
        ("cover-requests/CR-2026-00001/decide", {"decision": "APPROVED"}, 404),
        ("claims/nonsense/advance", {}, 404),
        ("faults", {"kind": "earthquake"}, 422),
        ("faults", {"kind": "drop", "times": "many"}, 422),
        ("seed", {"name": "../../etc/passwd"}, 422),
        ("seed", {"data": {"buyers": [{}]}}, 422),
        ("nothing", {}, 404),
        ("state", {}, 405),
    ],
)
def test_wrong_control_is_refused_with_a_reason(simulator, path, body, status):
    code, text = ask(simulator, f"/_control/{path}", body)
    assert code == status
    assert json.loads(text)["error"]["message"]


def test_claims_move_by_themselves_when_time_passes():
    moment = [datetime(2026, 5, 1, tzinfo=UTC)]
    with Simulator(seed="demo", step_seconds=60, now=lambda: moment[0]) as simulator, opened(simulator) as insurer:
        number = insurer.submit_claim(a_claim()).claim_number
        assert insurer.claim_status(number).state is ClaimState.RECEIVED
        moment[0] += timedelta(seconds=61)
        assert insurer.claim_status(number).state is ClaimState.IN_REVIEW
        moment[0] += timedelta(seconds=600)
        assert insurer.claim_status(number).state is ClaimState.PAID


# --- The page -----------------------------------------------------------------------------------------------------


def form(simulator, path, origin, **fields):
    return ask(simulator, path, urllib.parse.urlencode(fields).encode(), {"Origin": origin} if origin else {})


def test_page_shows_buyers_and_changes_a_grade(simulator):
    status, text = ask(simulator, "/")
    assert status == 200 and "Iberia Frutas S.L." in text and "withdrawal announced" in text
    action = re.search(r'action="(/_control/buyers/1006/grade)"', text)[1]
    status, text = form(simulator, action, simulator.url, value="9")
    assert status == 200 and "<!DOCTYPE html>" in text  # sent back to the page
    assert simulator.control.book.grades("1006")[0]["value"] == "9"


def test_page_escapes_everything(simulator):
    evil = "<script>alert('x')</script>\"><img src=x>"
    simulator.control.seed(
        data={
            "policies": [],
            "buyers": [{"buyerId": evil, "name": evil, "country": evil, "vatNumber": evil, "grades": []}],
        }
    )
    simulator.control.set_grade("1001", evil)
    simulator.control.set_cover("1001", statusCode=evil)
    with opened(simulator) as insurer:
        insurer.submit_claim(a_claim(evil))
    _status, text = ask(simulator, "/")
    assert "<script>" not in text and "<img" not in text and "&lt;script&gt;" in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8070", "Origin": "http://evil.example:8070"},
        {},
    ],
)
def test_form_from_elsewhere_is_refused(simulator, headers):
    body = urllib.parse.urlencode({"value": "9"}).encode()
    assert ask(simulator, "/_control/buyers/1006/grade", body, headers)[0] == 403
    assert simulator.control.book.grades("1006")[0]["value"] == "6"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_controls_cannot_be_read_from_elsewhere(simulator, headers):
    assert ask(simulator, "/_control/state", headers=headers)[0] == 403


def test_text_that_claims_to_be_no_json_is_refused(simulator):
    """A page elsewhere can post text/plain without asking the browser for leave."""
    status, _text = ask(simulator, "/_control/reset", {"a": 1}, {"Content-Type": "text/plain"})
    assert status == 415
    assert control(simulator, "state")["buyers"]


def test_interface_needs_a_token(simulator):
    assert ask(simulator, f"/v1/policies/{POLICY}")[0] == 401
    assert ask(simulator, f"/v1/policies/{POLICY}", headers={"Authorization": "Bearer x"})[0] == 401


# --- As a process -------------------------------------------------------------------------------------------------


def start(*arguments):
    command = [sys.executable, "-m", "connectors.simulator", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    match = re.fullmatch(r"insurer simulator listening on (http://127\.0\.0\.1:\d+)\n", line)
    if match is None:
        process.kill()
        raise AssertionError(line + process.communicate()[1])
    return process, match[1]


def stop(process, number):
    process.send_signal(number)
    _out, err = process.communicate(timeout=10)
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_starts_serves_and_stops(number):
    process, url = start("--seed", "demo", "--api-key", "abc")
    with connect("sandbox", base_url=url, credentials=Credentials(api_key="abc")) as insurer:
        assert insurer.policy_details(POLICY).currency == "EUR"
        assert stop(process, number) == (0, "")
        with pytest.raises(TransportError):
            insurer.policy_details(POLICY)


def test_process_keeps_its_book_when_killed(tmp_path):
    database = str(tmp_path / "insurer.sqlite")
    claim = a_claim()
    process, url = start("--seed", "demo", "--api-key", "abc", "--database", database)
    with connect("sandbox", base_url=url, credentials=Credentials(api_key="abc")) as insurer:
        receipt = insurer.submit_claim(claim)
    stop(process, signal.SIGKILL)
    process, url = start("--seed", "demo", "--api-key", "abc", "--database", database)
    with connect("sandbox", base_url=url, credentials=Credentials(api_key="abc")) as insurer:
        assert insurer.find_claim(claim) == receipt
    assert stop(process, signal.SIGTERM) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--host", "0.0.0.0"], 2, "--allow-remote"),
        (["--seed", "nothing"], 2, "there are: demo"),
        (["--database", "/nowhere/at/all.sqlite"], 1, "cannot use /nowhere/at/all.sqlite"),
    ],
)
def test_process_that_cannot_start_says_why_in_one_line(arguments, code, words):
    command = [sys.executable, "-m", "connectors.simulator", "--port", "0", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert ended.returncode == code
    assert words in ended.stderr and ended.stderr.count("\n") == 1


def test_port_in_use_is_named(simulator):
    port = simulator.url.rpartition(":")[2]
    command = [sys.executable, "-m", "connectors.simulator", "--port", port]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert (ended.returncode, ended.stderr) == (1, f"cannot listen on 127.0.0.1:{port}: Address already in use\n")
