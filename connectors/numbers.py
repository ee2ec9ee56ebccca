"""Registration and VAT numbers: when two of them name the same legal entity.

Numbers are national: two entities of different countries are never the same. They are compared in the compact form of
their country (python-stdnum), without the country's letters, separators and leading zeros; a number of an establishment
(SIRET) stands for its entity. Equal numbers prove, unequal ones of one kind disprove, and nothing else does either:

1. registration numbers decide where both are known, because companies of a group may share a VAT number;
2. else VAT numbers decide;
3. else a VAT number that contains the other's registration number (France, Belgium, Norway, …) proves it.

>>> ours = EntityNumbers("FR", registration="334 175 221 00025", vat="FR83334175221")
>>> compare(EntityNumbers("FR", registration="RCS Lyon 334175221"), ours)
<Identity.SAME: 'same'>
>>> compare(EntityNumbers("FR", registration="552100554"), ours)
<Identity.DIFFERENT: 'different'>
>>> compare(EntityNumbers("DE", registration="HRB 7"), EntityNumbers("DE", vat="DE136695976"))
<Identity.UNKNOWN: 'unknown'>
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

# Codes that stand for a country whose numbers are used there.
NUMBERED_BY = {"EL": "GR", "UK": "GB", "XI": "GB"} | dict.fromkeys(("GP", "MQ", "GF", "RE", "YT", "BL", "MF"), "FR")
VAT_LETTERS = {"GR": "EL"}
VAT_ENDINGS = {"CH": ("MWST", "TVA", "IVA"), "NO": ("MVA",)}
_COMMERCIAL_REGISTER = re.compile(r"(.*?)(HR[AB])0*(\d+)([A-Z]{0,3})")


class Identity(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EntityNumbers:
    """What a legal entity is registered under; ``country`` is ISO 3166-1 alpha-2, empty where it is not known."""

    country: str
    registration: str = ""
    vat: str = ""


def compare(theirs: EntityNumbers, ours: EntityNumbers) -> Identity:
    """Whether both are the same legal entity. See the module for what decides."""
    country = _country(theirs.country) or _country(ours.country)
    comparisons = (
        _compare_registrations(theirs.registration, ours.registration, country),
        _compare_texts(compact_vat(theirs.vat, country), compact_vat(ours.vat, country)),
        _compare_across(theirs, ours, country),
    )
    found = next((result for result in comparisons if result is not Identity.UNKNOWN), Identity.UNKNOWN)
    known = {_country(theirs.country), _country(ours.country)} - {""}
    if found is Identity.SAME and len(known) > 1:
        return Identity.DIFFERENT
    return found


def compact_vat(number: str, country: str) -> str:
    """The VAT number as its country writes it, without the country's letters; empty for what is no number.

    >>> compact_vat("de 136.695.976", "DE"), compact_vat("EL 094259216", "GR"), compact_vat("/", "DE")
    ('136695976', '094259216', '')
    """
    text = _bare(number)
    if not _is_number(text):
        return ""
    country = _country(country)
    module = get_cc_module(country.lower(), "vat") if country else None
    if module is not None:
        try:
            text = _bare(module.compact(number))
        except ValidationError:
            pass
    for ending in VAT_ENDINGS.get(country, ()):
        text = text.removesuffix(ending)
    return text.removeprefix(VAT_LETTERS.get(country, country))


def compact_registration(number: str, country: str) -> str:
    """The register's number of the legal entity; empty for what is no number.

    >>> compact_registration("334 175 221 00025", "FR"), compact_registration("01234567", "GB")
    ('334175221', '1234567')
    """
    text, country = _bare(number), _country(country)
    if not _is_number(text):
        return ""
    if country == "FR":
        digits = re.search(r"\d{9}(?:\d{5})?$", text)
        return digits.group()[:9] if digits else text
    if country in ("CH", "NO"):
        text = compact_vat(text, country)
    text = text.removeprefix(country) if text.removeprefix(country).isdigit() else text
    return text.lstrip("0") if text.isdigit() else text


def is_valid_vat(number: str, country: str) -> bool | None:
    """Whether the check digits are right; ``None`` where no rule of the country is known, or there is no number."""
    country = _country(country)
    module = get_cc_module(country.lower(), "vat") if country else None
    if module is None or not _is_number(_bare(number)):
        return None
    return bool(module.is_valid(number))


def _compare_registrations(theirs: str, ours: str, country: str) -> Identity:
    if country != "DE":
        return _compare_texts(compact_registration(theirs, country), compact_registration(ours, country))
    # A German number is unique at its court only, and most people leave the court out.
    one, other = _COMMERCIAL_REGISTER.search(_bare(theirs)), _COMMERCIAL_REGISTER.search(_bare(ours))
    if not one or not other:
        return _compare_texts(compact_registration(theirs, country), compact_registration(ours, country))
    if one.groups()[1:] != other.groups()[1:]:
        return Identity.DIFFERENT
    courts = {_court(one.group(1)), _court(other.group(1))}
    if len(courts) == 1:
        return Identity.SAME
    return Identity.UNKNOWN if "" in courts else Identity.DIFFERENT


def _court(text: str) -> str:
    return text.removeprefix("DE").removeprefix("AMTSGERICHT").removeprefix("AG")


def _compare_across(theirs: EntityNumbers, ours: EntityNumbers, country: str) -> Identity:
    """A VAT number against a registration number: they can prove, not disprove."""
    pairs = ((theirs.vat, ours.registration), (theirs.registration, ours.vat))
    for vat, registration in pairs:
        contained, register = _register_in_vat(vat, country), compact_registration(registration, country)
        if contained and contained == register:
            return Identity.SAME
    return Identity.UNKNOWN


def _register_in_vat(vat: str, country: str) -> str:
    text = compact_vat(vat, country)
    if country == "FR":
        return text[-9:] if len(text) == 11 else ""
    return text.lstrip("0") if text.isdigit() else text


def _compare_texts(theirs: str, ours: str) -> Identity:
    if not theirs or not ours:
        return Identity.UNKNOWN
    return Identity.SAME if theirs == ours else Identity.DIFFERENT


def same_country(one: str, other: str) -> bool:
    """Whether companies of both are numbered by one register; a country that is not known may be any."""
    return not one or not other or _country(one) == _country(other)


def _country(code: str) -> str:
    code = code.strip().upper()
    return NUMBERED_BY.get(code, code)


def _bare(number: str) -> str:
    """Letters and digits, in capitals."""
    return "".join(char for char in number if char.isalnum()).upper()


def _is_number(text: str) -> bool:
    """Texts such as "none", "/" or "0" say that there is no number."""
    return any(char.isdigit() for char in text) and bool(text.strip("0"))
