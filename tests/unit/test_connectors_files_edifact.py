"""RECECO: the vocabulary of the United Nations directory in a profile of ours."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from files_cases import AMOUNTS, DAYS, LETTERS, WILD
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import (
    CoverProduct,
    CoverRequest,
    CoverRequestKind,
    CoverRequestState,
    OverdueInvoice,
    OverdueNotice,
    PaymentMethod,
    RequestStatus,
)
from connectors.files import (
    Envelope,
    FileError,
    FileForm,
    export,
    forms,
    read,
    read_exported,
    template,
    write_answers,
)

DATA = Path(__file__).parent / "data" / "files"
EDIFACT = FileForm.EDIFACT
EDI = WILD.map(lambda text: "".join(c for c in text if c not in "\t\r\n"))
SHORT = EDI.map(lambda text: text.strip()[:17].strip()).filter(bool)
COMMENTS = EDI.filter(lambda text: text == "" or bool(text.strip()))
REQUEST = CoverRequest("CR/1", "TCI-1", "1006", CoverRequestKind.NEW, "EUR", Decimal("60000.10"))
STATE = CoverRequestState("77", "CR/1", RequestStatus.PARTIAL, "5", datetime(2026, 11, 22, 9, 30, tzinfo=UTC))


def lines(*segments):
    return "".join(f"{segment}'\n" for segment in segments).encode()


def answer(*segments, count=None):
    middle = ("BGM++77+11", "RFF+ACW:CR/1", "DTM+137:20261122093000:204", "DOC+ZZZ", *segments)
    tail = f"UNT+{count or len(middle) + 2}+1"
    return lines("UNB+UNOC:3+I+C+261122:0930+9", "UNH+1+RECECO:D:98B:UN", *middle, tail, "UNZ+1+9")


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(SHORT, SHORT, SHORT, st.sampled_from(CoverRequestKind), LETTERS, AMOUNTS),
    st.fixed_dictionaries(
        {},
        optional={
            "comment": COMMENTS,
            "cover_id": SHORT,
            "effective_from": DAYS,
            "payment_term_days": st.integers(0, 400),
        },
    ),
)
def test_a_request_reads_back_equal(told, more):
    *names, kind, currency, amount = told
    sent = CoverRequest(*names, kind, currency, None if kind is CoverRequestKind.CANCEL else amount, **more)
    file = export(sent, EDIFACT)
    assert read_exported(file.content, file.name) == ((sent,), ())


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(SHORT, st.just("") | SHORT),
    st.sampled_from([("2", "approved"), ("3", "refused"), ("5", "partial"), ("6", "pending"), ("8", "cancelled")])
    | st.sampled_from(["1", "4", "7", "9", "10", "11", "99"]).map(lambda code: (code, "unknown")),
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.none() | DAYS,
    st.none() | st.tuples(AMOUNTS, LETTERS),
    st.tuples(COMMENTS, st.just("") | SHORT, st.just("") | SHORT),
)
def test_a_state_reads_back_equal(names, status, received_at, decided_on, money, texts):
    code, ours = status
    amount, currency = money or (None, "")
    words, buyer, cover = texts
    told = CoverRequestState(
        *(*names, RequestStatus(ours), code, received_at.replace(microsecond=0), decided_on, amount, currency, words),
        buyer_id=buyer,
        cover_id=cover,
    )
    file = write_answers([told], EDIFACT)
    found = read(file.content, file.name)
    assert (found.request_states, found.problems) == ((told,), ())


@pytest.mark.parametrize(
    ("kind", "code"),
    [("new", "2"), ("increase", "3"), ("cancel", "6"), ("reduce", "7")],
)
def test_the_code_of_element_4505(kind, code):
    amount = None if kind == "cancel" else Decimal("1000.00")
    sent = CoverRequest("CR/1", "TCI-1", "1006", CoverRequestKind(kind), "EUR", amount)
    assert f"CCD+{code}'" in export(sent, EDIFACT).content.decode()


def test_the_published_example_is_what_is_written():
    sent = CoverRequest(
        *("CR/2026/0001", "TCI-2026-0001", "1006", CoverRequestKind.INCREASE, "EUR", Decimal("60000.10")),
        comment="Season's order: 12+3 lots",
        cover_id="C-1006",
        effective_from=date(2026, 12, 1),
        payment_term_days=60,
    )
    envelope = Envelope("CUSTOMER", "INSURER", datetime(2026, 11, 22, 9, 30), "42")
    assert export(sent, EDIFACT, envelope=envelope).content == (DATA / "request.edi").read_bytes()


def test_the_published_answer_is_read():
    found = read((DATA / "answers.edi").read_bytes(), "answers.edi")
    assert [(s.reference, s.status, s.raw_code, s.amount) for s in found.request_states] == [
        ("CR/2026/0001", RequestStatus.PARTIAL, "5", Decimal("40000.50")),
        ("CR/2026/0002", RequestStatus.UNKNOWN, "4", Decimal("25000")),
        ("CR/2026/0003", RequestStatus.REFUSED, "3", None),
    ]
    assert found.request_states[0].words == "Balance sheet of 2025 wanted for more"
    assert found.request_states[0].received_at == datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
    assert found.request_states[2].received_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # the interchange's
    assert not found.problems


@pytest.mark.parametrize(
    "change",
    [
        {"urgent": True},
        {"product": CoverProduct.CREDIT_CHECK},
        {"payment_method": PaymentMethod.LETTER_OF_CREDIT},
        {"receivables": Decimal(1)},
        {"orders": Decimal(1)},
        {"buyer_id": "1" * 18},
        {"comment": "x" * 351},
        {"comment": "two\nlines"},
        {"reference": "x" * 36},
    ],
    ids=str,
)
def test_what_the_message_has_no_place_for_is_refused_and_named(change):
    told = {name: getattr(REQUEST, name) for name in REQUEST.__slots__} | change
    with pytest.raises(FileError) as caught:
        export(CoverRequest(**told), EDIFACT)
    assert caught.value.column == next(iter(change))


def test_a_text_beyond_latin_1_takes_utf_8():
    sent = CoverRequest("CR/1", "TCI-1", "1006", CoverRequestKind.NEW, "EUR", Decimal(1), comment="信用限额")
    assert export(sent, EDIFACT).content.startswith(b"UNB+UNOW:4")
    assert export(REQUEST, EDIFACT).content.startswith(b"UNB+UNOC:3")


def test_only_cover_requests_have_this_form():
    invoice = OverdueInvoice("I1", date(2026, 1, 1), date(2026, 2, 1), Decimal(9), Decimal(9), "EUR")
    with pytest.raises(FileError, match="no EDIFACT form of a overdue_notice"):
        export(OverdueNotice("R", "P", "B", (invoice,)), EDIFACT)
    assert EDIFACT in forms("cover_request") and EDIFACT not in forms("overdue_notice")
    with pytest.raises(FileError, match="no template"):
        template("cover_request", EDIFACT)


def test_a_truncated_message_is_not_taken_and_the_others_are():
    whole = write_answers([STATE], EDIFACT).content
    both = whole.replace(b"UNZ+1", b"UNH+2+RECECO:D:98B:UN'\nBGM++78+11'\nDOC+ZZZ'\nMOA+ZZZ:5:EUR'\nUNT+9+2'\nUNZ+2")
    found = read(both, "answers.edi")
    assert [state.request_id for state in found.request_states] == ["77"]
    (problem,) = found.problems
    assert problem.refused and "incomplete: 5 segments came" in problem.words


WHOLE = write_answers([STATE], EDIFACT).content
UNFINISHED = "the file is truncated: the interchange has no end \\(UNZ\\)"
UNCOUNTED = "the file is truncated: the interchange counts '%s' messages, %s came"


@pytest.mark.parametrize("end", range(len("UNB+UNOC"), len(WHOLE.rstrip()) - 1, 3))
def test_a_file_that_ends_in_the_middle_is_refused_as_truncated(end):
    with pytest.raises(FileError, match=UNFINISHED):
        read(WHOLE[:end], "answers.edi")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lines("UNB+UNOC:3+I+C+261122:0930+9"), UNFINISHED),
        (lines("UNB+UNOC:3+I+C+261122:0930+9", "UNZ+2+9"), UNCOUNTED % (2, 0)),
        (WHOLE.replace(b"UNZ+1", b"UNZ+3"), UNCOUNTED % (3, 1)),
        (WHOLE.replace(b"UNZ+1", b"UNZ+"), UNCOUNTED % ("", 1)),
        (WHOLE[: WHOLE.index(b"UNZ")] + WHOLE, UNFINISHED),
        (WHOLE + WHOLE[: WHOLE.index(b"UNZ")], UNFINISHED),
        (WHOLE + lines("UNH+2+RECECO:D:98B:UN", "UNT+2+2"), "after the end of the interchange"),
    ],
    ids=["nothing but the head", "none came", "fewer came", "no count", "the first", "the second", "behind the end"],
)
def test_an_interchange_that_is_not_as_it_counts_is_refused_as_a_whole(content, words):
    with pytest.raises(FileError, match=words):
        read(content, "answers.edi")


def test_counts_may_be_filled_up_with_zeros():
    padded = WHOLE.replace(b"UNT+", b"UNT+000").replace(b"UNZ+", b"UNZ+00000")
    found = read(padded, "answers.edi")
    assert len(found.request_states) == 1 and not found.problems


def test_several_interchanges_in_a_file_are_read():
    found = read(WHOLE + WHOLE.replace(b"BGM++77", b"BGM++78"), "answers.edi")
    assert [state.request_id for state in found.request_states] == ["77", "78"]
    assert not found.problems


def test_an_interchange_of_groups_counts_its_groups():
    head, tail = WHOLE.index(b"UNH"), WHOLE.index(b"UNZ")
    grouped = WHOLE[:head] + b"UNG+RECECO'" + WHOLE[head:tail] + b"UNE+1+1'" + WHOLE[tail:]
    assert len(read(grouped, "answers.edi").request_states) == 1
    with pytest.raises(FileError, match="counts '2' messages"):
        read(grouped.replace(b"UNZ+1", b"UNZ+2"), "answers.edi")


def test_a_decimal_comma_is_one_here():
    (state,) = read(answer("MOA+ZZZ:12,500:EUR", "CCD++2"), "a.edi").request_states
    assert state.amount == Decimal("12.500")


def test_a_wrong_amount_costs_the_message_and_is_named():
    found = read(answer("MOA+ZZZ:12x:EUR", "CCD++2"), "a.edi")
    assert not found.request_states
    assert [(problem.line, problem.column) for problem in found.problems] == [(2, "amount")]


def test_other_separators_are_read_when_announced():
    content = answer("MOA+ZZZ:5:EUR", "CCD++2", "FTX+AAI+++it?'s").replace(b"?'", b"!'")
    swapped = b"UNA|*.! ~" + content.translate(bytes.maketrans(b":+'", b"|*~")).replace(b"!~s", b"!~s")
    (state,) = read(swapped, "a.edi").request_states
    assert (state.amount, state.words) == (Decimal(5), "it~s")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"UNB+UNOZ:3+I+C+261122:0930+9'", "character set"),
        (b"UNA:+.? '", "begins with UNB"),
        (b"UNA::.? 'UNB+UNOC:3'", "separators"),
        (b"UNB+UNOC:3+I+C'\0", "NUL"),
        (b"UNB+UNOW:4+I+C'\xff\xfe", "not utf-8"),
        (b"UNB+UNOC:3+" + b"x" * 2_000_001, "more than 2000000"),
    ],
)
def test_what_is_no_interchange_is_refused(content, words):
    with pytest.raises(FileError, match=words):
        read(content, "a.edi")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text("UNHTBGMCD+:'?0123 \n", max_size=200).map(str.encode))
def test_junk_after_the_head_is_told_and_nothing_else(junk):
    try:
        found = read(b"UNB+UNOC:3+I+C+261122:0930+9'\n" + junk, "a.edi")
    except FileError:
        return
    assert not found.request_states or not junk


@pytest.mark.parametrize("told", ["A", "5412345000013", "5412345000013:14", "OUR NAME:ZZ", "x" * 35 + ":1234"])
def test_identification_stands_in_the_interchange_with_its_qualifier(told):
    file = export(REQUEST, FileForm.EDIFACT, envelope=Envelope(told, told, datetime(2026, 11, 22, 9, 30), "42"))
    assert file.content.decode().startswith(f"UNB+UNOC:3+{told}+{told}+261122:0930+42'")
    assert read_exported(file.content, file.name) == ((REQUEST,), ())


@pytest.mark.parametrize(
    "wrong",
    [
        *({"sender": told} for told in ("", " ", "x" * 36, "a:12345", "a:b:c", ":14", "a\nb", "ü")),
        {"recipient": ""},
        *({"control_reference": told} for told in ("", "1" * 15, "4-2", "4 2")),
    ],
)
def test_what_cannot_stand_in_an_interchange_is_refused_at_once(wrong):
    with pytest.raises(ValueError, match="identification|control reference"):
        Envelope(**wrong)
