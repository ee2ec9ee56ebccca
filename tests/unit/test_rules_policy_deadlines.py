"""How the policy counts time, and the dates one invoice has."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import (
    Base,
    DeadlineKind,
    DeadlineNote,
    InvalidTerms,
    InvoiceDates,
    Period,
    PolicyTerms,
    Unit,
    invoice_deadlines,
)

TERMS = PolicyTerms(currency="EUR")
DUE = date(2025, 8, 31)
INVOICE = InvoiceDates(date(2025, 7, 31), DUE)
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


def dates(terms=TERMS, invoice=INVOICE, **facts):
    return {item.kind: item for item in invoice_deadlines(terms, invoice, **facts)}


@pytest.mark.parametrize(
    "period, start, end",
    [
        (Period(6, Unit.MONTHS), date(2025, 8, 31), date(2026, 2, 28)),
        (Period(6, Unit.MONTHS), date(2023, 8, 31), date(2024, 2, 29)),
        (Period(180), date(2025, 8, 31), date(2026, 2, 27)),
        (Period(-7), date(2025, 8, 31), date(2025, 8, 24)),
        (Period(-1, Unit.MONTHS), date(2025, 3, 31), date(2025, 2, 28)),
        (Period(10, Unit.WORKING_DAYS), date(2025, 8, 29), date(2025, 9, 12)),
        (Period(1, Unit.WORKING_DAYS), date(2025, 8, 30), date(2025, 9, 1)),
        (Period(-1, Unit.WORKING_DAYS), date(2025, 9, 1), date(2025, 8, 29)),
        (Period(0), date(2025, 8, 31), date(2025, 8, 31)),
    ],
)
def test_calendar_arithmetic(period, start, end):
    assert period.end(start) == end


def test_holidays_are_no_working_days():
    holidays = frozenset({date(2025, 12, 25), date(2025, 12, 26)})
    assert Period(2, Unit.WORKING_DAYS).end(date(2025, 12, 24), holidays) == date(2025, 12, 30)


@pytest.mark.parametrize("last_day_counts, on_sixtieth, on_sixty_first", [(True, False, True), (False, True, True)])
def test_payment_on_the_last_day_is_in_time_and_the_day_after_is_not(last_day_counts, on_sixtieth, on_sixty_first):
    period = Period(60, last_day_counts=last_day_counts)
    assert period.passed(DUE + timedelta(60), DUE) is on_sixtieth
    assert period.passed(DUE + timedelta(61), DUE) is on_sixty_first


@given(days, st.integers(0, 400), st.sampled_from(Unit))
def test_a_longer_period_never_ends_earlier(start, number, unit):
    assert Period(number, unit).end(start) <= Period(number + 1, unit).end(start)


@pytest.mark.parametrize(
    "kind, offset",
    [
        (DeadlineKind.REMINDER, -7),
        (DeadlineKind.DUNNING, 3),
        (DeadlineKind.ESCALATION, 30),
        (DeadlineKind.END_OF_MEP, 60),
        (DeadlineKind.NOTIFICATION, 90),
        (DeadlineKind.DATE_OF_LOSS, 180),
        (DeadlineKind.CLAIM, 360),
    ],
)
def test_the_generic_template(kind, offset):
    deadline = dates()[kind]
    assert deadline.date == deadline.last_day == DUE + timedelta(offset)
    assert deadline.note is DeadlineNote.NONE


def test_an_extension_moves_the_dunning_and_never_the_duties():
    plain, extended = dates(), dates(extended_due_date=DUE + timedelta(20))
    dunning = {DeadlineKind.REMINDER, DeadlineKind.DUNNING, DeadlineKind.ESCALATION}
    for kind in dunning:
        assert extended[kind].date == plain[kind].date + timedelta(20)
        assert extended[kind].note is DeadlineNote.EXTENDED
    assert {kind: extended[kind] for kind in plain if kind not in dunning} == {
        kind: plain[kind] for kind in plain if kind not in dunning
    }


def test_adverse_information_is_a_duty_only_once_it_is_known():
    assert DeadlineKind.ADVERSE_INFORMATION not in dates()
    known = dates(knowledge_date=date(2025, 9, 1))[DeadlineKind.ADVERSE_INFORMATION]
    assert known.last_day == date(2025, 9, 11)


def test_the_mep_may_be_counted_from_the_invoice_date():
    terms = replace(TERMS, mep=Period(90, base=Base.INVOICE_DATE))
    assert dates(terms)[DeadlineKind.END_OF_MEP].date == INVOICE.invoice_date + timedelta(90)
    assert dates(terms)[DeadlineKind.NOTIFICATION].date == INVOICE.invoice_date + timedelta(120)


def test_notification_is_counted_from_the_end_of_the_mep_even_when_its_last_day_does_not_count():
    found = dates(replace(TERMS, mep=Period(60, last_day_counts=False)))
    assert found[DeadlineKind.END_OF_MEP].last_day == DUE + timedelta(59)
    assert found[DeadlineKind.NOTIFICATION].last_day == DUE + timedelta(90)


def test_in_an_insolvency_the_date_of_loss_is_the_courts_also_before_the_due_date():
    court = DUE - timedelta(10)
    found = dates(insolvency_date=court)
    assert found[DeadlineKind.DATE_OF_LOSS].date == court
    assert found[DeadlineKind.DATE_OF_LOSS].note is DeadlineNote.INSOLVENCY
    assert found[DeadlineKind.CLAIM].date == court + timedelta(180)


def test_an_insolvency_after_the_waiting_period_does_not_move_the_date_of_loss():
    found = dates(insolvency_date=DUE + timedelta(200))
    assert found[DeadlineKind.DATE_OF_LOSS].date == DUE + timedelta(180)


def test_a_loss_that_waits_for_the_notification_has_no_date_before_it():
    terms = replace(TERMS, waiting=Period(5, Unit.MONTHS, Base.NOTIFICATION_RECEIPT))
    waiting = dates(terms)
    assert waiting[DeadlineKind.DATE_OF_LOSS].date is None
    assert waiting[DeadlineKind.CLAIM].note is DeadlineNote.AWAITS_NOTIFICATION
    assert not waiting[DeadlineKind.CLAIM].missed(date(2099, 1, 1))
    assert dates(terms, notification_received=date(2025, 11, 30))[DeadlineKind.DATE_OF_LOSS].date == date(2026, 4, 30)


def test_a_deadline_is_missed_the_day_after_its_last_day():
    notification = dates()[DeadlineKind.NOTIFICATION]
    assert not notification.missed(DUE + timedelta(90))
    assert notification.missed(DUE + timedelta(91))


@pytest.mark.parametrize(
    "change",
    [
        {"insured_percentage": 101},
        {"disputed_share": -1},
        {"threshold": -1},
        {"max_payment_term_days": -1},
        {"mep": Period(60, base=Base.DATE_OF_LOSS)},
        {"claim": Period(60, base=Base.KNOWLEDGE)},
        {"date_start": date(2025, 1, 2), "date_end": date(2025, 1, 1)},
    ],
    ids=str,
)
def test_terms_no_policy_can_have_are_refused(change):
    with pytest.raises(InvalidTerms) as raised:
        replace(TERMS, **change)
    assert raised.value.field in change


def test_first_and_last_day_of_the_policy_count():
    terms = replace(TERMS, date_start=date(2025, 1, 1), date_end=date(2025, 12, 31))
    found = [terms.in_force(day) for day in map(date.fromisoformat, ("2024-12-31", "2025-01-01", "2025-12-31"))]
    assert found == [False, True, True]
    assert not terms.in_force(date(2026, 1, 1))
