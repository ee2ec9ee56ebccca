"""Markup of the page: arguments that are markup already come from here, everything else goes through ``text``."""

import html
from collections.abc import Iterable
from urllib.parse import quote


def text(value: object) -> str:
    return html.escape(str(value))


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def url(value: str) -> str:
    return quote(value, safe="")


def small(value: object) -> str:
    return f"<small>{text(value)}</small>" if value else ""


def table(heads: Iterable[str], rows: Iterable[list[str]], kind: str = "") -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    return f"<table class='{kind}'><tr>{''.join(f'<th>{text(head)}</th>' for head in heads)}</tr>{body}</table>"


def field(name: str, label: str, kind: str = "", *, required: bool = False, value: str = "") -> str:
    must = " required" if required else ""
    filled = f' value="{text(value)}"' if value else ""
    return f'<input name="{name}" placeholder="{label}" aria-label="{label}" class="{kind}"{filled}{must}>'


def choice(name: str, label: str, options: Iterable[str], current: str = "") -> str:
    inner = "".join(f"<option{' selected' * (option == current)}>{text(option)}</option>" for option in options)
    return f'<select name="{name}" aria-label="{label}">{inner}</select>'


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{text(value)}">'


def form(path: str, fields: str, button: str) -> str:
    return f'<form method="post" action="/_control/{text(path)}">{fields}<button>{text(button)}</button></form>'


def folded(summary: str, content: str) -> str:
    return f"<details><summary>{text(summary)}</summary>{content}</details>"


def section(title: str, content: str, count: int | None = None) -> str:
    """A part of the page; one without content is a line."""
    anchor = title.lower().replace(" ", "-")
    if not content:
        return f'<h2 id="{anchor}" class="none">{text(title)}: none yet</h2>'
    counted = f" <small>{count}</small>" if count is not None else ""
    return f'<h2 id="{anchor}">{text(title)}{counted}</h2>{content}'
