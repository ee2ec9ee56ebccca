"""What is sent to Atradius: buyer look-ups and cover requests as the interface wants them."""

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from .atradius_codes import ACTIONS, UID_TYPES, VAT
from .countries import THREE_LETTERS
from .jsondoc import Json
from .messages import BuyerQuery, CoverProduct, CoverRequest, CoverRequestKind

COVER_TYPES: Mapping[CoverProduct, str] = {
    CoverProduct.CREDIT_LIMIT: "credit-limit",
    CoverProduct.CREDIT_CHECK: "credit-check",
}
ASKS_FOR_COVER = (CoverRequestKind.NEW, CoverRequestKind.INCREASE)
OTHER_COUNTRIES = "*"
SIREN_LENGTH = 9  # a SIRET is a SIREN followed by the number of the establishment


@dataclass(frozen=True, slots=True)
class Ticket:
    """What it takes to ask for a request again: the interface has no call for one cover, only lists per buyer.

    Its text is the ``request_id``: ``7000123:TCI-2026-0001:1001``, and ``:reduce`` or ``:cancel`` behind it where that
    decides how the insurer's answer reads.
    """

    cover_id: str
    policy_number: str
    buyer_id: str
    kind: CoverRequestKind

    def __str__(self) -> str:
        kind = () if self.kind in ASKS_FOR_COVER else (self.kind.value,)
        parts = (self.cover_id, self.policy_number, self.buyer_id, *kind)
        return ":".join(urllib.parse.quote(part, safe="") for part in parts)

    @classmethod
    def read(cls, request_id: str) -> Self:
        """:raises ValueError: not one of ours"""
        parts = [urllib.parse.unquote(part) for part in request_id.split(":")]
        cover_id, policy_number, buyer_id, kind = parts if len(parts) == 4 else (*parts, CoverRequestKind.NEW)
        return cls(cover_id, policy_number, buyer_id, CoverRequestKind(kind))

    @classmethod
    def of(cls, request: CoverRequest, cover_id: str) -> Self:
        return cls(cover_id, request.policy_number, request.buyer_id, request.kind)


def uid_types(setting: str) -> dict[str, str]:
    """The type of registration numbers by country from ``"FR=SN, *=NRN"``.

    :raises ValueError: with a sentence, where it does not read
    """
    types = {}
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        country, _equals, kind = (part.strip().upper() for part in entry.partition("="))
        if kind not in UID_TYPES or not (country == OTHER_COUNTRIES or country in THREE_LETTERS):
            raise ValueError(f"{entry!r} is not a country and one of {', '.join(UID_TYPES)}")
        types[country] = kind
    return types


def uid_type(types: Mapping[str, str], country: str) -> str:
    """The type of the registration number there; empty where it is not to be asked for."""
    return types.get(country.upper(), types.get(OTHER_COUNTRIES, ""))


def look_ups(query: BuyerQuery, types: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The parameters of the look-ups, the surest first: the number of the company's register, then the VAT number."""
    country = THREE_LETTERS.get(query.country.upper(), "")
    kind = uid_type(types, query.country)
    registration = _bare(query.registration_number)
    if kind == "SN" and len(registration) > SIREN_LENGTH:
        registration = registration[:SIREN_LENGTH]
    for uid, uid_kind in ((registration, kind), (_bare(query.vat_number), VAT)):
        if country and uid and uid_kind:
            yield {"country": country, "uid": uid, "uidType": uid_kind}


def _bare(number: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", number).upper()


def cover_body(request: CoverRequest, customer_id: int, *, with_cover_id: bool) -> dict[str, Json]:
    """The body of an application, or of a change of a cover, which names the cover itself only ``with_cover_id``.

    :raises ValueError: the buyer's or the cover's number is none
    """
    body: dict[str, Json] = {
        "customerId": customer_id,
        "policyId": request.policy_number,
        "buyerId": int(request.buyer_id),
        "coverType": COVER_TYPES[request.product],
        "customerRefNumber": request.reference,
    }
    if request.amount is not None and request.product is CoverProduct.CREDIT_LIMIT:
        body |= {"currencyCode": request.currency, "creditLimitAmount": _number(request.amount)}
    if request.effective_from:
        body["effectFromDate"] = request.effective_from.isoformat()
    if request.kind in ACTIONS:
        body["action"] = ACTIONS[request.kind]
        number = int(request.cover_id) if request.cover_id else None
        if number is not None and with_cover_id:
            body["coverId"] = number
    return body


def _number(amount: Decimal) -> Json:
    """A whole amount as the number that the interface documents; another one exactly, for the insurer to refuse."""
    return int(amount) if amount == amount.to_integral_value() else amount
