"""Connector for SINOSURE's SOL EDI (信保通): a server that the insurer supplies inside the policyholder's network.

Facts are from classes generated from the insurer's WSDL and from clients' code; ``unverified`` names what is not.
``sinosure_soap.py`` speaks the web service, ``sinosure_gateway.py`` the newer JSON gateway of the same server; the
methods and fields are the same. Neither carries credentials. An ``http`` address is admitted.

* What is sent carries a ``corpSerialNo`` made of our reference. A repeat is ignored, unless the insurer returned the
  first one; so every order may be repeated, and its number is what we take for the insurer's where it gives none.
* Orders are not answered. What became of them is asked for by spans of time (``sinosure_windows.py``).
* At most 50 calls an hour of each method and 1,000 records a call. ``rates`` says so by method: calls are recorded
  under the name of the method.
* Limits are in one currency that no answer names: a setting.

A limit may be given back (a request to cancel), which has no amount: a reduction takes the file route, as do
extensions, repayment plans, collection and the declaration of turnover. The contract itself cannot be asked for.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from .base import Operation
from .connection import Connection
from .countries import THREE_LETTERS
from .jsondoc import ShapeError
from .matching import is_ours, rank
from .messages import (
    BuyerCandidate,
    BuyerQuery,
    CoverProduct,
    CoverRequest,
    CoverRequestKind,
    CoverRequestState,
    Grade,
    Page,
    PaymentMethod,
    RequestStatus,
    Unread,
)
from .sinosure_calls import APPLICATIONS, BUYER_CODES, GIVEN_BACK, QUOTAS, RATINGS, check_nothing_open
from .sinosure_codes import PAY_MODES, serial
from .sinosure_covers import SinosureCovers
from .sinosure_reading import (
    Decision,
    Verdict,
    candidate,
    decision,
    graded,
    grades,
    granted,
    request_status,
)
from .sinosure_wire import Fields, Row

LIKELY = 50  # the least likeness of a buyer that is proposed


class Sinosure(SinosureCovers):
    """SINOSURE's server in the policyholder's network. Needs its address and the setting ``client_no``."""

    finds_own_references = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._buyers: dict[str, BuyerCandidate] | None = None
        self._own_numbers: dict[str, str] | None = None
        self._unread_buyers: list[Unread] = []
        self._unread_limits: list[Unread] = []

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """The interface has no search: looked at are the buyers whose codes were given to us in ``history_days``, and
        for our own number of a buyer the limits of that time, which a connection asks for once.

        :raises UnexpectedResponse: none is likely, and one that cannot be read may be the one.
        """
        if self._buyers is None:
            self._buyers = self._known_buyers()
        found = self._with_own_numbers(self._buyers) if query.own_reference else self._buyers
        if query.buyer_id in found:
            return (replace(found[query.buyer_id], score=100),)
        known = [buyer for buyer in found.values() if buyer.name or is_ours(query, buyer)]
        scored = (replace(each.candidate, score=each.score) for each in rank(query, known))
        likely = tuple(each for each in scored if each.score >= LIKELY)
        if not likely:
            unread = self._unread_buyers + (self._unread_limits if query.own_reference else [])
            check_nothing_open(unread)
        return likely

    def _known_buyers(self) -> dict[str, BuyerCandidate]:
        found: dict[str, BuyerCandidate] = {}
        for window in self._whole_list(self._terms.history_days):
            for _told, buyer in self._told(BUYER_CODES, window, "", _candidate, self._unread_buyers):
                if buyer:
                    found.setdefault(buyer.buyer_id, buyer)
        return found

    def _with_own_numbers(self, buyers: dict[str, BuyerCandidate]) -> dict[str, BuyerCandidate]:
        """The buyers with our own number of each; of one that only its limit names there is nothing more to say."""
        if self._own_numbers is None:
            spans = self._whole_list(self._terms.history_days)
            policy, unread = self._terms.policy_no, self._unread_limits
            told = [each for span in spans for each in self._told(QUOTAS, span, policy, _own_number, unread)]
            told.sort(key=lambda each: each[0].moment)
            self._own_numbers = {number: own for _told, (number, own) in told if number and own}
        named = {number: buyers.get(number) or BuyerCandidate(number, "", "", 0) for number in self._own_numbers}
        return buyers | {number: replace(named[number], own_reference=own) for number, own in self._own_numbers.items()}

    def request_buyer_number(self, reference: str, policy_number: str, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """Of a foreign buyer SINOSURE wants name and address. A Chinese one needs a number of its area, which we do
        not have: file route."""
        wanted = serial(reference)
        told = self._decision(BUYER_CODES, "", wanted)
        if told:
            buyer = self._read(_candidate, told)
            if buyer:
                return (replace(buyer, score=100),)
            if told.verdict is Verdict.REFUSED:
                raise self._rejected(told)
        if query.country.upper() == "CN":
            raise self._not_supported(Operation.REQUEST_BUYER_NUMBER)
        address = ", ".join(filter(None, [query.street, f"{query.postal_code} {query.city}".strip()]))
        if not query.name or not address:
            self._refuse("SINOSURE wants the buyer's English name and address")
        row: Fields = {
            **self._sender(wanted, policy_number),
            "countryCode": THREE_LETTERS.get(query.country.upper(), query.country.upper()),
            "engName": query.name,
            "engAddress": address,
            "regNo": query.registration_number or query.vat_number,
            "applyTime": self._now(),
        }
        self._send("doEdiBuyerCodeApply", "buyerCodeApplyInfoList", "BuyerCodeApplyInfo", [row])
        return ()

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        """The last ratings of ``history_days``; one buyer is asked for by its code, several by asking for all."""
        return self.grade_page(buyer_ids).whole().items

    def grade_page(self, buyer_ids: Iterable[str]) -> Page[Grade]:
        wanted = set(buyer_ids)
        if not wanted:
            return Page(())
        buyer = next(iter(wanted)) if len(wanted) == 1 else ""
        found = self._ratings(self._terms.policy_no, buyer, self._terms.history_days)
        unread = tuple(entry for entry in found.unread if not entry.buyer_id or entry.buyer_id in wanted)
        return Page(tuple(grade for grade in found.items if grade.buyer_id in wanted), unread=unread)

    def grade_changes(self, policy_number: str, since: date, token: str | None = None) -> Page[Grade]:
        """All on one page, and none from before ``history_days``."""
        days = max(1, (self._today() - since).days)
        found = self._ratings(policy_number, "", min(days, self._terms.history_days))
        recent = (grade for grade in found.items if grade.graded_on is None or grade.graded_on >= since)
        return Page(tuple(recent), unread=found.unread)

    def _ratings(self, policy: str, buyer: str, days: int) -> Page[Grade]:
        """Without the grades of a buyer one of whose ratings cannot be read: it may be the last one."""
        rows = [row for window in self._whole_list(days) for row in self._ask(RATINGS, window, policy, buyer)]
        unread: list[Unread] = []
        found = grades(self._read_each(rows, graded, unread))
        lost = {entry.buyer_id for entry in unread}
        return Page(tuple(grade for grade in found if grade.buyer_id not in lost), unread=tuple(unread))

    # --- Requests for cover -------------------------------------------------------------------------------------

    def request_cover(self, request: CoverRequest) -> CoverRequestState:
        if request.kind is CoverRequestKind.CANCEL:
            return self._give_back(request)
        if request.kind is CoverRequestKind.REDUCE or request.product is not CoverProduct.CREDIT_LIMIT:
            raise self._not_supported(Operation.REQUEST_COVER)
        self._check_currency(request.currency)
        credit = request.payment_method is PaymentMethod.LETTER_OF_CREDIT
        row: dict[str, str | int | Decimal | datetime | None] = {
            **self._sender(serial(request.reference), request.policy_number),
            "sinosureBuyerNo": request.buyer_id,
            "corpBuyerNo": request.own_reference,
            "payTermApply": request.payment_term_days,
            "quotaSumApply": request.amount,
            "orderSum": request.orders,
            "armSum": request.receivables,
            "remark": request.comment,
            "declaration": "1",
            "applicant": self._terms.raw["applicant"],
            "applyTime": self._now(),
        }
        if credit:
            row.pop("orderSum"), row.pop("armSum")
            self._send("doEdiLcQuotaApplyV2", "lcQuotaList", "LcQuotaApplyInfoV2", [row])
        else:
            row["contractPayMode"] = PAY_MODES[request.payment_method]
            self._send("doEdiNoLcQuotaApplyV2", "noLcQuotaList", "NoLcQuotaApplyInfoV2", [row])
        return self._sent(request)

    def _give_back(self, request: CoverRequest) -> CoverRequestState:
        if not request.cover_id:
            self._refuse("a limit is given back by its number, which is not known")
        row: Fields = {
            "corpAlterSerialNo": serial(request.reference),
            "clientNo": self._terms.client_no,
            "policyNo": request.policy_number,
            "bizbuyerno": request.buyer_id,
            "buyerQuotaNo": request.cover_id,
            "beBackReason": request.comment,
            "applicantName": self._terms.raw["applicant"],
            "applyTime": self._now(),
        }
        self._send("doQuota_BackApply", "quotaApplyBackInfoList", "QuotaApplyBackInfo", [row])
        return self._sent(request)

    def _sent(self, request: CoverRequest) -> CoverRequestState:
        return CoverRequestState(
            request_id=serial(request.reference),
            reference=request.reference,
            status=RequestStatus.PENDING,
            raw_code="",
            received_at=self._now(),
            currency=request.currency,
            buyer_id=request.buyer_id,
        )

    def find_cover_request(self, request: CoverRequest) -> CoverRequestState | None:
        wanted = serial(request.reference)
        if request.kind is CoverRequestKind.CANCEL:
            found = self._given_back_state(wanted, request.policy_number)
        else:
            found = self._quota_state(wanted, request.policy_number, request.amount)
        return replace(found, reference=request.reference) if found else None

    def cover_request_state(self, request_id: str) -> CoverRequestState:
        """``request_id`` is our corpSerialNo. ``UNKNOWN``: SINOSURE lists neither the application nor an answer."""
        policy = self._terms.policy_no
        found = self._quota_state(request_id, policy, None) or self._given_back_state(request_id, policy)
        words = f"neither applied for nor answered in the last {self._terms.decision_days} days"
        return found or CoverRequestState(request_id, request_id, RequestStatus.UNKNOWN, "", self._now(), words=words)

    def cover_request_page(self, policy_number: str, token: str | None = None) -> Page[CoverRequestState]:
        """All on one page: the applications of ``decision_days`` that were not answered since."""
        spans = self._whole_list(self._terms.decision_days)
        rows = [row for window in spans for row in self._ask(APPLICATIONS, window, policy_number)]
        unread: list[Unread] = []
        told = {
            each.serial
            for window in spans
            for each in self._read_each(
                self._ask(QUOTAS, window, policy_number), partial(decision, asked_from=window.start), unread
            )
            if each.verdict is not Verdict.DUPLICATE
        }
        states = self._read_each(rows, self._applied, unread)
        decided = (RequestStatus.APPROVED, RequestStatus.PARTIAL, RequestStatus.REFUSED, RequestStatus.CANCELLED)
        waiting = {
            each.request_id: each for each in states if each.status not in decided and each.request_id not in told
        }
        return Page(tuple(waiting.values()), None, len(waiting), tuple(unread))

    def _applied(self, row: Row) -> CoverRequestState:
        return self._state(row.identifier("corpserialno"), row, None, None)

    def _quota_state(self, wanted: str, policy: str, asked: Decimal | None) -> CoverRequestState | None:
        application = self._record(APPLICATIONS, policy, wanted)
        told = self._decision(QUOTAS, policy, wanted)
        if application is None and told is None:
            return None
        return self._read(lambda: self._state(wanted, application, told, asked))

    def _state(
        self, wanted: str, application: Row | None, told: Decision | None, asked: Decimal | None
    ) -> CoverRequestState:
        if told is not None:
            return self._answered(wanted, application, told, asked)
        if application is None:
            raise ShapeError("corpserialno", "neither an application nor an answer")
        raw = application.text("quotastate")
        return CoverRequestState(
            request_id=wanted,
            reference=wanted,
            status=self._terms.application_states.get(raw, RequestStatus.PENDING),
            raw_code=raw,
            received_at=application.moment("applydate") or self._now(),
            currency=self._terms.currency,
            buyer_id=application.text("sinosurebuyerno"),
        )

    def _answered(
        self, wanted: str, application: Row | None, told: Decision, asked: Decimal | None
    ) -> CoverRequestState:
        applied = application.moment("applydate") if application else None
        quota = granted(told)
        amount = quota.amount("quotaSum") if quota else None
        asked = asked or (application.amount("quotasumapply") if application else None)
        return CoverRequestState(
            request_id=wanted,
            reference=wanted,
            status=request_status(told, amount, asked),
            raw_code=told.code or told.raw,
            received_at=applied or told.moment,
            decided_on=told.moment.astimezone(self._terms.zone).date(),
            amount=amount,
            currency=self._terms.currency,
            words=told.words or (quota.text("adjustreason") if quota else ""),
            duplicate=told.verdict is Verdict.DUPLICATE,
            buyer_id=quota.text("buyerNo") if quota else "",
            cover_id=quota.text("quotaNo") if quota else "",
        )

    def _given_back_state(self, wanted: str, policy: str) -> CoverRequestState | None:
        told = self._decision(GIVEN_BACK, policy, wanted)
        if told is None:
            return None
        return CoverRequestState(
            request_id=wanted,
            reference=wanted,
            status=request_status(told, None, None),
            raw_code=told.code or told.raw,
            received_at=told.moment,
            decided_on=told.moment.astimezone(self._terms.zone).date(),
            words=told.words,
            duplicate=told.verdict is Verdict.DUPLICATE,
            cover_id=self._read(told.row.text, "buyerquotano"),
        )


def _candidate(told: Decision) -> BuyerCandidate | None:
    """The buyer of an approval; one that was there already may come with it, too."""
    buyer = told.row.record("buyerInfo") if told.verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE) else None
    return candidate(buyer, 0) if buyer and buyer.text("buyerNo") else None


def _own_number(told: Decision) -> tuple[str, str]:
    """SINOSURE's number of a buyer and our own, as the approval of a limit tells them."""
    quota = granted(told)
    return (quota.text("buyerNo"), quota.text("corpBuyerNo")) if quota else ("", "")
