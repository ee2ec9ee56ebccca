"""Messages: what goes out is checked when it is made, what comes in is read without guessing."""

import json
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from connectors_support import a_claim

from connectors import AnnouncementKind, BuyerQuery, CoverRequest, CoverRequestKind, CoverStatus, UnexpectedResponse
from connectors.calls import Answer
from connectors.jsondoc import Node, ShapeError, decode, encode
from connectors.sandbox_reading import cover, page_of

DATA = Path(__file__).parent / "data" / "connectors"


def page(*changes: tuple[str, str]) -> object:
    text = (DATA / "covers_page.json").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    answer = Answer("sandbox", "a call", 200, {}, text.encode(), str)
    return page_of(answer, "covers", cover, "coverId").whole()


# --- Coming in --------------------------------------------------------------------------------------------------


def test_amount_keeps_every_digit_of_the_number_sent():
    amount = page(("50000.10", "123456789012345.10")).items[0].amount
    assert amount == Decimal("123456789012345.10") and str(amount).endswith(".10")


def test_announced_withdrawal_is_not_a_withdrawal():
    cover = page().items[0]
    assert cover.status is CoverStatus.APPROVED
    assert [(notice.kind, notice.effective_from) for notice in cover.announcements] == [
        (AnnouncementKind.WITHDRAWAL, date(2026, 12, 31))
    ]


def test_unknown_codes_are_kept_raw_and_not_guessed():
    cover = page().items[1]
    assert (cover.status, cover.raw_code) == (CoverStatus.UNKNOWN, "WITHDRAWAL_PENDING")
    assert (cover.announcements[0].kind, cover.announcements[0].raw_code) == (AnnouncementKind.UNKNOWN, "SUSPENSION")


def test_amount_of_zero_is_an_amount():
    assert page().items[1].amount == Decimal(0)
    assert page(('"amount": "0"', '"amount": null')).items[1].amount is None


def test_byte_order_mark_before_a_document_says_nothing():
    assert decode(b'\xef\xbb\xbf{"a": 1}')["a"].integer() == 1


def test_missing_and_null_are_the_same():
    assert page().items[1].effective_to is page().items[0].effective_to is None


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        (("50000.10", '"abc"'), "covers[0].amount", "expected a decimal number, got 'abc'"),
        (("50000.10", "true"), "covers[0].amount", "expected a decimal number, got True"),
        (("50000.10", '"NaN"'), "covers[0].amount", "sensible size"),
        (("50000.10", "1e999"), "covers[0].amount", "sensible size"),
        (("50000.10", "-1"), "covers[0].amount", "an amount of 0 or more"),
        (('"EUR"', '"euro"'), "covers[0].currency", "ISO 4217"),
        (('"2026-01-15"', '"15/01/2026"'), "covers[0].effectiveFrom", "a date YYYY-MM-DD"),
        (('"2026-01-15"', "20260115"), "covers[0].effectiveFrom", "a date YYYY-MM-DD, got 20260115"),
        (('"2026-01-15"', '"20260115"'), "covers[0].effectiveFrom", "a date YYYY-MM-DD"),
        (('Percentage": 90', 'Percentage": 900'), "covers[0].insuredPercentage", "0 to 100"),
        (('"kind": "WITHDRAWAL"', '"kind": ""'), "covers[0].announcements[0].kind", "an identifier"),
        (('"coverId": 17', '"coverId": null'), "covers[0].coverId", "an identifier, got None"),
        (('"total": 3', '"total": "3"'), "total", "a whole number"),
        (('"covers": [', '"covers": null, "x": ['), "covers", "a list, got None"),
    ],
)
def test_wrong_value_is_named_by_its_path(change, field, problem):
    with pytest.raises(UnexpectedResponse) as caught:
        page(change)
    assert caught.value.field == field
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"a": 1',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "html", "cut", "nan", "infinity", "double", "double inside", "utf-16", "deep", "long number"],
)
def test_what_is_not_strict_json_is_refused(body):
    with pytest.raises(ShapeError):
        decode(body)


DEEP = b"[" * 5_000 + b"]" * 5_000


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b"[" * 5_000,
        b'{"a":' * 5_000,
        b'{"a\\"":' + DEEP + b"}",
        b"[]," + DEEP,
        b'["' + b"\\\\" * 50 + b'",' + DEEP,
    ],
    ids=["closed", "open", "objects", "behind a quote", "second", "behind backslashes"],
)
def test_deep_nesting_is_refused_before_the_parser_sees_it(body, monkeypatch):
    # A parser that calls itself for each level breaks whatever Python happens to clean up at its deepest.
    monkeypatch.setattr(json, "loads", lambda *_text, **_options: pytest.fail("parsed"))
    with pytest.raises(ShapeError, match="nested deeper than 100 levels"):
        decode(body)


def test_wide_documents_and_brackets_in_texts_are_not_deep():
    assert len(decode(b"[" + b",".join([b'{"a":[{}]}'] * 5_000) + b"]").value) == 5_000
    assert decode(b'"' + b"[" * 5_000 + b'"').text() == "[" * 5_000
    assert decode(b'["\\\\", "' + b'\\"[' * 5_000 + b'"]').value[1] == '"[' * 5_000
    assert len(list(decode(b"[" * 100 + b"1" + b"]" * 100).items())) == 1


def test_text_full_of_escaped_quotes_without_an_end_is_read_once():
    # Read again from each of its quotes this takes hours.
    with pytest.raises(ShapeError, match="not JSON"):
        decode(b'"' + b'\\"' * 2_000_000)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_instant_outside_the_calendar_in_utc_is_refused(text):
    with pytest.raises(ShapeError, match="an instant"):
        Node(text, "receivedAt").instant()


def test_whole_number_larger_than_a_database_holds_is_refused():
    assert decode(b"-2147483647").integer() == -2147483647
    for text in (b"2147483648", b"1" * 4000):
        with pytest.raises(ShapeError, match="a whole number of sensible size"):
            decode(text).integer()


def test_a_key_twice_among_very_many_is_found_without_comparing_each_with_each():
    # Compared each with each this takes hours.
    many = b",".join(b'"k%d":1' % number for number in range(500_000))
    with pytest.raises(ShapeError, match="'k499999' occurs twice"):
        decode(b"{" + many + b',"k499999":2}')


def test_instant_needs_its_offset_and_becomes_utc():
    assert Node("2026-03-01T10:00:00+02:00").instant() == datetime(2026, 3, 1, 8, tzinfo=UTC)
    with pytest.raises(ShapeError, match="offset"):
        Node("2026-03-01T10:00:00", "receivedAt").instant()


def test_decimal_is_written_as_it_is():
    assert encode({"total": Decimal("1E+3"), "on": date(2026, 1, 2)}) == b'{"total":"1000","on":"2026-01-02"}'
    with pytest.raises(ValueError):
        encode({"rate": float("nan")})


# --- Going out --------------------------------------------------------------------------------------------------


def test_messages_are_frozen():
    with pytest.raises(FrozenInstanceError):
        a_claim().total = Decimal(1)  # type: ignore[misc]


def test_claim_total_must_be_the_sum_of_what_is_open():
    with pytest.raises(ValueError, match="total 1 is not the sum of the open amounts, 12300.45"):
        replace(a_claim(), total=Decimal(1))


def test_claim_in_policy_currency_may_hold_invoices_in_others():
    dollars = replace(a_claim().invoices[0], currency="USD")
    assert replace(a_claim(), invoices=(dollars,), total=Decimal("11000.00")).currency == "EUR"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": " "},
        {"buyer_id": ""},
        {"currency": "eur"},
        {"invoices": ()},
        {"invoices": a_claim().invoices * 2, "total": Decimal("24600.90")},
        {"total": 12300.45},
        {"total": Decimal("Infinity")},
        {"total": Decimal(-1)},
    ],
)
def test_impossible_claim_is_not_made(wrong):
    with pytest.raises(ValueError):
        replace(a_claim(), **wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"open_amount": Decimal("15000.01")}, {"due_on": date(2026, 1, 9)}, {"amount": Decimal(0)}, {"number": ""}],
)
def test_impossible_invoice_is_not_made(wrong):
    with pytest.raises(ValueError):
        replace(a_claim().invoices[0], **wrong)


def test_cover_request_needs_an_amount_unless_it_cancels():
    def request(kind, amount):
        return CoverRequest("R1", "P1", "1001", kind, "EUR", amount)

    assert request(CoverRequestKind.CANCEL, None).amount is None
    for kind, amount in ((CoverRequestKind.NEW, None), (CoverRequestKind.CANCEL, Decimal(1))):
        with pytest.raises(ValueError):
            request(kind, amount)


@pytest.mark.parametrize("query", [{"country": "FRA", "name": "x"}, {"country": "FR"}])
def test_buyer_query_needs_a_country_and_something_to_look_for(query):
    with pytest.raises(ValueError):
        BuyerQuery(**query)
