"""The message of a rule: ``{signal_key}`` and a few words about the alert, no more of Python's format language."""

from collections.abc import Mapping
from datetime import date
from string import Formatter

from .facts import Facts, read_facts
from .model import Rule
from .signals import SignalCatalogue
from .trace import format_value

CONTEXT_WORDS = ("buyer", "document", "company", "rule", "today")


def placeholders(message: str) -> tuple[str, ...]:
    """Return the names between braces; raise ``ValueError`` for a broken message or anything but a plain name.

    >>> placeholders("{buyer} owes {exposure}")
    ('buyer', 'exposure')
    """
    names = []
    for _text, name, spec, conversion in Formatter().parse(message):
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(f"{{{name}}} must be a plain name")
        names.append(name)
    return tuple(names)


def render(
    rule: Rule, facts: Facts, today: date, catalogue: SignalCatalogue, context: Mapping[str, str] | None = None
) -> str:
    """Fill in the message of a checked rule; one without a message, or with nothing left to say, says its name.

    ``context`` gives the words of ``CONTEXT_WORDS``; a word nobody gave stays empty, a missing signal reads "missing".
    """
    if not rule.message:
        return rule.name
    words = {name: (context or {}).get(name, "") for name in CONTEXT_WORDS}
    names = placeholders(rule.message)
    values = read_facts(facts, catalogue, today, catalogue.reading(names)).values
    text = rule.message.format_map(
        {name: words[name] if name in words else format_value(values.get(name)) for name in names}
    )
    return text.strip() or rule.name
