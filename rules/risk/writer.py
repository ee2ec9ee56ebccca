"""The other half of ``document``: a ``Pack`` written as YAML for people, one comparison a line, defaults left out."""

from datetime import date
from decimal import Decimal

import yaml
from yaml.resolver import Resolver

from .document import STATE_WORDS
from .expression import format_comparison, format_number
from .model import All, Any, Comparison, Condition, FactValue, Not, Pack, Rule, RuleTest, Severity
from .signals import Scope
from .yamlnodes import MappingNode, Node, ScalarNode, SequenceNode

_WIDTH = 110
_STATES = {state: word for word, state in STATE_WORDS.items()}
_STR, _SEQ, _MAP = "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
_LINE_BREAKS = frozenset("\x85\u2028\u2029")
_DEFAULTS = Rule(key="", name="", when=All(()))


class _Dumper(yaml.SafeDumper):
    """Indents lists under their key, the way people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(text: str, style: str | None = None) -> Node:
    # YAML folds Unicode's own line breaks into spaces in every style but this one, which escapes them.
    if not _LINE_BREAKS.isdisjoint(text):
        style = '"'
    return ScalarNode(_STR, text, style=style)


def _plain(text: str) -> Node:
    """A scalar that never needs quotes; the tag is the one YAML would guess, which is what leaves the quotes out."""
    tag = Resolver().resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return ScalarNode(tag, text)


def _mapping(pairs: list[tuple[str, Node]], flow: bool = False) -> Node:
    return MappingNode(_MAP, [(_text(key), value) for key, value in pairs], flow_style=flow)


def _texts(texts: tuple[str, ...]) -> Node:
    return SequenceNode(_SEQ, [_text(text) for text in texts], flow_style=True)


def _condition(condition: Condition) -> Node:
    match condition:
        case Comparison():
            return _text(format_comparison(condition))
        case Not(part):
            return _mapping([("not", _condition(part))])
        case All(parts) | Any(parts):
            kind = "all" if isinstance(condition, All) else "any"
            return _mapping([(kind, SequenceNode(_SEQ, [_condition(part) for part in parts], flow_style=not parts))])


def _fact(value: FactValue) -> Node:
    if value is None:
        return _plain("null")
    if isinstance(value, bool):
        return _plain("yes" if value else "no")
    if isinstance(value, str):
        return _text(value, '"')
    if isinstance(value, date):
        return _plain(value.isoformat())
    return _plain(format_number(Decimal(value)))


def _test(test: RuleTest) -> Node:
    facts = _mapping([(key, _fact(value)) for key, value in test.facts], flow=True)
    pairs = [("name", _text(test.name)), ("facts", facts), ("expect", _text(_STATES[test.expect]))]
    if test.today is not None:
        pairs.insert(1, ("today", _plain(test.today.isoformat())))
    return _mapping(pairs)


def _rule(rule: Rule) -> Node:
    pairs = [("key", _text(rule.key)), ("name", _text(rule.name))]
    for name in (
        "scope",
        "severity",
        "priority",
        "observe",
        "when",
        "unless",
        "message",
        "actions",
        "valid_from",
        "valid_to",
    ):
        if getattr(rule, name) != getattr(_DEFAULTS, name) or name in ("severity", "when"):
            pairs.append((name, _field(getattr(rule, name))))
    if rule.companies:
        pairs.append(("companies", _texts(rule.companies)))
    if rule.reason:
        pairs.append(("reason", _text(rule.reason)))
    if rule.tests:
        pairs.append(("tests", SequenceNode(_SEQ, [_test(test) for test in rule.tests], flow_style=False)))
    return _mapping(pairs)


def _field(value: object) -> Node:
    match value:
        case All() | Any() | Not() | Comparison():
            return _condition(value)
        case bool():
            return _plain("yes" if value else "no")
        case Scope() | Severity():
            return _text(value.value)
        case str():
            return _text(value)
        case int() | date():
            return _plain(str(value))
        case tuple():
            return _texts(value)
    raise TypeError(f"not a field of a rule: {value!r}")


def dump(pack: Pack) -> str:
    """Write a pack as YAML; ``load(dump(pack)) == pack`` for every pack that passes the checker."""
    pairs = [("pack", _text(pack.key))]
    pairs += [(name, _text(text)) for name, text in (("title", pack.title), ("reason", pack.reason)) if text]
    pairs.append(("rules", SequenceNode(_SEQ, [_rule(rule) for rule in pack.rules], flow_style=not pack.rules)))
    return yaml.serialize(_mapping(pairs), Dumper=_Dumper, allow_unicode=True, width=_WIDTH, indent=2)
