"""Calling Atradius: addresses, headers, token, settings."""

import base64
from collections.abc import Mapping
from dataclasses import replace

from . import atradius_reading as reading
from .atradius_requests import uid_types
from .bearer import BearerTransport
from .calls import Answer, Call, TransportOptions
from .connection import AddressBook, Connection, Endpoint, Setting
from .errors import ConfigurationError, RejectedByInsurer
from .jsondoc import decode
from .redaction import Redactor
from .tokens import TokenCache
from .transport import Transport

TEST = "https://api-uat.atradius.com"
PRODUCTION = "https://api.atradius.com"
COVERS = "/credit-insurance/cover-management/v1/covers"
BUYERS = "/credit-insurance/organisation-management/v1/buyers"
POLICIES = "/credit-insurance/policy-management/v1/policies"

NO_BUYER = "no buyer match found"
CORRELATION = "Atradius-Correlation-Id"
APP_KEY = "Atradius-App-Key"
YES_OR_NO = {"yes": True, "no": False}


def _endpoint(path: str) -> Endpoint:
    return Endpoint(path, TEST + path, PRODUCTION + path)


ENDPOINTS: Mapping[str, Endpoint] = {
    "token": _endpoint("/authenticate/v2/tokens"),
    "policy": _endpoint(f"{POLICIES}/details"),
    "buyers": _endpoint(BUYERS),
    "buyer": _endpoint(f"{BUYERS}/{{buyer}}"),
    "ratings": _endpoint(f"{BUYERS}/my-buyers"),
    "covers": _endpoint(COVERS),
    "applications": _endpoint(f"{COVERS}/applications"),
    "decisions": _endpoint(f"{COVERS}/decisions"),
    "historic": _endpoint(f"{COVERS}/historic"),
}

SETTINGS = (
    Setting("client_id", "Client id", secret=True, identifies=True),
    Setting("client_secret", "Client secret", secret=True),
    Setting("app_key", "Application key", "Sent as Atradius-App-Key with every call.", secret=True),
    Setting("customer_id", "Customer id", "The number of your organisation at Atradius.", names_holder=True),
    Setting(
        "registration_uid_types",
        "Types of registration numbers",
        "Which type of number a buyer's registration number is, by country; * for all others. Types: VAT, NRN, CR, DB, "
        "FC, SN, TK.",
        required=False,
        default="FR=SN, *=NRN",
    ),
    Setting(
        "ended_covers",
        "Read ended covers",
        "yes or no: whether the list of ended covers is read with the portfolio, so that an end is known with its day.",
        required=False,
        default="yes",
    ),
    Setting(
        "cover_id_in_changes",
        "Send the cover's number with a change",
        "yes or no: whether coverId is sent with an increase, a reduction or a cancellation. No client was seen to.",
        required=False,
        default="no",
    ),
)


class Client:
    """One connection. Every call carries the application key, a token and a correlation id of its own.

    :raises ConfigurationError: a setting does not read, or something is missing
    """

    def __init__(self, insurer: str, connection: Connection) -> None:
        values = connection.check(insurer, SETTINGS)
        self.insurer = insurer
        self._credentials = connection.credentials
        self._read_settings(values)
        self._addresses = AddressBook(insurer, connection, ENDPOINTS)
        redactor = Redactor(connection.credentials)
        redactor.add(self._login())  # and with it the form in which it is sent
        self.transport = Transport(
            insurer,
            self._addresses.base(),
            redactor,
            explain=reading.explain,
            options=replace(connection.options or TransportOptions(), correlation_header=CORRELATION),
            hooks=connection.hooks,
            origins=self._addresses.urls(),
        )
        tokens = TokenCache(
            self._take_token,
            identity=(insurer, self._addresses["token"], self._login(), self._credentials["app_key"]),
            learn=redactor.add,
            store=connection.token_store,
            clock=connection.wall_clock,
        )
        self._bearer = BearerTransport(self.transport, tokens)

    def _read_settings(self, values: Mapping[str, str]) -> None:
        customer = values["customer_id"]
        if not (customer.isascii() and customer.isdigit()):
            raise ConfigurationError(f"the customer id {customer!r} is not a number", insurer=self.insurer)
        try:
            self.uid_types = uid_types(values["registration_uid_types"])
        except ValueError as exc:
            raise ConfigurationError(f"registration_uid_types: {exc}", insurer=self.insurer) from exc
        self.customer_id = int(customer)
        self.reads_ended_covers = self._yes_or_no("ended_covers", values)
        self.sends_cover_id = self._yes_or_no("cover_id_in_changes", values)

    def _yes_or_no(self, name: str, values: Mapping[str, str]) -> bool:
        told = values[name].lower()
        if told not in YES_OR_NO:
            raise ConfigurationError(f"{name} is {told!r}, neither yes nor no", insurer=self.insurer)
        return YES_OR_NO[told]

    def close(self) -> None:
        self.transport.close()

    # --- Calls --------------------------------------------------------------------------------------------------

    def of_policy(self, policy_number: str, **more: str) -> dict[str, str]:
        """The parameters of everything that is asked about a policy."""
        return {"customerId": str(self.customer_id), "policyId": policy_number, **more}

    def get(self, operation: str, endpoint: str, parameters: Mapping[str, str], **names: str) -> Answer:
        path = self._addresses.fill(endpoint, **names)
        call = Call(operation=operation, method="GET", path=path, query=parameters, repeatable=True, reads=decode)
        return self._send(call)

    def look_up(self, operation: str, endpoint: str, parameters: Mapping[str, str], **names: str) -> Answer | None:
        """``get``, where the insurer answers with an error when it finds nobody: then ``None``."""
        try:
            return self.get(operation, endpoint, parameters, **names)
        except RejectedByInsurer as refusal:
            if NO_BUYER in refusal.words.lower():
                return None
            raise

    def buyer(self, operation: str, buyer_id: str) -> Answer | None:
        return self.look_up(operation, "buyer", {}, buyer=buyer_id)

    def write(self, operation: str, method: str, endpoint: str, body: bytes) -> Answer:
        """Sent once only: the interface has no key by which it would know a repetition."""
        return self._send(Call(operation=operation, method=method, path=self._addresses[endpoint], body=body))

    def _send(self, call: Call) -> Answer:
        return self._bearer.send(replace(call, headers={APP_KEY: self._credentials["app_key"]}))

    # --- Token --------------------------------------------------------------------------------------------------

    def _login(self) -> str:
        return f"{self._credentials['client_id']}:{self._credentials['client_secret']}"

    def _take_token(self) -> tuple[str, float]:
        basic = base64.b64encode(self._login().encode()).decode()
        headers = {"Authorization": f"Basic {basic}", APP_KEY: self._credentials["app_key"]}
        path = self._addresses["token"]
        call = Call(
            operation="authenticate",
            method="POST",
            path=path,
            body=b"",
            headers=headers,
            repeatable=True,
            reads=decode,
        )
        return self.transport.send(call).read(reading.token)
