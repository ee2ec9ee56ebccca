"""The signals and actions that are shipped: plain data, which a company or a test extends or replaces.

A signal is *missing* when nobody knows it (no cover was ever asked for, the insurer gave no grade), never when it is
zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .catalogue_buyer import BUYER_SIGNALS, COVER_STATUSES
from .catalogue_documents import EVENT_KINDS, EVENT_SIGNALS, INVOICE_SIGNALS, ORDER_SIGNALS
from .marking import _
from .signals import Scope, SignalCatalogue

__all__ = [
    "BUYER_SIGNALS",
    "COVER_STATUSES",
    "DEFAULT_ACTIONS",
    "DEFAULT_CATALOGUE",
    "EVENT_KINDS",
    "EVENT_SIGNALS",
    "INVOICE_SIGNALS",
    "ORDER_SIGNALS",
    "Action",
]

DEFAULT_CATALOGUE = SignalCatalogue((*BUYER_SIGNALS, *INVOICE_SIGNALS, *ORDER_SIGNALS, *EVENT_SIGNALS))


@dataclass(frozen=True, slots=True)
class Action:
    """Something a rule can ask for; the caller carries it out. ``scopes`` are the rules it makes sense in."""

    key: str
    help: str
    scopes: frozenset[Scope] = frozenset(Scope)


_DOCUMENTS = frozenset({Scope.BUYER, Scope.INVOICE})

_ACTIONS = (
    Action("notify", _("Tell the people responsible for the buyer, and note it in the buyer's chatter.")),
    Action("activity", _("Put a task on the alert for whoever looks after it; it goes when the alert ends.")),
    Action("watch_buyer", _("Put the buyer on the watch list until the alert ends, or somebody decides otherwise.")),
    Action("hold_buyer", _("Hold new orders of the buyer until the alert ends or is dismissed.")),
    Action("hold_order", _("Hold this order until the alert ends or is dismissed."), frozenset({Scope.ORDER})),
    Action("change_payment_term", _("Give new quotations a shorter payment term until the alert ends.")),
    Action("reduce_own_limit", _("Reduce the buyer's own limit; people grant it again.")),
    Action("request_cover", _("Prepare a request for more or new cover.")),
    Action("reduce_cover", _("Prepare giving back cover that is not used.")),
    Action("prepare_notification", _("Prepare the notification of the insurer."), _DOCUMENTS | {Scope.EVENT}),
    Action("start_dunning", _("Prepare the next dunning step."), _DOCUMENTS),
    Action("webhook", _("Tell another system by a signed call.")),
)
DEFAULT_ACTIONS: Mapping[str, Action] = {action.key: action for action in _ACTIONS}
