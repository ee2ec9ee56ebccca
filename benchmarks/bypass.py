"""Odoo without this addon's hooks on orders, in this process only: what a confirmation costs without any check."""

# ruff: noqa: TID251 (runs inside Odoo)
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo.orm.models import BaseModel
from odoo.orm.registry import Registry

# Overrides give way to what they override; the addon's own methods do nothing.
OVERRIDES = ("write", "_compute_amounts")
OWN = ("_credit_ensure_passes",)


@contextmanager
def without_gate(registry: Registry) -> Iterator[None]:
    """Orders of this database are confirmed as if the addon were not installed."""
    model = registry["sale.order"]
    definition = next(base for base in model.__mro__ if OWN[0] in vars(base))
    after = model.__mro__[model.__mro__.index(definition) + 1 :]
    with ExitStack() as stack:
        for name in OVERRIDES:
            original = next(vars(base)[name] for base in after if name in vars(base))
            stack.enter_context(patch.object(definition, name, original))
        for name in OWN:
            stack.enter_context(patch.object(definition, name, _nothing))
        stack.enter_context(patch.object(definition, "_credit_confirm", _confirm_all))
        stack.enter_context(patch.object(definition, "_compute_credit_state", _no_state))
        yield


def _nothing(orders: BaseModel, checkpoint: str) -> None:
    """Instead of a check."""


def _confirm_all(orders: BaseModel) -> object:
    return orders._credit_confirm_in_odoo()


def _no_state(orders: BaseModel) -> None:
    orders.credit_state = False
