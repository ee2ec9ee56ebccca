"""Small readers from which connectors build the readers of their insurer's answers."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from .errors import RejectedByInsurer, UnexpectedResponse
from .jsondoc import Node, ShapeError
from .messages import Page, Unread

Value = TypeVar("Value")
Code = TypeVar("Code", bound=StrEnum)

GIVEN_UP_AFTER = 5  # buyers of whom nothing can be had before anything was: it is not about them


def known(codes: Mapping[str, Code], raw: str, unknown: Code) -> Code:
    """Our code for the insurer's ``raw`` one, whatever its case; ``unknown`` when we do not know it."""
    return codes.get(raw.upper(), unknown)


def list_of(name: str, read: Callable[[Node], Value]) -> Callable[[Node], tuple[Value, ...]]:
    """Reads the member ``name`` as a list of what ``read`` reads."""
    return lambda node: tuple(read(item) for item in node[name].items())


def about(read: Callable[[Node], Value], reference: str) -> Callable[[Node], Value]:
    """``read``, after checking that the answer is about our ``reference`` and not about something else."""

    def checked(node: Node) -> Value:
        told = node["reference"]
        if told.text() != reference:
            raise ShapeError(told.path, f"the answer is about {told.text()!r}, asked was {reference!r}")
        return read(node)

    return checked


def at_most_one(name: str, read: Callable[[Node], Value], reference: str) -> Callable[[Node], Value | None]:
    """Reads the list ``name`` of what the insurer has under our ``reference``: one entry, or none."""

    def checked(node: Node) -> Value | None:
        found = [about(read, reference)(item) for item in node[name].items()]
        if len(found) > 1:
            raise ShapeError(node[name].path, f"{len(found)} entries under the reference {reference!r}")
        return found[0] if found else None

    return checked


def one_by_one(buyer_ids: Iterable[str], ask: Callable[[str], Iterable[Value]]) -> Page[Value]:
    """What ``ask`` gives for each buyer, each once. A buyer whom the insurer refuses, or of whom its answer cannot be
    read, is ``unread``; other errors end it, and so do those of the first few when nobody was answered before."""
    items: list[Value] = []
    unread: list[Unread] = []
    answered = False
    for buyer_id in dict.fromkeys(buyer_ids):
        try:
            items.extend(ask(buyer_id))
            answered = True
        except (RejectedByInsurer, UnexpectedResponse) as error:
            unread.append(Unread(error, buyer_id))
            if not answered and len(unread) >= GIVEN_UP_AFTER:
                raise
    return Page(tuple(items), unread=tuple(unread))
