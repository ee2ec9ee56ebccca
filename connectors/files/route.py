"""Messages into files, files into answers."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..messages import CoverRequestState
from ..reports import ReportFile
from ..words import _
from .answers import ANSWERS, AnyAnswer, FileAnswers
from .columns import Kind
from .csvform import read_csv, write_csv
from .edifact import write_requests, write_states
from .edifactread import read_edifact
from .outgoing import COVER_REQUEST, OUTGOING, Outgoing
from .problems import FileError, Findings, Problem, ProblemKind
from .records import KIND_OF, KINDS, Draft, Record, to_message, to_record
from .rows import RECORD, Assembly, assemble, join
from .schema import schema_text
from .settings import DecimalMark, Envelope, FileForm, Reading
from .xlsxread import read_xlsx
from .xlsxwrite import Explain, sentences, write_xlsx
from .xmlform import read_xml, write_xml

MAX_BYTES = 50_000_000
MEDIA_TYPES = {
    FileForm.CSV: "text/csv",
    FileForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileForm.XML: "application/xml",
    FileForm.EDIFACT: "application/EDIFACT",
}
UNREAD = {
    b"\xd0\xcf\x11\xe0": _("an old or protected workbook is not read: save it as .xlsx"),
    b"%PDF": _("a PDF is not read"),
}
SUFFIXES = {FileForm.EDIFACT: "edi"}
EXACT = Reading(decimal=DecimalMark.POINT)  # how XML and EDIFACT write
FIELDS = {
    **{"cover": "covers", "grade": "grades", "cover_request_state": "request_states"},
    **{kind.code: "receipts" for kind in ANSWERS if kind.code.endswith("_receipt")},
    **{
        "agreement_status": "agreement_statuses",
        "claim_status": "claim_statuses",
        "collection_status": "collection_statuses",
    },
    **{"report_state": "report_states", "buyer_candidate": "candidates"},
}


def _same(text: str) -> str:
    return text


# --- Writing ----------------------------------------------------------------------------------------------------


def forms(kind: str) -> tuple[FileForm, ...]:
    """The forms in which messages of this kind can be exported."""
    return tuple(form for form in FileForm if form is not FileForm.EDIFACT or kind == COVER_REQUEST.code)


def kind_of(message: object) -> str:
    """The code of a message's kind, such as ``cover_request``.

    :raises FileError: a message that has no form.
    """
    kind = KIND_OF.get(type(message))
    if kind is None:
        raise FileError(_("there is no form for %(name)s", name=type(message).__name__))
    return kind.code


def instructions() -> tuple[str, ...]:
    """Every sentence that ``explain`` is asked for in a workbook of what we send."""
    return sentences(OUTGOING)


def export(
    message: Outgoing | Sequence[Outgoing],
    form: FileForm,
    *,
    delimiter: str = ",",
    explain: Explain = _same,
    envelope: Envelope | None = None,
) -> ReportFile:
    """What is to be sent, as a file. The same messages give the same bytes.

    :param message: one, or several of one kind.
    :param delimiter: of a CSV file.
    :param explain: puts the sentences of the instructions in a workbook into the reader's language.
    :param envelope: of an EDIFACT interchange.
    :raises FileError: something that the form cannot hold, or a reference used twice.
    """
    messages: Sequence[Any] = message if isinstance(message, Sequence) else (message,)
    kinds = list(dict.fromkeys(kind_of(one) for one in messages))
    if len(kinds) != 1 or KINDS[kinds[0]] not in OUTGOING:
        got = ", ".join(kinds) or _("none")
        raise FileError(_("expected messages of one kind, got %(kinds)s", kinds=got))
    references = [one.reference.strip() for one in messages]
    if twice := [reference for reference in references if references.count(reference) > 1]:
        raise FileError(_("%(reference)s is there twice", reference=twice[0]), column="reference")
    records = [to_record(one) for one in messages]
    if form is FileForm.EDIFACT:
        if kinds[0] != COVER_REQUEST.code:
            raise FileError(_("there is no EDIFACT form of a %(kind)s", kind=kinds[0]))
        content = write_requests(messages, envelope or Envelope())
    else:
        content = _write([KINDS[kinds[0]]], records, form, delimiter, explain)
    more = f"-and-{len(messages) - 1}-more" if len(messages) > 1 else ""
    name = re.sub(r"[^A-Za-z0-9.]+", "-", references[0]).strip("-.")[:60]
    return _file(f"{kinds[0]}-{name or 'file'}{more}", form, content)


def write_answers(answers: Sequence[AnyAnswer], form: FileForm, *, delimiter: str = ",") -> ReportFile:
    """Answers as an insurer would send them, of any kinds in one file."""
    records = [to_record(answer) for answer in answers]
    kinds = [kind for kind in ANSWERS if any(record.kind is kind for record in records)]
    if len(kinds) != len({record.kind.code for record in records}):
        raise FileError(_("a message that we send is no answer"))
    if form is FileForm.EDIFACT:
        if [kind.code for kind in kinds] != ["cover_request_state"]:
            raise FileError(_("EDIFACT holds states of cover requests only"))
        states = [answer for answer in answers if isinstance(answer, CoverRequestState)]
        return _file("answers", form, write_states(states, Envelope()))
    return _file("answers", form, _write(kinds, records, form, delimiter, _same))


def template(kind: str, form: FileForm, *, delimiter: str = ",", explain: Explain = _same) -> ReportFile:
    """A file to be filled in: headings and, in a workbook, choices and instructions; for XML it is the schema.

    :raises FileError: an unknown kind, or EDIFACT, which no person fills in.
    """
    if kind not in KINDS:
        words = _("there is no record %(kind)s; there are: %(kinds)s", kind=repr(kind), kinds=", ".join(KINDS))
        raise FileError(words)
    if form is FileForm.EDIFACT:
        raise FileError(_("there is no template for EDIFACT"))
    if form is FileForm.XML:
        return ReportFile("credit-insurance-exchange.xsd", "application/xml", schema_text().encode())
    if form is FileForm.XLSX:
        return _file(f"{kind}-template", form, write_xlsx([KINDS[kind]], [], explain, template=True))
    return _file(f"{kind}-template", form, write_csv(KINDS[kind].table, [], delimiter))


def _write(kinds: list[Kind], records: list[Record], form: FileForm, delimiter: str, explain: Explain) -> bytes:
    if form is FileForm.CSV:
        headings = dict.fromkeys(heading for kind in kinds for heading in kind.table)
        return write_csv(headings, records, delimiter)
    return write_xml(records) if form is FileForm.XML else write_xlsx(kinds, records, explain, template=False)


def _file(stem: str, form: FileForm, content: bytes) -> ReportFile:
    return ReportFile(f"{stem}.{SUFFIXES.get(form, form.value)}", MEDIA_TYPES[form], content)


# --- Reading ----------------------------------------------------------------------------------------------------


def read(content: bytes, name: str, reading: Reading | None = None) -> FileAnswers:
    """What an insurer or a broker answers. The form is seen in the content; ``name`` is only repeated.

    :raises FileError: nothing of the file can be taken. What is wrong in single places is in ``problems``.
    """
    messages, problems = _read(content, reading or Reading(), {kind.code for kind in ANSWERS})
    found: dict[str, list[Any]] = {}
    for kind, message in messages:
        found.setdefault(FIELDS[kind.code], []).append(message)
    return FileAnswers(**{field: tuple(items) for field, items in found.items()}, problems=problems)


def read_exported(
    content: bytes, name: str, reading: Reading | None = None
) -> tuple[tuple[Outgoing, ...], tuple[Problem, ...]]:
    """What ``export`` wrote, as whoever receives it would read it, and what is wrong with it."""
    messages, problems = _read(content, reading or Reading(), {kind.code for kind in OUTGOING})
    return tuple(message for _kind, message in messages), problems


def form_of(content: bytes) -> FileForm:
    """The form, by what the content begins with.

    :raises FileError: a form that is not read.
    """
    start = content[:512].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").replace(b"\0", b"")
    if content.startswith(b"PK"):
        return FileForm.XLSX
    for mark, words in UNREAD.items():
        if start.startswith(mark) or content.startswith(mark):
            raise FileError(words)
    if start.startswith(b"<"):
        return FileForm.XML
    return FileForm.EDIFACT if start.startswith((b"UNA", b"UNB")) else FileForm.CSV


def _read(content: bytes, reading: Reading, expected: set[str]) -> tuple[list[tuple[Kind, Any]], tuple[Problem, ...]]:
    if len(content) > MAX_BYTES:
        raise FileError(_("a file of %(size)s bytes, more than %(most)s", size=len(content), most=MAX_BYTES))
    if not content.strip():
        raise FileError(_("the file is empty"))
    form = form_of(content)
    problems = Findings()
    exact = form in (FileForm.XML, FileForm.EDIFACT)
    messages: list[tuple[Kind, Any]] = []
    for draft in _drafts(content, form, reading, problems):
        if draft.kind.code not in expected:
            words = _("a %(kind)s is not expected here", kind=draft.kind.code)
            problems.append(Problem(ProblemKind.RECORD, words, draft.line, RECORD, draft.sheet))
            continue
        own: list[Problem] = []
        message = to_message(draft, EXACT if exact else reading, own)
        problems.extend(own)
        if message is not None:
            messages.append((draft.kind, message))
    return messages, problems.sorted()


def _drafts(content: bytes, form: FileForm, reading: Reading, problems: list[Problem]) -> Iterator[Draft]:
    assembly = Assembly(problems)
    if form in (FileForm.CSV, FileForm.XLSX):
        csv = form is FileForm.CSV
        tables = [read_csv(content, reading, problems)] if csv else read_xlsx(content, reading, problems)
        for table in tables:
            assemble(table, reading, assembly)
    else:
        for draft in (read_xml if form is FileForm.XML else read_edifact)(content, problems):
            join(draft, assembly)
    yield from assembly.drafts.values()
