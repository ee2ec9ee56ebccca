"""Coface against its simulator: whole stories, over HTTP, with things going wrong in the middle."""

import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from connectors_support import DEMO_API_KEY, OPENINGS, Rig, rig

from connectors import (
    CONNECTORS,
    AuthenticationError,
    BuyerQuery,
    Credentials,
    Hooks,
    MonitoringOrder,
    RateLimited,
    ReportOrder,
    ReportStatus,
    TransportError,
    connect,
)
from connectors.simulator.coface_shapes import debtor_risk

ICON = "/coface/bi/icon-data/v1"
ORDERS, COMPANIES, TOKEN = f"{ICON}/publications/orders", f"{ICON}/companies", "/coface/authentication/v1/token"
QUERY = BuyerQuery("ES", "Iberia Frutas S.L.", vat_number="ESB58378431")
REPORT = ReportOrder("REP/1", "1006", currency="EUR")


@pytest.fixture
def net():
    with rig() as made:
        yield made


def opened(net: Rig, secrets=None, *, attempts: int = 1, **settings):
    return connect(
        "coface",
        base_url=net.simulator.url + "/coface",
        credentials=Credentials(**{**OPENINGS["coface"].credentials, **(secrets or {})}),
        settings=settings,
        options=replace(net.options, attempts=attempts),
        hooks=Hooks(on_exchange=net.exchanges.append, sleep=net.sleeps.append),
    )


def ordered(net: Rig) -> list[dict]:
    return net.simulator.control.sent("report")


def rate(net: Rig, calls: int) -> None:
    requests.post(f"{net.simulator.url}/_control/coface/rate", json={"calls": calls}, timeout=5).raise_for_status()


# --- Companies and login ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        QUERY,
        replace(QUERY, vat_number="B58378431"),
        BuyerQuery("ES", "Iberia Frutas S.L."),
        BuyerQuery("FR", registration_number="334175221"),
        BuyerQuery("DE", buyer_id="1002"),
        BuyerQuery("DE", buyer_id="DE/icon#1002"),
    ],
)
def test_company_is_found(net, query):
    with opened(net) as insurer:
        found = insurer.find_buyer(query)
    assert found[0].score >= 85 and found[0].country == query.country
    assert found[0].buyer_id == (query.buyer_id or found[0].buyer_id)


def test_unknown_company_is_not_found(net):
    with opened(net) as insurer:
        assert insurer.find_buyer(BuyerQuery("ES", "Nobody Knows Ltd", vat_number="ESB00000000")) == ()


def test_wrong_password_and_wrong_key_are_refused(net):
    with opened(net, {"password": "another"}) as insurer, pytest.raises(AuthenticationError, match="Incorrect"):
        insurer.find_buyer(QUERY)
    with opened(net, {"api_key": "another"}) as insurer, pytest.raises(AuthenticationError, match="Forbidden"):
        insurer.find_buyer(QUERY)


def test_token_may_end_in_the_middle(net):
    with opened(net) as insurer:
        insurer.find_buyer(QUERY)
        net.simulator.control.book.expire_tokens()
        insurer.find_buyer(QUERY)
    assert net.statuses(COMPANIES) == [200, 401, 200]
    assert net.statuses(TOKEN) == [200, 200]


# --- Limit of calls ---------------------------------------------------------------------------------------------------


def test_calls_beyond_the_limit_are_not_made_and_come_again_in_the_next_minute(net):
    rate(net, 2)
    with opened(net) as insurer:
        insurer.find_buyer(QUERY)
        insurer.find_buyer(QUERY)
        with pytest.raises(RateLimited) as told:  # the last answer said that none is left
            insurer.find_buyer(QUERY)
    with opened(net) as another_worker, pytest.raises(RateLimited) as refused:
        another_worker.find_buyer(QUERY)
    assert net.statuses(COMPANIES) == [200, 200, 429]
    assert all(0 < caught.value.retry_after <= 60 for caught in (told, refused))
    last = next(each for each in reversed(net.exchanges) if each.status == 429)
    assert (last.response_headers["X-RateLimit-Limit"], last.response_headers["X-RateLimit-Remaining"]) == ("2", "0")
    net.simulator.control.move_clock(61)
    with opened(net) as insurer:
        assert insurer.find_buyer(QUERY)


# --- Reports ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("product", "form", "rating"),
    [
        ("credit-opinion-report", "xml", "@@"),
        ("credit-opinion-report", "json", "@@"),
        ("credit-opinion", "xml", "@@"),
        ("debtor-risk-assessment", "xml", "5"),
    ],
)
def test_report_is_ordered_prepared_and_delivered(net, product, form, rating):
    net.simulator.control.set_cover("1006", statusCode="APPROVED", amount="12000")
    with opened(net, report_format=form) as insurer:
        asked = insurer.order_report(replace(REPORT, product=product))
        assert insurer.find_report(replace(REPORT, product=product)).order_id == asked.order_id
    with opened(net) as another_process:
        first = another_process.report_state(asked.order_id)
        last = another_process.report_state(asked.order_id)
    assert [state.status for state in (asked, first, last)] == [
        *(ReportStatus.ORDERED, ReportStatus.ORDERED, ReportStatus.DELIVERED),
    ]
    assert (last.reference, last.grade, last.ordered_at) == ("REP/1", rating, asked.ordered_at)
    if "opinion" in product:
        assert (last.recommended_amount, last.currency) == (Decimal(12000), "EUR")
    assert last.report.content


def test_refused_order(net):
    with opened(net) as insurer:
        asked = insurer.order_report(REPORT)
        net.simulator.control.deliver_report(ordered(net)[0]["number"], refuse=True)
        state = insurer.report_state(asked.order_id)
    assert (state.status, state.raw_code) == (ReportStatus.REFUSED, "cancelled")


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "status", "status": 503}, {"kind": "truncate"}], ids=str)
def test_order_whose_answer_was_lost_is_found_and_made_once(net, fault):
    net.simulator.control.fault(path=ORDERS, method="POST", when="after", **fault)
    with opened(net, attempts=4) as insurer:
        assert insurer.find_report(REPORT) is None
        with pytest.raises(TransportError) as caught:
            insurer.order_report(REPORT)
        found = insurer.find_report(REPORT)
    assert caught.value.may_have_acted and found.reference == "REP/1"
    assert len(ordered(net)) == 1
    assert [call["method"] for call in net.simulator.control.requests() if call["path"] == ORDERS].count("POST") == 1


def test_same_order_twice_is_two_orders(net):
    """Why asking comes first: the insurer does not know our reference again."""
    with opened(net) as insurer:
        insurer.order_report(REPORT)
        insurer.order_report(REPORT)
    assert len(ordered(net)) == 2


# --- Grades and monitoring --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("book", "coface"), [("1", "10"), ("6", "5"), ("10", "1"), ("11", "0"), ("NR", "NR")])
def test_ten_is_best(book, coface):
    assert debtor_risk(book) == coface


def test_grade_is_ordered_delivered_later_and_read_again_without_an_order(net):
    with opened(net) as insurer:
        assert insurer.grades(["1001", "1006"]) == ()  # ordered
        grades = {grade.buyer_id: grade.value for grade in insurer.grades(["1001", "1006"])}
        again = insurer.grades(["1001", "1006"])
    assert grades == {"1001": "8", "1006": "5"}
    assert {grade.scale for grade in again} == {"COFACE-DRA"}
    assert len(ordered(net)) == 2


def test_notified_change_makes_the_grade_be_ordered_anew(net):
    with opened(net) as insurer:
        insurer.monitor(MonitoringOrder("MON/1", "1006", date.today()))
        insurer.grades(["1006"])
        insurer.grades(["1006"])
        net.simulator.control.move_clock(86400)
        net.simulator.control.set_grade("1006", "9")
    with CONNECTORS["coface"](tomorrow(net)) as insurer:
        (notice,) = insurer.notifications(date.today()).items
        assert insurer.grades(["1006"]) == ()
        (grade,) = insurer.grades(["1006"])
    assert (notice.buyer_id, notice.kind) == ("1006", "debtor-risk-assessment")
    assert (grade.value, len(ordered(net))) == ("2", 2)


def tomorrow(net: Rig):
    from connectors import Connection

    hooks = Hooks(now=net.simulator.control.book.now)
    return Connection(net.simulator.url + "/coface", Credentials(**OPENINGS["coface"].credentials), hooks=hooks)


def test_monitoring_whose_answer_was_lost_is_not_ordered_twice(net):
    net.simulator.control.fault("drop", path=f"{ICON}/monitorings/orders", when="after")
    order = MonitoringOrder("MON/1", "1006", date.today() + timedelta(days=1))
    with opened(net, attempts=3) as insurer:
        with pytest.raises(TransportError):
            insurer.monitor(order)
        monitoring = insurer.monitor(order)
    assert len(net.simulator.control.sent("monitoring")) == 1
    assert (monitoring.ends_on - monitoring.starts_on).days == 365


def test_notifications_come_page_by_page(net):
    for number in range(45):
        net.simulator.control.notify("1006", "PAYMENT_DELAY", f"Late {number}")
    token, told = None, []
    with opened(net) as insurer:
        while True:
            page = insurer.notifications(date.today() - timedelta(days=1), token)
            told += page.items
            token = page.next_token
            if token is None:
                break
    assert len({each.notification_id for each in told}) == 45 == page.total
    assert {each.buyer_id for each in told} == {"1006"}


# --- Calls back -------------------------------------------------------------------------------------------------------


class Door(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.pinged.append(
            (self.command, self.headers, self.rfile.read(int(self.headers["Content-Length"] or 0)))
        )
        self.send_response(204)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_args):
        pass


def test_ping_is_an_empty_get_without_credentials(net):
    server = HTTPServer(("127.0.0.1", 0), Door)
    server.pinged = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        with opened(net) as insurer:
            address = f"http://127.0.0.1:{server.server_port}/door"
            insurer.monitor(MonitoringOrder("MON/1", "1006", date.today(), address))
            net.simulator.control.set_grade("1006", "9")
            assert net.simulator.webhooks.settle()
    finally:
        server.shutdown()
        server.server_close()
    ((method, headers, body),) = server.pinged
    assert (method, body, headers.get("Authorization"), headers.get("X-Signature-256")) == ("GET", b"", None, None)
    assert "grades" in CONNECTORS["coface"].read_wake_up({}, body).operations
    assert DEMO_API_KEY not in repr(net.exchanges) and address not in repr(net.exchanges)
