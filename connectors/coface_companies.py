"""Companies as Coface searches and shows them. Pure: documents in, messages out.

A company has an ``id``, unless it has no Easy number, and ``externalIds``, each an id in a repository [insurer's public
documentation]. Our ``buyer_id`` is the ``id``, or, where there is none, country and external id, such as
``PL/icon#5606280``: Coface takes an external id only together with its country.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .jsondoc import Node
from .matching import judge
from .messages import BuyerCandidate, BuyerQuery
from .numbers import compact_registration, compact_vat

VAT = "vat-number"
OWN_REPOSITORIES = ("icon", "easy", "giid")  # Coface's numbers, the one it recommends first
REGISTERS = ("registration-number", "national-id", "statistic-number", "tax-number")
OWN_ID = 100  # score


@dataclass(frozen=True, slots=True)
class Company:
    """``numbers`` by repository; ``company_id`` may be empty."""

    company_id: str
    name: str
    country: str
    street: str
    postal_code: str
    city: str
    numbers: Mapping[str, str]

    @property
    def buyer_id(self) -> str:
        """Empty for a company that has no number of Coface's."""
        known = [name for name in OWN_REPOSITORIES if name in self.numbers]
        return self.company_id or (f"{self.country}/{known[0]}#{self.numbers[known[0]]}" if known else "")

    def is_called(self, buyer_id: str) -> bool:
        country, _slash, number = buyer_id.partition("/")
        external = [f"{name}#{value}" for name, value in self.numbers.items()]
        return buyer_id == self.company_id or (country == self.country and number in external)


def read_companies(node: Node) -> tuple[Company, ...]:
    """A list of companies, which the insurer writes bare or, when it has one, possibly without the list."""
    return tuple(_company(item) for item in (node.items() if isinstance(node.value, list) else [node]))


def _company(node: Node) -> Company:
    address = node["address"]
    numbers = node["externalIds"].optional(lambda value: tuple(value.items())) or ()
    return Company(
        company_id=node["id"].optional(Node.identifier) or "",
        name=node["name"].text(),
        country=node["countryCode"].optional(Node.text) or "",
        street=_part(address, "address1"),
        postal_code=_part(address, "postalCode"),
        city=_part(address, "city"),
        numbers={item["repositorySlug"].identifier(): item["id"].identifier() for item in numbers},
    )


def _part(address: Node, name: str) -> str:
    return address.optional(lambda value: value[name].optional(Node.text)) or ""


def party(buyer_id: str) -> dict[str, str]:
    """How a company is named to the insurer, in a query as in an order."""
    country, slash, number = buyer_id.partition("/")
    if slash and "#" in number:
        return {"countryCode": country, "externalId": number}
    return {"companyId": buyer_id}


def searches(query: BuyerQuery, registers: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The questions to ask one after the other until one is answered: by number, then by name and address, then by
    name alone."""
    country = query.country.upper()
    if query.buyer_id:
        yield party(query.buyer_id)
        return
    register = registers.get(country) or registers.get("*", "")
    for repository, number, plain in (
        (VAT, query.vat_number, compact_vat(query.vat_number, country)),
        (register, query.registration_number, compact_registration(query.registration_number, country)),
    ):
        for form in dict.fromkeys(
            (number.strip(), "".join(number.split()), plain)
        ):  # countries differ in letters and spaces
            if repository and form:
                yield {"countryCode": country, "externalId": f"{repository}#{form}"}
    if query.name:
        place = {name: value for name, value in (("postalCode", query.postal_code), ("city", query.city)) if value}
        if place:
            yield {"countryCode": country, "companyName": query.name, **place}
        yield {"countryCode": country, "companyName": query.name}


def candidate(company: Company, query: BuyerQuery, register: str) -> BuyerCandidate:
    """A company asked for by an id of ours keeps that id, whichever of its ids it is."""
    kinds = dict.fromkeys((register, *REGISTERS))
    is_asked = bool(query.buyer_id) and company.is_called(query.buyer_id)
    found = BuyerCandidate(
        buyer_id=query.buyer_id if is_asked else company.buyer_id,
        name=company.name,
        country=company.country,
        score=OWN_ID,
        vat_number=company.numbers.get(VAT, ""),
        registration_number=next((company.numbers[kind] for kind in kinds if kind in company.numbers), ""),
        street=company.street,
        postal_code=company.postal_code,
        city=company.city,
    )
    return found if is_asked else replace(found, score=judge(query, found).score)
