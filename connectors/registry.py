"""Which connectors there are, and how to open one.

>>> CONNECTORS["sandbox"].label
'Insurer simulator'
"""

from collections.abc import Mapping

from .allianz_trade import AllianzTrade
from .atradius import Atradius
from .base import Insurer
from .calls import TransportOptions
from .coface import Coface
from .connection import Connection, Environment
from .errors import ConfigurationError
from .file_exchange import FileExchange
from .redaction import Credentials
from .sandbox import Sandbox
from .sinosure import Sinosure
from .tokens import TokenStore
from .transport import Hooks

# One line per connector, in the order of their codes.
_ALL: tuple[type[Insurer], ...] = (
    AllianzTrade,
    Atradius,
    Coface,
    FileExchange,
    Sandbox,
    Sinosure,
)
CONNECTORS: dict[str, type[Insurer]] = {connector.code: connector for connector in _ALL}


def connect(
    code: str,
    *,
    base_url: str = "",
    credentials: Credentials,
    options: TransportOptions | None = None,
    hooks: Hooks | None = None,
    token_store: TokenStore | None = None,
    environment: Environment = Environment.TEST,
    settings: Mapping[str, str] | None = None,
    addresses: Mapping[str, str] | None = None,
) -> Insurer:
    """Open a connection; nothing is sent yet. Close it, or use it in a ``with`` statement.

    :param code: a key of ``CONNECTORS``.
    :param base_url, settings, addresses: see ``Connection``.
    :param token_store: shared by workers so that they share tokens; by default each connection has its own.
    :raises ConfigurationError: no such connector, an unusable address, a missing credential.
    """
    if code not in CONNECTORS:
        raise ConfigurationError(f"there is no connector {code!r}; there are: {', '.join(CONNECTORS)}", insurer=code)
    connection = Connection(
        base_url,
        credentials,
        options=options,
        hooks=hooks,
        token_store=token_store,
        environment=environment,
        settings=settings or {},
        addresses=addresses or {},
    )
    return CONNECTORS[code](connection)
