"""Rules, facts and hypothesis strategies the tests of rules/risk share."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rules.risk import (
    All,
    Any,
    Comparison,
    Constant,
    ConstantList,
    Not,
    Operator,
    Pack,
    Rule,
    Scope,
    Severity,
    Signal,
    SignalCatalogue,
    SignalRef,
    SignalType,
)

TODAY = date(2025, 3, 31)

# Whole packs take a while to draw on a busy machine, which is no reason to fail.
PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))

CATALOGUE = SignalCatalogue(
    [
        Signal("owed", "Owed", SignalType.MONEY),
        Signal("limit", "Limit", SignalType.MONEY),
        Signal("late", "Days late", SignalType.DAYS, unit="days"),
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
words = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


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
def comparisons(draw):
    signal = draw(st.sampled_from(BUYER_SIGNALS))
    operators = [operator for operator in Operator if signal.type.is_numeric or not operator.is_order]
    if signal.type is SignalType.FLAG:
        operators = [Operator.EQ, Operator.NE, Operator.KNOWN, Operator.MISSING]
    operator = draw(st.sampled_from(operators))
    if operator.is_presence:
        return Comparison(signal.key, operator)
    if operator in (Operator.IN, Operator.NOT_IN):
        items = draw(st.lists(constants(signal), min_size=1, max_size=4, unique_by=lambda item: item.value))
        return Comparison(signal.key, operator, ConstantList(tuple(items)))
    others = [other for other in BUYER_SIGNALS if other.key != signal.key and signal.accepts(other)]
    if others and draw(st.booleans()):
        factors = st.just(Decimal(1)) | st.sampled_from([Decimal(text) for text in ("1.1", "-2", "0.3333", "10000")])
        factor = draw(factors if signal.type.is_numeric else st.just(Decimal(1)))
        return Comparison(signal.key, operator, SignalRef(draw(st.sampled_from(others)).key, factor))
    return Comparison(signal.key, operator, draw(constants(signal)))


def _groups(parts):
    some = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return some.map(All) | some.map(Any) | parts.map(Not)


conditions = st.recursive(comparisons(), _groups, max_leaves=6)

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}"), min_size=1, max_size=40)


@st.composite
def rules(draw, key="rule"):
    days = sorted(draw(st.lists(st.dates(), min_size=2, max_size=2)))
    return Rule(
        key=key,
        name=draw(lines.filter(str.strip)),
        when=draw(conditions),
        unless=draw(st.none() | conditions),
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
hostile_facts = st.dictionaries(st.sampled_from([signal.key for signal in CATALOGUE]) | st.text(max_size=5), anything)
