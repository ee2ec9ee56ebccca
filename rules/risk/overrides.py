"""Overrides: a company's own values for single fields of a shipped rule; everything else follows the rule.

    severity: critical
    until: days_overdue_oldest <= 20 days

An override is a mapping of a rule's own fields. It is applied to the rule as it is shipped today, so after an update
the fields it does not name are the new ones. It cannot change what the rule is called or whom it is about.
"""

from collections.abc import Mapping
from dataclasses import replace

from .document import load_fields
from .errors import DocumentError
from .marking import _
from .model import Rule
from .problems import Problem
from .writer import dump_fields

FIELDS = (
    *("severity", "priority", "message", "actions", "observe", "when", "table", "unless", "until"),
    *("valid_from", "valid_to", "tests"),
)
_CONDITIONS = frozenset({"when", "table", "unless", "until", "valid_from", "valid_to"})
# What a rule can do without, an override can take away: unless: null.
OPTIONAL = frozenset({"unless", "until", "valid_from", "valid_to"})


def load_override(text: str) -> Mapping[str, object]:
    """Read an override; raise ``DocumentError`` for anything but a mapping of ``FIELDS``."""
    return load_fields(text, FIELDS, OPTIONAL)


def dump_override(fields: Mapping[str, object]) -> str:
    """Write an override; ``load_override`` reads it back equal."""
    return dump_fields({name: fields[name] for name in FIELDS if name in fields})


def apply(rule: Rule, fields: Mapping[str, object]) -> Rule:
    """Return the rule with these fields replaced; ``DocumentError`` for a field that cannot be.

    Where in the rule's text the replaced fields stood is forgotten: problems in them are the override's. The shipped
    rule's tests go when a condition is another; the override may have its own.
    """
    for name in fields:
        if name not in FIELDS:
            message = _("an override has no field %(name)r", name=name[:40])
            raise DocumentError([Problem("unknown_field", message, f"rules.{rule.key[:63]}")])
    changed = {name: value for name, value in fields.items() if name != "table"}
    if "when" in fields:
        changed["table"] = None
    elif fields.get("table") is not None:
        changed |= {"table": fields["table"], "when": fields["table"].condition}  # type: ignore[attr-defined]
    if not _CONDITIONS.isdisjoint(fields):
        changed.setdefault("tests", ())
    places = {name: place for name, place in rule.places.items() if name not in fields}
    return replace(rule, **changed, places=places)  # type: ignore[arg-type]


def differences(rule: Rule, other: Rule) -> dict[str, object]:
    """Return the override that makes ``other`` of the rule, as far as one can.

    ``apply(rule, differences(rule, apply(rule, fields)))`` is ``apply(rule, fields)``.
    """
    names = [name for name in FIELDS if getattr(rule, name) != getattr(other, name)]
    skipped = "when" if other.table else "table"
    return {name: getattr(other, name) for name in names if name != skipped}
