"""Atradius: covers are read as documented, every code by its table, and a wrong answer names its field."""

from datetime import date
from decimal import Decimal

import pytest
from atradius_support import (
    POLICY,
    a_cover,
    a_layer,
    fixture,
    query_of,
    scripted,
)

from connectors import (
    Announcement,
    AnnouncementKind,
    CoverStatus,
    TransportError,
    UnexpectedResponse,
)
from connectors.atradius_codes import ANSWERS, DECISIONS, ENDS, PENDING_PROCESSES


@pytest.fixture
def insurer():
    with scripted() as script:
        yield script


def covers_of(insurer, *rows, **settings):
    insurer.on("covers", {"data": list(rows)})
    with insurer.connect(settings={"ended_covers": "no", **settings}) as atradius:
        return tuple(atradius.covers(POLICY))


def cover_of(insurer, **members):
    (cover,) = covers_of(insurer, a_cover(**members))
    return cover


# --- Covers -----------------------------------------------------------------------------------------------------------


def test_documented_covers_are_read(insurer):
    insurer.on("covers", fixture("covers"))
    insurer.on("historic", {"data": []})
    with insurer.connect() as atradius:
        full, layered, announced, pending, refused = atradius.covers(POLICY)
    assert (full.cover_id, full.buyer_id, full.status, full.raw_code) == ("7000123", "1001", "approved", "DC01")
    assert (full.amount, full.currency, full.requested_amount) == (Decimal(80000), "EUR", Decimal(80000))
    assert (full.decided_on, full.effective_from, full.effective_to) == (date(2026, 3, 4), date(2026, 3, 5), None)
    assert full.temporary_amount is None and full.insured_percentage is None
    assert (layered.cover_id, layered.buyer_id) == ("7000124", "1002")
    assert (layered.amount, layered.temporary_amount) == (Decimal(60000), Decimal(30000))
    assert (layered.temporary_from, layered.temporary_until) == (None, date(2026, 12, 31))
    assert layered.conditions == ("B12 Payment within 90 days of the invoice date.",)
    assert announced.status is CoverStatus.APPROVED and announced.amount == Decimal(80000)
    assert announced.announcements == (Announcement(AnnouncementKind.WITHDRAWAL, "F", date(2027, 1, 15)),)
    assert (pending.status, pending.raw_code, pending.amount) == (CoverStatus.REQUESTED, "REFERRED", None)
    assert (refused.status, refused.amount) == (CoverStatus.REFUSED, Decimal(0))
    assert query_of(insurer.calls("covers")[0]) == {"customerId": "4711", "policyId": POLICY}


def test_applied_amount_is_never_the_granted_one(insurer):
    nothing = {"totalDecision": {}, "firstAmtDecision": "", "secondAmtDecision": None}
    assert cover_of(insurer, **nothing).amount is None
    assert cover_of(insurer, **nothing).requested_amount == Decimal(80000)


def test_nothing_is_granted_while_it_is_undecided(insurer):
    cover = cover_of(insurer, coverStatus="REFERRED", decisionCode="")
    assert (cover.status, cover.amount, cover.requested_amount) == (CoverStatus.REQUESTED, None, Decimal(80000))


def test_amount_of_the_policys_currency_is_read(insurer):
    total = {"decisionAmtInPolicyCurrency": "70000", "decisionAmtInUserCurrency": "81000"}
    layers = {"firstAmtDecision": "", "secondAmtDecision": ""}
    assert cover_of(insurer, totalDecision=total, **layers).amount == Decimal(70000)


WINTER, SPRING = "2026-12-31", "2027-03-31T00:00:00.000+01:00"


@pytest.mark.parametrize(
    ("total", "first", "second", "expected"),  # expected: amount, its last day, temporary amount, its last day
    [
        ("80000", ("80000", ""), ("", ""), (80000, None, None, None)),
        ("90000", ("60000", ""), ("30000", WINTER), (60000, None, 30000, "2026-12-31")),
        ("90000", ("30000", WINTER), ("60000", ""), (60000, None, 30000, "2026-12-31")),
        ("90000", ("60000", ""), ("30000", ""), (90000, None, None, None)),
        ("60000", ("60000", WINTER), ("0", ""), (60000, "2026-12-31", None, None)),
        ("90000", ("60000", WINTER), ("30000", WINTER), (90000, "2026-12-31", None, None)),
        ("90000", ("60000", SPRING), ("30000", WINTER), (60000, "2027-03-31", 30000, "2026-12-31")),
        ("", ("60000", ""), ("30000", WINTER), (60000, None, 30000, "2026-12-31")),
        ("60000", ("60000", ""), ("30000", WINTER), (60000, None, None, None)),  # contradiction: the lower figure
        ("75000", ("60000", ""), ("30000", WINTER), (60000, None, 15000, "2026-12-31")),
        ("50000", ("60000", ""), ("", ""), (50000, None, None, None)),
        ("80000", ("60000", ""), ("", ""), (60000, None, None, None)),
        ("0", ("", ""), ("", ""), (0, None, None, None)),
    ],
)
def test_layers_become_a_lasting_and_a_temporary_amount(insurer, total, first, second, expected):
    layers = {"firstAmtDecision": a_layer(*first), "secondAmtDecision": a_layer(*second)}
    cover = cover_of(insurer, totalDecision=a_layer(total), **layers)
    days = [str(day) if day else None for day in (cover.effective_to, cover.temporary_until)]
    amount, until, temporary, temporary_until = expected
    assert (cover.amount, cover.temporary_amount) == (amount, temporary)
    assert days == [until, temporary_until]


STATUSES = {
    "DC01": CoverStatus.APPROVED,
    "DC02": CoverStatus.APPROVED,
    "DC03": CoverStatus.REFUSED,
    "DC04": CoverStatus.PARTIAL,
    "DC05": CoverStatus.APPROVED,
    "DC06": CoverStatus.PARTIAL,
    "DC07": CoverStatus.REFUSED,
    "DC08": CoverStatus.WITHDRAWN,
    "DC09": CoverStatus.REDUCED,
    "DC10": CoverStatus.APPROVED,
    "DC11": CoverStatus.APPROVED,
    "DC21": CoverStatus.APPROVED,
    "DC22": CoverStatus.REDUCED,
}


@pytest.mark.parametrize(("code", "status"), STATUSES.items())
def test_decision_code_gives_the_status(insurer, code, status):
    cover = cover_of(insurer, decisionCode=code)
    assert (cover.status, cover.raw_code) == (status, code)


@pytest.mark.parametrize("code", sorted(code for code, status in DECISIONS.items() if status is None))
def test_standing_cover_below_what_was_asked_is_partial_and_one_of_nothing_is_unknown(insurer, code):
    less = {"totalDecision": a_layer("40000"), "firstAmtDecision": a_layer("40000")}
    nothing = {"totalDecision": a_layer("0"), "firstAmtDecision": ""}
    part, none = covers_of(
        insurer, a_cover(coverId=1, decisionCode=code, **less), a_cover(coverId=2, decisionCode=code, **nothing)
    )
    assert part.status is CoverStatus.PARTIAL and none.status is CoverStatus.UNKNOWN


def test_tables_name_every_documented_code():
    assert set(STATUSES) == set(DECISIONS) == set(ANSWERS)
    assert set(PENDING_PROCESSES) == set("BCFPRTVW")
    decided = {"ACLD", "CCLD", "CIND", "ECLD", "ICLD", "MCLD", "PCLD", "SCLD", "TCLD", "WCLD"}
    assert set(ENDS) == {"CCLA", "RCLA", "SCLA", "TCLA"} | decided


@pytest.mark.parametrize(
    ("state", "code", "raw"), [("DECISION", "DC99", "DC99"), ("DECISION", "", "DECISION"), ("LOST", "", "LOST")]
)
def test_unknown_code_stays_raw(insurer, state, code, raw):
    cover = cover_of(insurer, coverStatus=state, decisionCode=code)
    assert (cover.status, cover.raw_code) == (CoverStatus.UNKNOWN, raw)


@pytest.mark.parametrize("indicator", "CFPW")
def test_end_that_is_being_worked_on_is_announced_and_the_cover_valid(insurer, indicator):
    cover = cover_of(insurer, pendingProcessIndicator=indicator, withdrawalDate="2027-01-15")
    assert cover.status is CoverStatus.APPROVED and cover.effective_to is None
    assert cover.announcements == (Announcement(AnnouncementKind.WITHDRAWAL, indicator, date(2027, 1, 15)),)


@pytest.mark.parametrize("indicator", "BRTVX")
def test_other_process_is_shown_without_effect(insurer, indicator):
    cover = cover_of(insurer, pendingProcessIndicator=indicator, withdrawalDate="2027-01-15")
    assert cover.status is CoverStatus.APPROVED
    assert cover.announcements == (Announcement(AnnouncementKind.UNKNOWN, indicator, None),)


def test_notified_withdrawal_is_announced_even_without_an_indicator(insurer):
    cover = cover_of(insurer, decisionCode="DC21", effectiveToDate="2027-01-14")
    assert cover.status is CoverStatus.APPROVED
    assert cover.announcements == (Announcement(AnnouncementKind.WITHDRAWAL, "DC21", date(2027, 1, 15)),)


def test_announced_withdrawal_without_a_day_has_not_begun(insurer):
    cover = cover_of(insurer, pendingProcessIndicator="F", withdrawalDate="")
    assert [notice.effective_from for notice in cover.announcements] == [None]


def test_withdrawn_cover_ends_the_day_before_and_announces_nothing(insurer):
    cover = cover_of(insurer, decisionCode="DC08", withdrawalDate="2026-06-01T00:00:00Z", pendingProcessIndicator="W")
    assert (cover.status, cover.effective_to, cover.announcements) == (CoverStatus.WITHDRAWN, date(2026, 5, 31), ())


def test_end_of_a_buyer_without_cover_is_read_from_what_has_ended(insurer):
    insurer.on("covers", fixture("covers"))
    insurer.on("historic", fixture("historic"))
    with insurer.connect() as atradius:
        covers = {cover.buyer_id: cover for cover in atradius.covers(POLICY)}
    assert covers["1001"].cover_id == "7000123", "what stands counts, not what it replaced"
    ended = covers["1006"]
    assert (ended.cover_id, ended.status, ended.raw_code) == ("6000002", CoverStatus.WITHDRAWN, "WCLD")
    assert ended.effective_to == date(2026, 5, 31)
    assert "1007" not in covers, "a rejected application is no cover"


def test_older_end_does_not_hide_what_stands_and_an_application_does_not_hide_an_end(insurer):
    pending = a_cover(coverId=3, buyerId=1002, coverStatus="REFERRED", decisionCode="")
    ended = [a_cover(coverId=1, historicCode="WCLD"), a_cover(coverId=2, buyerId=1002, historicCode="WCLD")]
    insurer.on("covers", {"data": [a_cover(), pending]})
    insurer.on("historic", {"data": ended})
    with insurer.connect() as atradius:
        assert [cover.cover_id for cover in atradius.covers(POLICY)] == ["7000123", "3", "2"]


@pytest.mark.parametrize(("code", "status"), sorted(ENDS.items()))
def test_historic_code_says_how_it_ended(insurer, code, status):
    insurer.on("covers", {"data": []})
    insurer.on("historic", {"data": [a_cover(historicCode=code)]})
    with insurer.connect() as atradius:
        assert [cover.status for cover in atradius.covers(POLICY)] == ([status] if status else [])


@pytest.mark.parametrize("code", ["ARCH", "ZZZZ"])
def test_unknown_end_stays_raw(insurer, code):
    insurer.on("covers", {"data": []})
    insurer.on("historic", {"data": [a_cover(historicCode=code)]})
    with insurer.connect() as atradius:
        assert [(cover.status, cover.raw_code) for cover in atradius.covers(POLICY)] == [(CoverStatus.UNKNOWN, code)]


# --- Answers that are not as documented -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "field"),
    [
        (
            {"totalDecision": {"decisionAmtInPolicyCurrency": "much"}},
            "data[0].totalDecision.decisionAmtInPolicyCurrency",
        ),
        ({"coverId": None}, "data[0].coverId"),
        ({"policyCurrencyCode": "euro"}, "data[0].policyCurrencyCode"),
        ({"decisionDate": "04.03.2026"}, "data[0].decisionDate"),
        (
            {"secondAmtDecision": {"decisionAmtInPolicyCurrency": -1}},
            "data[0].secondAmtDecision.decisionAmtInPolicyCurrency",
        ),
        ({"secondAmtDecision": 7}, "data[0].secondAmtDecision"),
    ],
)
def test_field_that_is_not_as_documented_is_named(insurer, members, field):
    with pytest.raises(UnexpectedResponse) as caught:
        cover_of(insurer, **members)
    assert caught.value.field.startswith(field)


@pytest.mark.parametrize(
    ("body", "field"), [(b'{"data": [', ""), (b'{"data": null}', "data"), (b"[]", ""), (b"{}", "data")]
)
def test_answer_without_data_is_not_taken_for_an_empty_one(insurer, body, field):
    insurer.on("covers", body)
    with insurer.connect() as atradius, pytest.raises(UnexpectedResponse) as caught:
        atradius.cover_page(POLICY)
    assert caught.value.field == field


def test_list_that_could_not_be_read_is_an_error(insurer):
    insurer.on("covers", fixture("covers"))
    insurer.on("historic", {"errors": [{"detail": "Service unavailable"}]}, 503)
    with insurer.connect() as atradius, pytest.raises(TransportError, match="Service unavailable"):
        list(atradius.covers(POLICY))
