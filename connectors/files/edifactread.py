"""EDIFACT, read: RECECO after the profile in ``edifact.py``. Lines are segments, counted from 1 with UNB."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pydifact.control.characters import Characters
from pydifact.exceptions import EDISyntaxError
from pydifact.parser import Parser, TokenIterator
from pydifact.tokenizer import Tokenizer

from ..words import Words, _
from .answers import REQUEST_STATE
from .cells import Raw
from .edifact import REQUESTS, RESPONSES
from .outgoing import COVER_REQUEST
from .problems import FileError, Problem, ProblemKind, quote
from .records import Draft

MAX_BYTES = 2_000_000
DEFAULT_ADVICE = "UNA:+.? '"
CHARACTER_SETS = {
    **{"UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5"},
    **{"UNOF": "iso8859-7", "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8"},
    **{"UNOK": "iso8859-9", "UNOW": "utf-8", "UNOY": "utf-8"},
}
KINDS_OF_REQUEST = {code: kind.value for kind, code in REQUESTS.items()}
UNFINISHED = _("the file is truncated: the interchange has no end (UNZ)")
DATE_FORMS = {
    "102": re.compile("(....)(..)(..)"),
    "203": re.compile("(....)(..)(..)(..)(..)"),
    "204": re.compile("(....)(..)(..)(..)(..)(..)"),
}

Segment = tuple[int, str, list[list[str]]]  # its number, its tag, its elements as lists of components


def read_edifact(content: bytes, problems: list[Problem]) -> Iterator[Draft]:
    """:raises FileError: no interchange, one that is not whole, too large a file, or an unknown character set."""
    if len(content) > MAX_BYTES:
        raise FileError(_("an interchange of %(size)s bytes, more than %(most)s", size=len(content), most=MAX_BYTES))
    message: list[Segment] = []
    for segment, sent_at in _inside(_segments(_decode(content))):
        number, tag, _elements = segment
        if tag == "UNH" or message:
            if tag == "UNH" and message:
                problems.append(Problem(ProblemKind.LINE, _("the message before has no end"), number, "UNH"))
                message = []
            message.append(segment)
            if tag == "UNT":
                yield from _draft(message, sent_at, problems)
                message = []
    if message:
        problems.append(Problem(ProblemKind.LINE, _("the last message has no end"), message[0][0], "UNH"))


def _inside(segments: Iterable[Segment]) -> Iterator[tuple[Segment, str]]:
    """The segments between the head of an interchange and its end, each with when the interchange was made.

    :raises FileError: one is not whole.
    """
    sent_at = ""
    came: Counter[str] | None = None  # what was counted since UNB; None outside an interchange
    is_ended = False
    for segment in segments:
        number, tag, elements = segment
        if tag == "UNB":
            if came is not None:
                raise FileError(UNFINISHED)
            came = Counter()
            sent_at = _preparation(elements)
        elif came is None:
            raise FileError(_("something comes after the end of the interchange"), line=number, column="UNZ")
        elif tag == "UNZ":
            _check_count(segment, came)
            came, is_ended = None, True
        else:
            came[tag] += 1
            yield segment, sent_at
    if came is not None or not is_ended:
        raise FileError(UNFINISHED)


def _check_count(trailer: Segment, came: Counter[str]) -> None:
    """An interchange counts its groups where it has any, else its messages."""
    number, _tag, elements = trailer
    counted = came["UNE"] or came["UNT"]
    if not _is_count(told := _at(elements, 0), counted):
        words = _(
            "the file is truncated: the interchange counts %(told)s messages, %(came)s came",
            told=quote(told),
            came=counted,
        )
        raise FileError(words, line=number, column="UNZ")


def _decode(content: bytes) -> str:
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = re.match(rb"(?:UNA.{6}\s*)?UNB.(UNO[A-Z])", start, re.DOTALL)
    if not found:
        raise FileError(_("an interchange begins with UNB and its character set"), line=1, column="UNB")
    name = CHARACTER_SETS.get(found.group(1).decode())
    if name is None:
        words = _("the character set %(name)s is not known", name=found.group(1).decode())
        raise FileError(words, line=1, column="UNB")
    try:
        text = start.decode(name)
    except UnicodeDecodeError as exc:
        segment = start[: exc.start].count(b"'") + 1
        words = _("not %(encoding)s: byte %(byte)s", encoding=name, byte=f"{start[exc.start]:#04x}")
        raise FileError(words, line=segment) from exc
    if "\0" in text:
        raise FileError(_("a NUL character: this is no text"), line=text[: text.index("\0")].count("'") + 1)
    return text if text.startswith("UNA") else DEFAULT_ADVICE + text


def _segments(text: str) -> Iterator[Segment]:
    """The segments up to the last whole one.

    :raises FileError: what is no EDIFACT stands before the end of the text.
    """
    advice = text[3:9]
    if len(set(advice[:4] + advice[5])) < 5 or advice[5].isalnum():
        raise FileError(_("the separators in UNA are not told apart"), line=1, column="UNA")
    tokens = TokenIterator(Tokenizer().get_tokens(text[9:].lstrip(), Characters.from_str(text[:9])))
    number = 0
    try:
        for raw in Parser().convert_tokens_to_raw_segments(tokens):
            number += 1
            elements = [[part] if isinstance(part, str) else list(part) for part in raw]
            yield number, elements[0][0] if elements else "", elements[1:]
    except (EDISyntaxError, AssertionError, IndexError, TypeError) as exc:
        if not text.rstrip().endswith(advice[5]):  # cut within a segment: the end of the interchange is missed
            return
        words = _("from here on this is no EDIFACT (%(reason)s)", reason=str(exc))
        raise FileError(words, line=number + 1) from exc


def _at(elements: list[list[str]], element: int, component: int = 0) -> str:
    parts = elements[element] if element < len(elements) else []
    return parts[component].strip() if component < len(parts) else ""


def _is_count(told: str, came: int) -> bool:
    """Numbers may be filled up with zeros."""
    return bool(told) and told.lstrip("0") == str(came).lstrip("0")


def _preparation(elements: list[list[str]]) -> str:
    """When the interchange was made, as an instant; its clock is taken to be UTC."""
    day, hour = _at(elements, 3), _at(elements, 3, 1)
    day = f"20{day}" if len(day) == 6 else day
    return _moment("203", f"{day}{hour}") if hour else _moment("102", day)


def _moment(form: str, text: str) -> str:
    """A date or an instant as ISO 8601, or the text as it is, which then is refused as a date."""
    found = DATE_FORMS[form].fullmatch(text) if form in DATE_FORMS else None
    if found is None:
        return text
    year, month, day, *clock = found.groups()
    return f"{year}-{month}-{day}" + (f"T{':'.join([*clock, '00'][:3])}Z" if clock else "")


def _draft(message: list[Segment], sent_at: str, problems: list[Problem]) -> Iterator[Draft]:
    line, _tag, header = message[0]
    wrong = _wrong(message)
    if wrong:
        problems.append(Problem(ProblemKind.RECORD, wrong, line, "UNH"))
        return
    cover = next((elements for _number, tag, elements in message if tag == "CCD"), [])
    answer = bool(_at(cover, 1))
    cells = _cells(message, answer)
    if answer:
        code = _at(cover, 1)
        status = RESPONSES.get(code)
        cells |= {"status": status.value if status else "unknown", "raw_code": code}
        cells.setdefault("received_at", sent_at)
    else:
        code = _at(cover, 0)
        cells["kind"] = KINDS_OF_REQUEST.get(code, code)
    draft = Draft(REQUEST_STATE if answer else COVER_REQUEST, line)
    draft.head = {name: raw for name, raw in cells.items() if name in draft.kind.table}
    yield draft


def _wrong(message: list[Segment]) -> Words | None:
    """Why a message is not taken at all."""
    header, trailer = message[0][2], message[-1][2]
    if _at(header, 1) != "RECECO":
        return _("a message %(type)s, expected RECECO", type=quote(_at(header, 1)))
    if not _is_count(_at(trailer, 0), len(message)) or _at(trailer, 1) != _at(header, 0):
        return _(
            "the message is incomplete: %(came)s segments came, it counts %(told)s",
            came=len(message),
            told=quote(_at(trailer, 0)),
        )
    tags = [tag for _number, tag, _elements in message]
    if tags.count("DOC") > 1 or tags.count("CCD") != 1 or tags.count("BGM") != 1:
        return _("expected one cover (DOC, CCD) in a message")
    return None


def _cells(message: list[Segment], answer: bool) -> dict[str, Raw]:
    names = {
        ("BGM", ""): ("request_id" if answer else "reference"),
        ("RFF", "ACW"): "reference",
        ("RFF", "CT"): "policy_number",
        ("RFF", "IT"): "own_reference",
        ("RFF", "ZZZ"): "cover_id",
        ("NAD", "BY"): "buyer_id",
        ("DTM", "137"): "received_at",
        ("DTM", "7"): "decided_on" if answer else "effective_from",
    }
    cells: dict[str, Raw] = {}
    for _number, tag, elements in message:
        qualifier = "" if tag == "BGM" else _at(elements, 0)
        name = names.get((tag, qualifier), "")
        if tag == "BGM" or tag == "NAD" and name:
            cells[name] = _at(elements, 1)
        elif tag == "DTM" and name:
            cells[name] = _moment(_at(elements, 0, 2), _at(elements, 0, 1))
        elif name:
            cells[name] = _at(elements, 0, 1)
        elif tag == "MOA" and qualifier == "ZZZ":
            cells |= {"amount": _at(elements, 0, 1).replace(",", "."), "currency": _at(elements, 0, 2)}
        elif tag == "PAT" and _at(elements, 2, 2) == "D":
            cells["payment_term_days"] = _at(elements, 2, 3)
        elif tag == "FTX":
            cells["words" if answer else "comment"] = "".join(elements[3] if len(elements) > 3 else [])
    return cells
