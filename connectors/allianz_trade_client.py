"""How Allianz Trade is called: addresses, the bearer token, the webhook header.

The API key is exchanged for a token that lasts 60 minutes and cannot be renewed [insurer's public documentation]. The
addresses of the token are public; the others were read in clients' code. In the test environment their prefixes differ
from service to service, so that each operation has its full address.
"""

import base64
import json
from collections.abc import Iterable, Mapping

from .bearer import BearerTransport
from .calls import Answer, Call
from .connection import AddressBook, Connection, Endpoint, Environment
from .errors import ConfigurationError, UnexpectedResponse
from .jsondoc import Json, Node, ShapeError, decode, encode
from .redaction import Redactor
from .tokens import TokenCache
from .transport import Transport
from .urls import origin

TEST = "https://api-services.uat.1placedessaisons.com"
PRODUCTION = "https://api.allianz-trade.com"


def _risk(path: str, *, test_verified: bool = True) -> Endpoint:
    return Endpoint(path, f"{TEST}/uatm{path}", f"{PRODUCTION}{path}", verified=test_verified)


ENDPOINTS: Mapping[str, Endpoint] = {
    "authorize": _risk("/v1/idp/oauth2/authorize"),
    "search": Endpoint(
        "/search/v2/companies/advancedSearch",
        f"{TEST}/search/uatm-v2/companies/advancedSearch",
        f"{PRODUCTION}/search/v2/companies/advancedSearch",
    ),
    "matching": Endpoint(
        "/search/v2/companies/matching",
        f"{TEST}/search/uatm-v2/companies/matching",
        f"{PRODUCTION}/search/v2/companies/matching",
    ),
    "companies": Endpoint(
        "/company-referential/v1/companies/list",
        f"{TEST}/company-referential/uatm-v1/companies/list",
        f"{PRODUCTION}/company-referential/v1/companies/list",
    ),
    "covers": _risk("/riskinfo/v3/covers"),
    "cover": _risk("/riskinfo/v3/covers/{coverId}"),
    "cover_search": _risk("/riskinfo/v3/covers/search"),
    "cover_requests": _risk("/riskinfo/v3/coverRequests/search"),
    "job": _risk("/riskinfo/v3/jobs/{jobId}"),
    "covers_v2": _risk("/riskinfo/v2/covers", test_verified=False),
    "overdues": Endpoint("/payment-overdues/v1/overdues", verified=False),
}
ERROR_CODES = ("code", "errorCode", "error")
ERROR_WORDS = ("message", "errorMessage", "description", "detail", "error_description", "title")


class Client:
    """:param settings: the checked settings of the connection."""

    def __init__(self, insurer: str, connection: Connection, settings: Mapping[str, str]) -> None:
        self.insurer = insurer
        self._api_key = connection.credentials["api_key"]
        self._addresses = AddressBook(insurer, connection, _reachable(connection))
        self._has_overdues = "overdues" in _reachable(connection)
        self._own_base = bool(connection.base_url.strip())
        redactor = Redactor(connection.credentials)
        self._transport = Transport(
            insurer,
            self._addresses.base(),
            redactor,
            explain=explain,
            options=connection.options,
            hooks=connection.hooks,
            origins=self._addresses.urls(),
        )
        tokens = TokenCache(
            self._take_token,
            identity=(insurer, self._addresses["authorize"], self._api_key),
            learn=redactor.add,
            store=connection.token_store,
            clock=connection.wall_clock,
        )
        self._bearer = BearerTransport(self._transport, tokens)
        self.now = self._transport.hooks.now
        self._callback = _callback(insurer, connection, settings)
        for value in self._callback.values():
            redactor.add(value)

    def close(self) -> None:
        self._transport.close()

    # --- Calls --------------------------------------------------------------------------------------------------

    def ask(self, operation: str, endpoint: str, body: Json) -> Answer:
        """A POST that only reads."""
        return self._send(operation, "POST", self.address(operation, endpoint), body, reads=True)

    def write(self, operation: str, endpoint: str, body: Json) -> Answer:
        """A POST that acts. It carries nothing by which the insurer would know it again, so it is sent once."""
        address = self.address(operation, endpoint)
        return self._send(operation, "POST", address, body, headers=self._callback)

    def get(self, operation: str, endpoint: str, query: Mapping[str, str] | None = None, /, **names: str) -> Answer:
        self.address(operation, endpoint)
        address = self._addresses.fill(endpoint, **names)
        return self._send(operation, "GET", address, query=query or {}, reads=True)

    def result(self, operation: str, address: str, cover_id: str) -> Answer:
        """GET the cover at which a job pointed. Behind a base address of our own, a gateway's or a simulator's, the
        insurer still names its own host: then the cover is asked for there by its id."""
        if self._is_own(address) or not (self._own_base and cover_id):
            return self.follow(operation, address)
        return self.get(operation, "cover", coverId=cover_id)

    def _is_own(self, address: str) -> bool:
        return origin(address) in {origin(url) for url in self._addresses.urls()}

    def follow(self, operation: str, address: str) -> Answer:
        """GET what an answer pointed at, at the insurer's own addresses only: the token goes nowhere else.

        :raises UnexpectedResponse: it lies elsewhere; nothing was sent.
        """
        if not self._is_own(address):
            message = "points outside the insurer's addresses; it was not followed"
            raise UnexpectedResponse(message, insurer=self.insurer, field="resourceUrl")
        return self._send(operation, "GET", address, reads=True)

    def address(self, operation: str, endpoint: str) -> str:
        """:raises ConfigurationError: overdues have no address here."""
        if endpoint == "overdues" and not self._has_overdues:
            message = "the address of payment overdues is not public: enter it, or hand this in as a file"
            raise ConfigurationError(message, insurer=self.insurer)
        return self._addresses[endpoint]

    def _send(
        self,
        operation: str,
        method: str,
        address: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        reads: bool = False,
    ) -> Answer:
        call = Call(
            operation=str(operation),
            method=method,
            path=address,
            query=query or {},
            body=None if body is None else encode(body),
            headers=headers or {},
            repeatable=reads,
            reads=decode if reads else None,
        )
        return self._bearer.send(call)

    def _take_token(self) -> tuple[str, float]:
        body = encode({"apiKey": self._api_key})
        path = self._addresses["authorize"]
        call = Call(operation="authorize", method="POST", path=path, body=body, repeatable=True, reads=decode)
        answer = self._transport.send(call)
        return answer.read(lambda node: (node["access_token"].identifier(), float(node["expires_in"].decimal())))


def explain(error: Node) -> tuple[str, str]:
    """Code and words of an error answer. Its form is not public: the names that APIs commonly use are tried, and the
    body as it came is quoted where none fits."""
    if isinstance(error.value, list) and error.value:
        error = next(error.items())
    if isinstance(error.value, dict):
        for name in ("error", "errors"):
            if isinstance(error.value.get(name), dict | list):
                return explain(error[name])
        words = _first_text(error, ERROR_WORDS)
        if words:
            return _first_text(error, ERROR_CODES), words
    raise ShapeError(error.path, "no explanation")


def _first_text(node: Node, names: Iterable[str]) -> str:
    found = (node[name].value for name in names)
    return next((str(value) for value in found if isinstance(value, str | int) and str(value).strip()), "")


def _reachable(connection: Connection) -> dict[str, Endpoint]:
    """The endpoints that have an address. That of overdues is our invention: in production, and at the insurer's own
    addresses, it is used only when an administrator has entered it."""
    invented = connection.base_url.strip() and connection.environment is Environment.TEST
    entered = connection.addresses.get("overdues", "").strip()
    return {name: point for name, point in ENDPOINTS.items() if name != "overdues" or invented or entered}


def _callback(insurer: str, connection: Connection, settings: Mapping[str, str]) -> dict[str, str]:
    """The header by which a write asks to be called back: JSON in base64 [insurer's public documentation], under a
    name that is not public."""
    url, name = connection.credentials.get("callback_url", "").strip(), settings["webhook_header"]
    if not url or not name:
        return {}
    if not url.startswith("https://"):
        raise ConfigurationError("the insurer calls back over https only", insurer=insurer)
    if not settings["callback_hours"].isdecimal():
        raise ConfigurationError("the time to live is a whole number", insurer=insurer)
    wish: dict[str, Json] = {"callbackUrl": url, "timeToLive": int(settings["callback_hours"])}
    if settings["functional_notification"].lower() in ("yes", "true", "1"):
        wish["extendedNotification"] = True
    return {name: base64.b64encode(json.dumps(wish, separators=(",", ":")).encode()).decode()}
