"""EDIFACT: cover requests and their answers as RECECO, "Credit risk cover message", of directory D.98B.

From the United Nations directory: the segments of the message and their order (BGM, RFF, DTM, then groups of NAD and of
DOC with MOA, CUX, DTM, CCD, PCD, PAT, FTX, RFF), the segment CCD with the elements 4505 (request), 4507 (response) and
4509 (reason), and the codes of 4505 and 4507.

Our own profile, unverified, to be agreed with whoever receives it:

* BGM carries our reference in a request and the insurer's number of the request in an answer, where RFF+ACW repeats
  our reference;
* RFF+CT is the policy, NAD+BY the buyer by the insurer's number, RFF+ZZZ in the DOC group the insurer's cover;
* MOA+ZZZ is the amount, asked for or granted; DTM+7 the first day wanted, or the day of the decision; DTM+137 the
  instant of an answer, taken to be UTC;
* PAT+1 is the payment term in days after the invoice; FTX+AAI the remarks.

RECECO has no place for urgency, product, payment method, receivables and orders: a request that has them is refused
here rather than shortened. Answers 1 (preliminary), 4 (conditional), 7, 9, 10 and 11 have no status of ours: they stay
``UNKNOWN`` with the raw code.
"""

from collections.abc import Iterable

from pydifact.segmentcollection import Interchange, Message
from pydifact.segments import Segment

from ..messages import CoverProduct, CoverRequest, CoverRequestKind, CoverRequestState, PaymentMethod, RequestStatus
from ..words import _
from .cells import UNWRITABLE
from .numbers import write_number
from .problems import FileError
from .settings import Envelope

IDENTIFIER = ("RECECO", "D", "98B", "UN")
REQUESTS = {
    CoverRequestKind.NEW: "2",
    CoverRequestKind.INCREASE: "3",
    CoverRequestKind.CANCEL: "6",
    CoverRequestKind.REDUCE: "7",
}
RESPONSES = {
    "2": RequestStatus.APPROVED,
    "3": RequestStatus.REFUSED,
    "5": RequestStatus.PARTIAL,
    "6": RequestStatus.PENDING,
    "8": RequestStatus.CANCELLED,
}
CODES = {status: code for code, status in RESPONSES.items()}
FREE_TEXT, FREE_TEXTS = 70, 5
LENGTHS = {"reference": 35, "request_id": 35, "policy_number": 35, "buyer_id": 17, "cover_id": 35, "own_reference": 35}
NOT_HELD = _("RECECO has no place for it: take another form")
NO_PLACE = {
    "urgent": False,
    "product": CoverProduct.CREDIT_LIMIT,
    "payment_method": PaymentMethod.OPEN_ACCOUNT,
    "receivables": None,
    "orders": None,
}


def write_requests(requests: Iterable[CoverRequest], envelope: Envelope) -> bytes:
    """:raises FileError: a request that has what the message has no place for."""
    return _interchange([(request.reference, _request(request)) for request in requests], envelope)


def write_states(states: Iterable[CoverRequestState], envelope: Envelope) -> bytes:
    """Answers, as an insurer would send them."""
    return _interchange([(state.request_id, _state(state)) for state in states], envelope)


def _request(request: CoverRequest) -> list[Segment]:
    for name, usual in NO_PLACE.items():
        if getattr(request, name) != usual:
            raise FileError(NOT_HELD, column=name)
    number, policy, buyer, cover, own = (
        _text(request, name) for name in ("reference", "policy_number", "buyer_id", "cover_id", "own_reference")
    )
    segments = [
        Segment("BGM", "", number, "9"),
        Segment("RFF", ["CT", policy]),
        *([Segment("RFF", ["IT", own])] if own else []),
        Segment("NAD", "BY", [buyer]),
        Segment("DOC", "ZZZ"),
        Segment("MOA", ["ZZZ", write_number(request.amount) if request.amount is not None else "", request.currency]),
    ]
    if request.effective_from:
        segments.append(Segment("DTM", ["7", f"{request.effective_from:%Y%m%d}", "102"]))
    segments.append(Segment("CCD", REQUESTS[request.kind]))
    if request.payment_term_days is not None:
        segments.append(Segment("PAT", "1", "", ["5", "3", "D", str(request.payment_term_days)]))
    return [*segments, *_free_text(request.comment), *([Segment("RFF", ["ZZZ", cover])] if cover else [])]


def _state(state: CoverRequestState) -> list[Segment]:
    code = CODES.get(state.status, state.raw_code)
    if state.duplicate:
        raise FileError(NOT_HELD, column="duplicate")
    number, reference, buyer, cover = (
        _text(state, name) for name in ("request_id", "reference", "buyer_id", "cover_id")
    )
    segments = [Segment("BGM", "", number, "11")]
    if reference:
        segments.append(Segment("RFF", ["ACW", reference]))
    segments.append(Segment("DTM", ["137", f"{state.received_at:%Y%m%d%H%M%S}", "204"]))
    if buyer:
        segments.append(Segment("NAD", "BY", [buyer]))
    segments.append(Segment("DOC", "ZZZ"))
    if state.amount is not None:
        segments.append(Segment("MOA", ["ZZZ", write_number(state.amount), state.currency]))
    if state.decided_on:
        segments.append(Segment("DTM", ["7", f"{state.decided_on:%Y%m%d}", "102"]))
    segments.append(Segment("CCD", "", code))
    return [*segments, *_free_text(state.words), *([Segment("RFF", ["ZZZ", cover])] if cover else [])]


def _text(message: object, name: str) -> str:
    text = str(getattr(message, name)).strip()
    if len(text) > LENGTHS[name]:
        raise _too_long(text, LENGTHS[name], name)
    _check(text, name)
    return text


def _too_long(text: str, most: int, name: str) -> FileError:
    return FileError(_("%(count)s characters, RECECO holds %(most)s", count=len(text), most=most), column=name)


def _free_text(text: str) -> list[Segment]:
    if not text:
        return []
    _check(text, "comment")
    if len(text) > FREE_TEXT * FREE_TEXTS:
        raise _too_long(text, FREE_TEXT * FREE_TEXTS, "comment")
    pieces = [text[start : start + FREE_TEXT] for start in range(0, len(text), FREE_TEXT)]
    return [Segment("FTX", "AAI", "", "", pieces)]


def _check(text: str, name: str) -> None:
    if UNWRITABLE.search(text) or any(character in text for character in "\t\r\n"):
        raise FileError(_("RECECO takes no control characters and no line breaks"), column=name)


def _party(told: str) -> str | list[str]:
    identification, _colon, qualifier = told.partition(":")
    return [identification, qualifier] if qualifier else identification


def _interchange(messages: list[tuple[str, list[Segment]]], envelope: Envelope) -> bytes:
    """UNOC (ISO 8859-1) where it suffices, else UNOW (UTF-8)."""
    sender, recipient = (_party(each) for each in (envelope.sender, envelope.recipient))
    interchange = Interchange(sender, recipient, envelope.control_reference, ("UNOW", 4), envelope.created)
    for number, (_name, segments) in enumerate(messages, start=1):
        message = Message(str(number), IDENTIFIER)
        message.add_segments(segments)
        interchange.add_message(message)
    text: str = interchange.serialize(break_lines=True)
    try:
        return text.replace("UNOW:4", "UNOC:3", 1).encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")
