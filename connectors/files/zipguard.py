"""What a workbook is checked for before anything in it is opened: size, macros, document types."""

import io
import re
import zipfile

from ..words import _
from .problems import FileError

MAX_MEMBERS = 1000
MAX_UNPACKED = 400_000_000  # bytes in all
MAX_MEMBER = 300_000_000
MAX_STRINGS = 100_000_000  # of the table of texts, which is held in memory
MAX_TAGS = 500_000  # outside rows and texts, and of each of these: the reader holds them in memory all at once
CHUNK = 1 << 20
PIECE = re.compile(rb"<(?:[\w.-]+:)?(?:row|si)[\s/>]")
DOCTYPE = re.compile(rb"<!DOCTYPE|<!ENTITY", re.IGNORECASE)
DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding\s*=\s*["']([^"']*)""")
ENCODINGS = {b"utf-8", b"us-ascii", b"ascii", b"utf-16"}


def check_workbook(content: bytes) -> None:
    """:raises FileError: not a workbook, or one that would do harm to open."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_sizes(members)
            names = {member.filename.lower() for member in members}
            if any("vbaproject" in name or "macrosheets" in name for name in names):
                raise FileError(_("a workbook with macros is not taken: save it as .xlsx"))
            if "xl/workbook.xml" not in names:
                raise FileError(_("a packed file that is no workbook (.xlsx)"))
            for member in members:
                if member.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_xml(archive, member)
    except FileError:
        raise
    except Exception as exc:  # each way of packing has errors of its own
        raise FileError(_("the workbook is damaged (%(reason)s)", reason=str(exc))) from exc


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    """By the sizes the directory tells: no more than these is ever unpacked of a member."""
    if len(members) > MAX_MEMBERS:
        raise FileError(_("a workbook of %(count)s parts, more than %(most)s", count=len(members), most=MAX_MEMBERS))
    for member in members:
        limit = MAX_STRINGS if member.filename.lower().endswith("sharedstrings.xml") else MAX_MEMBER
        if member.file_size > limit:
            size = member.file_size
            raise FileError(
                _("%(part)s has %(size)s bytes, more than %(most)s", part=member.filename, size=size, most=limit)
            )
        if member.flag_bits & 1:
            raise FileError(_("the workbook is protected by a password"))
    total = sum(member.file_size for member in members)
    if total > MAX_UNPACKED:
        raise FileError(
            _("unpacked the workbook has %(size)s bytes, more than %(most)s", size=total, most=MAX_UNPACKED)
        )


def _check_xml(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    with archive.open(member) as stream:
        before, tags = b"", 0
        while chunk := stream.read(CHUNK):
            if not before:
                declared = DECLARED.match(chunk)
                if declared and declared.group(1).lower() not in ENCODINGS:
                    encoding = repr(declared.group(1))
                    raise FileError(
                        _("%(part)s is in %(encoding)s, expected UTF-8", part=member.filename, encoding=encoding)
                    )
            if DOCTYPE.search((before[-20:] + chunk).replace(b"\0", b"")):  # also as UTF-16 writes it
                raise FileError(_("%(part)s has a document type, which is not accepted", part=member.filename))
            tags = _check_tags(member, chunk, tags)
            before = chunk


def _check_tags(member: zipfile.ZipInfo, chunk: bytes, tags: int) -> int:
    """Count tags piece by piece; ``tags`` are those of the piece that the chunk goes on with."""
    for number, piece in enumerate(PIECE.split(chunk.replace(b"\0", b""))):
        tags = piece.count(b"<") + (0 if number else tags)
        if tags > MAX_TAGS:
            raise FileError(
                _("%(part)s has a piece of more than %(most)s elements", part=member.filename, most=MAX_TAGS)
            )
    return tags
