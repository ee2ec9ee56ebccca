"""Companies as Allianz Trade searches and shows them. Pure: documents in, messages out.

The bodies and the answer are known from clients' code. Neither a likeness in the answer nor the codes of identifier
types were seen: the score is our own, and a number without a known type counts where it equals ours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from .jsondoc import Json, Node
from .matching import judge
from .messages import BuyerCandidate, BuyerQuery
from .numbers import compact_registration, compact_vat

WANTED = 10  # candidates
OWN_ID = 100  # score


def search_body(query: BuyerQuery) -> Json:
    """``advancedSearch``."""
    return {**_name_and_address(query), "extendCountrySearch": "true", "pageSize": WANTED, "onlyActive": True}


def matching_body(query: BuyerQuery, id_types: Mapping[str, str], minimum_score: str) -> Json:
    """``matching``, with those of our numbers whose type has a code."""
    body: dict[str, Json] = {
        "requestedSize": WANTED,
        "companyIdentifierTypeCode": "EH",
        "companyIdentifiers": identifiers(query, id_types),
        **_name_and_address(query),
    }
    if minimum_score:
        body["minimumScore"] = int(minimum_score)
    return body


def identifiers(query: BuyerQuery, id_types: Mapping[str, str]) -> list[Json]:
    """Those of our numbers of a buyer whose type has a code."""
    numbers = {"vat": query.vat_number, "registration": query.registration_number, "own": query.own_reference}
    return [
        {"idTypeCode": id_types[name], "idValue": value}
        for name, value in numbers.items()
        if value and id_types.get(name)
    ]


def _name_and_address(query: BuyerQuery) -> dict[str, Json]:
    """The number of a house stays in the name of the street: nothing says how to tell them apart."""
    return {
        "companyName": query.name,
        "streetName": query.street,
        "streetNumber": "",
        "town": query.city,
        "postalCode": query.postal_code,
        "countryCode": query.country.upper(),
    }


@dataclass(frozen=True, slots=True)
class Company:
    """A legal entity; ``identifiers`` are the type, where told, and the value of each of its numbers."""

    company_id: str
    name: str
    country: str
    street: str
    postal_code: str
    city: str
    identifiers: tuple[tuple[str, str], ...]


def read_results(node: Node) -> tuple[Company, ...]:
    """The answer of a search."""
    return tuple(_company(item["company"]) for item in node["results"].items())


def read_companies(node: Node) -> tuple[Company, ...]:
    """The answer of ``companies/list``."""
    return tuple(_company(item) for item in node["companies"].items())


def _company(node: Node) -> Company:
    address = node["address"]
    legal = node["legalData"].optional(lambda value: value["companyName"].optional(Node.text))
    listed = node["companyIdentifiers"].optional(lambda value: tuple(value.items())) or ()
    return Company(
        company_id=node["companyId"].identifier(),
        name=legal or "",
        country=_text(address, "countryCode"),
        street=_text(address, "streetName"),
        postal_code=address.optional(_post_code) or "",
        city=_text(address, "town"),
        identifiers=tuple(_identifier(item) for item in listed if item["idValue"].value is not None),
    )


def _identifier(node: Node) -> tuple[str, str]:
    return _text(node, "idTypeCode"), node["idValue"].identifier()


def _text(node: Node, name: str) -> str:
    return node.optional(lambda value: value[name].optional(Node.text)) or ""


def _post_code(address: Node) -> str:
    codes = address["postCodes"].optional(lambda value: tuple(value.items())) or ()
    return _text(codes[0], "postCodeValue") if codes else ""


def candidate(company: Company, query: BuyerQuery, id_types: Mapping[str, str]) -> BuyerCandidate:
    numbers = company.identifiers
    found = BuyerCandidate(
        buyer_id=company.company_id,
        name=company.name,
        country=company.country,
        score=OWN_ID,
        vat_number=_number_of(query.vat_number, id_types["vat"], numbers, compact_vat, query.country),
        registration_number=_number_of(
            query.registration_number, id_types["registration"], numbers, compact_registration, query.country
        ),
        street=company.street,
        postal_code=company.postal_code,
        city=company.city,
        own_reference=_marked(id_types.get("own", ""), numbers),
    )
    return found if company.company_id == query.buyer_id else replace(found, score=judge(query, found).score)


def _number_of(
    ours: str,
    type_code: str,
    identifiers: Iterable[tuple[str, str]],
    compact: Callable[[str, str], str],
    country: str,
) -> str:
    """The company's number of a type: the one marked so, else one equal to ours, whatever its mark."""
    own = compact(ours, country)
    equal = (value for _code, value in identifiers if own and compact(value, country) == own)
    return _marked(type_code, identifiers) or next(equal, "")


def _marked(type_code: str, identifiers: Iterable[tuple[str, str]]) -> str:
    """The company's number that carries the code of a type; an equal number of another type proves nothing."""
    return next((value for code, value in identifiers if type_code and code.upper() == type_code.upper()), "")
