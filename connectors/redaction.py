"""Secrets: carried without being shown, and taken out of everything that is logged, raised or recorded.

Two nets, because either alone has holes: known secret *values* (the credentials, tokens as they are issued, and the
encoded forms of both) are replaced wherever they occur, and what has a secret *name* loses its value even when that is
not known (``masking.py``).
"""

import base64
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from html import escape
from threading import Lock

from .masking import HIDDEN, SECRET_NAMES, masked


class Credentials(Mapping[str, str]):
    """The secrets of one connection by name, e.g. ``Credentials(api_key="…")``. No text form shows a value."""

    def __init__(self, **secrets: str) -> None:
        self.__secrets = {name: value for name, value in secrets.items() if value}

    def __getitem__(self, name: str) -> str:
        return self.__secrets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__secrets)

    def __len__(self) -> int:
        return len(self.__secrets)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(f'{name}={HIDDEN}' for name in self.__secrets)})"


class Redactor:
    """Takes secrets out of texts. It learns tokens while the connection lives (``add``)."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self._known: tuple[str, ...] = ()  # longest first; replaced, never changed, as other threads read it
        self._lock = Lock()
        for value in credentials.values():
            self.add(value)

    def __repr__(self) -> str:
        return f"Redactor({len(self._known)} values)"

    def add(self, secret: str) -> None:
        """Hide ``secret`` from now on: as it is, as JSON, XML, forms and addresses write it, and in base64."""
        if secret in self._known:
            return
        with self._lock:
            self._known = tuple(sorted(_forms(secret).union(self._known), key=len, reverse=True))

    def text(self, text: str) -> str:
        """``text`` without secrets: known values first, then the values under a secret's name."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return masked(text)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers, with the values of secret ones hidden."""
        return {name: HIDDEN if SECRET_NAMES.search(name) else self.text(value) for name, value in headers.items()}


def _forms(secret: str) -> set[str]:
    """How documents write a text; in JSON there may be XML, or JSON again."""
    in_xml = {escape(secret, quote=quote) for quote in (True, False)}
    in_xml |= {form.encode("ascii", "xmlcharrefreplace").decode() for form in in_xml}
    in_json = {json.dumps(form, ensure_ascii=plain)[1:-1] for form in {secret, *in_xml} for plain in (True, False)}
    in_json |= {json.dumps(form)[1:-1] for form in in_json}
    in_url = {urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)}
    in_url |= {re.sub("%..", lambda found: found[0].lower(), form) for form in in_url}
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, encoded, *in_json, *in_xml, *in_url} - {""}
