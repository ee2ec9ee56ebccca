"""Bearer tokens: taken once, shared by every worker that has the same connection, taken anew when refused."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

MARGIN = 60.0  # seconds before its end at which a token counts as used up: clocks differ, calls take time


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; ``expires_at`` is in seconds since the epoch, by our clock."""

    value: str = field(repr=False)
    expires_at: float


class TokenStore(Protocol):
    """Where tokens are kept between calls. Keys are opaque and hold no secret; tokens do."""

    def get(self, key: str) -> Token | None: ...

    def put(self, key: str, token: Token) -> None: ...


class MemoryTokenStore:
    """Keeps tokens for the threads of one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._lock = Lock()

    def get(self, key: str) -> Token | None:
        with self._lock:
            return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        with self._lock:
            self._tokens[key] = token


class TokenCache:
    """The current token of one connection.

    :param take: asks the insurer for a token: (value, seconds it lasts).
    :param identity: what tells this connection from others (address, secrets); only its hash is kept as key.
    :param learn: told every token before it is used, so that it can be redacted.
    """

    def __init__(
        self,
        take: Callable[[], tuple[str, float]],
        *,
        identity: tuple[str, ...],
        learn: Callable[[str], None],
        store: TokenStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._take = take
        self._learn = learn
        self._store: TokenStore = store or MemoryTokenStore()
        self._clock = clock
        self._key = hashlib.sha256("\0".join(identity).encode()).hexdigest()

    def current(self) -> str:
        """A token that is still good by our clock, taken from the store or from the insurer."""
        token = self._store.get(self._key)
        if token is None or token.expires_at - MARGIN <= self._clock():
            return self._renew()
        self._learn(token.value)
        return token.value

    def replace(self, refused: str) -> str:
        """Another token after the insurer refused ``refused``; one that another worker took meanwhile is used."""
        token = self._store.get(self._key)
        if token is not None and token.value != refused:
            self._learn(token.value)
            return token.value
        return self._renew()

    def _renew(self) -> str:
        value, lasts = self._take()
        self._learn(value)
        self._store.put(self._key, Token(value, self._clock() + lasts))
        return value
