"""What the Coface connector has to be told, where Coface lies, and what a call back means."""

import re
from collections.abc import Mapping

from .base import Operation
from .connection import Connection, Endpoint, Environment, Setting
from .errors import ConfigurationError
from .reports import WakeUp

AUTHENTICATION = "https://api.coface.com/authentication/v1"  # for both environments
TEST = "https://icon-api-test.coface.com/dataapi-v1"
PRODUCTION = "https://api.coface.com/bi/icon-data/v1"
COFASERVE = "https://cofaserve-api.coface.com"
ICON = "/bi/icon-data/v1"  # below a base address of one's own

SETTINGS = (
    Setting("api_key", "API key", "From the developer portal; sent as x-api-key.", secret=True, identifies=True),
    Setting("username", "User name", "Of the account on the developer portal.", secret=True),
    Setting("password", "Password", secret=True),
    Setting("language", "Language", "Of texts in answers and reports, such as EN or FR.", False, default="EN"),
    Setting("currency", "Currency of opinions", "EUR, USD, GBP or LocalCurrency.", False, default="EUR"),
    Setting(
        "registration_repositories",
        "Kinds of registration numbers",
        "Coface's name of the register by country, * for all others, such as PL=statistic-number, "
        "*=registration-number.",
        False,
        default="*=registration-number",
    ),
    Setting("grade_product", "Product that tells the grade", "Coface's slug.", False, default="debtor-risk-assessment"),
    Setting(
        "grade_days",
        "Days a grade is read again",
        "A grade delivered within so many days is read again; an older one is ordered anew, which Coface bills.",
        False,
        default="30",
    ),
    Setting("report_product", "Usual report", "Coface's slug.", False, default="credit-opinion"),
    Setting("report_format", "Format of reports", "xml, json, pdf or html.", False, default="xml"),
    Setting("monitored_products", "What is monitored", "Slugs, by comma.", False, default="debtor-risk-assessment"),
    Setting("publication_key", "Parameter of a publication", "id or deliveryId.", False, default="id"),
    Setting(
        "callback_fields",
        "Names of the callback",
        "Members of an order, by comma.",
        False,
        default="callbackUrl, notificationCallbackUrl",
    ),
    Setting("callback_url", "Address of the callback", "https; secret, as it opens the door.", False, secret=True),
    Setting("cofaserve_api_key", "CofaServe: API key", "Empty: CofaServe is not used.", False, secret=True),
    Setting("cofaserve_username", "CofaServe: user name", "Empty: as above.", False, secret=True),
    Setting("cofaserve_password", "CofaServe: password", "Empty: as above.", False, secret=True),
    Setting("cofaserve_policy", "CofaServe: policy number", "Sent as X-COF-Policy-Number.", False, names_holder=True),
    Setting("cofaserve_login", "CofaServe: form of the login", "v1 or rootcontext.", False, default="v1"),
    Setting("cofaserve_context", "CofaServe: root context", "For the login rootcontext.", False),
    Setting("cofaserve_server", "CofaServe: server", "For the login rootcontext.", False),
    Setting(
        "cofaserve_identifiers",
        "CofaServe: kinds of identifiers",
        "Its name of the registration number by country, such as EC=RUC_ECU. Other countries are not searched there.",
        False,
    ),
    Setting(
        "cofaserve_fields", "CofaServe: names of fields", "Of a company.", False, default="id=easyNumber, name=name"
    ),
)


def _icon(path: str) -> Endpoint:
    return Endpoint(ICON + path, TEST + path, PRODUCTION + path)


ENDPOINTS: Mapping[str, Endpoint] = {
    "token": Endpoint("/authentication/v1/token", f"{AUTHENTICATION}/token", f"{AUTHENTICATION}/token"),
    "companies": _icon("/companies"),
    "orders": _icon("/publications/orders"),
    "publications": _icon("/publications"),
    "monitoring_orders": _icon("/monitorings/orders"),
    "monitorings": _icon("/monitorings"),
    "monitoring": _icon("/monitorings/{monitoringId}"),
    "notifications": _icon("/notifications"),
    "notification_content": _icon("/notifications/{notificationId}/content"),
    "cofaserve_token": Endpoint(
        "/cofaserve/authentication/v1/token", production=f"{COFASERVE}/authentication/v1/token", verified=False
    ),
    "cofaserve_companies": Endpoint(
        "/cofaserve/companies/identifier", production=f"{COFASERVE}/companies/identifier", verified=False
    ),
    "cofaserve_product": Endpoint("/cofaserve/products/{deliveryId}", verified=False),
}
# The path of CofaServe's product details is our invention.
INVENTED = "cofaserve_product"


def reachable(connection: Connection) -> dict[str, Endpoint]:
    """The endpoints this connection has a use for. An invented one has to be entered, except for tries below a base
    address in the test environment."""
    tries = connection.base_url.strip() and connection.environment is Environment.TEST
    entered = connection.addresses.get(INVENTED, "").strip()
    used = dict(ENDPOINTS)
    if not (tries or entered):
        del used[INVENTED]
    if not connection.credentials.get("cofaserve_api_key"):
        used = {name: point for name, point in used.items() if not name.startswith("cofaserve")}
    return used


def listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def table(insurer: str, setting: str, text: str, keys: str) -> dict[str, str]:
    """``PL=statistic-number, *=registration-number``; ``keys`` is a pattern of what may stand on the left."""
    found = {}
    for entry in listed(text):
        key, equals, value = (part.strip() for part in entry.partition("="))
        if not equals or not value or not re.fullmatch(keys, key):
            raise ConfigurationError(f"{setting}: {entry!r} cannot be understood", insurer=insurer)
        found[key] = value
    return found


WOKEN = (Operation.NOTIFICATIONS, Operation.GRADES, Operation.REPORT_STATE)


def read_ping(body: bytes) -> WakeUp | None:
    """A call back of Coface is empty and shows no credentials: it says no more than that something has changed."""
    return None if body.strip() else WakeUp(frozenset(operation.value for operation in WOKEN))


def callback_address(insurer: str, connection: Connection) -> str:
    """Empty: no callback is asked for."""
    address = connection.credentials.get("callback_url", "").strip()
    if address and not address.startswith("https://"):
        raise ConfigurationError("the insurer calls back over https only", insurer=insurer)
    return address
