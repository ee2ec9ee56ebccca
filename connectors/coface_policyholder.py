"""CofaServe, Coface's interface for policyholders, as far as it is known.

The insurer publishes that there are services for companies, products, notifications, overdues, policies and countries,
and that they take a JWT and an API key. Everything else here was read in the code and notes of other integrators,
which the insurer does not confirm: both forms of the login, the search by identifier with its header, and that a
delivery tells a credit decision. Codes of products and what an overdue looks like are not public.
"""

from collections.abc import Mapping
from dataclasses import replace

from .bearer import BearerTransport
from .calls import Answer, Call
from .coface_client import Client, read_token
from .coface_settings import INVENTED, reachable, table
from .connection import Connection
from .errors import ConfigurationError, NotSupported
from .jsondoc import Json, Node, decode, encode
from .matching import judge
from .messages import BuyerCandidate, BuyerQuery
from .reading import list_of
from .tokens import TokenCache

LOGINS = ("v1", "rootcontext")
NEEDED = ("cofaserve_username", "cofaserve_password")


class Policyholder:
    """:param client: lends the transport, with it time limits, redaction and the insurer's addresses."""

    def __init__(self, insurer: str, connection: Connection, settings: Mapping[str, str], client: Client) -> None:
        self._insurer = insurer
        self._client = client
        self._settings = settings
        self._addresses = client.addresses
        self._has_products = INVENTED in reachable(connection)
        self.is_used = bool(client.credentials.get("cofaserve_api_key"))
        kinds, fields = settings["cofaserve_identifiers"], settings["cofaserve_fields"]
        self._kinds = table(insurer, "cofaserve_identifiers", kinds, "[A-Z]{2}")
        self._fields = table(insurer, "cofaserve_fields", fields, "id|name")
        if not self.is_used:
            return
        self._check()
        identity = (self._addresses["cofaserve_token"], *(client.credentials[name] for name in self._secrets()))
        tokens = TokenCache(
            self._take_token,
            identity=(insurer, *identity),
            learn=client.redactor.add,
            store=connection.token_store,
            clock=connection.wall_clock,
        )
        self._bearer = BearerTransport(client.transport, tokens, headers=lambda token: {"authorization": token})

    def _check(self) -> None:
        missing = [name for name in NEEDED if not self._client.credentials.get(name)]
        missing += [] if self._settings["cofaserve_policy"] else ["cofaserve_policy"]
        if missing:
            raise ConfigurationError(f"CofaServe also needs {', '.join(missing)}", insurer=self._insurer)
        if self._settings["cofaserve_login"] not in LOGINS:
            raise ConfigurationError(f"the login of CofaServe is one of {', '.join(LOGINS)}", insurer=self._insurer)
        if not {"id", "name"} <= set(self._fields):
            raise ConfigurationError("cofaserve_fields must name id and name", insurer=self._insurer)

    def _secrets(self) -> tuple[str, ...]:
        return ("cofaserve_api_key", *NEEDED)

    # --- Calls --------------------------------------------------------------------------------------------------

    def find_buyer(self, operation: str, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """By registration number, where the kind of identifier of the country is known."""
        kind = self._kinds.get(query.country.upper(), "")
        if not (self.is_used and kind and query.registration_number):
            return ()
        asked = {
            "countryCode": query.country.upper(),
            "identifierType": kind,
            "identifierValue": query.registration_number,
        }
        answer = self._get(operation, "cofaserve_companies", asked)
        return answer.read(list_of("companies", lambda node: self._candidate(node, query)))

    def _candidate(self, node: Node, query: BuyerQuery) -> BuyerCandidate:
        """The insurer found it by its number, so that the number is the one asked for."""
        number = node[self._fields["id"]].identifier()
        found = BuyerCandidate(
            buyer_id=f"{query.country.upper()}/easy#{number}",
            name=node[self._fields["name"]].text(),
            country=query.country.upper(),
            score=0,
            registration_number=query.registration_number,
        )
        return replace(found, score=judge(query, found).score)

    def product(self, operation: str, delivery_id: str) -> bytes:
        """The document of a delivery, to be kept: its members are not public, and nothing is read from it.

        :raises NotSupported: CofaServe is not used, or the address of products has not been entered.
        """
        if not (self.is_used and self._has_products):
            raise NotSupported(operation, insurer=self._insurer)
        answer = self._get(operation, "cofaserve_product", {}, deliveryId=delivery_id)
        answer.read(lambda node: node["deliveryId"].optional(Node.identifier))
        return answer.content

    def _get(self, operation: str, endpoint: str, query: Mapping[str, str], **names: str) -> Answer:
        path = self._addresses.fill(endpoint, **names)
        headers = {**self._key(), "X-COF-Policy-Number": self._settings["cofaserve_policy"]}
        call = Call(
            operation=str(operation),
            method="GET",
            path=path,
            query=query,
            headers=headers,
            repeatable=True,
            reads=decode,
        )
        return self._bearer.send(call)

    def _key(self) -> dict[str, str]:
        return {"x-api-key": self._client.credentials["cofaserve_api_key"]}

    # --- Login --------------------------------------------------------------------------------------------------

    def _take_token(self) -> tuple[str, float]:
        """The two forms that integrators show: one as ICON's with another spelling, one with a context and a server."""
        secrets, settings = self._client.credentials, self._settings
        login: dict[str, Json] = {
            "username": secrets["cofaserve_username"],
            "password": secrets["cofaserve_password"],
        }
        headers, query = self._key(), {}
        if settings["cofaserve_login"] == "v1":
            body: Json = {**login, "grant_type": "password"}
            headers["x-cof-policy-number"] = settings["cofaserve_policy"]
        else:
            body = {"grantType": "password", **login, "refreshToken": ""}
            query = {"rootcontext": settings["cofaserve_context"], "server": settings["cofaserve_server"]}
        call = Call(
            operation="authorize",
            method="POST",
            path=self._addresses["cofaserve_token"],
            query=query,
            body=encode(body),
            headers=headers,
            repeatable=True,
            reads=decode,
        )
        return self._client.transport.send(call).read(read_token)
