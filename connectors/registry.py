"""Which connectors there are, and how to open one.

>>> [(code, connector.label) for code, connector in CONNECTORS.items()]
[('sandbox', 'Insurer simulator')]
"""

from .base import Connection, Insurer
from .calls import TransportOptions
from .errors import ConfigurationError
from .redaction import Credentials
from .sandbox import Sandbox
from .tokens import TokenStore
from .transport import Hooks

CONNECTORS: dict[str, type[Insurer]] = {connector.code: connector for connector in (Sandbox,)}


def connect(
    code: str,
    *,
    base_url: str,
    credentials: Credentials,
    options: TransportOptions | None = None,
    hooks: Hooks | None = None,
    token_store: TokenStore | None = None,
) -> Insurer:
    """Open a connection; nothing is sent yet. Close it, or use it in a ``with`` statement.

    :param code: a key of ``CONNECTORS``.
    :param base_url: the insurer's address, see ``Transport``.
    :param token_store: shared by workers so that they share tokens; by default each connection has its own.
    :raises ConfigurationError: no such connector, an unusable address, a missing credential.
    """
    if code not in CONNECTORS:
        raise ConfigurationError(f"there is no connector {code!r}; there are: {', '.join(CONNECTORS)}", insurer=code)
    return CONNECTORS[code](Connection(base_url, credentials, options, hooks, token_store))
