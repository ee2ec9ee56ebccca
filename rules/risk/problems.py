"""Where something is wrong with a rule, and what, in words for the person who wrote it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from .marking import _


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in the text of a document; both count from 1, as editors do."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse a rule.

    ``path`` names the node for people and programs (``rules.overdue_60.when.all[1]``); ``place`` is None for rules
    which were built by a program and never had a text. ``code`` is stable; ``message`` and ``suggestion`` are plain
    English that knows its template and parameters, so that they can be told in another language: see ``marking``.
    """

    code: str
    message: str
    path: str = ""
    place: Place | None = None
    suggestion: str = ""

    @classmethod
    def not_one_rule(cls) -> "Problem":
        """What is wrong with a text that holds none or several, where one rule is wanted."""
        return cls("one_rule", _("write one rule, as a mapping with key, name and when"), place=Place(1, 1))

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        path = f"{self.path}: " if self.path else ""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{where}{path}{self.message}{hint}"


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems as a reader of the document meets them."""
    start = Place(0, 0)
    return tuple(sorted(problems, key=lambda problem: problem.place or start))


# What people call a field of a document, of a rule or of a signal, and what it is called here.
_SYNONYMS = {
    **dict.fromkeys(("condition", "conditions", "if", "criteria", "where"), ("when", "cells")),
    **dict.fromkeys(("except", "exclude", "exclusion", "exclusions", "ignore"), ("unless",)),
    **dict.fromkeys(("text", "msg", "body", "alert"), ("message",)),
    **dict.fromkeys(("level", "risk", "urgency"), ("severity",)),
    **dict.fromkeys(("then", "do", "effects"), ("actions",)),
    **dict.fromkeys(("rank", "order", "sequence", "weight"), ("priority",)),
    **dict.fromkeys(("id", "code", "identifier"), ("key", "pack")),
    **dict.fromkeys(("title", "label", "caption"), ("name", "title", "label")),
    **dict.fromkeys(("description", "comment", "note", "why", "explanation"), ("reason", "help")),
    **dict.fromkeys(("formula", "expression", "calculation", "compute"), ("value",)),
    **dict.fromkeys(("about", "applies_to", "subject", "model"), ("scope",)),
    **dict.fromkeys(("from", "start", "date_from"), ("valid_from",)),
    **dict.fromkeys(("to", "end", "date_to", "expires"), ("valid_to",)),
    **dict.fromkeys(("examples", "example", "cases"), ("tests",)),
    **dict.fromkeys(("decision_table", "grid", "matrix"), ("table",)),
    **dict.fromkeys(("columns", "heads"), ("inputs",)),
    "values": ("cells",),
    **dict.fromkeys(("else", "default"), ("otherwise",)),
    "and": ("all",),
    "or": ("any",),
    "none": ("not",),
    "name": ("label",),
    "lines": ("rows",),
    "derived": ("signals",),
    "observe_only": ("observe",),
}


def did_you_mean_field(word: str, known: Collection[str]) -> str:
    """The same for the name of a field, which may be another word for it.

    >>> did_you_mean_field("Conditions", ["when", "actions"]), did_you_mean_field("sevrity", ["severity"])
    ("did you mean 'when'?", "did you mean 'severity'?")
    """
    meant = next((name for name in _SYNONYMS.get(word.lower(), ()) if name in known), None)
    return _("did you mean '%(word)s'?", word=meant) if meant else did_you_mean(word, known)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelt word, or an empty string when nothing is close.

    >>> did_you_mean("amount_overdu", ["amount_overdue", "exposure"])
    "did you mean 'amount_overdue'?"
    >>> did_you_mean("zzz", ["exposure"])
    ''
    """
    close = get_close_matches(word[:200], sorted(known), n=1)
    return _("did you mean '%(word)s'?", word=close[0]) if close else ""
