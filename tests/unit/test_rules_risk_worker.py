"""The worker's own guard: it accepts the few forms the compiler makes and nothing else, whoever asks."""

import copy

import pytest
from hypothesis import given, settings
from rules_risk_cases import CATALOGUE, PATIENT, packs

from rules.risk import Pack, Rule, check
from rules.risk.compiler import MAX_BRANCHES, compile_pack
from rules.risk.expression import parse_comparison as line
from rules.risk.worker import Refused, check_grammar

SOUND = {"w0_0": {"all": [{"m": {"$and": [{"t": "buyer"}, {"$ex": {"s0": 1}}, {"$gt": {"s0": 5}}]}}]}}


def with_parts(*parts):
    return {"w0_0": {"all": [{"m": {"$and": [{"t": "buyer"}, {"$ex": {"s0": 1}}, *parts]}}]}}


def test_the_sound_form_is_accepted():
    check_grammar(SOUND)
    check_grammar(with_parts({"s0": 5}, {"$ex": {"d12": 1}}, {"$lte": {"s0": {"$m": "d12"}}}))


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {f"w{n}_0": SOUND["w0_0"] for n in range(41)},
        {"$w": SOUND["w0_0"]},
        {"w0_0": {"any": SOUND["w0_0"]["all"]}},
        {"w0_0": SOUND["w0_0"] | {"count": 3}},
        {"w0_0": SOUND["w0_0"] | {"pri": 1}},
        {"w0_0": {"all": []}},
        {"w0_0": {"all": SOUND["w0_0"]["all"] * 2}},
        {"w0_0": {"all": [{"m$not": SOUND["w0_0"]["all"][0]["m"]}]}},
        {"w0_0": {"all": [{"m": {"$and": []}}]}},
        {"w0_0": {"all": [{"m": {"$and": [{"t": "buyer"}]}}]}},
        {"w0_0": {"all": [{"m": {"$or": [{"t": "buyer"}, {"$ex": {"s0": 1}}]}}]}},
        {"w0_0": {"all": [{"m": {"$and": [{"$ex": {"s0": 1}}, {"s0": 5}]}}]}},
        {"w0_0": "all"},
        with_parts({"$nex": {"s0": 1}}),
        with_parts({"$not": {"s0": 1}}),
        with_parts({"$mt": {"s0": ".*"}}),
        with_parts({"$or": [{"s0": 1}]}),
        with_parts({"$gt": {"s1": 5}}),
        with_parts({"$gt": {"s0": {"$m": "s1"}}}),
        with_parts({"$gt": {"s0": {"b": "s0"}}}),
        with_parts({"$gt": {"s0": {"$mul": {"$l": {"$m": "s0"}, "$r": 2}}}}),
        with_parts({"$gt": {"s0": 1.5}}),
        with_parts({"$gt": {"s0": "5"}}),
        with_parts({"$gt": {"s0": True}}),
        with_parts({"$gt": {"s0": None}}),
        with_parts({"$gt": {"s0": 2**63}}),
        with_parts({"$gt": {"s0": 5, "s1": 5}}),
        with_parts({"s0": 5, "s1": 5}),
        with_parts({"$ex": {"id": 1}}),
        with_parts({"$ex": {"sid": 1}}),
        with_parts({"$ex": {"s0.x": 1}}),
        with_parts({}),
        with_parts("s0"),
    ],
)
def test_everything_else_is_refused(rules):
    with pytest.raises(Refused):
        check_grammar(copy.deepcopy(rules))


@given(packs())
@settings(PATIENT, max_examples=25)
def test_what_the_compiler_makes_is_accepted_and_small_enough(pack):
    sound = Pack("p", tuple(rule for rule in pack.rules if not check(rule, CATALOGUE)))
    for rule_set in compile_pack(sound).rule_sets:
        check_grammar(rule_set)
        assert len(rule_set) <= MAX_BRANCHES


def test_many_rules_are_spread_over_several_rule_sets():
    pack = Pack("p", tuple(Rule(f"r{n}", "n", line(f"owed > {n}")) for n in range(100)))
    assert [len(rule_set) for rule_set in compile_pack(pack).rule_sets] == [40, 40, 20]


def test_field_names_have_different_hashes():
    """The engine knows fields by a 32-bit FNV hash only."""
    names = [f"{kind}{number}" for kind in "sd" for number in range(300)] + ["t", "id", "sid", "$prime"]
    for multiply_first in (True, False):
        hashes = set()
        for name in names:
            value = 2166136261
            for byte in name.encode():
                value = ((value * 16777619) ^ byte if multiply_first else (value ^ byte) * 16777619) & 0xFFFFFFFF
            hashes.add(value)
        assert len(hashes) == len(names)
