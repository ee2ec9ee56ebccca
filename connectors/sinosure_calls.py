"""Asking SINOSURE over spans of time, and sending records to it: what the parts of the connector share."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, NoReturn, ParamSpec, TypeVar

from .base import Insurer, Operation
from .connection import Connection, Endpoint, Environment, Rate, Setting
from .errors import ConfigurationError, ConnectorError, RejectedByInsurer, UnexpectedResponse
from .jsondoc import ShapeError, shorten
from .messages import Page, Unread
from .sinosure_codes import CALLS_PER_HOUR, DUPLICATE, HOUR, ROWS_PER_CALL, SETTINGS, UNVERIFIED, Terms
from .sinosure_gateway import GatewayWire
from .sinosure_reading import Decision, Verdict, decision, named
from .sinosure_soap import SoapWire
from .sinosure_windows import Window, windows
from .sinosure_wire import ENDPOINTS, FEEDBACK, Fields, Parameters, Records, Row, Scalar, is_too_many_rows

Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")
WIRES = {"soap": SoapWire, "gateway": GatewayWire}
WINDOWS_PER_LIST = 40  # spans that a whole list may need, which leaves some of an hour's calls for other questions


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a span of time: its method, the type of the records it gives, and its parameters in the order
    of the method, in which ``start`` and ``end`` stand for the span and ``policy`` and ``client`` for the numbers."""

    method: str
    item: str
    parameters: Mapping[str, str]
    as_text: bool = False  # times as texts


def _question(method: str, item: str, parameters: str, *, as_text: bool = False) -> Question:
    pairs = (part.split("=") for part in parameters.split())
    return Question(method, item, {name: meaning for name, meaning in pairs}, as_text)


_POLICY_SPAN = "policyNo=policy startDate=start endDate=end"
BUYER_CODES = _question("doEdiBuyerCodeApprove", "BuyerCodeApproveInfo", "startDate=start endDate=end")
APPLICATIONS = _question(
    "getEdiQuotaapplys", "QuotaInfo", "clientno=client policyno=policy startdate=start enddate=end quotastate=nothing"
)
QUOTAS = _question("getEdiQuotaApproveInfo", "QuotaApproveInfo", _POLICY_SPAN)
GIVEN_BACK = _question("getEdiQuotaBackApproveInfo", "QuotaBackApproveInfo", _POLICY_SPAN)
RATINGS = _question(
    "getEdiRatingApproveInfo", "RatingInfo", "buyerCode=buyer policyno=policy startDate=start endDate=end"
)
REPORTS = _question(
    "getEdiCreditReportApprove", "CreditReportApprove", "clientno=client startTime=start endTime=end", as_text=True
)
SHIPMENTS = _question("getEdiShipmentApproveInfo", "ShipmentApproveInfo", _POLICY_SPAN)
RECEIPTS = _question("getEdiReceiptApproveInfo", "ReceiptApproveInfo", _POLICY_SPAN)
NOTICES = _question("getEdiPlnoticeApproveInfo", "PlnoticeApproveInfo", _POLICY_SPAN)
CLAIMS = _question("getEdiClaimApproveInfo", "ClaimApproveInfo", _POLICY_SPAN, as_text=True)


class SinosureCalls(Insurer):
    """One connection, and how its questions and orders are put."""

    code: ClassVar[str] = "sinosure"
    label: ClassVar[str] = "SINOSURE"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    endpoints: ClassVar[Mapping[str, Endpoint]] = ENDPOINTS
    environments: ClassVar[frozenset[Environment]] = frozenset()
    rates: ClassVar[tuple[Rate, ...]] = (Rate(CALLS_PER_HOUR, HOUR),)
    unverified: ClassVar[tuple[str, ...]] = UNVERIFIED
    recognises: ClassVar[frozenset[Operation]] = frozenset(
        {
            Operation.REQUEST_COVER,
            Operation.NOTIFY_OVERDUE,
            Operation.DECLARE_SHIPMENTS,
            Operation.DECLARE_RECEIPTS,
            Operation.SUBMIT_CLAIM,
            Operation.ADD_DOCUMENT,
            Operation.ORDER_REPORT,
        }
    )

    def __init__(self, connection: Connection) -> None:
        values = connection.check(self.code, self.settings)
        self._terms = Terms.read(self.code, values)
        if values["transport"] not in WIRES:
            raise ConfigurationError(f"Format: {values['transport']!r} is neither soap nor gateway", insurer=self.code)
        self._wire = WIRES[values["transport"]](self.code, connection, self._terms.zone)

    def close(self) -> None:
        self._wire.close()

    # --- Time ---------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return self._wire.transport.hooks.now()

    def _today(self) -> date:
        """The day at SINOSURE."""
        return self._now().astimezone(self._terms.zone).date()

    def _spans(self, days: int, today: date | None = None) -> Iterator[Window]:
        """Spans back to so many days ago, the latest one first."""
        today = today or self._today()
        return windows(today, today - timedelta(days=days), self._terms.window_days, self._terms.zone)

    def _whole_list(self, days: int, today: date | None = None) -> list[Window]:
        """The spans of a list that is worth nothing in part.

        :raises ConfigurationError: they would need more calls than an hour has.
        """
        spans = list(self._spans(days, today))
        if len(spans) > WINDOWS_PER_LIST:
            message = (
                f"{days} days in spans of {self._terms.window_days} need {len(spans)} calls a list, more than"
                f" {CALLS_PER_HOUR} an hour allow: shorten the one, or lengthen the other"
            )
            raise ConfigurationError(message, insurer=self.code)
        return spans

    # --- Questions ----------------------------------------------------------------------------------------------

    def _ask(self, question: Question, window: Window, policy: str = "", buyer: str = "") -> tuple[Row, ...]:
        """The records of one span; one that holds too many is asked for in halves."""
        values: dict[str, Scalar] = {
            **{"client": self._terms.client_no, "policy": policy, "buyer": buyer, "nothing": ""},
            **{"start": window.start, "end": window.end},
        }
        if question.as_text:
            values |= {name: f"{moment:%Y-%m-%d %H:%M:%S}" for name, moment in _ends(window).items()}
        parameters = {name: values[meaning] for name, meaning in question.parameters.items()}
        halves = window.halves()
        try:
            rows = self._wire.send(question.method, parameters, question.item)
        except RejectedByInsurer as error:
            if halves is None or not is_too_many_rows(error):
                raise
        else:
            if len(rows) < ROWS_PER_CALL:
                return rows
            if halves is None:
                raise self._unexpected("1,000 records within a minute: some may be missing", question.item)
        return tuple(row for half in halves for row in self._ask(question, half, policy, buyer))

    def _decisions(
        self, question: Question, policy: str, read: Callable[[Decision], Value], unread: list[Unread], days: int = 0
    ) -> Iterator[tuple[Decision, Value]]:
        """What was decided in the last days, the latest first, and what ``read`` makes of it."""
        for window in self._spans(days or self._terms.decision_days):
            told = self._told(question, window, policy, read, unread)
            yield from sorted(told, key=lambda each: each[0].moment, reverse=True)

    def _record(self, question: Question, policy: str, wanted: str) -> Row | None:
        """The record with this corpserialno, of methods that list what was sent.

        :raises UnexpectedResponse: there is none, unless it is one whose number cannot be read.
        """
        unread: list[Unread] = []
        for window in self._spans(self._terms.decision_days):
            rows = self._read_each(self._ask(question, window, policy), _with_number("corpserialno"), unread)
            found = [row for number, row in rows if number == wanted]
            if found:
                return found[-1]
        check_nothing_open(unread)
        return None

    def _told(
        self,
        question: Question,
        window: Window,
        policy: str,
        read: Callable[[Decision], Value],
        unread: list[Unread],
    ) -> list[tuple[Decision, Value]]:
        """What was decided in one span, and what ``read`` makes of it."""

        def both(row: Row) -> tuple[Decision, Value]:
            told = decision(row, window.start)
            return told, read(told)

        return self._read_each(self._ask(question, window, policy), both, unread)

    def _decision(self, question: Question, policy: str, wanted: str) -> Decision | None:
        return self._all_decided(question, policy, [wanted]).get(wanted)

    def _all_decided(self, question: Question, policy: str, wanted: Iterable[str]) -> dict[str, Decision]:
        """The last decision on each of these records, as far as there is one. That a repeat was a duplicate counts only
        where nothing else was said; no span is asked for that lies before all that was looked for.

        :raises UnexpectedResponse: one cannot be read, or there is none, unless it is one whose number cannot be read.
        """
        missing = set(wanted)
        found: dict[str, Decision] = {}
        unread: list[Unread] = []
        for window in self._spans(self._terms.decision_days):
            rows = self._read_each(self._ask(question, window, policy), _with_number("corpSerialNo"), unread)
            told = [self._read(decision, row, window.start) for number, row in rows if number in missing]
            for each in sorted(told, key=lambda one: one.moment, reverse=True):
                if each.serial in missing and not (each.serial in found and each.verdict is Verdict.DUPLICATE):
                    found[each.serial] = each
                    missing -= set() if each.verdict is Verdict.DUPLICATE else {each.serial}
            if not missing:
                return found
        check_nothing_open(unread)
        return found

    # --- Orders -------------------------------------------------------------------------------------------------

    def _send(self, method: str, parameter: str, item: str, rows: Iterable[Fields]) -> tuple[Row, ...]:
        """Send records, 1,000 a call; the feedback, where the method gives any.

        An error after the first call says that something may have been carried out, which the first calls were.
        """
        fixed = self._terms.fixed(item)
        complete = [{**fixed, **row} for row in rows]
        feedback: list[Row] = []
        for start in range(0, len(complete), ROWS_PER_CALL):
            parameters: Parameters = {parameter: Records(item, tuple(complete[start : start + ROWS_PER_CALL]))}
            try:
                feedback.extend(self._wire.send(method, parameters, FEEDBACK))
            except ConnectorError as error:
                error.may_have_acted = error.may_have_acted or start > 0
                raise
        return tuple(feedback)

    def _check_feedback(self, rows: Iterable[Row], names: Mapping[str, str]) -> bool:
        """Whether the insurer had all of it already.

        :raises RejectedByInsurer: something was refused, in the insurer's words; ``names`` tells records apart.
        """
        told = [(row, row.text("returnCode"), row.text("returnMsg") or row.text("otherMsg")) for row in rows]
        known = [bool(DUPLICATE.search(words)) for _row, _code, words in told]
        refused, problem = [], ""
        for (row, code, words), duplicate in zip(told, known, strict=True):
            outcome = "accepted" if duplicate or not code else self._terms.return_codes.get(code, "")
            if outcome == "refused":
                name = names.get(row.text("corpSerialNo"), "")
                refused.append((code, f"{name}: {words}" if name and len(names) > 1 else words))
            problem = problem or ("" if outcome else f"{row.field_path('returnCode')} is {code!r}: {words}")
        if refused:
            error = RejectedByInsurer(
                insurer=self.code, code=refused[0][0], words="; ".join(words for _code, words in refused)
            )
            error.may_have_acted = len(refused) < len(told)
            raise error
        if problem:
            raise self._unexpected(f"a code that no setting explains: {problem}", "returnCode")
        return bool(known) and all(known)

    # --- Errors -------------------------------------------------------------------------------------------------

    def _read(self, read: Callable[Arguments, Value], *args: Arguments.args, **named: Arguments.kwargs) -> Value:
        """What ``read`` makes of records.

        :raises UnexpectedResponse: naming the field that is not as documented.
        """
        try:
            return read(*args, **named)
        except ShapeError as exc:
            raise UnexpectedResponse(shorten(exc.problem), insurer=self.code, field=exc.field) from exc

    def _read_each(self, rows: Iterable[Row], read: Callable[[Row], Value], unread: list[Unread]) -> list[Value]:
        """What ``read`` makes of each record; one that is not as documented is added to ``unread``."""
        items = []
        for row in rows:
            try:
                items.append(self._read(read, row))
            except UnexpectedResponse as error:
                unread.append(Unread(error, *named(row)))
        return items

    def _unexpected(self, message: str, field: str) -> UnexpectedResponse:
        return UnexpectedResponse(message, insurer=self.code, field=field)

    def _refuse(self, message: str) -> NoReturn:
        """Something that only a person can put right keeps us from asking."""
        raise ConfigurationError(message, insurer=self.code)


def _with_number(name: str) -> Callable[[Row], tuple[str, Row]]:
    return lambda row: (row.text(name), row)


def check_nothing_open(unread: Iterable[Unread]) -> None:
    """:raises ConnectorError: something that could not be read may be what was not found."""
    Page((), unread=tuple(unread)).whole()


def _ends(window: Window) -> dict[str, datetime]:
    return {"start": window.start, "end": window.end}
