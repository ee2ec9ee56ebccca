"""Allianz Trade's codes and field names as tables, and what an administrator corrects in them.

Seen in clients' code or on the insurer's portal: the codes and the names written out in ``allianz_trade_covers.py``.
No list of all codes is public, and the names in ``FIELDS`` are guesses for things an answer probably tells: both can
be completed from the insurer's own documentation by the settings ``codes`` and ``fields``. A code that is in no table
stays raw.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from .errors import ConfigurationError
from .jsondoc import Node
from .messages import CoverStatus, RequestStatus
from .reading import known

SCALE = "ALLIANZ-10"  # 1 best to 10 worst; comes as a text
IN_PROGRESS = "InProgress"
CREDIT_LIMIT, GRADE_COVER = "Primary", "GradeCover"  # requestTypeCode
BY_GRADE = "CHECKPOLICY"  # coverStatusCode of a grade cover: the policy says what it grants for the grade


class JobState(StrEnum):
    PENDING = "pending"
    PROCESSED = "processed"
    UNKNOWN = "unknown"


COVER_STATUS = {"AGREEMENT": CoverStatus.APPROVED, BY_GRADE: CoverStatus.APPROVED}  # coverStatusCode
DECISION_STATUS = {"ALREADYAGREED": CoverStatus.APPROVED}  # technicalDecisionStatusCode
REQUEST_STATUS = {IN_PROGRESS.upper(): RequestStatus.PENDING}  # requestStatusCode
JOB_STATUS = {"PENDING": JobState.PENDING, "PROCESSED": JobState.PROCESSED}  # jobStatusCode

# Our name → where we look; a dot goes one level down. None of these was seen in a source.
FIELDS = {
    "cover.id": "coverId",  # of an entry of the portfolio
    "cover.company": "companyId",  # of a single cover
    "cover.requested": "creditLimitDetails.requestedAmount",
    "cover.currency": "creditLimitDetails.currencyCode",
    "cover.words": "decisionComment",
    "limit.currency": "currencyCode",
    "limit.end": "endDate",
    "request.company": "companyId",
    "request.status": "requestStatusCode",
    "grade.date": "gradePolicyCoverGradeDate",
    "v2.requested": "requestData.amount",
    "v2.currency": "requestData.currencyCode",
    "v2.start": "decision.permanent.startDate",
    "v2.temporary_amount": "decision.temporary.temporaryAmount",
    "v2.temporary_end": "decision.temporary.endDate",
    "total.header": "X-Total-Count",  # a header, not a member
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tables of one connection."""

    cover: Mapping[str, CoverStatus]
    limit: Mapping[str, CoverStatus]
    job: Mapping[str, JobState]
    fields: Mapping[str, str]
    counts_temporary: bool = False

    def cover_status(self, raw: str) -> CoverStatus:
        return known(self.cover, raw, CoverStatus.UNKNOWN)

    def limit_status(self, raw: str) -> CoverStatus:
        return known(self.limit, raw, CoverStatus.UNKNOWN)

    def job_state(self, raw: str) -> JobState:
        return known(self.job, raw, JobState.UNKNOWN)

    def find(self, node: Node, name: str) -> Node:
        """The member that the table calls ``name``; a null where it, or what leads to it, is missing."""
        for step in self.fields[name].split("."):
            if node.value is None:
                return node
            node = node[step]
        return node


def read_vocabulary(insurer: str, codes: str, fields: str, *, counts_temporary: bool = False) -> Vocabulary:
    """The tables with an administrator's corrections.

    :param codes: ``cover.Refused=refused; limit.Refused=refused; job.Done=processed``.
    :param fields: ``cover.words=comment; limit.end=validity.endDate``.
    :raises ConfigurationError: an entry that cannot be understood.
    """
    cover, limit, job, names = dict(COVER_STATUS), dict(DECISION_STATUS), dict(JOB_STATUS), dict(FIELDS)
    for name, value in entries(insurer, codes):
        table, _dot, code = name.partition(".")
        try:
            if table == "job":
                job[code.upper()] = JobState(value)
            else:
                {"cover": cover, "limit": limit}[table][code.upper()] = CoverStatus(value)
        except (KeyError, ValueError) as exc:
            raise ConfigurationError(f"{name}={value} is no code and its meaning", insurer=insurer) from exc
    for name, path in entries(insurer, fields):
        if name not in names:
            raise ConfigurationError(f"no field {name}; there are: {', '.join(names)}", insurer=insurer)
        names[name] = path
    return Vocabulary(cover, limit, job, names, counts_temporary)


def entries(insurer: str, text: str, *, bare: bool = False) -> list[tuple[str, str]]:
    """``name = value`` pairs, separated by semicolons or line ends; ``bare``: a name alone is its own value."""
    pairs = []
    for entry in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        name, equals, value = (part.strip() for part in entry.partition("="))
        if bare and not equals:
            value = name
        elif not name or not value:
            raise ConfigurationError(f"{entry!r} is not of the form name=value", insurer=insurer)
        pairs.append((name, value))
    return pairs


# --- Dates, whose form is not public ----------------------------------------------------------------------------


def day(node: Node) -> date:
    """A calendar date, alone or at the beginning of an instant."""
    text = node.text()
    return Node(text[:10] if text[10:11] in ("T", " ") else text, node.path).date()


def moment(node: Node) -> datetime:
    """An instant; taken as UTC where it names no offset, and as midnight where it is a date alone."""
    text = node.text()
    if "T" not in text:
        return datetime.combine(day(node), datetime.min.time(), UTC)
    zoned = re.search(r"(Z|[+-]\d\d:?\d\d)$", text)
    return Node(text if zoned else f"{text}Z", node.path).instant()
