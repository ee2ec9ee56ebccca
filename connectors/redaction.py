"""Secrets: carried without being shown, and taken out of everything that is logged, raised or recorded.

Two nets, because either alone has holes: known secret *values* (the credentials, tokens as they are issued, and the
encoded forms of both) are replaced wherever they occur, and members and headers with secret *names* lose their value
even when it is not known.
"""

import base64
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from threading import Lock

HIDDEN = "***"
# "token_type" says "Bearer", and a page token is needed to read a recorded exchange: neither is a secret.
_NAMES = r"(?:api|app)[-_]?key|authori[sz]ation|cookie|pass(?:word|wd)|secret|(?<!page)token(?![-_]?type)"
SECRET_NAMES = re.compile(_NAMES, re.IGNORECASE)
# A JSON member with such a name and its value: a text (perhaps cut off), a list, an object or a number.
_SECRET_MEMBER = re.compile(
    rf'("(?=[^"]{{0,64}}?(?:{_NAMES}))[^"]{{1,64}}"\s*:\s*)'
    r'(?:"(?:[^"\\]|\\.)*"?|\[[^]]*\]?|\{[^}]*\}?|-?[0-9][0-9.eE+-]*)',
    re.IGNORECASE,
)


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
        """Hide ``secret`` from now on: as it is, as JSON writes it, percent-encoded and in base64."""
        if secret in self._known:
            return
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
        forms = {secret, json.dumps(secret)[1:-1], urllib.parse.quote(secret, safe=""), encoded} - {""}
        with self._lock:
            self._known = tuple(sorted(forms.union(self._known), key=len, reverse=True))

    def text(self, text: str) -> str:
        """``text`` without secrets: known values first, then the values of JSON members with a secret's name."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        if not SECRET_NAMES.search(text):  # the usual case, and much quicker to see
            return text
        return _SECRET_MEMBER.sub(rf'\1"{HIDDEN}"', text)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers, with the values of secret ones hidden."""
        return {name: HIDDEN if SECRET_NAMES.search(name) else self.text(value) for name, value in headers.items()}
