"""Rules that belong together, with the signals they bring along."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .derived import Derived
from .model import Rule
from .problems import Place


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules that are shipped, switched on and versioned together; ``signals`` are derived signals of their own."""

    key: str
    rules: tuple[Rule, ...]
    title: str = ""
    reason: str = ""
    signals: tuple[Derived, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
