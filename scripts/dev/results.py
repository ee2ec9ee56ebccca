"""Adding up what pytest's JUnit reports say."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Skip:
    name: str
    reason: str


@dataclass
class Tally:
    """Passed, failed and skipped tests; `+` adds two of them up."""

    passed: int = 0
    failed: int = 0
    skips: list[Skip] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skips + other.skips)

    @property
    def total(self) -> int:
        return self.passed + self.failed + len(self.skips)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {len(self.skips)} skipped"


def read_junit(report: Path) -> Tally:
    """The tally of one report; nothing when pytest never got as far as writing it."""
    if not report.is_file():
        return Tally()
    return _tally(ElementTree.parse(report).iter("testcase"))


def _tally(cases: Iterable[ElementTree.Element]) -> Tally:
    tally = Tally()
    for case in cases:
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed += 1
        elif skipped is not None:
            name = f"{case.get('classname', '')}::{case.get('name', '')}".removeprefix("::")
            tally.skips.append(Skip(name, skipped.get("message", "")))
        else:
            tally.passed += 1
    return tally
