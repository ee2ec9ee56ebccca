"""Texts for people that stand in this package and are translated where they are shown."""

from collections.abc import Mapping


class Words(str):
    """An English text that knows what it was made of; parameters that are ``Words`` are texts for people as well."""

    __slots__ = ("params", "template")

    template: str
    params: Mapping[str, object]


def _(template: str, /, **params: object) -> Words:
    """Mark a text for translators. With something in it, it stays beside the words as template and parameters.

    >>> words = _("the character %(character)s is not accepted", character="U+0000")
    >>> words, words.template, words.params
    ('the character U+0000 is not accepted', 'the character %(character)s is not accepted', {'character': 'U+0000'})
    """
    return filled(template, params)


def filled(template: str, params: Mapping[str, object]) -> Words:
    """A text that is marked elsewhere, or that is nobody's to translate."""
    words = Words(template % params if params else template)
    words.template, words.params = template, params
    return words


def words_of(error: Exception) -> Words:
    """What ``error`` says; a library's words stay as they are."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Words) else filled(str(said), {})
