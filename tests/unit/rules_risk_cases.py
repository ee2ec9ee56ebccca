"""Rules, facts and hypothesis strategies the tests of rules/risk share."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rules.risk import (
    All,
    Any,
    Arithmetic,
    Calculation,
    Case,
    Cases,
    Column,
    Comparison,
    Constant,
    ConstantList,
    Derived,
    Extreme,
    Not,
    Operator,
    Pack,
    Row,
    Rule,
    RuleTest,
    Scope,
    Severity,
    Signal,
    SignalCatalogue,
    SignalRef,
    SignalType,
    State,
    Table,
    check_derived,
)

TODAY = date(2025, 3, 31)

# Whole packs take a while to draw on a busy machine, which is no reason to fail.
PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))

CATALOGUE = SignalCatalogue(
    [
        Signal("owed", "Owed", SignalType.MONEY),
        Signal("limit", "Limit", SignalType.MONEY),
        Signal("late", "Days late", SignalType.DAYS, unit="days"),
        Signal("left", "Days left", SignalType.DAYS, unit="days", vanishes=True),
        Signal("age", "Age", SignalType.DAYS, unit="days"),
        Signal("grade", "Class", SignalType.NUMBER, unit="class", minimum=Decimal(1), maximum=Decimal(5)),
        Signal("used", "Used", SignalType.PERCENT, unit="%"),
        Signal("status", "Status", SignalType.CHOICE, choices=("none", "approved", "refused")),
        Signal("country", "Country", SignalType.TEXT),
        Signal("seat", "Seat", SignalType.TEXT),
        Signal("public", "Public", SignalType.FLAG),
        Signal("amount", "Amount", SignalType.MONEY, Scope.ORDER),
    ]
)
BUYER_SIGNALS = CATALOGUE.visible(Scope.BUYER)
TEXTS = ("", "FR", "fr", "1", "été", "中国", 'a "quoted" \\ text', "line\nbreak", " # : [", "yes", "\u2028\x7f")

EDGES = [
    Decimal(text)
    for text in ("0", "0.0001", "-0.0001", "1", "-1", "2.5", "100", "100.0001", "99.9999", "1e14", "-1e14")
]
numbers = st.sampled_from(EDGES) | st.decimals(-200, 200, places=2) | st.decimals(-(10**14), 10**14, places=4)
words = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@st.composite
def constants(draw, signal):
    if signal.type.is_numeric:
        low, high = signal.minimum, signal.maximum
        value = draw(numbers if low is None else st.decimals(low, high, places=1))
        unit = {SignalType.DAYS: "days", SignalType.PERCENT: "%"}.get(signal.type, "")
        return Constant(value, draw(st.sampled_from(["", unit])))
    if signal.type is SignalType.FLAG:
        return Constant(draw(st.booleans()))
    return Constant(draw(st.sampled_from(signal.choices) if signal.choices else words))


@st.composite
def comparisons(draw, signals=BUYER_SIGNALS):
    signal = draw(st.sampled_from(signals))
    operators = [operator for operator in Operator if signal.type.is_numeric or not operator.is_order]
    if signal.type is SignalType.FLAG:
        operators = [Operator.EQ, Operator.NE, Operator.KNOWN, Operator.MISSING]
    operator = draw(st.sampled_from(operators))
    if operator.is_presence:
        return Comparison(signal.key, operator)
    if operator in (Operator.IN, Operator.NOT_IN):
        items = draw(st.lists(constants(signal), min_size=1, max_size=4, unique_by=lambda item: item.value))
        return Comparison(signal.key, operator, ConstantList(tuple(items)))
    others = [other for other in signals if other.key != signal.key and signal.accepts(other)]
    if others and draw(st.booleans()):
        factors = st.just(Decimal(1)) | st.sampled_from([Decimal(text) for text in ("1.1", "-2", "0.3333", "10000")])
        factor = draw(factors if signal.type.is_numeric else st.just(Decimal(1)))
        return Comparison(signal.key, operator, SignalRef(draw(st.sampled_from(others)).key, factor))
    return Comparison(signal.key, operator, draw(constants(signal)))


def _groups(parts):
    some = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return some.map(All) | some.map(Any) | parts.map(Not)


def conditions_about(signals, max_leaves=6):
    return st.recursive(comparisons(signals), _groups, max_leaves=max_leaves)


conditions = conditions_about(BUYER_SIGNALS)

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}"), min_size=1, max_size=40)


@st.composite
def rules(draw, key="rule", conditions=conditions):
    days = sorted(draw(st.lists(st.dates(), min_size=2, max_size=2)))
    return Rule(
        key=key,
        name=draw(lines.filter(str.strip)),
        when=draw(conditions),
        unless=draw(st.none() | conditions),
        until=draw(st.none() | conditions),
        severity=draw(st.sampled_from(Severity)),
        priority=draw(st.integers(-9999, 9999)),
        message=draw(st.sampled_from(["", "{buyer} owes {owed}", "{{literally}} {late}"]) | lines),
        actions=draw(st.sampled_from([(), ("notify",), ("activity", "notify")])),
        observe=draw(st.booleans()),
        valid_from=draw(st.sampled_from([None, days[0]])),
        valid_to=draw(st.sampled_from([None, days[1]])),
        companies=draw(st.sampled_from([(), ("Company A",), ("Company A", "B: #2")])),
        reason=draw(st.just("") | lines),
    )


def rules_about(catalogue, key="rule"):
    return rules(key=key, conditions=conditions_about(catalogue.visible(Scope.BUYER)))


# --- decision tables and tests


@st.composite
def tables(draw, signals=BUYER_SIGNALS):
    columns = draw(st.lists(st.sampled_from(signals), min_size=1, max_size=3, unique_by=lambda signal: signal.key))
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        cells = [draw(st.none() | comparisons([signal])) for signal in columns]
        if not any(cells):
            cells[0] = draw(comparisons(columns[:1]))
        outcome = {
            "severity": draw(st.none() | st.sampled_from(Severity)),
            "message": draw(st.none() | st.sampled_from(["", "{buyer}!"])),
            "actions": draw(st.sampled_from([None, (), ("notify",)])),
        }
        rows.append(Row(tuple(cells), **outcome))
    operators = st.sampled_from([operator for operator in Operator if not operator.is_presence])
    heads = [Column(signal.key, draw(st.none() | operators)) for signal in columns]
    return Table(tuple(heads), tuple(rows), draw(st.booleans()))


tests = st.builds(
    RuleTest,
    lines,
    st.dictionaries(
        st.sampled_from([signal.key for signal in BUYER_SIGNALS]),
        st.none() | st.booleans() | st.dates() | words | st.decimals(-100, 100, places=2),
        max_size=3,
    ).map(lambda row: tuple(sorted(row.items()))),
    st.sampled_from(State),
    st.none() | st.dates(),
    st.none() | st.booleans(),
)


# --- derived signals

DERIVED_KEYS = ("one", "two", "three")
_number_keys = [signal.key for signal in BUYER_SIGNALS if signal.type.is_numeric]
_leaves = st.sampled_from([*_number_keys, *DERIVED_KEYS]).map(SignalRef) | st.builds(
    Constant, st.decimals(-1000, 1000, places=2), st.sampled_from(["", "", "days", "%"])
)


def _calculations(parts):
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.builds(Calculation, st.sampled_from(Arithmetic), parts, parts) | st.builds(
        Extreme, st.sampled_from(["min", "max"]), several
    )


calculations = st.recursive(_leaves, _calculations, max_leaves=6)


def _with_cases(values):
    cases = st.lists(st.builds(Case, conditions_about(BUYER_SIGNALS, 2), values), min_size=1, max_size=2).map(tuple)
    return values | st.builds(Cases, cases, st.none() | values)


@st.composite
def derived_signals(draw, keys=DERIVED_KEYS):
    """Mostly numbers, which any unit may be; some with units that do not fit, and some that form cycles."""
    kind = draw(st.sampled_from([SignalType.NUMBER] * 3 + list(SignalType)))
    choices = ("good", "bad") if kind is SignalType.CHOICE else ()
    values = calculations
    if kind is SignalType.FLAG:
        values = st.booleans().map(Constant) | st.just(SignalRef("public"))
    elif not kind.is_numeric:
        values = st.sampled_from(choices or TEXTS).map(Constant) | st.just(SignalRef("country"))
    return Derived(
        draw(st.sampled_from(keys)),
        draw(lines.filter(str.strip)),
        kind,
        draw(_with_cases(values)),
        help=draw(st.just("") | lines),
        choices=choices,
    )


@st.composite
def catalogues(draw):
    """The catalogue with those of some random derived signals that it takes."""
    catalogue = CATALOGUE
    for key in DERIVED_KEYS:
        item = draw(derived_signals(keys=(key,)))
        if not check_derived([item], catalogue):
            catalogue = catalogue.with_derived([item])
    return catalogue


@st.composite
def packs(draw, most=6):
    count = draw(st.integers(1, most))
    return Pack("pack", tuple(draw(rules(key=f"rule_{index}")) for index in range(count)), draw(st.just("") | lines))


def values(signal):
    """Readable values of a signal, near the edges the rules have."""
    if signal.type.is_numeric:
        return numbers if signal.minimum is None else st.decimals(signal.minimum, signal.maximum, places=1)
    if signal.type is SignalType.FLAG:
        return st.booleans()
    return st.sampled_from(signal.choices) if signal.choices else words


facts = st.fixed_dictionaries({}, optional={signal.key: st.none() | values(signal) for signal in BUYER_SIGNALS})

anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=5)
    | st.decimals()
    | st.sampled_from([Decimal("sNaN"), Decimal("1e400"), Decimal("-0"), 10**5000, -(10**400), [], {}, object()])
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "parts", "part", "signal", "operator", "operand", "value", "hit", "rows", "cells"])
            | st.text(max_size=5),
            parts | st.sampled_from(["all", "any", "not", "comparison", "list", "signal", "value", ">", "in", "owed"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)
hostile_facts = st.dictionaries(st.sampled_from([signal.key for signal in CATALOGUE]) | st.text(max_size=5), anything)
