"""The open file exchange: the route for insurers and brokers without an interface, and for calls a connector lacks.

::

    export(claim, FileForm.XLSX)              route.py        → a file for the insurer's portal, and back:
    read(content, name) → FileAnswers         route.py        covers, states, receipts, problems by line and column
        │
        ├── csvform.py  xlsxwrite.py  xlsxread.py  xmlform.py  schema.py  edifact.py  edifactread.py   the forms
        ├── rows.py  records.py  cells.py  numbers.py         rows → records → messages, nothing guessed
        ├── outgoing.py  answers.py  columns.py               which columns there are: the only place
        ├── settings.py  problems.py  schemawords.py  zipguard.py  what is declared, what is wrong, what is dangerous
        └── coversheet.py  __main__.py                        what is printed: beside the file, and the schema

``docs/file-exchange.md`` describes the files for those who fill them in; ``docs/credit-insurance-exchange.xsd`` is the
schema of the XML form.
"""

from .answers import AnyReceipt, AnyStatus, FileAnswers, FoundBuyer
from .coversheet import CoverSheet, SheetRow, SheetTable, cover_sheet
from .outgoing import BuyerLookup, Outgoing
from .problems import FileError, Problem, ProblemKind
from .route import export, form_of, forms, instructions, kind_of, read, read_exported, template, write_answers
from .settings import DateOrder, DecimalMark, Envelope, FileForm, Reading

__all__ = [
    "AnyReceipt",
    "AnyStatus",
    "BuyerLookup",
    "CoverSheet",
    "DateOrder",
    "DecimalMark",
    "Envelope",
    "FileAnswers",
    "FileError",
    "FileForm",
    "FoundBuyer",
    "Outgoing",
    "Problem",
    "ProblemKind",
    "Reading",
    "SheetRow",
    "SheetTable",
    "cover_sheet",
    "export",
    "form_of",
    "forms",
    "instructions",
    "kind_of",
    "read",
    "read_exported",
    "template",
    "write_answers",
]
