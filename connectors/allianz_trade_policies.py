"""How a policy is named to Allianz Trade, and the ids of requests that we hand out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Self
from urllib.parse import quote, unquote

from .allianz_trade_codes import entries
from .errors import ConfigurationError
from .jsondoc import Json

KINDS = ("job", "cover", "company")


@dataclass(frozen=True, slots=True)
class Part:
    """What the insurer calls a policy. A policyholder's basic policy, its extension for discretionary limits (``DCL``)
    and its top-up (``CAP``) are three of them."""

    policy_id: str
    extension_id: str
    business_unit: str

    def body(self) -> dict[str, Json]:
        return {
            "businessUnitCode": self.business_unit,
            "policyId": self.policy_id,
            "extensionId": self.extension_id,
        }


class Policies:
    """The parts of each policy number of ours. The first part is the one under which cover is asked for.

    :param text: ``POL-1 = 100200 + 100201/CAP/ACI; POL-2``. A part is ``policyId/extensionId/businessUnitCode``; what
        is left out of it is as in the settings. A number alone, or one that is not listed, is one part, called the same
        by the insurer.
    """

    def __init__(self, insurer: str, text: str, *, extension_id: str, business_unit: str) -> None:
        self._default = (extension_id, business_unit)
        listed = {}
        for number, parts in entries(insurer, text, bare=True):
            listed[number] = tuple(self._read(insurer, part) for part in parts.split("+"))
        self.listed: Mapping[str, tuple[Part, ...]] = listed

    def parts(self, number: str) -> tuple[Part, ...]:
        return self.listed.get(number) or (Part(number, *self._default),)

    def _read(self, insurer: str, text: str) -> Part:
        names = [name.strip() for name in text.split("/")]
        if not names[0] or len(names) > 3:
            raise ConfigurationError(f"{text.strip()!r} is not policyId/extensionId/businessUnitCode", insurer=insurer)
        extension_id = names[1] if len(names) > 1 else self._default[0]
        return Part(names[0], extension_id, names[2] if len(names) > 2 else self._default[1])


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Our ``request_id``: the insurer's id, and what has to be known to judge its answer later, in any process.

    ``kind`` says what ``number`` is: a ``job``, a ``cover``, or, with version 2, the ``company``. ``amount`` is what
    was asked for, ``None`` for a grade cover.
    """

    kind: str
    number: str
    policy_number: str
    company_id: str
    amount: Decimal | None
    asked_at: datetime

    def text(self) -> str:
        amount = "" if self.amount is None else format(self.amount, "f")
        parts = (self.kind, self.number, self.policy_number, self.company_id, amount, self.asked_at.isoformat())
        return "/".join(quote(part, safe=":+") for part in parts)

    @classmethod
    def read(cls, text: str) -> Self:
        """:raises ValueError: it is none of ours."""
        parts = [unquote(part) for part in text.split("/")]
        if len(parts) != 6 or parts[0] not in KINDS or not parts[1]:
            raise ValueError(f"{text!r} is no id of a request")
        try:
            amount = Decimal(parts[4]) if parts[4] else None
        except InvalidOperation as exc:
            raise ValueError(f"{text!r} is no id of a request") from exc
        asked_at = datetime.fromisoformat(parts[5])
        if asked_at.tzinfo is None:
            raise ValueError(f"{text!r} does not say when it was asked")
        return cls(parts[0], parts[1], parts[2], parts[3], amount, asked_at)
