"""Allianz Trade: every shape that is documented, by the insurer or in clients' code, is written and read."""

from datetime import date
from decimal import Decimal

import pytest
from allianz_trade_wire import NOW, SETTINGS, TEST_HOST, Wire, document, shape

from connectors import (
    CONNECTORS,
    AuthenticationError,
    BuyerQuery,
    ConfigurationError,
    Connection,
    CoverRequest,
    CoverRequestKind,
    CoverStatus,
    Credentials,
    Environment,
    Grade,
    Hooks,
    RejectedByInsurer,
    UnexpectedResponse,
)

SEARCH, MATCHING, COMPANIES = "/companies/advancedSearch", "/companies/matching", "/companies/list"
COVERS, PORTFOLIO = "/v3/covers", "/v3/covers/search"
QUERY = {
    "country": "de",
    "name": "Nordwind Maschinenbau GmbH",
    "vat_number": "DE136695976",
    "street": "Hafenstraße 41",
    "postal_code": "20457",
    "city": "Hamburg",
}
REQUEST = CoverRequest("REQ/1", "100200", "70012346", CoverRequestKind.INCREASE, "USD", Decimal(90000))


@pytest.fixture
def wire(monkeypatch):
    return Wire().plugged(monkeypatch)


# --- Token ------------------------------------------------------------------------------------------------------------


def test_key_is_exchanged_for_a_token_that_all_calls_show(wire):
    wire.on(PORTFOLIO, [])
    with wire.connect() as insurer:
        insurer.cover_page("100200")
    authorize, call = wire.sent
    assert (authorize.method, authorize.body) == ("POST", shape("authorize_request.json"))
    assert call.headers["Authorization"] == "Bearer the-token-1"


def test_token_is_shared_until_it_ends_and_then_taken_anew(wire):
    wire.on(PORTFOLIO, [])
    for clock in (0.0, 3000.0, 3541.0):  # a minute before its end it counts as used up
        connection = Connection(
            "",
            Credentials(api_key="a-key"),
            hooks=Hooks(now=lambda: NOW),
            token_store=wire.store,
            wall_clock=lambda clock=clock: clock,
            settings=SETTINGS,
        )
        with CONNECTORS["allianz_trade"](connection) as insurer:
            insurer.cover_page("100200")
    assert [url.rpartition("/")[2] for url in wire.urls()] == ["authorize", "search", "search", "authorize", "search"]


def test_refused_token_is_replaced_once(wire):
    wire.on("/authorize", {"access_token": "the-token-2", "token_type": "Bearer", "expires_in": 3600})
    wire.on(PORTFOLIO, {}, 401)
    wire.on(PORTFOLIO, [])
    with wire.connect() as insurer:
        insurer.cover_page("100200")
    assert [call.headers.get("Authorization") for call in wire.sent] == [
        *(None, "Bearer the-token-1", None, "Bearer the-token-2"),
    ]


def test_write_that_was_refused_for_its_token_is_sent_once_more(wire):
    wire.on(COVERS, {}, 401)
    wire.on(COVERS, "J-1")
    with wire.connect() as insurer:
        insurer.request_cover(REQUEST)
    assert len(wire.bodies(COVERS)) == 2


def test_token_that_is_refused_again_is_an_error(wire):
    wire.on(PORTFOLIO, {}, 401)
    with pytest.raises(AuthenticationError), wire.connect() as insurer:
        insurer.cover_page("100200")
    assert len(wire.bodies(PORTFOLIO)) == 2


def test_secrets_are_in_no_exchange_and_no_error(wire):
    callback = "https://erp.example/insurer/door"
    wire.on("/v3/covers", {"message": "no, the-token-1 and a-key"}, 422)
    settings = {"webhook_header": "X-Wake"}
    with wire.connect(secrets={"callback_url": callback}, settings=settings) as insurer:
        with pytest.raises(RejectedByInsurer) as caught:
            insurer.request_cover(REQUEST)
        assert "a-key" not in repr(vars(insurer))
    sent = next(call for call in wire.sent if call.url.endswith(COVERS))
    shown = repr(wire.exchanges) + str(caught.value)
    assert len(wire.exchanges) == 2
    for secret in ("a-key", "the-token-1", callback, sent.headers["X-Wake"]):
        assert secret not in shown


# --- Addresses --------------------------------------------------------------------------------------------------------

UAT = {
    "authorize": "/uatm/v1/idp/oauth2/authorize",
    "search": "/search/uatm-v2/companies/advancedSearch",
    "matching": "/search/uatm-v2/companies/matching",
    "companies": "/company-referential/uatm-v1/companies/list",
    "covers": "/uatm/riskinfo/v3/covers",
    "cover": "/uatm/riskinfo/v3/covers/{coverId}",
    "cover_search": "/uatm/riskinfo/v3/covers/search",
    "cover_requests": "/uatm/riskinfo/v3/coverRequests/search",
    "job": "/uatm/riskinfo/v3/jobs/{jobId}",
    "covers_v2": "/uatm/riskinfo/v2/covers",
}
PRODUCTION = {
    "authorize": "/v1/idp/oauth2/authorize",
    "search": "/search/v2/companies/advancedSearch",
    "companies": "/company-referential/v1/companies/list",
    "covers": "/riskinfo/v3/covers",
}


@pytest.mark.parametrize(("name", "path"), UAT.items())
def test_address_in_the_test_environment(name, path):
    assert CONNECTORS["allianz_trade"].endpoints[name].test == TEST_HOST + path


@pytest.mark.parametrize(("name", "path"), PRODUCTION.items())
def test_address_in_production(name, path):
    assert CONNECTORS["allianz_trade"].endpoints[name].production == "https://api.allianz-trade.com" + path


@pytest.mark.parametrize(
    ("environment", "urls"),
    [
        (Environment.TEST, [TEST_HOST + UAT["authorize"], TEST_HOST + UAT["search"], TEST_HOST + UAT["companies"]]),
        (
            Environment.PRODUCTION,
            ["https://api.allianz-trade.com" + PRODUCTION[name] for name in ("authorize", "search", "companies")],
        ),
    ],
)
def test_without_an_address_the_insurers_own_are_used(wire, environment, urls):
    wire.on(SEARCH, document("search_answer.json"))
    wire.on(COMPANIES, document("companies_list_answer.json"))
    with wire.connect(environment=environment) as insurer:
        insurer.find_buyer(BuyerQuery("DE", name="Nordwind"))
    assert wire.urls() == urls


def test_address_can_be_corrected(wire):
    wire.on("/other/search", [])
    with wire.connect(addresses={"cover_search": "/other/search"}) as insurer:
        insurer.cover_page("100200")
    assert wire.urls()[1] == f"{TEST_HOST}:443/other/search"


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_version": "4"},
        {"page_size": "0"},
        {"page_size": "many"},
        {"codes": "cover.Refused=perhaps"},
        {"codes": "elsewhere.Refused=refused"},
        {"fields": "cover.colour=colour"},
        {"policies": "100200=a/b/c/d"},
        {"minimum_score": "high"},
        {"business_unit": ""},
    ],
    ids=str,
)
def test_wrong_setting_is_refused_before_anything_is_sent(wire, wrong):
    with pytest.raises(ConfigurationError):
        wire.connect(settings=wrong)
    assert wire.sent == []


# --- Companies --------------------------------------------------------------------------------------------------------


def test_company_is_searched_by_name_and_its_numbers_are_compared(wire):
    wire.on(SEARCH, document("search_answer.json"))
    wire.on(COMPANIES, document("companies_list_answer.json"))
    with wire.connect() as insurer:
        best, other = insurer.find_buyer(BuyerQuery(**QUERY))
    assert wire.bodies(SEARCH) == [shape("advanced_search_request.json")]
    assert wire.bodies(COMPANIES) == [shape("companies_list_request.json")]
    assert (best.buyer_id, best.name, best.score) == ("70012346", "Nordwind Maschinenbau GmbH", 100)
    assert (best.vat_number, best.country, best.city) == ("DE136695976", "DE", "Hamburg")
    assert (best.street, best.postal_code) == ("Hafenstraße 41", "20457")
    assert other.buyer_id == "70012345" and other.score < best.score and other.vat_number == ""


def test_number_whose_type_has_a_code_is_matched(wire):
    wire.on(MATCHING, document("search_answer.json"))
    wire.on(COMPANIES, document("companies_list_answer.json"))
    with wire.connect(settings={"vat_type": "VT", "minimum_score": "60"}) as insurer:
        assert insurer.find_buyer(BuyerQuery(**QUERY))[0].buyer_id == "70012346"
    assert wire.bodies(MATCHING) == [shape("matching_request.json")]
    assert wire.bodies(SEARCH) == []


def test_name_is_searched_when_the_number_matches_nothing(wire):
    wire.on(MATCHING, {"results": []})
    wire.on(SEARCH, {"results": []})
    with wire.connect(settings={"vat_type": "VT"}) as insurer:
        assert insurer.find_buyer(BuyerQuery(**QUERY)) == ()
    assert len(wire.bodies(SEARCH)) == 1 and wire.bodies(COMPANIES) == []


def test_own_id_of_the_insurer_is_looked_up(wire):
    wire.on(COMPANIES, document("companies_list_answer.json"))
    with wire.connect() as insurer:
        (found,) = insurer.find_buyer(BuyerQuery("DE", buyer_id="70012346"))
    assert (found.buyer_id, found.score) == ("70012346", 100)
    assert wire.bodies(COMPANIES) == [["70012346"]]


def test_number_alone_needs_the_code_of_its_type(wire):
    with pytest.raises(ConfigurationError, match="identifier types"), wire.connect() as insurer:
        insurer.find_buyer(BuyerQuery("DE", vat_number="DE136695976"))
    assert wire.sent == []


# --- Portfolio --------------------------------------------------------------------------------------------------------


def test_portfolio_is_asked_for_and_read(wire):
    wire.on(PORTFOLIO, document("cover_search_answer.json"))
    with wire.connect(settings={"page_size": "10000"}) as insurer:
        by_grade, agreed = insurer.covers("100200")
    assert wire.bodies(PORTFOLIO) == [shape("cover_search_request.json")]
    assert (by_grade.status, by_grade.raw_code, by_grade.amount) == (CoverStatus.APPROVED, "CheckPolicy", None)
    assert (by_grade.conditions, by_grade.grade, agreed.grade) == (("GradeCover: 5",), "5", "")
    assert (agreed.buyer_id, agreed.status, agreed.amount) == ("70012345", CoverStatus.APPROVED, Decimal("60000.5"))
    assert (agreed.currency, agreed.effective_from) == ("USD", date(2026, 1, 15))
    assert agreed.cover_id != by_grade.cover_id


def entry(code="Agreement", **members):
    limit = {"technicalDecisionStatusCode": "AlreadyAgreed", "amount": 60000, "startDate": "2026-01-15"}
    limits = {"creditLimitsAggregation": {"creditLimits": [limit, *members.pop("more", [])]}}
    return {"companyId": "1", "coverId": "C-1", "coverStatusCode": code, **limits, **members}


def read_one(wire, shown, **settings):
    wire.on(PORTFOLIO, [shown])
    with wire.connect(settings=settings) as insurer:
        (cover,) = insurer.covers("100200")
    return cover


def test_unknown_code_stays_raw(wire):
    cover = read_one(wire, entry("Suspended"))
    assert (cover.status, cover.raw_code, cover.amount) == (CoverStatus.UNKNOWN, "Suspended", Decimal(60000))


def test_administrator_gives_a_code_its_meaning(wire):
    cover = read_one(wire, entry("Suspended"), codes="cover.suspended = withdrawn; job.Done=processed")
    assert (cover.status, cover.raw_code) == (CoverStatus.WITHDRAWN, "Suspended")


def test_administrator_tells_where_a_field_is(wire):
    shown = entry(validity={"until": "2026-12-31T00:00:00Z"}, wanted=90000)
    shown["creditLimitsAggregation"]["creditLimits"][0]["validity"] = {"last": "2026-12-31T23:59:59Z"}
    cover = read_one(wire, shown, fields="limit.end=validity.last; cover.requested=wanted")
    assert cover.effective_to == date(2026, 12, 31)
    assert (cover.status, cover.requested_amount) == (CoverStatus.PARTIAL, Decimal(90000))


def test_lower_limit_that_begins_later_is_announced_and_not_in_force(wire):
    later = {"technicalDecisionStatusCode": "AlreadyAgreed", "amount": 20000, "startDate": "2026-12-20"}
    cover = read_one(wire, entry(more=[later, {**later, "amount": 0, "startDate": "2027-03-01"}]))
    assert (cover.status, cover.amount) == (CoverStatus.APPROVED, Decimal(60000))
    told = [(notice.kind, notice.amount, notice.effective_from) for notice in cover.announcements]
    assert told == [("reduction", Decimal(20000), date(2026, 12, 20)), ("withdrawal", None, date(2027, 3, 1))]


def test_limit_that_began_last_counts(wire):
    older = {"technicalDecisionStatusCode": "AlreadyAgreed", "amount": 99000, "startDate": "2025-01-01"}
    assert read_one(wire, entry(more=[older])).amount == Decimal(60000)


@pytest.mark.parametrize(
    ("member", "value", "named"),
    [
        ("companyId", None, r"\[0\].companyId"),
        ("coverStatusCode", {"a": 1}, r"\[0\].coverStatusCode"),
        ("creditLimitsAggregation", {"creditLimits": {}}, r"\[0\].creditLimitsAggregation.creditLimits"),
        (
            "creditLimitsAggregation",
            {"creditLimits": [{"amount": "much"}]},
            r"\[0\].creditLimitsAggregation.creditLimits\[0\].amount",
        ),
        (
            "creditLimitsAggregation",
            {"creditLimits": [{"startDate": "15.01.2026"}]},
            r"\[0\].creditLimitsAggregation.creditLimits\[0\].startDate",
        ),
    ],
)
def test_malformed_answer_names_the_field(wire, member, value, named):
    with pytest.raises(UnexpectedResponse, match=named) as caught:
        read_one(wire, {**entry(), member: value})
    assert caught.value.field


def test_grades_stand_in_the_portfolio(wire):
    wire.on(PORTFOLIO, document("cover_search_answer.json"))
    with wire.connect() as insurer:
        assert insurer.grades(["70012346", "70012345", "1"]) == (Grade("70012346", "5", "ALLIANZ-10", None),)
        assert insurer.grade("70012346").value == "5"
        assert insurer.grade_changes("100200", date(2026, 1, 1)).items == (Grade("70012346", "5", "ALLIANZ-10", None),)
    assert len(wire.bodies(PORTFOLIO)) == 2  # the portfolio is read once for all questions, and once for the changes


# --- Pages ------------------------------------------------------------------------------------------------------------


def pages(wire, *answers, total="", settings=None):
    """The companies in a portfolio of these pages, two entries each, and the pages that were asked for."""
    headers = {"X-Total-Count": total} if total else {}
    for numbers in answers:
        wire.on(PORTFOLIO, [{**entry(), "companyId": n, "coverId": f"C-{n}"} for n in numbers], **headers)
    with wire.connect(settings={"page_size": "2", **(settings or {})}) as insurer:
        found = [cover.buyer_id for cover in insurer.covers("100200")]
    return found, [body["pagination"]["page"] for body in wire.bodies(PORTFOLIO)]


def test_list_ends_with_a_page_that_is_not_full(wire):
    assert pages(wire, [1, 2], [3, 4], [5]) == (["1", "2", "3", "4", "5"], [1, 2, 3])


def test_list_ends_with_an_empty_page(wire):
    assert pages(wire, [1, 2], []) == (["1", "2"], [1, 2])


def test_total_spares_the_last_question(wire):
    assert pages(wire, [1, 2], [3, 4], total="4") == (["1", "2", "3", "4"], [1, 2])


def test_page_that_comes_twice_is_asked_for_again(wire):
    assert pages(wire, [1, 2], [1, 2], [3, 4], [5]) == (["1", "2", "3", "4", "5"], [1, 2, 2, 3])


def test_same_page_for_ever_is_an_error(wire):
    with pytest.raises(UnexpectedResponse, match="again and again"):
        pages(wire, [1, 2])
    assert len(wire.bodies(PORTFOLIO)) == 4


def test_entries_that_moved_between_pages_come_once(wire):
    assert pages(wire, [1, 2], [2, 3], [4])[0] == ["1", "2", "3", "4"]


def test_entries_that_never_came_are_missed_where_there_is_a_total(wire):
    with pytest.raises(UnexpectedResponse, match="counts 5 covers, 4 came"):
        pages(wire, [1, 2], [2, 3], [4], total="5")


def test_page_that_is_short_before_the_total_does_not_end_the_list(wire):
    with pytest.raises(UnexpectedResponse, match="counts 5 covers, 4 came"):
        pages(wire, [1], [3, 4], [2], total="5")
    assert [body["pagination"]["page"] for body in wire.bodies(PORTFOLIO)] == [1, 2, 3]


def test_parts_of_a_policy_are_read_one_after_the_other(wire):
    parts = "POL-1 = 100200 + 100201/CAP/EHDK; 100200"
    wire.on(PORTFOLIO, [entry()])
    wire.on(PORTFOLIO, [{**entry(), "coverId": "C-9"}])
    with wire.connect(settings={"policies": parts, "extension_id": "DCL"}) as insurer:
        base, top_up = insurer.covers("POL-1")
    asked = [body["policies"] for body in wire.bodies(PORTFOLIO)]
    assert asked == [
        [{"businessUnitCode": "ACI", "policyId": "100200", "extensionId": "DCL"}],
        [{"businessUnitCode": "EHDK", "policyId": "100201", "extensionId": "CAP"}],
    ]
    assert (base.policy_number, top_up.policy_number, top_up.cover_id) == ("POL-1", "POL-1", "C-9")


def test_pages_can_be_asked_for_in_different_processes(wire):
    wire.on(PORTFOLIO, [entry(), {**entry(), "coverId": "C-2"}])
    wire.on(PORTFOLIO, [])
    with wire.connect(settings={"page_size": "2"}) as insurer:
        token = insurer.cover_page("100200").next_token
    with wire.connect(settings={"page_size": "2"}) as insurer:
        assert insurer.cover_page("100200", token).next_token is None
        with pytest.raises(UnexpectedResponse):
            insurer.cover_page("100200", "of somebody else")
