"""Connector for an insurer or a broker without an interface: everything goes by file.

It has no calls, so that every operation is ``NotSupported`` and takes the file route of ``files``. Its settings say how
the files that come back are to be read; ``files.Reading.from_settings`` takes them.
"""

from typing import ClassVar

from .base import Insurer
from .connection import Connection, Environment, Setting
from .errors import ConfigurationError


class FileExchange(Insurer):
    """Files only. Needs no address and no credentials."""

    code: ClassVar[str] = "file"
    label: ClassVar[str] = "Files only"
    environments: ClassVar[frozenset[Environment]] = frozenset(Environment)
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "decimal_mark",
            "Decimal mark",
            "point or comma, in the files that come back; empty: numbers that can be read in two ways are refused",
            required=False,
        ),
        Setting("date_order", "Order of dates", "iso, dmy or mdy, for dates in CSV files", default="iso"),
        Setting(
            "encoding",
            "Character set",
            "of CSV files that are not in UTF-8, such as cp1252 or gb18030",
            required=False,
        ),
        Setting("delimiter", "Delimiter", "of CSV files: a comma, a semicolon or tab; empty: seen", required=False),
    )
    unverified: ClassVar[tuple[str, ...]] = (
        "The RECECO profile (segments and qualifiers besides elements 4505 and 4507) is our own.",
    )

    def __init__(self, connection: Connection) -> None:
        from .files import Reading  # with it come libraries for workbooks, which the other connectors do not need

        values = connection.check(self.code, self.settings)
        try:
            self.reading = Reading.from_settings(values)
        except ValueError as exc:
            raise ConfigurationError(str(exc), insurer=self.code) from exc

    def close(self) -> None:
        """There is nothing to give back."""
