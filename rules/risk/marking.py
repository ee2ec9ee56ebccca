"""Texts for people that stand in this package and are translated where they are shown."""


def _(text: str) -> str:
    """Mark ``text`` for translators; it stays as it is."""
    return text
