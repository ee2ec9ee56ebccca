"""Coface: orders, deliveries, grades, monitoring, in the shapes that the insurer documents."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from coface_wire import COMPANY, CofaceWire, document, shape

from connectors import (
    CONNECTORS,
    BuyerQuery,
    Grade,
    MonitoringOrder,
    ReportOrder,
    ReportStatus,
    UnexpectedResponse,
)

TOKEN, COMPANIES, ORDERS, PUBLICATIONS = "/token", "/companies", "/publications/orders", "/publications"
MONITORINGS, NOTIFICATIONS = "/monitorings", "/notifications"
DELIVERY = "3e4f796c-16f0-4e2e-818f-64060479259e"
OPINION = ReportOrder("REP/1", COMPANY, product="credit-opinion")
ORDER_ID = "order/a784668e-62d4-4bff-a526-6b5a528d3841/{form}/2026-11-20T09:42:06+00:00/REP%2F1"
QUERY = BuyerQuery("PL", "Firma Testowa", vat_number="PL5423209690", postal_code="31-358", city="Kraków")
COFACE = CONNECTORS["coface"]


@pytest.fixture
def wire(monkeypatch):
    return CofaceWire().plugged(monkeypatch)


# --- Reports ----------------------------------------------------------------------------------------------------------


def test_opinion_is_ordered_once_with_our_reference(wire):
    wire.on(ORDERS, document("order_answer.json"), 201)
    with wire.connect() as insurer:
        state = insurer.order_report(OPINION)
    assert wire.sent[-1].body == shape("order_assessments_request.json")
    assert (state.order_id, state.status, state.raw_code) == (
        *(ORDER_ID.format(form="json"), ReportStatus.ORDERED, "in-preparation"),
    )
    assert state.ordered_at == datetime(2026, 11, 20, 9, 42, 6, tzinfo=UTC)


def test_report_is_ordered_for_a_company_known_by_an_external_id(wire):
    wire.on(ORDERS, document("order_answer.json"), 201)
    with wire.connect() as insurer:
        state = insurer.order_report(ReportOrder("REP/1", "PL/icon#5606280", product="credit-opinion-report"))
    assert wire.sent[-1].body == shape("order_report_request.json")
    assert state.order_id == ORDER_ID.format(form="xml")


@pytest.mark.parametrize(("key", "query"), [("id", {"id": DELIVERY}), ("deliveryId", {"deliveryId": DELIVERY})])
def test_delivery_is_read_once_the_order_is_ready(wire, key, query):
    wire.on(ORDERS, document("orders_ready.json"))
    wire.on(PUBLICATIONS, document("credit_opinion.json"))
    with wire.connect(settings={"publication_key": key}) as insurer:
        state = insurer.report_state(ORDER_ID.format(form="json"))
    assert [call.query for call in wire.sent[1:]] == [{"id": ORDER_ID.split("/")[1]}, {**query, "format": "json"}]
    assert (state.status, state.reference, state.raw_code) == (ReportStatus.DELIVERED, "REP/1", "ready")
    assert (state.grade, state.recommended_amount, state.currency) == ("@@@", Decimal("50000.00"), "EUR")
    assert (state.issued_on, state.words) == (date(2026, 11, 20), "AB09: Weak profitability")
    assert state.report.content == document("credit_opinion.json") and state.report.media_type == "application/json"


@pytest.mark.parametrize(
    ("name", "form", "grade", "amount", "currency", "issued_on", "words"),
    [
        (
            "report_credit_opinion.xml",
            "xml",
            *("R", Decimal(45000), "PLN", date(2026, 5, 27), "4/10: real weaknesses"),
        ),
        ("report_debtor_risk.xml", "xml", "4", None, "", date(2022, 12, 30), "4/10: real weaknesses"),
        ("report_advanced_opinion.xml", "xml", "", Decimal(40000), "EUR", None, "DECIDED_PARTIAL; AA13: Small company"),
        ("report_credit_opinion.json", "json", "X", Decimal(0), "EUR", None, "EA04"),
        ("credit_opinion_none.json", "json", "X", Decimal("0.0"), "EUR", date(2023, 5, 8), ""),
    ],
)
def test_report_is_kept_as_it_came_and_read(wire, name, form, grade, amount, currency, issued_on, words):
    wire.on(ORDERS, document("orders_ready.json"))
    wire.on(PUBLICATIONS, document(name))
    with wire.connect() as insurer:
        state = insurer.report_state(ORDER_ID.format(form=form))
    assert state.report.content == document(name)
    assert (state.grade, state.recommended_amount, state.currency) == (grade, amount, currency)
    assert (state.issued_on, state.words) == (issued_on, words)


def test_picture_for_people_is_only_kept(wire):
    wire.on(ORDERS, document("orders_ready.json"))
    wire.on(PUBLICATIONS, b"%PDF-1.7 \x00")
    with wire.connect() as insurer:
        state = insurer.report_state(ORDER_ID.format(form="pdf"))
    assert (state.report.content, state.grade) == (b"%PDF-1.7 \x00", "")


def test_order_without_an_id_is_followed_by_its_delivery(wire):
    wire.on(ORDERS, document("order_answer_without_id.json"), 201)
    wire.on(PUBLICATIONS, document("not_finished.json"), 202)
    wire.on(PUBLICATIONS, document("cancelled.json"), 205)
    wire.on(PUBLICATIONS, document("credit_opinion.json"))
    with wire.connect() as insurer:
        asked = insurer.order_report(OPINION)
        states = [insurer.report_state(asked.order_id) for _time in range(3)]
    assert asked.order_id.startswith(f"delivery/{DELIVERY}/json/")
    assert [(state.status, state.raw_code) for state in states] == [
        (ReportStatus.ORDERED, "order_not_finished"),
        (ReportStatus.REFUSED, "order_cancelled"),
        (ReportStatus.DELIVERED, ""),
    ]


@pytest.mark.parametrize(
    ("raw", "status"),
    [("cancelled", "refused"), ("pending", "ordered"), ("partial_ready", "ordered"), ("on-hold", "unknown")],
)
def test_status_that_nobody_knows_stays_raw(wire, raw, status):
    (order,) = shape("orders_ready.json")
    wire.on(ORDERS, [{**order, "status": raw}])
    with wire.connect() as insurer:
        state = insurer.report_state(ORDER_ID.format(form="json"))
    assert (state.status, state.raw_code, state.report) == (ReportStatus(status), raw, None)


def test_order_that_was_not_made_after_all_is_neither_delivered_nor_refused(wire):
    wire.on(ORDERS, [])
    with wire.connect() as insurer:
        state = insurer.report_state(ORDER_ID.format(form="json"))
    assert (state.status, state.raw_code, state.reference) == (ReportStatus.UNKNOWN, "", "REP/1")


def test_order_is_found_by_our_reference_on_any_page(wire):
    (order,) = shape("orders_ready.json")
    first = [{**order, "id": f"o-{number}", "customerReference": f"REP/{number + 2}"} for number in range(20)]
    wire.on(ORDERS, first, 206, **{"Content-Range": "0-20/21"})
    wire.on(ORDERS, [order], 206, **{"Content-Range": "20-21/21"})
    with wire.connect() as insurer:
        found = insurer.find_report(OPINION)
    assert [call.query for call in wire.sent[1:]] == [
        {"companyId": COMPANY, "range": "0-20"},
        {"companyId": COMPANY, "range": "20-20"},
    ]
    assert (found.order_id, found.status) == (ORDER_ID.format(form="json"), ReportStatus.DELIVERED)


@pytest.mark.parametrize(("day", "doubtful"), [("2026-11-18", False), ("2026-11-20", True)])
def test_young_order_without_a_reference_leaves_it_open_whose_it_is(wire, day, doubtful):
    (order,) = shape("orders_ready.json")
    wire.on(ORDERS, [{**order, "customerReference": None, "orderDate": f"{day}T08:00:00Z"}])
    with wire.connect() as insurer:
        if doubtful:
            with pytest.raises(UnexpectedResponse, match="customerReference"):
                insurer.find_report(OPINION)
        else:
            assert insurer.find_report(OPINION) is None


def test_answer_about_another_order_is_not_taken(wire):
    wire.on(ORDERS, {**shape("order_answer.json"), "customerReference": "REP/9"}, 201)
    with pytest.raises(UnexpectedResponse, match="customerReference") as caught, wire.connect() as insurer:
        insurer.order_report(OPINION)
    assert caught.value.may_have_acted


# --- Grades -----------------------------------------------------------------------------------------------------------


def test_young_grade_is_read_again_and_not_ordered(wire):
    wire.on(NOTIFICATIONS, [])
    wire.on(ORDERS, document("grade_orders.json"))
    wire.on(PUBLICATIONS, document("dra.json"))
    with wire.connect() as insurer:
        grades = insurer.grades([COMPANY, COMPANY])
    assert grades == (Grade(COMPANY, "4", "COFACE-DRA", date(2026, 10, 30)),)
    assert [call.method for call in wire.answers_to(ORDERS)] == ["GET"]


def test_history_tells_the_grade_before(wire):
    wire.on(NOTIFICATIONS, [])
    package = shape("grade_orders.json")
    package[0]["publications"][0]["assessmentSlug"] = "debtor-risk-assessment-package"
    wire.on(ORDERS, package)
    wire.on(PUBLICATIONS, document("dra_package.json"))
    with wire.connect(settings={"grade_product": "debtor-risk-assessment-package"}) as insurer:
        grade = insurer.grade(COMPANY)
    assert (grade.value, grade.previous_value, grade.graded_on) == ("4", "6", date(2022, 12, 30))


def test_value_outside_the_scale_stays_as_it_came(wire):
    wire.on(NOTIFICATIONS, [])
    wire.on(ORDERS, document("grade_orders.json"))
    wire.on(PUBLICATIONS, [{**shape("dra.json")[0], "debtorRiskValue": "NR", "releaseDate": None}])
    with wire.connect() as insurer:
        assert insurer.grade(COMPANY) == Grade(COMPANY, "NR", "COFACE-DRA", None)


@pytest.mark.parametrize(
    ("ordered", "notified", "status", "orders"),
    [
        ("2026-11-10", "", "ready", 0),
        ("2026-10-20", "", "ready", 1),  # too old
        ("2026-11-10", "2026-11-12", "ready", 1),  # changed since
        ("2026-11-10", "2026-11-09", "ready", 0),
        ("2026-10-20", "", "in-preparation", 0),  # on its way
        ("2026-11-10", "", "cancelled", 1),
    ],
)
def test_grade_is_ordered_when_there_is_none_that_holds(wire, ordered, notified, status, orders):
    (order,) = shape("grade_orders.json")
    notice = {"id": "n-1", "deliveryDate": notified, "publicationUpdates": {"companyId": COMPANY}}
    wire.on(NOTIFICATIONS, [notice] if notified else [])
    wire.on(ORDERS, [{**order, "status": status, "orderDate": f"{ordered}T08:00:00Z"}])
    wire.on(ORDERS, shape("order_answer.json"), 201)
    wire.on(PUBLICATIONS, document("not_finished.json"), 202)
    with wire.connect() as insurer:
        assert insurer.grades([COMPANY]) == ()  # absent until it is there
    sent = [call.body for call in wire.answers_to(ORDERS) if call.method == "POST"]
    wanted = {
        "companyId": COMPANY,
        "customerReference": "grade 2026-11-20",
        "assessments": [{"slug": "debtor-risk-assessment"}],
    }
    assert sent == [wanted] * orders


def test_many_grades_wait_for_the_next_minute(wire):
    wire.on(NOTIFICATIONS, [])
    wire.on(ORDERS, document("grade_orders.json"))
    wire.on(PUBLICATIONS, {"message": "x"}, 429)
    wire.on(PUBLICATIONS, document("dra.json"))
    before = wire.clock
    with wire.connect() as insurer:
        assert len(insurer.grades([COMPANY])) == 1
    assert wire.clock - before == 60.0


def test_direction_of_the_scale_is_stated():
    import connectors.coface as module

    assert "10 is best, 0 is in default" in module.__doc__
    assert "10 best" in COFACE.grades.__doc__


# --- Monitoring, notifications ----------------------------------------------------------------------------------------


def test_monitoring_asks_for_a_callback_and_lasts_a_year(wire):
    wire.on(MONITORINGS, [])
    wire.on("/monitorings/orders", document("monitoring_answer.json"), 201)
    with wire.connect() as insurer:
        order = MonitoringOrder("MON/1", COMPANY, date(2026, 12, 1), "https://erp.example/door")
        monitoring = insurer.monitor(order)
    assert wire.sent[-1].body == shape("monitoring_request.json")
    assert (monitoring.starts_on, monitoring.ends_on) == (date(2026, 12, 1), date(2027, 12, 1))
    assert monitoring.monitoring_id == "dc5b0048-2a80-4a22-b2f9-fad7d72f074d"


def test_what_is_monitored_already_is_not_ordered_again(wire):
    wire.on(MONITORINGS, document("monitorings.json"))
    with wire.connect() as insurer:
        monitoring = insurer.monitor(MonitoringOrder("MON/1", COMPANY, date(2026, 12, 1)))
    assert (monitoring.starts_on, monitoring.ends_on) == (date(2026, 6, 1), date(2027, 6, 1))
    assert not wire.answers_to("/monitorings/orders")


def test_notifications_are_opened_and_given_to_their_company(wire):
    wire.on(NOTIFICATIONS, document("notifications.json"))
    wire.on("/n-1/content", document("notification_sheet.json"))
    wire.on("/dc5b0048-2a80-4a22-b2f9-fad7d72f074d", document("monitoring.json"))
    with wire.connect() as insurer:
        page = insurer.notifications(date(2026, 11, 1))
    sheet, report = page.items
    assert wire.answers_to(NOTIFICATIONS)[0].query == {
        "deliveryDateFrom": "2026-11-01",
        "deliveryDateTo": "2026-11-20",
        "range": "0-20",
    }
    assert (sheet.buyer_id, sheet.kind, sheet.happened_on) == (COMPANY, "DRA Monitoring", date(2026, 11, 18))
    assert "monitDRAChangesOldValue: 8013; monitDRAValue: 8015" in sheet.words
    assert (report.buyer_id, report.kind, report.words) == (COMPANY, "full-report", "")
    assert page.next_token is None


def test_new_assessment_of_a_notification_is_told(wire):
    wire.on(NOTIFICATIONS, shape("notifications.json")[:1], 206, **{"Content-Range": "0-1/2"})
    wire.on("/n-1/content", document("dra.json"))
    with wire.connect() as insurer:
        page = insurer.notifications(date(2026, 11, 1))
    assert [(each.buyer_id, each.kind, each.words) for each in page.items] == [
        (COMPANY, "debtor-risk-assessment", "4; Real weaknesses")
    ]
    assert (page.next_token, page.total) == ("1", 2)


@pytest.mark.parametrize(("body", "wakes"), [(b"", True), (b" \n", True), (b'{"grade": "10"}', False)])
def test_empty_ping_wakes_up_and_nothing_in_it_is_believed(body, wakes):
    woken = COFACE.read_wake_up({}, body)
    assert (woken is not None) is wakes
    assert not woken or woken.operations == {"notifications", "grades", "report_state"}


# --- What is not as documented ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "answer", "call", "field"),
    [
        (COMPANIES, [{"id": 5.5, "name": "x"}], lambda c: c.find_buyer(QUERY), r"\[0\].id"),
        (COMPANIES, b'[{"name": "x"', lambda c: c.find_buyer(QUERY), "not JSON"),
        (ORDERS, {"publications": []}, lambda c: c.order_report(OPINION), "orderDate"),
        (ORDERS, [{"publications": 1}], lambda c: c.find_report(OPINION), r"\[0\].publications"),
        (NOTIFICATIONS, [{"id": "n"}], lambda c: c.notifications(date(2026, 1, 1)).whole(), r"\[0\].deliveryDate"),
        (NOTIFICATIONS, [], lambda c: c.notifications(date(2026, 1, 1), "x"), "range"),
        (NOTIFICATIONS, [], lambda c: c.notifications(date(2026, 1, 1)), "range: 3 entries are counted, none came"),
        (MONITORINGS, [{"id": "m"}], lambda c: c.monitor(MonitoringOrder("M", COMPANY, date.max)), "startDate"),
    ],
)
def test_error_names_the_field(wire, path, answer, call, field):
    wire.on(path, answer, **{"Content-Range": "0-0/3"})
    with pytest.raises(UnexpectedResponse, match=field), wire.connect() as insurer:
        call(insurer)


@pytest.mark.parametrize(
    ("form", "answer", "field"),
    [
        ("xml", document("report_credit_opinion.xml").replace(b"45 000", b"a lot"), "ICON.ORDERRESULTS.COVALUE"),
        ("xml", document("report_credit_opinion.xml")[:300], "not XML"),
        ("xml", b'<!DOCTYPE ICON [<!ENTITY a "b">]><ICON>&a;</ICON>', "document type"),
        ("json", b'[{"assessmentSlug": "credit-opinion", "maxCreditAmount": {"value": -1}}]', "maxCreditAmount.value"),
        ("json", b'{"icon": {"orderResults": {"coValue": 5}}}', "icon.orderResults.coValue"),
        ("json", b"[]", "assessmentSlug"),
    ],
)
def test_error_names_the_field_of_a_report(wire, form, answer, field):
    wire.on(ORDERS, document("orders_ready.json"))
    wire.on(PUBLICATIONS, answer)
    with pytest.raises(UnexpectedResponse, match=field), wire.connect() as insurer:
        insurer.report_state(ORDER_ID.format(form=form))


def test_grade_of_another_company_is_not_taken(wire):
    wire.on(NOTIFICATIONS, [])
    wire.on(ORDERS, document("grade_orders.json"))
    (other,) = shape("dra.json")
    wire.on(PUBLICATIONS, [{**other, "companyId": "another"}])
    with pytest.raises(UnexpectedResponse, match="companyId"), wire.connect() as insurer:
        insurer.grades([COMPANY])
