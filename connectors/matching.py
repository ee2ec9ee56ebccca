"""How likely an insurer's buyer is ours, for a person to choose: a name alone never links anything.

What decides comes in this order: our own number of the customer, where the insurer keeps it beside its own; the numbers
of registers, of which an equal one gives 100 and an unequal one keeps the score at ``OTHER_ENTITY`` or below, however
alike the names are; then names without their legal form, accents and punctuation, and addresses part by part.

>>> normalised_name("Nordwind Maschinenbau GmbH & Co. KG"), normalised_name("上海华东贸易有限公司")
('nordwind maschinenbau', '上海华东贸易')
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from .messages import BuyerCandidate, BuyerQuery
from .numbers import EntityNumbers, Identity, compact_registration, compact_vat, compare, same_country

NAME_WEIGHT = 70
# What equal parts of an address are worth beside the name.
ADDRESS_WEIGHTS = {"postal_code": 12, "city": 10, "street": 8}
WITHOUT_ADDRESS = 85  # the score of equal names when no address can be compared
PART_OF_NAME = 92  # of two names, one of which is contained in the other
OTHER_ENTITY = 30
OTHER_COUNTRY = 40

_LEGAL_FORMS = frozenset(
    """ab ag aps as asa bhd bv bvba cie co company corp corporation cv doo eg ek ev eirl eood eurl gbr gesellschaft gie
    gmbh hf hb inc incorporated kft kg kgaa kk kb limited llc llp lp ltd ltda mbb mbh nv nyrt ohg ood oy oyj oe pjsc plc
    pllc pt pte pty pvt private rt sa sab sadecv sagl sapi sarl sas sasu sca scrl scs sdnbhd se senc snc soc societe sl
    slu sp spa spj spk sprl spzoo sro srl srls tbk ug und vof zoo zrt ао ооо оао зао αε επε""".split()
)
_CHINESE_FORMS = ("股份有限公司", "有限责任公司", "有限公司", "股份公司", "公司", "株式会社")
_JOINING_WORDS = frozenset(("and", "et", "und", "e", "y", "och", "og", "the"))


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """``differences`` names the fields that both sides know and that do not agree."""

    candidate: BuyerCandidate
    score: int
    identity: Identity
    differences: frozenset[str]


class Proof(StrEnum):
    OWN_REFERENCE = "reference"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Match:
    """The insurer's entity that is the one looked for, and what proves it."""

    candidate: BuyerCandidate
    proof: Proof


def rank(query: BuyerQuery, candidates: Iterable[BuyerCandidate]) -> tuple[ScoredCandidate, ...]:
    """The candidates, most likely first; equal ones in the insurer's order."""
    scored = [judge(query, candidate) for candidate in candidates]
    return tuple(sorted(scored, key=lambda each: -each.score))


def judge(query: BuyerQuery, candidate: BuyerCandidate) -> ScoredCandidate:
    """How one candidate compares with who is looked for."""
    identity = compare(_numbers(candidate), _numbers(query))
    score = _likeness(query, candidate)
    if candidate.country and candidate.country.upper() != query.country.upper():
        score = min(score, OTHER_COUNTRY)
    if identity is Identity.DIFFERENT:
        score = min(score, OTHER_ENTITY)
    elif identity is Identity.SAME or is_ours(query, candidate):
        score = 100
    return ScoredCandidate(candidate, score, identity, _differences(query, candidate))


def proven(query: BuyerQuery, candidates: Iterable[BuyerCandidate]) -> Match | None:
    """The one entity that is certainly the one looked for: by our own reference, else by its number.

    ``None`` when there is none or more than one, and when the two contradict each other: the insurer keeps our
    reference at an entity with another number or country, or another reference of ours at the entity with the number.
    """
    listed = list(candidates)
    ours = {each.buyer_id: each for each in listed if _has_own_reference(query, each)}
    if ours:
        one = next(iter(ours.values()))
        return Match(one, Proof.OWN_REFERENCE) if len(ours) == 1 and is_ours(query, one) else None
    same = {each.buyer_id: each for each in listed if compare(_numbers(each), _numbers(query)) is Identity.SAME}
    found = next(iter(same.values())) if len(same) == 1 else None
    return Match(found, Proof.NUMBER) if found and "own_reference" not in _differences(query, found) else None


def is_ours(query: BuyerQuery, candidate: BuyerCandidate) -> bool:
    """Whether the insurer keeps our reference there, and neither number nor country says that it is somebody else."""
    is_other = compare(_numbers(candidate), _numbers(query)) is Identity.DIFFERENT
    in_country = same_country(candidate.country, query.country)
    return _has_own_reference(query, candidate) and in_country and not is_other


def _has_own_reference(query: BuyerQuery, candidate: BuyerCandidate) -> bool:
    own = query.own_reference.strip()
    return bool(own) and candidate.own_reference.strip() == own


def has_number(query: BuyerQuery) -> bool:
    """Whether there is a number by which an insurer's buyer could be proven to be the one looked for."""
    country = query.country
    return bool(compact_vat(query.vat_number, country) or compact_registration(query.registration_number, country))


def normalised_name(name: str) -> str:
    """The words that tell one name from another; what remains of a name of legal forms only is the name itself."""
    text = _plain(name)
    for form in _CHINESE_FORMS:
        text = text.replace(form, " ")
    words = _joined_initials(text.split())
    telling = [word for word in words if word not in _LEGAL_FORMS and word not in _JOINING_WORDS]
    return " ".join(telling or words)


def _likeness(query: BuyerQuery, candidate: BuyerCandidate) -> int:
    names = _name_likeness(normalised_name(query.name), normalised_name(candidate.name))
    parts = {}
    for part, weight in ADDRESS_WEIGHTS.items():
        ours, theirs = _address_part(part, getattr(query, part)), _address_part(part, getattr(candidate, part))
        if ours and theirs:
            parts[part] = weight * _part_likeness(part, ours, theirs)
    known = sum(ADDRESS_WEIGHTS[part] for part in parts)
    likeness = (names * NAME_WEIGHT + sum(parts.values())) / (NAME_WEIGHT + known)
    # The less of the address is known, the less certain is the best that can be said.
    ceiling = WITHOUT_ADDRESS + (100 - WITHOUT_ADDRESS) * known / (100 - NAME_WEIGHT)
    return round(likeness * ceiling)


def _name_likeness(ours: str, theirs: str) -> float:
    """0 to 1."""
    if not ours or not theirs:
        return 0.0
    whole = fuzz.token_sort_ratio(ours, theirs)
    contained = fuzz.token_set_ratio(ours, theirs) * PART_OF_NAME / 100
    return max(whole, contained) / 100


def _part_likeness(part: str, ours: str, theirs: str) -> float:
    if part != "postal_code":
        return fuzz.token_sort_ratio(ours, theirs) / 100
    ours, theirs = ours.replace(" ", ""), theirs.replace(" ", "")
    if ours == theirs:
        return 1.0
    return 0.5 if ours[:2] == theirs[:2] else 0.0


def _address_part(part: str, value: str) -> str:
    text = _plain(value)
    if part == "street":
        text = re.sub(r"(?:str|strasse|straße)\b", "strasse", text)
        text = re.sub(r"\b(?:st|street)\b", "street", text)
        text = re.sub(r"\b(?:av|ave|avenue)\b", "avenue", text)
        text = re.sub(r"\b(?:rd|road)\b", "road", text)
    return text


def _differences(query: BuyerQuery, candidate: BuyerCandidate) -> frozenset[str]:
    country = candidate.country or query.country
    forms = {
        "name": (normalised_name(query.name), normalised_name(candidate.name)),
        "country": (query.country.upper(), candidate.country.upper()),
        "own_reference": (query.own_reference.strip(), candidate.own_reference.strip()),
        "vat_number": tuple(compact_vat(each.vat_number, country) for each in (query, candidate)),
        "registration_number": tuple(
            compact_registration(each.registration_number, country) for each in (query, candidate)
        ),
        **{
            part: (_address_part(part, getattr(query, part)), _address_part(part, getattr(candidate, part)))
            for part in ADDRESS_WEIGHTS
        },
    }
    return frozenset(name for name, (ours, theirs) in forms.items() if ours and theirs and ours != theirs)


def _numbers(entity: BuyerQuery | BuyerCandidate) -> EntityNumbers:
    return EntityNumbers(entity.country, entity.registration_number, entity.vat_number)


def _plain(text: str) -> str:
    """Lower case, without accents, one space where punctuation or spaces stood."""
    spread = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ø", "o").replace("đ", "d"))
    letters = "".join(char for char in spread if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", " ", letters.replace("&", " and ")).strip()


def _joined_initials(words: list[str]) -> list[str]:
    """Single letters in a row as one word: ``s a r l`` is ``sarl``."""
    joined: list[str] = []
    run = ""
    for word in [*words, ""]:
        if len(word) == 1 and word.isascii() and word.isalpha():
            run += word
            continue
        if run:
            joined.append(run)
            run = ""
        if word:
            joined.append(word)
    return joined
