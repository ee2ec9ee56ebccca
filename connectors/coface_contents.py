"""What Coface delivers: assessments as JSON, reports as JSON or XML. Pure.

[Insurer's public documentation, with schemas and samples.] The debtor risk assessment runs from 10, best, to 0, in
default. A credit opinion has a rating ``X``, ``@`` to ``@@@@`` or ``NA``, and an amount; a sample shows another rating,
so that all of them stay as sent. Reports carry their figures as texts, amounts with spaces between thousands and days
in both orders, month first and day first: a day that can be read in two ways is not read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .jsondoc import Node, ShapeError
from .messages import Grade
from .xmldoc import XmlNode

SCALE = "COFACE-DRA"  # 10 best to 0 in default; comes as a text
MEDIA_TYPES = {"xml": "application/xml", "json": "application/json", "pdf": "application/pdf", "html": "text/html"}


@dataclass(frozen=True, slots=True)
class Content:
    """What a delivery says; ``grade`` is the rating of an opinion, or the assessment where there is no opinion."""

    grade: str = ""
    amount: Decimal | None = None
    currency: str = ""
    issued_on: date | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    slug: str
    company_id: str
    risk: str
    rating: str
    amount: Decimal | None
    currency: str
    released_on: date | None
    is_current: bool | None
    words: str


# --- Assessments ------------------------------------------------------------------------------------------------------


def read_assessments(node: Node) -> tuple[Assessment, ...]:
    """One assessment, or a list: the current one with those before it."""
    found = tuple(_assessment(item) for item in (node.items() if isinstance(node.value, list) else [node]))
    if not found:
        raise ShapeError(node.path or "assessmentSlug", "the delivery holds no assessment")
    return found


def _assessment(node: Node) -> Assessment:
    credit = node["maxCreditAmount"]
    amount = credit.optional(lambda value: value["value"].optional(Node.amount))
    return Assessment(
        slug=node["assessmentSlug"].optional(Node.identifier) or "",
        company_id=node["companyId"].optional(Node.identifier) or "",
        risk=node["debtorRiskValue"].optional(Node.identifier) or "",
        rating=node["rating"].optional(Node.identifier) or "",
        amount=amount,
        currency=credit["currency"].currency() if amount is not None else "",
        released_on=node["releaseDate"].optional(day),
        is_current=node["isCurrent"].optional(Node.boolean),
        words="; ".join(filter(None, (*_described(node), *_motives(node)))),
    )


def _described(node: Node) -> tuple[str, ...]:
    listed = node["descriptions"].optional(lambda value: tuple(value.items())) or ()
    return tuple(item["full"].optional(Node.text) or "" for item in listed)


def _motives(node: Node) -> tuple[str, ...]:
    listed = node["decisionDetails"].optional(lambda value: tuple(value.items())) or ()
    return tuple(": ".join(filter(None, (item["code"].identifier(), *_described(item)))) for item in listed)


def current(found: tuple[Assessment, ...]) -> Assessment:
    """The one marked as current, else the newest."""
    marked = [each for each in found if each.is_current]
    return marked[0] if marked else max(found, key=lambda each: each.released_on or date.min)


def read_grade(node: Node, buyer_id: str) -> Grade:
    """The debtor risk assessment of a company and, where it comes with its history, the one before.

    :raises ShapeError: it is about another company, or about something else.
    """
    found = read_assessments(node)
    now = current(found)
    if now.company_id and "/" not in buyer_id and now.company_id != buyer_id:
        raise ShapeError("companyId", f"the answer is about {now.company_id!r}, asked was {buyer_id!r}")
    if not now.risk:
        raise ShapeError("debtorRiskValue", f"{now.slug!r} tells no debtor risk")
    former = [each for each in found if each is not now and each.risk and each.released_on]
    before = max(former, key=lambda each: each.released_on or date.min, default=None)
    return Grade(buyer_id, now.risk, SCALE, now.released_on, before.risk if before else None)


# --- Reports ----------------------------------------------------------------------------------------------------------


def read_json(node: Node) -> Content:
    if isinstance(node.value, dict) and "icon" in node.value:
        results = node["icon"]["orderResults"]
        return results.optional(lambda value: _results(lambda name: _text(value[name]))) or Content()
    now = current(read_assessments(node))
    return Content(now.rating or now.risk, now.amount, now.currency, now.released_on, now.words)


def read_xml(root: XmlNode) -> Content:
    """``<ICON VERSION><ORDERRESULTS>``; another document is kept without being read."""
    results = root["ORDERRESULTS"]
    if root.name != "ICON" or results.element is None:
        return Content()
    return _results(lambda name: _xml_text(results[XML_NAMES.get(name, name.upper())]))


XML_NAMES = {"decisionStatus": "DECISION_STATUS"}
Found = tuple[str, str]  # text, path


def _text(node: Node) -> Found:
    return node.optional(Node.text) or "", node.path


def _xml_text(node: XmlNode) -> Found:
    return node.optional(XmlNode.text) or "", node.path


def _results(find: Callable[[str], Found]) -> Content:
    """The figures of a report; the names are those of its JSON form, in XML in capitals."""
    text = {name: find(name)[0].strip() for name in NAMES}
    value = find("coValue") if text["coValue"] else find("aoFinalValue")
    amount = _amount(*value) if value[0].strip() else None
    days = (_either_order(text[name]) for name in ("calculatedOn", "scoreCalculatedOn"))
    codes = text["motivationCodes"] or text["coRefusalCodes"]
    labels = (text["motivationLabels"] or text["coRefusalText"]).strip(" -")
    words = (text["draDescription"], text["decisionStatus"], ": ".join(filter(None, (codes, labels))))
    return Content(
        grade=text["coRating"] or text["dra"],
        amount=amount,
        currency=text["currency"] if amount is not None else "",
        issued_on=next(filter(None, days), None),
        words="; ".join(filter(None, words)),
    )


NAMES = (
    *("dra", "draDescription", "coRating", "coValue", "aoFinalValue", "currency", "calculatedOn", "scoreCalculatedOn"),
    *("motivationCodes", "motivationLabels", "coRefusalCodes", "coRefusalText", "decisionStatus"),
)


def _amount(text: str, path: str) -> Decimal:
    return Node(re.sub(r"\s", "", text), path).amount()


def _either_order(text: str) -> date | None:
    """``05/27/2025`` or ``30/12/2022``; nothing for ``10/06/2025``, which may be both."""
    parts = re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", text)
    if not parts:
        return None
    first, second, year = (int(part) for part in parts.groups())
    readings = set()
    for month, day_of_month in ((first, second), (second, first)):
        try:
            readings.add(date(year, month, day_of_month))
        except ValueError:
            continue
    return readings.pop() if len(readings) == 1 else None


def day(node: Node) -> date:
    """``2022-12-30``, alone or at the beginning of an instant, or ``20221230``: samples show all of them."""
    text = node.identifier()
    if re.fullmatch(r"[0-9]{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return Node(text[:10] if text[10:11] == "T" else text, node.path).date()
