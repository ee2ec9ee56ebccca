"""How much of each open invoice is insured, rule by rule of the contract."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import (
    Base,
    BuyerFacts,
    CoverStatus,
    CurrencyMismatch,
    DiscretionaryLimit,
    ExchangeRates,
    Freeze,
    Instalment,
    InsurerCover,
    InvalidFacts,
    Invoice,
    InvoiceKind,
    Layer,
    Money,
    OpenItem,
    Period,
    PolicyTerms,
    Settlement,
    Stop,
    StopCause,
    UncoveredReason,
    mep_stops,
    split_cover,
    stopped_by_mep,
)

TERMS = PolicyTerms(currency="EUR", tax_included=True)
NET = replace(TERMS, tax_included=False)
START = date(2025, 1, 1)


def day(number):
    """Day 0 is the delivery of the first invoice; an invoice falls due 30 days after its own."""
    return START + timedelta(number)


TODAY = day(45)


def eur(amount):
    return Money(Decimal(amount), "EUR")


def cover(amount=1000, start=0, status="approved", **values):
    values.setdefault("percentage", Decimal(90))
    start = None if start is None else day(start)
    amount = None if amount is None else eur(amount)
    return InsurerCover(status=CoverStatus(status), amount=amount, effective_from=start, **values)


def invoice(amount, on=0, *, paid=(), number=None, term=30, currency="EUR", **values):
    """An invoice delivered and issued on a day; `paid` lists (day, amount)."""
    values.setdefault("delivery_date", day(on))
    return Invoice(
        number=number or f"INV/{on:03}",
        invoice_date=day(on),
        due_date=day(on + term),
        total=Money(Decimal(amount), currency),
        settlements=tuple(Settlement(day(when), Decimal(sum_)) for when, sum_ in paid),
        **values,
    )


COVERS = (cover(),)


def split(*invoices, covers=COVERS, terms=TERMS, today=TODAY, **facts):
    return split_cover(terms, covers, invoices, today=today, **facts)


def covered(*invoices, **facts):
    """The covered amounts by number."""
    return {item.number: item.covered.amount for item in split(*invoices, **facts)}


def test_older_deliveries_take_the_room_first_whatever_the_order_of_the_list():
    found = split(invoice(500, 10), invoice(700, 0), invoice(400, 5))
    assert [(item.number, item.covered.amount) for item in found] == [
        ("INV/000", 700),
        ("INV/005", 300),
        ("INV/010", 0),
    ]
    assert found[1].reasons == found[2].reasons == (UncoveredReason.LIMIT_USED,)


def test_deliveries_of_one_day_take_room_by_number():
    assert covered(invoice(700, number="B"), invoice(700, number="A")) == {"A": 700, "B": 300}


def test_the_parts_of_an_invoice():
    (found,) = split(invoice(1200), covers=[cover(reference="C-1")])
    assert (found.open, found.base) == (eur(1200), eur(1200))
    assert (found.covered, found.insured, found.own_share, found.uninsured) == (eur(1000), eur(900), eur(100), eur(200))
    assert (found.cover_reference, found.rate) == ("C-1", 1)


def test_a_cover_without_percentage_has_the_policys():
    (found,) = split(
        invoice(100), covers=[cover(percentage=None)], terms=replace(TERMS, insured_percentage=Decimal(75))
    )
    assert found.insured == eur(75)


NOT_INSURABLE = [
    # change of the terms, change of the invoice, facts, reasons
    ({"date_start": day(1)}, {}, {}, {"policy_not_in_force"}),
    ({"date_end": day(-1)}, {}, {}, {"policy_not_in_force"}),
    ({"countries": frozenset({"FR"})}, {}, {"buyer": BuyerFacts(country="DE")}, {"country_not_covered"}),
    ({"max_payment_term_days": 29}, {}, {}, {"term_too_long"}),
    ({"max_invoicing_days": 9}, {"delivery_date": day(-10)}, {"covers": [cover(start=-90)]}, {"invoiced_too_late"}),
    ({}, {}, {"buyer": BuyerFacts(is_public=True)}, {"public_buyer"}),
    ({}, {}, {"buyer": BuyerFacts(is_private_person=True)}, {"private_person"}),
    ({}, {}, {"buyer": BuyerFacts(is_affiliated=True)}, {"affiliated"}),
    ({}, {"kind": InvoiceKind.DOWN_PAYMENT}, {}, {"down_payment"}),
    ({}, {"delivery_date": None}, {}, {"not_delivered"}),
    ({}, {"delivery_date": day(46)}, {}, {"not_delivered"}),
    ({}, {"disputed": True}, {}, {"disputed"}),
    ({}, {}, {"covers": []}, {"no_cover"}),
    ({}, {}, {"covers": [cover(None, status="requested")]}, {"no_cover"}),
    ({}, {}, {"covers": [cover(start=1)]}, {"no_cover"}),
    ({}, {}, {"stops": [Stop(day(0), StopCause.COUNTRY)]}, {"stopped"}),
    ({"countries": frozenset()}, {"disputed": True}, {"covers": []}, {"country_not_covered", "disputed", "no_cover"}),
]


@pytest.mark.parametrize("terms, values, facts, reasons", NOT_INSURABLE, ids=[str(case[3]) for case in NOT_INSURABLE])
def test_what_is_not_insurable_says_all_its_reasons_and_takes_no_room(terms, values, facts, reasons):
    other = invoice(1000, 2)
    found = split(invoice(1000, 0, **values), other, terms=replace(TERMS, **terms), **facts)
    first = next(item for item in found if item.number == "INV/000")
    assert set(first.reasons) == reasons
    assert not first.insurable
    assert first.uninsured == eur(1000)
    second = next(item for item in found if item.number == "INV/002")
    assert second.covered == eur(1000 if second.insurable else 0)


@pytest.mark.parametrize(
    "terms, values, facts",
    [
        ({"date_start": day(0), "date_end": day(0)}, {}, {}),
        ({"max_payment_term_days": 30}, {}, {}),
        ({"max_payment_term_days": None}, {"term": 400}, {}),
        ({"max_invoicing_days": 10}, {"delivery_date": day(-10)}, {"covers": [cover(start=-90)]}),
        ({"covers_public_buyers": True}, {}, {"buyer": BuyerFacts(is_public=True)}),
        ({"covers_private_persons": True}, {}, {"buyer": BuyerFacts(is_private_person=True)}),
        ({"covers_affiliates": True}, {}, {"buyer": BuyerFacts(is_affiliated=True)}),
        ({}, {"delivery_date": None, "kind": InvoiceKind.SERVICE}, {}),
        ({}, {"delivery_date": day(-1), "kind": InvoiceKind.SERVICE}, {"covers": [cover(start=-1)]}),
        ({}, {}, {"stops": [Stop(day(1), StopCause.COUNTRY)]}),
        ({}, {}, {"stops": [Stop(day(-9), StopCause.COUNTRY, day(-1))]}),
        ({}, {}, {"covers": [DiscretionaryLimit(amount=eur(1000))]}),
    ],
)
def test_at_the_bound_an_invoice_is_insurable(terms, values, facts):
    assert covered(invoice(1000, 0, **values), terms=replace(TERMS, **terms), **facts) == {"INV/000": 1000}


def test_net_of_tax_open_amounts_are_split_pro_rata():
    (found,) = split(invoice(1190, paid=[(5, 595)], tax=Decimal(190)), terms=NET)
    assert (found.open, found.base, found.covered, found.uninsured) == (eur(595), eur(500), eur(500), eur(95))
    assert found.reasons == (UncoveredReason.TAX,)
    assert found.insurable


def test_when_an_older_invoice_is_paid_the_room_goes_to_the_next_oldest():
    old, new = invoice(700, 0), invoice(700, 5)
    assert covered(old, new) == {"INV/000": 700, "INV/005": 300}
    assert covered(invoice(700, 0, paid=[(20, 700)]), new) == {"INV/005": 700}
    assert covered(invoice(700, 0, paid=[(20, 200)]), new) == {"INV/000": 500, "INV/005": 500}


def test_without_refill_room_is_given_once_at_delivery():
    terms = replace(TERMS, refill=False)
    paid, new, later = invoice(700, 0, paid=[(20, 700)]), invoice(700, 5), invoice(700, 25)
    found = split(paid, new, later, terms=terms)
    assert {item.number: item.covered.amount for item in found} == {"INV/005": 300, "INV/025": 700}
    assert found[0].reasons == (UncoveredReason.FROZEN,)


def test_a_reduction_or_withdrawal_leaves_what_was_delivered_before_its_limit():
    old, new = invoice(800, 0), invoice(500, 10)
    for status, amount in (("reduced", 400), ("withdrawn", None)):
        covers = [cover(), cover(amount, 5, status)]
        assert covered(old, new, covers=covers) == {"INV/000": 800, "INV/010": 0}


def test_after_a_reduction_new_deliveries_get_what_run_off_leaves_of_the_new_limit():
    covers = [cover(), cover(400, 5, "reduced")]
    assert covered(invoice(300, 0), invoice(500, 10), covers=covers) == {"INV/000": 300, "INV/010": 100}


def test_an_announced_withdrawal_is_none_yet():
    covers = [cover(), cover(None, 20, "withdrawn")]
    assert covered(invoice(500, 10), covers=covers) == {"INV/010": 500}


def test_a_temporary_cover_adds_between_its_dates_at_its_own_percentage():
    temporary = cover(500, 10, layer=Layer.TEMPORARY, effective_to=day(20), percentage=Decimal(50), reference="T")
    found = split(invoice(1200, 15), invoice(100, 21), covers=[cover(), temporary])
    assert [item.covered.amount for item in found] == [1200, 0]
    assert found[0].insured == eur(1000 * 90 // 100 + 200 * 50 // 100)
    assert [(part.covered, part.percentage) for part in found[0].parts] == [(1000, 90), (200, 50)]


def test_covers_and_invoices_in_other_currencies_are_counted_in_policy_currency():
    rates = ExchangeRates("EUR", START, {"USD": Decimal(2)})
    covers = [InsurerCover(status=CoverStatus.APPROVED, amount=Money(Decimal(2000), "USD"), percentage=Decimal(90))]
    usd = invoice(3000, currency="USD", rate=Decimal("0.5"), rate_date=day(0))
    (found,) = split(usd, covers=covers, rates=rates)
    assert (found.open, found.covered, found.uninsured) == (eur(1500), eur(1000), eur(500))
    assert (found.rate, found.rate_date) == (Decimal("0.5"), day(0))
    with pytest.raises(CurrencyMismatch):
        split(replace(usd, rate=None), covers=covers, rates=rates)


# The first invoice is due on day 30; its MEP ends on day 90, and deliveries from day 91 on are stopped.
def test_deliveries_are_insured_until_the_mep_of_the_oldest_unpaid_due_date_ends():
    found = covered(invoice(100, 0), invoice(100, 90), invoice(100, 91), today=day(91))
    assert found == {"INV/000": 100, "INV/090": 100, "INV/091": 0}


RESTORATION = [
    # paid on day, covered of what is delivered on the days 95 (stopped), payment day, payment day + 1
    (90, (100, 100, 100), "on the last day of the MEP: cover never stopped"),
    (120, (100, 100, 100), "within 30 days: restored retroactively"),
    (121, (0, 0, 100), "later: only deliveries after the payment"),
]


@pytest.mark.parametrize("paid, expected, what", RESTORATION, ids=[case[2] for case in RESTORATION])
def test_restoration(paid, expected, what):
    late = [invoice(100, on, number=str(on), term=90) for on in {95, paid, paid + 1}]
    found = covered(invoice(100, 0, paid=[(paid, 100)]), *late, today=day(125))
    assert tuple(found[str(on)] for on in (95, paid, paid + 1)) == expected


def test_restoration_needs_nothing_else_past_its_mep():
    # The second one is due on day 40, past its MEP from day 101, and still open when the first is paid.
    first, second, late = invoice(100, 0, paid=[(110, 100)]), invoice(100, 10), invoice(100, 95)
    assert covered(first, second, late, today=day(115))["INV/095"] == 0
    both = invoice(100, 10, paid=[(112, 100)])
    assert covered(first, both, late, today=day(115))["INV/095"] == 100


def test_restoration_needs_a_limit_that_still_stands():
    covers = [cover(), cover(None, 100, "withdrawn")]
    first, late = invoice(100, 0, paid=[(110, 100)]), invoice(100, 95)
    assert covered(first, late, covers=covers, today=day(115))["INV/095"] == 0
    assert covered(first, late, today=day(115))["INV/095"] == 100


@pytest.mark.parametrize("disputed, stopped", [(149, False), (150, True)])
def test_a_dispute_below_its_share_of_the_limit_does_not_stop_cover(disputed, stopped):
    found = covered(invoice(disputed, 0, disputed=True), invoice(100, 95), today=day(100))
    assert found["INV/095"] == (0 if stopped else 100)


def test_disputes_are_added_up_before_they_are_compared_with_the_share():
    disputes = [invoice(100, 0, number=name, disputed=True) for name in "AB"]
    assert covered(*disputes, invoice(100, 95), today=day(100))["INV/095"] == 0


def test_only_the_instalment_that_is_due_stops_cover():
    parts = (Instalment(day(30), Decimal(40)), Instalment(day(60), Decimal(60)))
    half_paid = invoice(100, 0, term=60, instalments=parts, paid=[(30, 40)])
    unpaid = invoice(100, 0, term=60, instalments=parts)
    assert covered(half_paid, invoice(100, 95), today=day(100))["INV/095"] == 100
    assert covered(unpaid, invoice(100, 95), today=day(100))["INV/095"] == 0


def test_a_rest_below_the_tolerance_does_not_stop_cover():
    rest = invoice(100, 0, paid=[(30, "99.50")])
    assert covered(rest, invoice(100, 95), today=day(100))["INV/095"] == 0
    tolerant = replace(TERMS, tolerance=Decimal(1))
    assert covered(rest, invoice(100, 95), today=day(100), terms=tolerant)["INV/095"] == 100


def test_a_payment_that_is_still_to_come_is_none():
    assert covered(invoice(100, 0, paid=[(101, 100)]), invoice(100, 95), today=day(100))["INV/095"] == 0


def test_stop_of_disputes_ends_when_the_rest_is_below_its_share():
    disputes = [invoice(100, 0, number="A", disputed=True, paid=[(130, 100)]), invoice(100, 0, disputed=True)]
    found = mep_stops(TERMS, disputes, today=day(200), insured_limit=lambda _day: Decimal(1000))
    assert found == (Stop(day(91), StopCause.MEP, day(130)),)
    restored = [replace(disputes[0], settlements=(Settlement(day(110), Decimal(100)),)), disputes[1]]
    assert mep_stops(TERMS, restored, today=day(200), insured_limit=lambda _day: Decimal(1000)) == ()


def test_dispute_stops_cover_from_the_day_on_which_the_limit_becomes_too_small_for_it():
    def limit(on):
        return Decimal(1000 if on < day(120) else 500)

    disputed = invoice(100, 0, disputed=True)
    assert mep_stops(TERMS, [disputed], today=day(119), insured_limit=limit) == ()
    assert mep_stops(TERMS, [disputed], today=day(200), insured_limit=limit) == (Stop(day(120), StopCause.MEP),)


def test_stop_of_a_dispute_ends_before_the_day_on_which_the_limit_is_large_enough_for_it():
    def limit(on):
        return Decimal(500 if on < day(120) else 1000)

    found = mep_stops(TERMS, [invoice(100, 0, disputed=True)], today=day(200), insured_limit=limit)
    assert found == (Stop(day(91), StopCause.MEP, day(119)),), "nobody paid: it is not undone"


INVOICED = st.tuples(st.integers(0, 80), st.integers(1, 300), st.booleans(), st.none() | st.integers(85, 150))


@given(st.lists(INVOICED, max_size=5), st.integers(0, 1000), st.integers(0, 50), st.integers(91, 200))
def test_what_is_open_today_stops_cover_as_the_invoices_do(invoiced, limit, tolerance, today):
    terms = replace(TERMS, tolerance=Decimal(tolerance))
    invoices = [
        invoice(amount, on, number=str(number), disputed=disputed, paid=[(paid, amount)] if paid else ())
        for number, (on, amount, disputed, paid) in enumerate(invoiced)
    ]
    unpaid = [item for item in invoices if item.open_on(day(today))]
    items = [OpenItem(item.due_date, item.total.amount, item.disputed) for item in unpaid]
    stops = mep_stops(terms, invoices, today=day(today), insured_limit=lambda _day: Decimal(limit))
    stopped = any(stop.end is None for stop in stops)
    assert stopped_by_mep(terms, items, today=day(today), insured_limit=Decimal(limit)) == stopped


def test_the_mep_of_what_is_open_ends_with_its_last_day():
    item = OpenItem(day(0), Decimal(100))
    ends = [stopped_by_mep(TERMS, [item], today=day(on), insured_limit=Decimal(1000)) for on in (60, 61)]
    assert ends == [False, True]


def test_stops_of_one_buyer_are_told_with_their_dates():
    invoices = [invoice(100, 0, paid=[(130, 100)]), invoice(100, 10, paid=[(105, 100)]), invoice(100, 80)]
    found = mep_stops(TERMS, invoices, today=day(200), insured_limit=lambda _day: Decimal(1000))
    assert found == (Stop(day(91), StopCause.MEP, day(130)), Stop(day(171), StopCause.MEP, None))


@pytest.mark.parametrize("disputed", [False, True])
def test_amount_without_a_rate_is_not_taken_for_a_small_one(disputed):
    terms, item = replace(TERMS, tolerance=Decimal(50)), OpenItem(day(0), None, disputed)
    assert stopped_by_mep(terms, [item], today=day(61), insured_limit=Decimal(1000))


def test_the_mep_may_be_counted_from_the_invoice_date():
    terms = replace(TERMS, mep=Period(90, base=Base.INVOICE_DATE))
    found = mep_stops(terms, [invoice(100)], today=day(95), insured_limit=lambda _day: Decimal(1000))
    assert found == (Stop(day(91), StopCause.MEP),)


# Two invoices above the limit; the older one is paid on day 100, after a stop on day 50.
FROZEN = (invoice(700, 40, paid=[(100, 700)]), invoice(700, 45))
CLAIMED = [Stop(day(50), StopCause.COLLECTION)]


@pytest.mark.parametrize(
    "freeze, room, reasons", [(Freeze.STOP, 300, ("frozen",)), (Freeze.LOSS, 700, ()), (Freeze.NEVER, 700, ())]
)
def test_a_stop_freezes_the_split_unless_the_policy_says_otherwise(freeze, room, reasons):
    (found,) = split(*FROZEN, terms=replace(TERMS, freeze=freeze), stops=CLAIMED, today=day(101))
    assert (found.covered, found.reasons) == (eur(room), reasons)


def test_a_payment_before_the_stop_still_moves_the_room():
    (found,) = split(*FROZEN, stops=[Stop(day(101), StopCause.CLAIM)], today=day(102))
    assert found.covered == eur(700)


def test_a_freeze_stays_after_the_stop_has_ended_but_new_deliveries_have_room():
    ended = [Stop(day(50), StopCause.COUNTRY, day(60))]
    found = covered(*FROZEN, invoice(700, 101), stops=ended, today=day(101))
    assert found == {"INV/045": 300, "INV/101": 700}


def test_a_payment_lowers_what_was_frozen_and_never_raises_it():
    first = invoice(700, 40, paid=[(60, 500)])
    found = covered(first, invoice(700, 45), stops=CLAIMED, today=day(101))
    assert found == {"INV/040": 200, "INV/045": 300}


def test_a_withdrawal_freezes_too():
    covers = [cover(), cover(None, 50, "withdrawn")]
    assert covered(*FROZEN, covers=covers, today=day(101)) == {"INV/045": 300}


@pytest.mark.parametrize("paid_on, room", [(120, 700), (125, 300)])
def test_a_retroactive_restoration_undoes_the_freeze(paid_on, room):
    # Due on day 30, MEP until day 90, paid within or after 30 days; the older delivery is paid in between.
    late = invoice(10, 0, paid=[(paid_on, 10)])
    older, newer = invoice(700, 80, paid=[(110, 700)]), invoice(700, 85)
    found = covered(late, older, newer, today=day(126))
    assert found["INV/085"] == room - (10 if room == 300 else 0)


def test_a_loss_freezes_when_the_policy_says_so():
    terms = replace(TERMS, freeze=Freeze.LOSS)
    # Date of loss of the first one: day 30 + 180.
    unpaid, older, newer = invoice(10, 0), invoice(700, 1, paid=[(215, 700)]), invoice(700, 2)
    assert covered(unpaid, older, newer, terms=terms, today=day(216)) == {"INV/000": 10, "INV/002": 290}
    assert covered(unpaid, invoice(700, 1, paid=[(205, 700)]), newer, terms=terms, today=day(216))["INV/002"] == 700


@pytest.mark.parametrize(
    "build",
    [
        lambda: invoice(0),
        lambda: invoice(-5),
        lambda: invoice(5, tax=Decimal(6)),
        lambda: invoice(5, rate=Decimal(0)),
        lambda: invoice(5, instalments=(Instalment(day(1), Decimal(4)),)),
    ],
)
def test_invoices_that_cannot_be_are_refused(build):
    with pytest.raises(InvalidFacts):
        build()


cents = st.decimals(min_value="0.01", max_value=2000, places=2)
some_invoices = st.lists(
    st.tuples(
        cents,
        st.integers(0, 150),
        st.lists(st.tuples(st.integers(0, 200), cents), max_size=2),
        st.booleans(),
        st.decimals(min_value="0.0001", max_value=100, places=4),
    ),
    max_size=6,
)
some_covers = st.lists(
    st.tuples(
        st.decimals(min_value=0, max_value=2000, places=2),
        st.integers(0, 150),
        st.sampled_from([CoverStatus.APPROVED, CoverStatus.REDUCED, CoverStatus.WITHDRAWN]),
        st.sampled_from(Layer),
        st.decimals(min_value=0, max_value=100, places=2),
    ),
    max_size=4,
)
some_terms = st.builds(
    lambda refill, freeze, tax_included: replace(TERMS, refill=refill, freeze=freeze, tax_included=tax_included),
    st.booleans(),
    st.sampled_from(Freeze),
    st.booleans(),
)


def made(rows):
    return [
        invoice(a, on, number=f"{i}", paid=paid, disputed=disputed, currency="USD", rate=rate, tax=a / 5)
        for i, (a, on, paid, disputed, rate) in enumerate(rows)
    ]


def made_covers(rows):
    return [cover(a, on, status, layer=layer, percentage=share) for a, on, status, layer, share in rows]


@given(some_invoices, some_covers, some_terms)
def test_the_parts_equal_the_whole_exactly(rows, cover_rows, terms):
    for item in split(*made(rows), covers=made_covers(cover_rows), terms=terms, today=day(200)):
        assert item.insured + item.own_share == item.covered
        assert item.covered + item.uninsured == item.open
        assert sum((part.covered for part in item.parts), Decimal(0)) == item.covered.amount
        for figure in (item.insured, item.own_share, item.covered, item.uninsured):
            assert figure >= eur(0)
            assert figure == figure.rounded(2)


@given(some_invoices, some_covers, some_terms)
def test_cover_never_exceeds_the_largest_limit_there_ever_was(rows, cover_rows, terms):
    covers = made_covers(cover_rows)
    most = sum((row.amount.amount for row in covers), Decimal(0))
    found = split(*made(rows), covers=covers, terms=terms, today=day(200))
    assert sum((item.covered.amount for item in found), Decimal(0)) <= most


@given(some_invoices, some_covers, some_terms)
def test_every_uncovered_part_has_a_reason(rows, cover_rows, terms):
    for item in split(*made(rows), covers=made_covers(cover_rows), terms=terms, today=day(200)):
        assert item.reasons or item.uninsured == eur(0)
