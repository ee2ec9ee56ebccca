"""One rule as a text of its own: how a ``credit.insurance.rule`` record keeps it.

The language knows packs of rules; a record holds the mapping of a single rule, as it stands in a pack's list, without
its indentation. So a text can be copied from a pack to a record and back, and places count in the record's own text.
"""

from dataclasses import fields, replace
from functools import lru_cache
from textwrap import dedent

from odoo.addons.credit_insurance.rules.risk import (
    DocumentError,
    Pack,
    Place,
    Problem,
    Rule,
    dump,
    evaluate,
    expand,
    load,
    overrides,
    signal_keys,
)

_HEAD = "pack: single\nrules:\n  -\n"
_INDENT = "    "
# What some programs write before a text, and people paste with it.
_BYTE_ORDER_MARK = "\ufeff"
RULE_PATH = "rules."


@lru_cache(maxsize=1024)
def read_rule(text):
    """Return ``(rule, ())``, or ``(None, problems)`` when the text is not one rule. Nothing here raises.

    :rtype: tuple[Rule | None, tuple[Problem, ...]]
    """
    # Every kind of line break that YAML knows starts a line, so that no part of the text escapes the indentation.
    lines = (text or "").removeprefix(_BYTE_ORDER_MARK).splitlines()
    body = "\n".join(_INDENT + line for line in lines)
    try:
        rules = load(f"{_HEAD}{body}\n").rules
    except DocumentError as error:
        return None, tuple(own_place(problem) for problem in error.problems)
    if len(rules) != 1:
        return None, (Problem.not_one_rule(),)
    return rules[0], ()


def override_rule(rule, text):
    """``(rule with the fields of the override in the place of its own, ())``, or ``(None, problems)``."""
    try:
        return overrides.apply(rule, overrides.load_override(text)), ()
    except DocumentError as error:
        return None, error.problems


def overridden_fields(text, both=True):
    """The names of the fields that an override replaces.

    :param both: a table and a condition replace each other, so one stands for both
    """
    try:
        names = set(overrides.load_override(text or ""))
    except DocumentError:
        return frozenset()
    conditions = {"when", "table"}
    return frozenset(names | conditions if both and names & conditions else names)


def own_place(problem):
    """The problem with line and column counted in the rule's own text, and without the path that led to the rule."""
    place = problem.place
    if place:
        place = Place(max(1, place.line - _HEAD.count("\n")), max(1, place.column - len(_INDENT)))
    path = problem.path
    if path.startswith(RULE_PATH):
        path = path.removeprefix(RULE_PATH).partition(".")[2]
    return replace(problem, place=place, path=path)


def write_rule(rule: Rule):
    """The rule as a text which :func:`read_rule` reads back equal."""
    lines = dump(Pack("single", (rule,))).partition("rules:\n")[2]
    return dedent(lines.replace("- ", "  ", 1))


def changed_fields(before, after):
    """The names of the fields in which two texts differ, in the order of a rule; empty when one cannot be read."""
    old, _problems = read_rule(before)
    new, _problems = read_rule(after)
    if not old or not new:
        return []
    names = [field.name for field in fields(Rule) if field.compare]
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def describe_changes(before, after):
    """What differs between two texts, as the words people find in them."""
    return ", ".join(changed_fields(before, after)) or ("text" if before != after else "")


def field_texts(text):
    """``{field: its lines}`` as a rule is written by the program, so that only what it says makes a difference."""
    rule, _problems = read_rule(text)
    return split_fields(write_rule(rule) if rule else text)


def override_texts(text):
    """The same of an override, which may say nothing."""
    try:
        return split_fields(overrides.dump_override(overrides.load_override(text))) if text.strip() else {}
    except DocumentError:
        return split_fields(text)


def split_fields(text):
    """``{field: its lines}`` of a mapping as a program writes it."""
    found, name = {}, ""
    for line in text.splitlines():
        if line[:1].strip():
            name, _colon, line = line.partition(":")
        found[name] = f"{found[name]}\n{line}" if name in found else line.strip()
    return {name: dedent(lines.removeprefix("\n")) for name, lines in found.items()}


def rule_keys(rule, catalogue):
    """The signals that a rule's conditions and messages speak of."""
    told = {signal.key for part in expand(rule) for signal in catalogue if f"{{{signal.key}}}" in part.message}
    return condition_keys(rule) | told


def condition_keys(rule):
    """The signals that decide whether a rule fires."""
    return signal_keys(*(condition for part in expand(rule) for _field, condition in part.conditions))


def evaluate_rows(rule, facts, today, catalogue, company=None):
    """The outcomes of a rule, the rows of a decision table one by one; the most severe first."""
    return [
        evaluate(part, facts, today, catalogue, company)
        for part in sorted(expand(rule), key=lambda row: row.precedence)
    ]


def copy_key(record):
    """A key for a copy of the record that no other record of its model has."""
    records = record.sudo().with_context(active_test=False)
    key, number = f"{record.key}_copy", 1
    while records.search_count([("key", "=", key)]):
        number += 1
        key = f"{record.key}_copy{number}"
    return key
