"""The documents of Coface's interfaces, out of the book.

The book's grades run from 1, best, to 10; Coface's debtor risk from 10, best, to 0, in default. Invented: how likely
a default is by grade beyond the samples', the amounts at which an opinion gets one ``@`` more, and that a buyer's own
number serves as id, ``icon`` and ``easy``.
"""

import json
from decimal import Decimal
from typing import Any

from lxml import etree

from .book import Book
from .store import Row
from .submissions import number

DEFAULT_RISK = (100.0, 25.0, 12.0, 4.0, 2.0, 1.3, 0.7, 0.4, 0.2, 0.1, 0.05)  # in per cent, by debtor risk
AMOUNTS = (Decimal(10_000), Decimal(20_000), Decimal(50_000))  # of @@, @@@ and @@@@
STATUS = {"ORDERED": "in-preparation", "DELIVERED": "ready", "REFUSED": "cancelled"}
DEBTOR_RISK = ("debtor-risk-assessment", "debtor-risk-assessment-package")
OPINIONS = ("credit-opinion", "advanced-opinion")
SHEET = ("monitDRAValue", "monitDRAChangesOldValue", "monitDRAProbabilityOfDefaultNewVal", "monitProductCurrency")


def company(buyer: Row) -> Row:
    numbers = {
        "easy": buyer["buyer_id"].rjust(14, "0"),
        "icon": buyer["buyer_id"],
        "vat-number": buyer["vat_number"],
        "registration-number": buyer["registration_number"],
    }
    return {
        "id": buyer["buyer_id"],
        "name": buyer["name"],
        "countryCode": buyer["country"],
        "address": {
            "address1": buyer["street"],
            "postalCode": buyer["postal_code"],
            "city": buyer["city"],
            "countryCode": buyer["country"],
        },
        "externalIds": [{"id": value, "repositorySlug": name} for name, value in numbers.items() if value],
    }


def debtor_risk(grade: str) -> str:
    """A grade of the book on Coface's scale; what is no number stays as it is."""
    return str(max(0, min(10, 11 - int(grade)))) if grade.isascii() and grade.isdigit() else grade


class Shapes:
    def __init__(self, book: Book) -> None:
        self._book = book

    # --- Orders -------------------------------------------------------------------------------------------------

    def order(self, submission: Row) -> Row:
        body = json.loads(submission["body"])
        status = STATUS.get(submission["status"], submission["status"])
        return {
            "id": number(submission),
            "companyId": body["buyerId"],
            "orderDate": submission["received_at"],
            "customerReference": body["customerReference"],
            "status": status,
            "publications": [
                {
                    "deliveryId": delivery_id(submission, index),
                    "href": f"/publications/{delivery_id(submission, index)}",
                    "assessmentSlug": product["slug"],
                    "status": status,
                }
                for index, product in enumerate(body["products"])
            ],
        }

    def watches(self, submission: Row) -> list[Row]:
        body = json.loads(submission["body"])
        return [
            {
                "id": delivery_id(submission, index),
                "initialDeliveryId": delivery_id(submission, index),
                "companyId": body["buyerId"],
                "customerReference": body["customerReference"],
                "assessmentSlug": slug,
                "startDate": body["startsOn"],
                "endDate": body["endsOn"],
                "status": "monitoring_active",
            }
            for index, slug in enumerate(body["slugs"])
        ]

    # --- Contents -----------------------------------------------------------------------------------------------

    def assessments(self, buyer_id: str, slug: str, currency: str) -> list[Row]:
        if slug in OPINIONS:
            return [self._opinion(buyer_id, slug, currency)]
        grades = self._book.grades(buyer_id)
        wanted = grades if slug.endswith("-package") else grades[:1]
        return [self._assessment(buyer_id, slug, grade, index == 0) for index, grade in enumerate(wanted)]

    def _assessment(self, buyer_id: str, slug: str, grade: Row, is_current: bool) -> Row:
        value = debtor_risk(grade["value"])
        shape: Row = {
            "releaseDate": grade["graded_on"],
            "isCurrent": is_current,
            "assessmentSlug": slug,
            "companyId": buyer_id,
            "debtorRiskValue": value,
            "descriptions": [
                {"label": "Debtor Risk Assessment (DRA)", "full": f"{value}/10", "language": "en", "short": "DRA"}
            ],
        }
        if is_current and value.isdigit():
            shape["probabilityOfDefault"] = DEFAULT_RISK[int(value)]
        return shape

    def _opinion(self, buyer_id: str, slug: str, currency: str) -> Row:
        rating, amount, currency = self.opinion(buyer_id, currency)
        motive = {"label": "Refusal Motivation", "short": "", "full": "No credit can be recommended", "language": "en"}
        return {
            "releaseDate": self._book.today().isoformat(),
            "isCurrent": True,
            "assessmentSlug": slug,
            "companyId": buyer_id,
            "rating": rating,
            "maxCreditAmount": {"currency": currency, "value": float(amount)},
            "decisionDetails": [] if amount else [{"code": "EA04", "descriptions": [motive]}],
        }

    def opinion(self, buyer_id: str, currency: str) -> tuple[str, Decimal, str]:
        """Rating, amount and currency: of the buyer's cover."""
        cover = self._book.store.row("SELECT * FROM cover WHERE buyer_id = ? ORDER BY id", buyer_id)
        amount = Decimal(cover["amount"] or 0) if cover else Decimal(0)
        rating = "@" * (1 + sum(amount >= limit for limit in AMOUNTS)) if amount else "X"
        return rating, amount, cover["currency"] if cover else currency

    def report(self, submission: Row, form: str, currency: str) -> tuple[bytes, str]:
        """The report of an order, with its media type."""
        results = self._results(submission, currency)
        if form == "json":
            document = {"icon": {"version": "2.0.0", "orderResults": results}}
            return json.dumps(document, ensure_ascii=False).encode(), "application/json"
        root = etree.Element("ICON", VERSION="2.0.0")
        lines = etree.SubElement(root, "ORDERRESULTS")
        for name, value in results.items():
            etree.SubElement(lines, name.upper()).text = value
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True), "application/xml"

    def _results(self, submission: Row, currency: str) -> dict[str, str]:
        buyer_id = json.loads(submission["body"])["buyerId"]
        grades = self._book.grades(buyer_id)
        value = debtor_risk(grades[0]["value"]) if grades else ""
        rating, amount, currency = self.opinion(buyer_id, currency)
        return {
            "orderId": str(submission["id"]),
            "scoreCalculatedOn": self._book.today().strftime("%m/%d/%Y"),
            "iconCompanyNo": buyer_id,
            "dra": value,
            "draDescription": f"{value}/10" if value else "",
            "coRating": rating,
            "coValue": f"{amount:,.0f}".replace(",", " "),
            "currency": currency,
        }

    # --- Notifications ------------------------------------------------------------------------------------------

    def notice(self, event: Row) -> Row:
        watch = self.watch_of(event["buyer_id"])
        is_grade = event["kind"] == "GRADE_CHANGED"
        update: Row = {} if watch else {"companyId": event["buyer_id"]}
        return {
            "id": f"N{event['id']:06d}",
            "monitoringId": watch["id"] if watch else None,
            "deliveryDate": event["happened_on"],
            "format": "json",
            "language": "en",
            "channelDelivery": "API",
            "publicationUpdates": {**update, **({"assessmentSlug": DEBTOR_RISK[0]} if is_grade else {})},
        }

    def content(self, event: Row) -> Any:
        """The new assessment; for anything else a sheet."""
        if event["kind"] == "GRADE_CHANGED":
            return self.assessments(event["buyer_id"], DEBTOR_RISK[0], "EUR")
        return {
            "monitTitle": event["words"] or event["kind"],
            "monitReleaseDate": event["happened_on"],
            "monitDetailsProduct": event["kind"],
            "monitCpDetailsICONNo": event["buyer_id"],
            "isUrbaOrder": False,
            **dict.fromkeys(SHEET, ""),
        }

    def watch_of(self, buyer_id: str) -> Row | None:
        row = self._book.store.row(
            "SELECT * FROM submission WHERE kind = 'monitoring' AND json_extract(body, '$.buyerId') = ?"
            " AND json_extract(body, '$.slugs') IS NOT NULL ORDER BY id DESC",
            buyer_id,
        )
        return self.watches(row)[0] if row else None


def delivery_id(submission: Row, index: int) -> str:
    return f"{number(submission)}-{index + 1}"
