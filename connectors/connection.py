"""How an insurer is reached: environment, addresses, settings, secrets."""

import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .calls import TransportOptions
from .checks import require
from .errors import ConfigurationError
from .redaction import Credentials
from .tokens import TokenStore
from .transport import Hooks
from .urls import origin
from .words import _


class Environment(StrEnum):
    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Setting:
    """Something a connector has to be told. A ``secret`` one is a credential: given in ``Connection.credentials``,
    never shown. ``label`` and ``help`` are English and meant for administrators. By what ``identifies`` the insurer
    tells its customers apart, and so counts their calls. ``names_holder``: it says for which policyholder we call; what
    the insurer numbered for one is unknown for another."""

    name: str
    label: str
    help: str = ""
    required: bool = True
    secret: bool = False
    default: str = ""
    identifies: bool = False
    names_holder: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``calls`` in ``seconds``; of each operation by itself, or of all together."""

    calls: int
    seconds: float
    per_operation: bool = True

    def __post_init__(self) -> None:
        require(self.calls > 0 and self.seconds > 0, _("a rate allows at least one call in a time"))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an operation lies: ``path`` below the base address, and the full address in each environment where the
    insurer has one. ``verified`` says whether the insurer's public documentation, or a client's code, shows it."""

    path: str
    test: str = ""
    production: str = ""
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Connection:
    """What a connector needs to know to reach its insurer.

    :param base_url: an address all paths of the connector are relative to, such as a simulator's or a gateway's;
        empty: the insurer's own addresses for ``environment``.
    :param settings: values for the connector's ``settings`` that are no secrets.
    :param addresses: corrections of single endpoints by name: a path (from ``/`` on) or a full address.
    """

    base_url: str
    credentials: Credentials
    options: TransportOptions | None = None
    hooks: Hooks | None = None
    token_store: TokenStore | None = None
    wall_clock: Callable[[], float] = time.time
    environment: Environment = Environment.TEST
    settings: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    def check(self, insurer: str, settings: tuple[Setting, ...]) -> dict[str, str]:
        """The values of the settings that are no secrets, defaults filled in.

        :raises ConfigurationError: something required is missing, or something is given that nobody knows.
        """
        names = {setting.name for setting in settings}
        unknown = [name for name in (*self.settings, *self.credentials) if name not in names]
        if unknown:
            raise ConfigurationError(f"not known here: {', '.join(unknown)}", insurer=insurer)
        values = {}
        for setting in settings:
            given = self.credentials if setting.secret else self.settings
            value = (given.get(setting.name) or setting.default).strip()
            if setting.required and not value:
                raise ConfigurationError(f"{setting.label} is missing", insurer=insurer)
            if not setting.secret:
                values[setting.name] = value
        return values


class AddressBook:
    """The address of every endpoint of one connection.

    :raises ConfigurationError: an address is given for an endpoint that does not exist, or one has no address.
    """

    def __init__(self, insurer: str, connection: Connection, endpoints: Mapping[str, Endpoint]) -> None:
        unknown = sorted(set(connection.addresses) - set(endpoints))
        if unknown:
            raise ConfigurationError(
                f"no endpoint {', '.join(unknown)}; there are: {', '.join(endpoints)}", insurer=insurer
            )
        self._insurer = insurer
        self._base = connection.base_url.strip().rstrip("/")
        self._urls = {name: self._url(name, endpoint, connection) for name, endpoint in endpoints.items()}

    def _url(self, name: str, endpoint: Endpoint, connection: Connection) -> str:
        own = connection.addresses.get(name, "").strip()
        if own and not own.startswith("/"):
            return own
        path = own or endpoint.path
        if self._base:
            return self._base + path
        full = endpoint.production if connection.environment is Environment.PRODUCTION else endpoint.test
        if own and full:
            return origin(full) + own
        if not full:
            raise ConfigurationError(f"the address of {name} is not known: enter it", insurer=self._insurer)
        return full

    def __getitem__(self, name: str) -> str:
        return self._urls[name]

    def fill(self, name: str, **values: str) -> str:
        """The address with each ``{name}`` in it replaced by its value, as one segment whatever it holds."""
        url = self._urls[name]
        for key, value in values.items():
            url = url.replace(f"{{{key}}}", urllib.parse.quote(value, safe=""))
        return url

    def urls(self) -> tuple[str, ...]:
        return tuple(self._urls.values())

    def base(self) -> str:
        """The base address, or the origin of the first endpoint where there is none."""
        return self._base or origin(next(iter(self._urls.values())))
