"""Texts for people that stand in this package and are translated where they are shown."""

from collections.abc import Mapping


class Words(str):
    """An English text that knows what it was made of; parameters that are ``Words`` are texts for people as well."""

    __slots__ = ("params", "template")

    template: str
    params: Mapping[str, object]


def _(template: str, /, **params: object) -> Words:
    """Mark a text for translators. With something in it, it stays beside the words as template and parameters.

    >>> words = _("there is no signal %(key)r", key="amonut")
    >>> words, words.template, words.params
    ("there is no signal 'amonut'", 'there is no signal %(key)r', {'key': 'amonut'})
    """
    words = Words(template % params if params else template)
    words.template, words.params = template, params
    return words
