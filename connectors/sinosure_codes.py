"""What SINOSURE's codes mean, as far as that is public, and the settings for what is not.

Lists of codes (``quotaState``, ``feePayMode``, ``receiptFlag``, ``plReasonCode``, ``claimreason``, the types of files)
are not public: they are settings with raw values. A code that no setting explains stays raw.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from .connection import Setting
from .debts import ClaimCause
from .errors import ConfigurationError
from .messages import CoverStatus, PaymentMethod, RequestStatus
from .reports import ReportStatus

Value = TypeVar("Value")

ROWS_PER_CALL = 1000
CALLS_PER_HOUR = 50
HOUR = 3600.0
TOO_MANY_CALLS = "EDI-EXC-0001"
TOO_MANY_ROWS = "EDI-EXC-0002"
SCALE = "SINOSURE"

# contractPayMode, payMode (comments of a client)
PAY_MODES = {
    PaymentMethod.LETTER_OF_CREDIT: "1",
    PaymentMethod.DOCUMENTS_AGAINST_PAYMENT: "2",
    PaymentMethod.DOCUMENTS_AGAINST_ACCEPTANCE: "3",
    PaymentMethod.OPEN_ACCOUNT: "4",
}
CLAIM_REASONS = {
    ClaimCause.PROTRACTED_DEFAULT: "claim_reason_protracted_default",
    ClaimCause.INSOLVENCY: "claim_reason_insolvency",
    ClaimCause.POLITICAL: "claim_reason_political",
}
# Reasons of a refusal that say that the insurer has it already.
DUPLICATE = re.compile("已存在|重复提交")

SERIAL = 20  # characters of a corpSerialNo
ROW_MARK = 11  # and of what tells the rows of one message apart

_CODES_HELP = "Pairs such as 1=approved, 2=withdrawn. A code that is not listed is shown as it is."

SETTINGS = (
    Setting(
        "client_no",
        "Client number",
        "clientNo, SINOSURE's number of your company.",
        identifies=True,
        names_holder=True,
    ),
    Setting("policy_no", "Policy number", "For questions that name no policy. Empty: all policies.", required=False),
    Setting("transport", "Format", "soap for the web service, gateway for the JSON gateway.", default="soap"),
    Setting("currency", "Currency of limits", "Amounts of limits come and go without a currency.", default="USD"),
    Setting("utc_offset", "Time zone", "SINOSURE's local time as an offset from UTC.", default="+08:00"),
    Setting(
        *("window_days", "Days per question"),
        "Older answers are asked for in spans of so many days. Two is what SINOSURE documents; more saves calls.",
        default="31",
    ),
    Setting(
        "history_days", "Days of limits and grades", "How far back limits and grades are looked for.", default="400"
    ),
    Setting(
        "decision_days", "Days of decisions", "How far back answers to what was sent are looked for.", default="93"
    ),
    Setting("applicant", "Applicant", "Name of the person in whose name things are sent.", required=False),
    Setting("fee_pay_mode", "feePayMode", "Code of how the premium is paid.", required=False),
    Setting("receipt_flag", "receiptFlag", "Code of a payment received.", required=False),
    Setting("pl_reason_code", "plReasonCode", "Code of the reason of a possible loss.", required=False),
    Setting("claim_reason_protracted_default", "claimreason: protracted default", required=False),
    Setting("claim_reason_insolvency", "claimreason: insolvency", required=False),
    Setting("claim_reason_political", "claimreason: political", required=False),
    Setting("quota_states", "Meaning of quotaState", _CODES_HELP, required=False),
    Setting("application_states", "Meaning of quotastate of applications", _CODES_HELP, required=False),
    Setting("report_states", "Meaning of orderstate", _CODES_HELP, required=False, default="0=delivered"),
    Setting(
        *("return_codes", "Meaning of returnCode"),
        "Pairs such as 1=accepted, 2=refused. After a code that is not listed nobody knows whether it was taken.",
        required=False,
        default="1=accepted",
    ),
    Setting("document_types", "Types of files", "Pairs such as invoice=1, transport=2.", required=False),
    Setting("rate_factor", "Factor of percentages", "100 where insured percentages come as fractions.", default="1"),
    Setting(
        *("fixed_fields", "Fixed fields"),
        "Fields to send always, such as Plnotice.detainFlag=0, NoLcQuotaApplyInfoV2.ifhaverelation=0.",
        required=False,
    ),
)

UNVERIFIED = (
    "That SOAP is 1.1 and the header SOAPAction empty; that a fault comes with HTTP 500 or 200.",
    "Everything about the JSON gateway but its requests: content type, shape of answers and errors.",
    "That dates and times are China's local time, and that getEdiClaimApproveInfo takes them as YYYY-MM-DD hh:mm:ss.",
    "That a span of more than two days is answered, and that an empty policyNo or buyerCode asks for all of them.",
    "The codes of quotaState, feePayMode, receiptFlag, plReasonCode, claimreason, orderstate and of types of files.",
    "What returnCode means besides 1, and that 1 is a success and orderstate 0 a delivered report: a client's reading. "
    "No other code is taken for a refusal until it is entered.",
    "That no method shows the contract itself: policy_details is not offered.",
    "That limits and premiums are in US dollars, and sums of notices, claims and payments in the shipment's currency.",
    "Whether insured percentages come as 90 or as 0.9, and the scale of riskScore.",
    "That a limit whose sum is 0 is a refusal (零限额), and that an application is repeated to raise a limit.",
    "The longest corpSerialNo taken, and that it makes repeating harmless for files and reports, too.",
    "That an accepted claim application says nothing of the indemnity: amounts of claims are not told at all.",
    "That corpBuyerNo, our own number of a buyer, is kept when an application for a limit also names SINOSURE's.",
    "Which fields SINOSURE requires beyond those named in a client; a letter of credit's banks have none with us.",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings, read."""

    client_no: str
    policy_no: str
    currency: str
    zone: timezone
    window_days: int
    history_days: int
    decision_days: int
    raw: Mapping[str, str]
    quota_states: Mapping[str, CoverStatus]
    application_states: Mapping[str, RequestStatus]
    report_states: Mapping[str, ReportStatus]
    return_codes: Mapping[str, str]
    document_types: Mapping[str, str]
    rate_factor: Decimal
    fixed_fields: Mapping[str, str]

    @classmethod
    def read(cls, insurer: str, values: Mapping[str, str]) -> "Terms":
        """:raises ConfigurationError: a setting that cannot be understood, by its name."""

        def of(name: str, read: Callable[[str], Value]) -> Value:
            try:
                return read(values[name])
            except (ValueError, KeyError, InvalidOperation) as exc:
                label = next(setting.label for setting in SETTINGS if setting.name == name)
                raise ConfigurationError(f"{label}: {values[name]!r} is not understood", insurer=insurer) from exc

        return cls(
            client_no=values["client_no"],
            policy_no=values["policy_no"],
            currency=of("currency", _currency),
            zone=of("utc_offset", _zone),
            window_days=of("window_days", _days),
            history_days=of("history_days", _days),
            decision_days=of("decision_days", _days),
            raw=values,
            quota_states=of("quota_states", lambda text: _pairs(text, CoverStatus)),
            application_states=of("application_states", lambda text: _pairs(text, RequestStatus)),
            report_states=of("report_states", lambda text: _pairs(text, ReportStatus)),
            return_codes=of("return_codes", lambda text: _pairs(text, _outcome)),
            document_types=of("document_types", lambda text: _pairs(text, str)),
            rate_factor=of("rate_factor", Decimal),
            fixed_fields=of("fixed_fields", lambda text: _pairs(text, str)),
        )

    def fixed(self, item: str) -> dict[str, str]:
        """The fields that are always sent with an ``item``."""
        return {
            name.partition(".")[2]: value for name, value in self.fixed_fields.items() if name.startswith(f"{item}.")
        }


def serial(reference: str) -> str:
    """The corpSerialNo of what has our ``reference``: the same one, always, and never another's."""
    if len(reference) <= SERIAL:
        return reference
    return f"{reference[: SERIAL - 13]}-{hashlib.sha256(reference.encode()).hexdigest()[:12]}"


def row_serial(reference: str, row: str) -> str:
    """The corpSerialNo of one ``row`` of several that are sent under one reference."""
    return f"{serial(reference)}.{hashlib.sha256(row.encode()).hexdigest()[:ROW_MARK]}"


def belongs(corp_serial: str, wanted: str) -> bool:
    """Whether a corpSerialNo is ``wanted`` itself or that of one of its rows."""
    head, dot, tail = corp_serial.rpartition(".")
    return corp_serial == wanted or (bool(dot) and head == wanted and len(tail) == ROW_MARK)


def _pairs(text: str, read: Callable[[str], Value]) -> dict[str, Value]:
    found = {}
    for part in re.split(r"[,;\n]", text):
        if part.strip():
            name, equals, value = part.partition("=")
            if not equals or not name.strip():
                raise ValueError(part)
            found[name.strip()] = read(value.strip())
    return found


def _outcome(text: str) -> str:
    if text not in ("accepted", "refused"):
        raise ValueError(text)
    return text


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Z]{3}", text):
        raise ValueError(text)
    return text


def _zone(text: str) -> timezone:
    match = re.fullmatch(r"([+-])(\d\d):([0-5]\d)", text)
    if match is None:
        raise ValueError(text)
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(offset if match[1] == "+" else -offset)


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3660:
        raise ValueError(text)
    return days
