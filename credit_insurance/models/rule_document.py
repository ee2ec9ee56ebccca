"""One rule as a text of its own: how a ``credit.insurance.rule`` record keeps it.

The language knows packs of rules; a record holds the mapping of a single rule, as it stands in a pack's list, without
its indentation. So a text can be copied from a pack to a record and back, and places count in the record's own text.
"""

from dataclasses import replace
from functools import lru_cache
from textwrap import dedent

from odoo.addons.credit_insurance.rules.risk import DocumentError, Pack, Place, Problem, Rule, dump, load

_HEAD = "pack: single\nrules:\n  -\n"
_INDENT = "    "
RULE_PATH = "rules."


@lru_cache(maxsize=1024)
def read_rule(text):
    """Return ``(rule, ())``, or ``(None, problems)`` when the text is not one rule. Nothing here raises.

    :rtype: tuple[Rule | None, tuple[Problem, ...]]
    """
    # Every kind of line break that YAML knows starts a line, so that no part of the text escapes the indentation.
    body = "\n".join(_INDENT + line for line in (text or "").splitlines())
    try:
        rules = load(f"{_HEAD}{body}\n").rules
    except DocumentError as error:
        return None, tuple(own_place(problem) for problem in error.problems)
    if len(rules) != 1:
        return None, (Problem("one_rule", "write one rule, as a mapping with key, name and when", place=Place(1, 1)),)
    return rules[0], ()


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
