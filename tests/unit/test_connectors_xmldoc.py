"""XML from outside: read strictly, by local names, without entities, document types or giant trees."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.jsondoc import ShapeError
from connectors.xmldoc import XmlNode, decode_xml

ANSWER = decode_xml(
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<s:Envelope xmlns:s="urn:soap" xmlns:n="urn:n" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>'
    b"<n:row id='7'><n:sum> 60000.10 </n:sum><count>30.0</count><open>true</open><from>2026-03-01</from></n:row>"
    b"<row><sum xsi:nil='true'>5</sum><count/><open>0</open><from>2026-03-01T23:30:00.000+08:00</from></row>"
    b"<note><![CDATA[a < b]]></note><!-- not part of it --></s:Body></s:Envelope>"
)


def rows():
    return list(ANSWER["Body"].children("row"))


def read(text: str) -> XmlNode:
    return decode_xml(f"<a><v>{text}</v></a>".encode())["v"]


def test_elements_are_found_by_their_local_name_whatever_the_prefix():
    first, second = rows()
    assert first["sum"].decimal() == Decimal("60000.10") and str(first["sum"].decimal()) == "60000.10"
    assert (first["count"].integer(), first.attribute("id"), second.attribute("id")) == (30, "7", "")
    assert (first["open"].boolean(), second["open"].boolean()) == (True, False)
    assert ANSWER["Body"]["note"].text() == "a < b"
    assert [child.name for child in ANSWER["Body"].children()] == ["row", "row", "note"]


def test_missing_empty_and_nil_are_nulls():
    second = rows()[1]
    for name in ("sum", "count", "nothing"):
        assert second[name].optional(XmlNode.decimal) is None
    assert second["nothing"]["further"].optional(XmlNode.text) is None
    assert list(second["nothing"].children("x")) == []


def test_zero_is_no_null():
    assert read("0").optional(XmlNode.amount) == 0


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-03-01T23:30:00.000+08:00", date(2026, 3, 1)),
        ("2026-03-01T00:00:00", date(2026, 3, 1)),
        ("2026-03-01+08:00", date(2026, 3, 1)),
        ("2026-03-01Z", date(2026, 3, 1)),
    ],
)
def test_day_is_the_one_that_is_written(text, day):
    assert read(text).date() == day


@pytest.mark.parametrize("text", ["20260301", "01/03/2026", "2026-03-01Tnoon", "2026-02-30", "2026-03-01 10:00", "now"])
def test_what_is_no_day_is_named(text):
    with pytest.raises(ShapeError, match="a.v: expected a date"):
        read(text).date()


def test_instant_needs_its_offset():
    assert read("2026-03-01T10:00:00+08:00").instant() == datetime(2026, 3, 1, 2, tzinfo=UTC)
    with pytest.raises(ShapeError, match="offset"):
        read("2026-03-01T10:00:00").instant()


@pytest.mark.parametrize(
    ("text", "reader", "problem"),
    [
        ("abc", XmlNode.decimal, "a decimal number, got 'abc'"),
        ("NaN", XmlNode.decimal, "sensible size"),
        ("1e999", XmlNode.decimal, "sensible size"),
        ("-1", XmlNode.amount, "an amount of 0 or more"),
        ("1.5", XmlNode.integer, "a whole number, got '1.5'"),
        ("1E17", XmlNode.integer, "a whole number of sensible size, got 100000000000000000"),
        ("9999-12-31T23:59:59-14:00", XmlNode.instant, "an instant, got '9999-12-31T23:59:59-14:00'"),
        ("yes", XmlNode.boolean, "true or false, got 'yes'"),
        ("101", XmlNode.percentage, "0 to 100"),
        ("eur", XmlNode.currency, "ISO 4217"),
        ("", XmlNode.text, "a text, got None"),
        ("", XmlNode.identifier, "an identifier, got None"),
        ("", XmlNode.boolean, "true or false, got None"),
    ],
)
def test_wrong_value_is_named_by_its_path(text, reader, problem):
    with pytest.raises(ShapeError, match="^a.v: ") as caught:
        reader(read(text))
    assert problem in str(caught.value) and caught.value.field == "a.v"


def test_path_counts_the_rows():
    with pytest.raises(ShapeError) as caught:
        rows()[1]["from"].decimal()
    assert caught.value.field == "Envelope.Body.row[1].from"


def test_value_is_not_pieced_together_from_elements():
    with pytest.raises(ShapeError, match="expected a value, got elements"):
        read("<x>1</x><x>2</x>").decimal()


def test_comment_inside_a_value_is_no_part_of_it():
    assert read("12<!-- 99 -->34").integer() == 1234


def test_two_elements_where_one_is_expected_are_an_error():
    with pytest.raises(ShapeError, match="Envelope.Body.row: expected one element, got 2"):
        ANSWER["Body"]["row"]


def test_secret_is_not_quoted():
    node = decode_xml(b"<a><accessToken>s3cret</accessToken></a>")["accessToken"]
    for reader in (XmlNode.integer, XmlNode.boolean, XmlNode.date):
        with pytest.raises(ShapeError) as caught:
            reader(node)
        assert "s3cret" not in str(caught.value)


LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{}",
        b"<a>",
        b"<a/><b/>",
        b"<a>&nothing;</a>",
        b"\xff\xfe<",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1:1/e">%e;]><a/>',
        f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>'.encode(),
        f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a b="&l9;"/>'.encode(),
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
    ],
    ids=[
        *("empty", "blank", "json", "cut", "two roots", "unknown entity", "no text", "doctype", "external dtd"),
        *("external entity", "parameter entity", "laughs", "laughs in attribute", "deep", "encoding"),
    ],
)
def test_what_is_not_plain_xml_is_refused(body):
    with pytest.raises(ShapeError):
        decode_xml(body)


def test_include_is_not_followed():
    body = b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>'
    assert decode_xml(body).optional(XmlNode.text) is None


def test_other_encodings_are_read_as_declared():
    body = '<?xml version="1.0" encoding="GBK"?><a>合同</a>'.encode("gbk")
    assert decode_xml(body).text() == "合同"
