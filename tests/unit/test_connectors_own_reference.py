"""Our own number of a customer: sent to insurers that keep it, found again by it, read wherever it comes back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from connectors_samples import NEW_BUYER
from connectors_support import OPENINGS, POLICY, rig
from sinosure_support import BUYER, stage
from sinosure_support import POLICY as CHINESE_POLICY

from connectors import CONNECTORS, BuyerQuery, CoverRequest, CoverRequestKind, Credentials, connect
from connectors.matching import Proof, proven
from connectors.simulator.store import Store

OWN_TYPE = {"own_type": "CUSTOMER_REFERENCE"}


@pytest.fixture
def net():
    with rig() as rig_:
        yield rig_


def opened(net, code, **settings):
    opening = OPENINGS[code]
    return connect(
        code,
        base_url=net.simulator.url + opening.base,
        credentials=Credentials(**opening.credentials),
        settings={**opening.settings, **settings},
    )


@pytest.mark.parametrize(("code", "settings"), [("sandbox", {}), ("allianz_trade", OWN_TYPE)])
def test_buyer_is_found_by_our_own_number_alone(net, code, settings):
    net.simulator.control.set_own_reference("1006", "C-1006")
    query = BuyerQuery("ES", own_reference="C-1006")
    with opened(net, code, **settings) as insurer:
        assert insurer.finds_own_references
        match = proven(query, insurer.find_buyer(query))
        assert (match.candidate.buyer_id, match.proof) == ("1006", Proof.OWN_REFERENCE)
        other = replace(query, own_reference="C-1", name="Iberia Frutas")
        assert insurer.find_buyer(other) and proven(other, insurer.find_buyer(other)) is None


def test_number_of_another_kind_is_not_taken_for_our_own(net):
    """Without the code of its type nobody can say whose number it is."""
    net.simulator.control.set_own_reference("1006", "C-1006")
    with opened(net, "allianz_trade") as insurer:
        assert not insurer.finds_own_references
        (found,) = insurer.find_buyer(BuyerQuery("ES", "Iberia Frutas S.L.", own_reference="C-1006"))
        assert found.own_reference == ""


@pytest.mark.parametrize("code", ["atradius", "coface"])
def test_insurer_without_a_place_for_it_is_not_asked_by_it(code):
    assert not CONNECTORS[code].finds_own_references


def test_buyer_that_is_numbered_keeps_our_own_number(net):
    query = replace(NEW_BUYER, own_reference="C-77")
    with opened(net, "sandbox") as insurer:
        assert insurer.request_buyer_number("B/1", POLICY, query) == ()
        net.simulator.control.give_number(net.simulator.control.sent("buyer_number")[0]["number"])
        (given,) = insurer.request_buyer_number("B/1", POLICY, query)
        assert given.own_reference == "C-77"
        (found,) = insurer.find_buyer(BuyerQuery("AT", own_reference="C-77"))
        assert found.buyer_id == given.buyer_id


def test_known_buyer_that_is_numbered_again_keeps_our_own_number(net):
    query = BuyerQuery("ES", "Iberia Frutas", vat_number="ESB58378431", own_reference="C-6")
    with opened(net, "sandbox") as insurer:
        insurer.request_buyer_number("B/1", POLICY, query)
        assert insurer.find_buyer(BuyerQuery("ES", own_reference="C-6"))[0].buyer_id == "1006"


def test_cover_tells_our_own_number(net):
    net.simulator.control.set_own_reference("1006", "C-1006")
    with opened(net, "sandbox") as insurer:
        told = {cover.buyer_id: cover.own_reference for cover in insurer.covers(POLICY)}
    assert told["1006"] == "C-1006" and set(told.values()) == {"C-1006", ""}


# --- SINOSURE ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=["soap", "gateway"])
def scene(request):
    with stage(request.param) as stage_:
        yield stage_


def test_sinosure_keeps_the_number_of_an_application_and_is_found_by_it(scene):
    request = CoverRequest(
        *("REQ/1", CHINESE_POLICY, BUYER, CoverRequestKind.INCREASE, "USD", Decimal(600_000)),
        payment_term_days=60,
        own_reference="C-9",
    )
    query = BuyerQuery("US", own_reference="C-9")
    with scene.connect() as sinosure:
        assert sinosure.find_buyer(query) == ()
        sinosure.request_cover(request)
    with scene.connect() as sinosure:
        match = proven(query, sinosure.find_buyer(query))
        assert (match.candidate.buyer_id, match.candidate.name, match.proof) == (
            *(BUYER, "Evergreen Imports Inc.", Proof.OWN_REFERENCE),
        )
        told = {cover.buyer_id: cover.own_reference for cover in sinosure.covers(CHINESE_POLICY)}
    assert told[BUYER] == "C-9"


# --- The simulator's memory -------------------------------------------------------------------------------------


def test_file_of_an_earlier_simulator_goes_on(tmp_path):
    path = str(tmp_path / "book.sqlite")
    store = Store(path)
    store.run("ALTER TABLE buyer DROP COLUMN own_reference")
    store.run("INSERT INTO buyer (buyer_id, name, country) VALUES ('1', 'A', 'FR')")
    store.close()
    store = Store(path)
    assert store.row("SELECT own_reference FROM buyer") == {"own_reference": ""}
    store.close()
