"""Connector for Allianz Trade (formerly Euler Hermes): buyers, cover, payment overdues, over REST.

From the insurer's public documentation: how a token is had; that every write answers with a job, which is polled or
calls back, and then leads to its result; what the three kinds of payment overdues mean; the scale of grades. From
clients' code, which the insurer does not confirm: the addresses, bodies and answers of the company search and of
cover. ``AllianzTrade.unverified`` lists what nobody shows.

**Cover, exactly once.** Version 3 keeps no reference of ours, so no write is repeated by itself. After a lost answer
ask ``find_cover_request``: it finds the undecided request for the same company and policy, of which the insurer admits
only one, or, reading the portfolio, the cover that stands exactly as asked for, and so was decided at once. What it
cannot see is a request whose job has not begun, and one granted in part or refused at once. Repeating these doubles no
cover: a request is always for the total amount, and the insurer refuses a second one while the first is open. Leave a
few minutes between the loss and the question.

**Request ids** hold the insurer's job or cover id and what was asked for, so that any process can follow them.

**Reducing** is a request for a smaller total. Cancelling is not public and takes the file route, as do claims,
turnover and the policy.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import ClassVar

from .allianz_trade_buyers import (
    Company,
    candidate,
    identifiers,
    matching_body,
    read_companies,
    read_results,
    search_body,
)
from .allianz_trade_client import ENDPOINTS, Client
from .allianz_trade_codes import read_vocabulary
from .allianz_trade_desk import Desk
from .allianz_trade_limits import Limits, read_job_id
from .allianz_trade_overdues import Overdue, overdue_body, overdue_receipt, read_overdues
from .allianz_trade_policies import Policies
from .allianz_trade_settings import SETTINGS, read_callback
from .base import Insurer, Operation
from .connection import Connection, Endpoint, Environment, Setting
from .debts import InvoiceExtension, OverdueNotice, OverdueReceipt, RepaymentPlan
from .errors import ConfigurationError
from .jsondoc import Json
from .messages import (
    BuyerCandidate,
    BuyerQuery,
    Cover,
    CoverRequest,
    CoverRequestKind,
    CoverRequestState,
    Grade,
    Page,
    Unread,
)
from .reports import WakeUp


class AllianzTrade(Insurer):
    """Needs the credential ``api_key`` and the settings ``business_unit`` and ``currency``; the others are in
    ``allianz_trade_settings.py``."""

    code: ClassVar[str] = "allianz_trade"
    label: ClassVar[str] = "Allianz Trade"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    environments: ClassVar[frozenset[Environment]] = frozenset(Environment)
    endpoints: ClassVar[Mapping[str, Endpoint]] = ENDPOINTS
    unverified: ClassVar[tuple[str, ...]] = (
        "Addresses and bodies of the company search and of cover come from clients' code, not from the insurer.",
        "Not all codes of covers, decisions, requests and jobs are public; others stay raw until entered under codes.",
        "That our own customer numbers are kept as an identifier of a company, and the code of its type.",
        "Refusal codes, the form of error answers and the limit of calls are not public.",
        "How an answer tells currency, last day, requested amount, total and its explanation is assumed; see fields.",
        "Temporary amounts of version 2, their names and that they add to the permanent one, are assumed.",
        "Since when a grade holds is not public.",
        "The name of the callback's header and the body of the callback are not public.",
        "Path and body of payment overdues are our invention: enter the address and have them checked before use.",
        "Cancelling a cover, claims, turnover, documents and policy data have no public interface: file route.",
        "Version 2: its address in the test environment and the number of its first page are assumed.",
    )

    def __init__(self, connection: Connection) -> None:
        values = connection.check(self.code, self.settings)
        size, version = values["page_size"], values["api_version"]
        if version not in Limits.versions:
            raise ConfigurationError(f"there is no version {version}", insurer=self.code)
        if not size.isdecimal() or not 1 <= int(size) <= Limits.largest_page:
            raise ConfigurationError(f"entries per page run from 1 to {Limits.largest_page}", insurer=self.code)
        if values["minimum_score"] and not values["minimum_score"].isdecimal():
            raise ConfigurationError("the least likeness is a whole number", insurer=self.code)
        self._id_types = {name: values[f"{name}_type"] for name in ("vat", "registration", "own")}
        self.finds_own_references = bool(self._id_types["own"])
        self._minimum_score = values["minimum_score"]
        counts_temporary = values["temporary_amounts"] == "add"
        words = read_vocabulary(self.code, values["codes"], values["fields"], counts_temporary=counts_temporary)
        self._policies = Policies(
            self.code,
            values["policies"],
            extension_id=values["extension_id"],
            business_unit=values["business_unit"],
        )
        self._client = Client(self.code, connection, values)
        limits = Limits.versions[version]
        desk = Desk(
            self._client, self._policies, words, values["currency"].upper(), min(int(size), limits.largest_page)
        )
        self._limits = limits(desk)
        self._graded: tuple[dict[str, Grade], tuple[Unread, ...]] | None = None

    def close(self) -> None:
        self._client.close()

    @classmethod
    def read_wake_up(cls, headers: Mapping[str, str], body: bytes) -> WakeUp | None:
        return read_callback(body)

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """By the insurer's id; by numbers, where the codes of their types are entered; by name and address.

        The numbers of those found are read and compared with ours, which needs no codes.

        :raises ConfigurationError: there is only a number to search by, and its type has no code.
        """
        if query.buyer_id:
            listed = self._read_companies([query.buyer_id])
            return tuple(candidate(company, query, self._id_types) for company in listed.values())
        can_match = bool(identifiers(query, self._id_types))
        if not can_match and not query.name:
            raise ConfigurationError("enter the codes of identifier types to search by number", insurer=self.code)
        found: tuple[Company, ...] = ()
        if can_match:
            found = self._search("matching", matching_body(query, self._id_types, self._minimum_score))
        if not found and query.name:
            found = self._search("search", search_body(query))
        listed = self._read_companies([company.company_id for company in found])
        companies = {company.company_id: self._with_numbers(company, listed) for company in found}
        candidates = [candidate(company, query, self._id_types) for company in companies.values()]
        return tuple(sorted(candidates, key=lambda found: (-found.score, found.buyer_id)))

    def _search(self, endpoint: str, body: Json) -> tuple[Company, ...]:
        return self._client.ask("find_buyer", endpoint, body).read(read_results)

    def _read_companies(self, company_ids: list[str]) -> dict[str, Company]:
        if not company_ids:
            return {}
        wanted: list[Json] = [*company_ids]
        companies = self._client.ask("find_buyer", "companies", wanted).read(read_companies)
        return {company.company_id: company for company in companies if company.company_id in company_ids}

    def _with_numbers(self, company: Company, listed: Mapping[str, Company]) -> Company:
        detailed = listed.get(company.company_id)
        return replace(company, identifiers=detailed.identifiers) if detailed else company

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        """The grades of grade covers, which stand in the portfolio: all of it is read, once per connection, for the
        policies of the settings. Company data show no grade in public, and version 2 shows none at all.

        :raises ConfigurationError: the settings name no policy.
        """
        return self.grade_page(buyer_ids).whole().items

    def grade_page(self, buyer_ids: Iterable[str]) -> Page[Grade]:
        if not self._policies.listed:
            raise ConfigurationError("enter the policies under which grades are read", insurer=self.code)
        if self._graded is None:
            pages = [page for number in self._policies.listed for page in self._grades_of(number)]
            grades = {grade.buyer_id: grade for page in pages for grade in page.items}
            self._graded = grades, tuple(entry for page in pages for entry in page.unread)
        grades, unread = self._graded
        wanted = dict.fromkeys(buyer_ids)
        of_these = tuple(entry for entry in unread if not entry.buyer_id or entry.buyer_id in wanted)
        return Page(tuple(grades[key] for key in wanted if key in grades), unread=of_these)

    def _grades_of(self, number: str) -> Iterator[Page[Grade]]:
        token: str | None = None
        while True:
            page = self._limits.grade_page(Operation.GRADES, number, token)
            yield page
            token = page.next_token
            if token is None:
                return

    def grade_changes(self, policy_number: str, since: date, token: str | None = None) -> Page[Grade]:
        """All grades under the policy, changed or not: the insurer does not tell since when they hold."""
        return self._limits.grade_page(Operation.GRADE_CHANGES, policy_number, token)

    # --- Cover --------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, token: str | None = None) -> Page[Cover]:
        return self._limits.cover_page(policy_number, token)

    def request_cover(self, request: CoverRequest) -> CoverRequestState:
        """:raises NotSupported: to cancel, and a product that this version of the interface does not show."""
        if request.kind is CoverRequestKind.CANCEL or request.product not in self._limits.products:
            raise self._not_supported(Operation.REQUEST_COVER)
        return self._limits.request(request)

    def find_cover_request(self, request: CoverRequest) -> CoverRequestState | None:
        return self._limits.find(request)

    def cover_request_state(self, request_id: str) -> CoverRequestState:
        return self._limits.state(request_id)

    def cover_request_page(self, policy_number: str, token: str | None = None) -> Page[CoverRequestState]:
        return self._limits.pending_page(policy_number, token)

    # --- Payment overdues -----------------------------------------------------------------------------------------

    def notify_overdue(self, notice: OverdueNotice) -> OverdueReceipt:
        return self._report(Operation.NOTIFY_OVERDUE, notice)

    def find_overdue_notice(self, notice: OverdueNotice) -> OverdueReceipt | None:
        return self._find_report(Operation.FIND_OVERDUE_NOTICE, notice)

    def extend_invoice(self, extension: InvoiceExtension) -> OverdueReceipt:
        return self._report(Operation.EXTEND_INVOICE, extension)

    def find_extension(self, extension: InvoiceExtension) -> OverdueReceipt | None:
        return self._find_report(Operation.FIND_EXTENSION, extension)

    def report_repayment_plan(self, plan: RepaymentPlan) -> OverdueReceipt:
        return self._report(Operation.REPORT_REPAYMENT_PLAN, plan)

    def find_repayment_plan(self, plan: RepaymentPlan) -> OverdueReceipt | None:
        return self._find_report(Operation.FIND_REPAYMENT_PLAN, plan)

    def _report(self, operation: Operation, message: Overdue) -> OverdueReceipt:
        part = self._policies.parts(message.policy_number)[0]
        answer = self._client.write(operation, "overdues", overdue_body(message, part))
        return overdue_receipt(read_job_id(answer), message, self._client.now())

    def _find_report(self, operation: Operation, message: Overdue) -> OverdueReceipt | None:
        answer = self._client.get(operation, "overdues", {"customerReference": message.reference})
        return answer.read(lambda node: read_overdues(node, message))
