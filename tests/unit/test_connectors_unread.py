"""One entry of a list that is not as documented: the others are read, it is named, and nothing is concluded from it."""

from datetime import date

import pytest
from allianz_trade_wire import Wire
from atradius_support import POLICY, a_cover, a_request, scripted
from coface_wire import COMPANY, CofaceWire
from coface_wire import document as coface_document

from connectors import CoverStatus, RejectedByInsurer, UnexpectedResponse
from connectors.reading import GIVEN_UP_AFTER, one_by_one

PORTFOLIO, PENDING = "/covers/search", "/coverRequests/search"
JUNK = [("currency", "euro"), ("amount", "50.000,00"), ("amount", -5), ("day", "12/01/2026")]
ATRADIUS_FIELDS = {"currency": "policyCurrencyCode", "day": "effectFromDate"}
LIMITS = {"currency": "currencyCode", "amount": "amount", "day": "startDate"}


@pytest.fixture
def atradius():
    with scripted() as script:
        yield script


@pytest.fixture
def allianz(monkeypatch):
    return Wire().plugged(monkeypatch)


@pytest.fixture
def coface(monkeypatch):
    return CofaceWire().plugged(monkeypatch)


def ill(field, value):
    layer = {"totalDecision": {"decisionAmtInPolicyCurrency": value}}
    return a_cover(coverId=2, buyerId=1002, **(layer if field == "amount" else {ATRADIUS_FIELDS[field]: value}))


def numbers(page):
    return [item.buyer_id for item in page.items], [(entry.buyer_id, entry.number) for entry in page.unread]


def entry(company, cover, **limit):
    told = {"technicalDecisionStatusCode": "AlreadyAgreed", "amount": 60000, "startDate": "2026-01-15", **limit}
    limits = {"creditLimitsAggregation": {"creditLimits": [told]}}
    return {"companyId": company, "coverId": cover, "coverStatusCode": "Agreement", **limits}


# --- Covers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), JUNK)
def test_cover_that_cannot_be_read_keeps_no_other_from_being_read(atradius, field, value):
    atradius.on("covers", {"data": [a_cover(coverId=1), ill(field, value), a_cover(coverId=3, buyerId=1003)]})
    atradius.on("historic", {"data": []})
    with atradius.connect() as insurer:
        page = insurer.cover_page(POLICY)
        assert numbers(page) == (["1001", "1003"], [("1002", "2")])
        assert page.unread[0].error.field.startswith("data[1].") and "got" in str(page.unread[0].error)
        with pytest.raises(UnexpectedResponse, match=r"data\[1\]"):  # the list as a whole was not read
            list(insurer.covers(POLICY))


@pytest.mark.parametrize(("field", "value"), JUNK)
def test_allianz_trade_reads_the_other_covers(allianz, field, value):
    allianz.on(PORTFOLIO, [entry("1", "C-1"), entry("2", "C-2", **{LIMITS[field]: value}), None, entry("4", "C-4")])
    with allianz.connect() as insurer:
        page = insurer.cover_page("100200")
    assert numbers(page) == (["1", "4"], [("2", "C-2"), ("", "")])
    assert page.next_token is None


def test_page_is_full_with_the_entries_that_cannot_be_read(allianz):
    allianz.on(PORTFOLIO, [entry("1", "C-1"), entry("2", "C-2", amount="x")])
    with allianz.connect(settings={"page_size": "2"}) as insurer:
        assert insurer.cover_page("100200").next_token


@pytest.mark.parametrize("about", [{"buyerId": 1002}, {"buyerId": None}])
def test_cover_that_ended_is_not_told_of_a_buyer_whose_present_one_cannot_be_read(atradius, about):
    ended = a_cover(coverId=9, buyerId=1002, historicCode="WCLD", withdrawalDate="2026-01-01")
    atradius.on("historic", {"data": [ended]})
    atradius.on("covers", {"data": [a_cover(coverId=1), {**ill("amount", "x"), **about}]})
    with atradius.connect() as insurer:
        page = insurer.cover_page(POLICY)
    assert [(cover.cover_id, cover.status) for cover in page.items] == [("1", CoverStatus.APPROVED)]


# --- Requests ---------------------------------------------------------------------------------------------------------


def pending(company, **members):
    return {"requestId": "R", "coverId": "C", "companyId": company, "creationDate": "2026-11-20T08:00:00Z", **members}


def test_undecided_request_that_cannot_be_read_is_named(allianz):
    allianz.on(PENDING, [pending("1"), pending("2", creationDate="yesterday")])
    with allianz.connect() as insurer:
        page = insurer.cover_request_page("100200")
    assert numbers(page) == (["1"], [("2", "C")])


def test_junk_about_another_company_does_not_keep_a_request_from_being_looked_for(allianz):
    allianz.on(PENDING, [pending("2", creationDate="yesterday")])
    allianz.on(PORTFOLIO, [entry("3", "C-3", amount="x")])
    with allianz.connect() as insurer:
        assert insurer.find_cover_request(a_request(policy_number="100200", currency="USD")) is None


@pytest.mark.parametrize("company", ["1001", None])
def test_junk_that_may_be_our_request_leaves_it_open_whether_the_insurer_has_it(allianz, company):
    allianz.on(PENDING, [pending(company, creationDate="yesterday")])
    with allianz.connect() as insurer, pytest.raises(UnexpectedResponse, match="creationDate"):
        insurer.find_cover_request(a_request(policy_number="100200", currency="USD"))


# --- Grades -----------------------------------------------------------------------------------------------------------


def test_buyer_whose_rating_cannot_be_read_keeps_no_other_from_being_graded(atradius):
    rows = [{"buyerId": 1, "currentBuyerRating": "35"}, {"buyerId": 2, "currentBuyerRating": [3]}]
    atradius.on("ratings", {"data": rows})
    with atradius.connect() as insurer:
        page = insurer.grade_changes(POLICY, date(2026, 1, 1))
    assert numbers(page) == (["1"], [("2", "")])


def test_company_that_coface_refuses_keeps_no_other_from_being_graded(coface):
    coface.on("/notifications", [])
    coface.on("/publications/orders", [])
    coface.on("/publications/orders", {"messages": [{"code": "company_not_found", "message": "Unknown"}]}, 404)
    coface.on("/publications/orders", coface_document("grade_orders.json"))
    coface.on("/publications", coface_document("dra.json"))
    with coface.connect() as insurer:
        page = insurer.grade_page(["of nobody", COMPANY])
    assert numbers(page) == ([COMPANY], [("of nobody", "")])
    assert isinstance(page.unread[0].error, RejectedByInsurer)


def test_what_fails_for_every_buyer_is_not_about_the_buyers():
    def refuse(buyer_id):
        asked.append(buyer_id)
        raise RejectedByInsurer(insurer="x", code="", words="Unknown query parameter")

    asked: list[str] = []
    with pytest.raises(RejectedByInsurer):
        one_by_one(map(str, range(100)), refuse)
    assert len(asked) == GIVEN_UP_AFTER
