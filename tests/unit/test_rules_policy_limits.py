"""The limit in force on a date: every row explained, no two states mixed up."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import (
    CoverStatus,
    DiscretionaryLimit,
    ExchangeRates,
    Guarantee,
    InsurerCover,
    InvalidFacts,
    Layer,
    LimitState,
    LineCode,
    MissingRate,
    Money,
    OwnLimit,
    limit_in_force,
)

TODAY = date(2025, 6, 15)
JAN, FEB, JUL = date(2025, 1, 1), date(2025, 2, 1), date(2025, 7, 1)


def eur(amount):
    return Money(Decimal(amount), "EUR")


def cover(status="approved", amount=None, start=JAN, **values):
    return InsurerCover(
        status=CoverStatus(status), amount=None if amount is None else eur(amount), effective_from=start, **values
    )


def own(amount, **values):
    return OwnLimit(amount=eur(amount), **values)


def limit(*rows, on=TODAY, **settings):
    return limit_in_force(on, rows, currency="EUR", **settings)


def codes(found):
    return [line.code.value for line in found.lines]


COVER = cover(amount=1000)
CASES = [
    # rows, state, amount (None: none), codes
    ([], "not_checked", None, []),
    ([cover("none")], "not_checked", None, ["never_asked"]),
    ([cover("requested")], "not_checked", None, ["requested"]),
    ([cover("unknown")], "unknown", None, ["unreadable"]),
    ([cover("approved")], "unknown", None, ["unreadable"]),
    ([cover("refused")], "refused", 0, ["refused"]),
    ([cover("approved", 0)], "amount", 0, ["counted"]),
    ([cover("partial", 400)], "amount", 400, ["counted"]),
    ([COVER], "amount", 1000, ["counted"]),
    ([cover(amount=1000, start=JUL)], "not_checked", None, ["not_yet"]),
    ([cover(amount=1000, effective_to=TODAY)], "amount", 1000, ["counted"]),
    ([cover(amount=1000, effective_to=TODAY - timedelta(1))], "expired", 0, ["expired"]),
    ([COVER, cover("expired", start=FEB)], "expired", 0, ["superseded", "expired"]),
    # the request and the decision have separate states
    ([COVER, cover("requested", 2000, FEB)], "amount", 1000, ["counted", "requested"]),
    ([COVER, cover("refused", start=FEB)], "amount", 1000, ["counted", "refused"]),
    ([COVER, cover("refused", start=FEB, ends_cover=True)], "refused", 0, ["superseded", "refused"]),
    ([COVER, cover("unknown", start=FEB)], "amount", 1000, ["counted", "unreadable"]),
    ([cover("unknown"), cover(amount=1000, start=FEB)], "amount", 1000, ["superseded", "counted"]),
    # a reduction or withdrawal acts from its first day
    ([COVER, cover("reduced", 300, FEB)], "amount", 300, ["superseded", "counted"]),
    ([COVER, cover("reduced", 300, JUL)], "amount", 1000, ["counted", "not_yet"]),
    ([COVER, cover("withdrawn", start=FEB)], "withdrawn", 0, ["superseded", "withdrawn"]),
    ([COVER, cover("withdrawn", start=TODAY)], "withdrawn", 0, ["superseded", "withdrawn"]),
    ([COVER, cover("withdrawn", start=TODAY + timedelta(1))], "amount", 1000, ["counted", "not_yet"]),
    ([cover("withdrawn"), cover(amount=500, start=FEB)], "amount", 500, ["superseded", "counted"]),
    # the own limit stands beside all of these
    ([cover("withdrawn"), own(200)], "amount", 200, ["withdrawn", "counted"]),
    ([cover("unknown"), own(200)], "amount", 200, ["unreadable", "counted"]),
    ([own(0)], "amount", 0, ["counted"]),
    ([own(200, valid_to=TODAY - timedelta(1))], "expired", 0, ["expired"]),
    ([own(200, valid_from=JUL)], "not_checked", None, ["not_yet"]),
    ([own(200, valid_from=JAN), own(300, valid_from=FEB)], "amount", 300, ["superseded", "counted"]),
    ([own(200), own(50, kind=Layer.TEMPORARY, valid_to=TODAY)], "amount", 250, ["counted", "counted"]),
    ([own(200), own(50, kind=Layer.TEMPORARY, valid_to=FEB)], "amount", 200, ["counted", "expired"]),
]


@pytest.mark.parametrize("rows, state, amount, why", CASES)
def test_states_are_told_apart_and_every_row_says_why(rows, state, amount, why):
    found = limit(*rows)
    assert found.state == state
    assert found.amount == (None if amount is None else eur(amount))
    assert codes(found) == why
    assert [line.row for line in found.lines] == rows


@pytest.mark.parametrize(
    "default, amount, state, expected",
    [("not_checked", None, "not_checked", None), ("amount", 300, "amount", 300), ("no_credit", None, "no_credit", 0)],
)
@pytest.mark.parametrize("rows", [[], [cover("requested")], [own(9, valid_from=JUL)]])
def test_the_company_default_is_for_buyers_nobody_has_decided_about(rows, default, amount, state, expected):
    found = limit(*rows, default=default, default_amount=None if amount is None else eur(amount))
    assert (found.state, found.amount) == (state, None if expected is None else eur(expected))


@pytest.mark.parametrize("row, state", [(cover("refused"), "refused"), (own(0), "amount"), (cover("none"), "amount")])
def test_the_default_amount_does_not_replace_a_decision(row, state):
    found = limit(row, default="amount", default_amount=eur(300))
    assert found.state == state
    assert found.amount == eur(300 if row == cover("none") else 0)


def test_a_default_amount_has_to_be_given():
    with pytest.raises(InvalidFacts):
        limit(default="amount")


@pytest.mark.parametrize(
    "insured, at_own_risk, combine, amount, why",
    [
        (1000, 200, "add", 1200, ["counted", "counted", "counted"]),
        (1000, 200, "max", 1000, ["counted", "lesser", "counted"]),
        (200, 1000, "max", 1000, ["lesser", "counted", "counted"]),
        (500, 500, "max", 500, ["counted", "lesser", "counted"]),
    ],
)
def test_own_and_insured_are_added_or_the_larger_counts_and_guarantees_are_added(
    insured, at_own_risk, combine, amount, why
):
    found = limit(cover(amount=insured), own(at_own_risk), Guarantee(amount=eur(50)), combine=combine)
    assert found.amount == eur(amount + 50)
    assert (found.insured, found.own, found.guaranteed) == (eur(insured), eur(at_own_risk), eur(50))
    assert codes(found) == why


def test_temporary_covers_add_between_their_dates_and_policies_add_up():
    rows = (
        COVER,
        cover(amount=300, layer=Layer.TEMPORARY, reference="T1", effective_to=JUL),
        cover(amount=200, layer=Layer.TEMPORARY, reference="T2", start=JUL),
        cover(amount=100, policy="top-up"),
    )
    assert limit(*rows).amount == eur(1400)
    assert limit(*rows, on=JUL).amount == eur(1600)
    assert limit(*rows, on=JUL + timedelta(1)).amount == eur(1300)


def test_a_withdrawal_takes_the_temporary_amounts_of_its_policy_with_it():
    rows = (
        COVER,
        cover(amount=300, layer=Layer.TEMPORARY),
        cover("withdrawn", start=FEB),
        cover(amount=100, policy="top-up"),
    )
    found = limit(*rows)
    assert found.amount == eur(100)
    assert codes(found) == ["superseded", "withdrawn", "withdrawn", "counted"]


@pytest.mark.parametrize(
    "rows, on, why",
    [
        ([cover(amount=1000), cover(amount=300, start=FEB)], JUL, ["superseded", "counted"]),
        ([cover(amount=300, start=FEB), cover(amount=1000)], JUL, ["counted", "superseded"]),
        ([cover("withdrawn"), cover(amount=300, start=FEB, decided_on=JAN)], JUL, ["superseded", "counted"]),
        ([cover(amount=1000), cover(amount=300, start=FEB, effective_to=FEB)], JUL, ["superseded", "expired"]),
        ([cover(amount=1000), cover(amount=300, start=FEB, effective_to=FEB)], FEB, ["not_yet", "not_yet"]),
        ([cover(amount=1000), cover(amount=9000, start=date(2025, 12, 2))], date(2025, 12, 1), ["counted", "not_yet"]),
        ([cover(amount=1000), cover(amount=9000, start=JUL)], date(2025, 12, 2), ["superseded", "expired"]),
        ([cover("refused")], date(2025, 12, 2), ["refused"]),
    ],
)
def test_a_policys_days_cut_off_what_covers_count_for_and_not_their_order(rows, on, why):
    days = {"policy_from": TODAY, "policy_to": date(2025, 12, 1)}
    assert codes(limit(*(replace(row, **days) for row in rows), on=on)) == why


@pytest.mark.parametrize("on, why", [(FEB, "not_yet"), (JUL, "counted"), (JUL + timedelta(1), "expired")])
def test_a_discretionary_limit_keeps_to_its_policys_days(on, why):
    row = DiscretionaryLimit(amount=eur(100), valid_from=JAN, policy_from=TODAY, policy_to=JUL)
    assert codes(limit(row, on=on)) == [why]
    assert limit(row, on=JUL).insured_until == JUL


@pytest.mark.parametrize(
    "others, settings, why",
    [
        ([], {}, LineCode.COUNTED),
        ([cover("requested", 900)], {}, LineCode.COUNTED),
        ([COVER], {}, LineCode.NAMED_COVER),
        ([cover(amount=0)], {}, LineCode.NAMED_COVER),
        ([cover("refused")], {}, LineCode.VOID_REFUSED),
        ([cover("withdrawn")], {}, LineCode.VOID_WITHDRAWN),
        ([cover("withdrawn", start=JUL)], {}, LineCode.COUNTED),
        ([cover("refused", policy="other")], {}, LineCode.COUNTED),
        ([cover("unknown")], {}, LineCode.UNREADABLE),
        ([], {"adverse_since": TODAY}, LineCode.VOID_ADVERSE_INFORMATION),
        ([], {"adverse_since": TODAY + timedelta(1)}, LineCode.COUNTED),
    ],
)
def test_a_discretionary_limit_gives_way_to_named_covers_and_is_void_after_bad_news(others, settings, why):
    found = limit(DiscretionaryLimit(amount=eur(100)), *others, **settings)
    assert found.lines[0].code is why
    assert found.lines[0].counted is (why is LineCode.COUNTED)


@pytest.mark.parametrize(
    "rows, ended",
    [
        ([], None),
        ([own(200)], None),
        ([own(200, valid_to=FEB)], None),
        ([COVER], None),
        ([cover("requested", 900)], None),
        ([COVER, cover("refused", start=FEB)], None),
        ([cover("unknown"), own(200)], None),
        ([cover("unknown"), cover(amount=0, policy="top-up")], None),
        ([COVER, cover("withdrawn", start=JUL)], None),
        ([cover("withdrawn"), cover(amount=1, policy="top-up")], None),
        ([cover("withdrawn"), own(200)], "withdrawn"),
        ([COVER, cover("refused", start=FEB, ends_cover=True), own(200)], "refused"),
        ([cover(amount=1000, effective_to=FEB)], "expired"),
        ([COVER, cover("reduced", 0, FEB)], "amount"),
        ([cover(amount=0), own(200)], "amount"),
    ],
)
@pytest.mark.parametrize("combine", ["add", "max"])
def test_how_cover_ended_is_told_beside_credit_at_own_risk(rows, ended, combine):
    assert limit(*rows, combine=combine).cover_ended == ended


@pytest.mark.parametrize("dates, why", [({"valid_from": JUL}, "not_yet"), ({"valid_to": FEB}, "expired")])
def test_a_discretionary_limit_has_its_dates(dates, why):
    assert codes(limit(DiscretionaryLimit(amount=eur(100), **dates))) == [why]


def test_what_could_not_be_read_is_told_beside_what_counts():
    assert limit(cover("unknown"), own(200)).unreadable
    assert not limit(own(200)).unreadable


def test_a_discretionary_limit_needs_its_evidence():
    found = limit(DiscretionaryLimit(amount=eur(100), evidenced=False))
    assert (found.state, codes(found)) == (LimitState.NOT_CHECKED, ["no_evidence"])


@pytest.mark.parametrize(
    "stale, age, state, amount, why",
    [
        ("accept", 30, "amount", 1000, "counted"),
        ("warn", 14, "amount", 1000, "counted"),
        ("warn", 15, "amount", 1000, "counted_stale"),
        ("none", 15, "stale", 0, "stale"),
        ("none", None, "stale", 0, "stale"),
    ],
)
def test_insurers_data_older_than_the_maximum_is_worth_what_the_company_says(stale, age, state, amount, why):
    fetched = None if age is None else TODAY - timedelta(age)
    found = limit(cover(amount=1000, fetched_on=fetched), stale=stale, max_age_days=14)
    assert (found.state, found.amount, codes(found)) == (state, eur(amount), [why])
    assert found.stale is why.endswith("stale")
    assert found.lines[0].age_days == age


def test_age_is_told_of_the_oldest_row_that_counts():
    rows = (
        cover(amount=1, fetched_on=TODAY - timedelta(3)),
        cover(amount=1, policy="B", fetched_on=TODAY - timedelta(9)),
        cover(amount=1, policy="C", start=JUL, fetched_on=TODAY - timedelta(90)),
    )
    assert limit(*rows).data_age_days == 9
    assert limit(own(1)).data_age_days is None


def test_age_is_counted_today_also_when_asking_about_another_day():
    found = limit(cover(amount=1, fetched_on=TODAY), on=JUL, today=TODAY)
    assert found.data_age_days == 0


@pytest.mark.parametrize(
    "rows, until",
    [
        ([COVER], None),
        ([cover(amount=1, effective_to=JUL)], JUL),
        ([COVER, cover("withdrawn", start=JUL)], JUL - timedelta(1)),
        ([COVER, cover("reduced", 5, JUL)], JUL - timedelta(1)),
        ([COVER, cover(amount=2000, start=JUL)], None),
        ([own(5, valid_to=JUL)], None),
    ],
)
def test_the_last_day_the_insured_part_is_known_to_stand(rows, until):
    assert limit(*rows).insured_until == until


def test_rows_are_converted_and_a_missing_rate_is_only_missed_where_the_row_counts():
    rates = ExchangeRates("EUR", TODAY, {"USD": Decimal(2)})
    usd = Money(Decimal(2000), "USD")
    assert limit(OwnLimit(amount=usd), rates=rates).amount == eur(1000)
    assert limit(OwnLimit(amount=usd, valid_from=JUL)).amount is None
    with pytest.raises(MissingRate):
        limit(OwnLimit(amount=usd))


@pytest.mark.parametrize(
    "build",
    [
        lambda: own(-1),
        lambda: cover(amount=-1),
        lambda: cover(amount=1, percentage=Decimal(101)),
        lambda: own(1, valid_from=JUL, valid_to=JAN),
        lambda: cover(amount=1, start=JUL, effective_to=JAN),
    ],
)
def test_rows_that_cannot_be_are_refused(build):
    with pytest.raises(InvalidFacts):
        build()


rows = st.lists(
    st.one_of(
        st.builds(
            cover,
            st.sampled_from(CoverStatus),
            st.one_of(st.none(), st.integers(0, 1000)),
            st.dates(JAN, JUL),
            layer=st.sampled_from(Layer),
        ),
        st.builds(own, st.integers(0, 1000), kind=st.sampled_from(Layer)),
        st.builds(lambda amount: Guarantee(amount=eur(amount)), st.integers(0, 1000)),
        st.builds(lambda amount: DiscretionaryLimit(amount=eur(amount)), st.integers(0, 1000)),
    ),
    max_size=6,
)


@given(rows)
def test_the_lines_that_count_add_up_to_the_limit(given_rows):
    found = limit(*given_rows)
    counted = sum((line.amount.amount for line in found.lines if line.counted), Decimal(0))
    assert (Decimal(0) if found.amount is None else found.amount.amount) == counted
    assert len(found.lines) == len(given_rows)


@given(rows)
def test_a_limit_without_amount_is_not_checked_or_unknown(given_rows):
    found = limit(*given_rows)
    assert (found.amount is None) == (found.state in (LimitState.NOT_CHECKED, LimitState.UNKNOWN))
