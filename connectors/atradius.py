"""Connector for Atradius: buyers, ratings, covers and their requests, the policy.

The facts come from two clients' code that was run against the interface; the insurer's own description is not public.
``Atradius.unverified`` says what neither shows. Codes and their meaning stand in ``atradius_codes.py``.

::

    atradius.py ──> atradius_covers.py ──> atradius_client.py      addresses, token, calls
                        │      └─────────> atradius_requests.py    what is sent
                        └────────────────> atradius_reading.py     what comes back

Overdue notices belong to another interface of the insurer, whose contract is not public: they go by file.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import ClassVar

from . import atradius_reading as reading
from .atradius_client import ENDPOINTS, SETTINGS, Client
from .atradius_covers import CoverDesk
from .atradius_requests import COVER_TYPES, look_ups, uid_type
from .base import Insurer, Operation
from .connection import Connection, Endpoint, Environment, Setting
from .jsondoc import Node
from .messages import (
    BuyerCandidate,
    BuyerQuery,
    Cover,
    CoverRequest,
    CoverRequestState,
    Grade,
    Page,
    PolicyDetails,
)
from .reading import one_by_one


class Atradius(Insurer):
    """Atradius over REST. Needs the credentials ``client_id``, ``client_secret``, ``app_key`` and the setting
    ``customer_id``; the policy number of a call is sent as ``policyId``."""

    code: ClassVar[str] = "atradius"
    label: ClassVar[str] = "Atradius"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    endpoints: ClassVar[Mapping[str, Endpoint]] = ENDPOINTS
    environments: ClassVar[frozenset[Environment]] = frozenset(Environment)
    unverified: ClassVar[tuple[str, ...]] = (
        "Whether a low or a high buyer rating is the better one.",
        "On which day a rating was given: the interface names no such field.",
        "Which types of number the insurer has for which country, but SN for the French SIREN.",
        "Whether a VAT number is asked for with the letters of its country; it is sent as it is stored.",
        "Whether the lists of applications and decisions give our customerRefNumber back. Where they do not, a request "
        "is known again by buyer, kind of cover and amount, while it is undecided or was granted just now.",
        "Fields of PUT covers: what a client sends is sent, which is not the cover's number (see cover_id_in_changes), "
        "and a first day where one is asked for. For cancel no client's body was seen whole.",
        "Whether the id of a cover changes when it is increased or reduced.",
        "Whether the days of expiry and of effectiveToDate are themselves still covered; they are taken to be.",
        "Whether the list of ended covers takes the same parameters as the others.",
        "The Non-Payments interface (overdue notices): its contract is not public, so notices go by file.",
        "How often the interface may be called.",
    )

    def __init__(self, connection: Connection) -> None:
        self._client = Client(self.code, connection)
        self._desk = CoverDesk(self._client)

    def close(self) -> None:
        self._client.close()

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """By the insurer's id, or by national number; a look-up may be charged, so the next number is tried only when
        one found nobody. By name alone the interface finds nobody."""
        types = self._client.uid_types
        kind = uid_type(types, query.country)
        if query.buyer_id:
            answer = self._client.buyer("find_buyer", query.buyer_id)
            return answer.read(_candidates("", kind, 100)) if answer else ()
        searches = list(look_ups(query, types))
        if not searches:
            raise self._not_supported(Operation.FIND_BUYER)
        for parameters in searches:
            answer = self._client.look_up("find_buyer", "buyers", parameters)
            found = answer.read(_candidates(query.country.upper(), kind, 98)) if answer else ()
            if found:
                return found
        return ()

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        """One call per buyer. For those under a policy ``grade_changes`` is one call."""
        return self.grade_page(buyer_ids).whole().items

    def grade_page(self, buyer_ids: Iterable[str]) -> Page[Grade]:
        return one_by_one(buyer_ids, self._grades_of)

    def _grades_of(self, buyer_id: str) -> tuple[Grade, ...]:
        answer = self._client.buyer("grades", buyer_id)
        return answer.read(_grades) if answer else ()

    def grade_changes(self, policy_number: str, since: date, token: str | None = None) -> Page[Grade]:
        """All in one page, as the interface has none. The day before ``since`` is asked for: whether the filter
        includes its day is not known."""
        after = (since - timedelta(days=1)).isoformat()
        parameters = self._client.of_policy(policy_number, buyerRatingUpdatedAfter=after)
        answer = self._client.get("grade_changes", "ratings", parameters)
        told, unread = answer.read_each(reading.rows, reading.grade, buyer=reading.buyer_of)
        return Page(tuple(grade for grade in told if grade), unread=unread)

    # --- Cover --------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, token: str | None = None) -> Page[Cover]:
        """All in one page, as the interface has none: what stands, and of buyers with nothing that stands the cover
        that ended last. A list larger than ``TransportOptions.max_bytes`` is refused."""
        return self._desk.portfolio(policy_number)

    def request_cover(self, request: CoverRequest) -> CoverRequestState:
        """Decided at once, or referred to a person. What the interface has no field for (urgency, comment, terms of
        payment) is not sent."""
        if request.product not in COVER_TYPES:
            raise self._not_supported(Operation.REQUEST_COVER)
        return self._desk.request(request)

    def find_cover_request(self, request: CoverRequest) -> CoverRequestState | None:
        return self._desk.find(request)

    def cover_request_state(self, request_id: str) -> CoverRequestState:
        return self._desk.state_of(request_id)

    def cover_request_page(self, policy_number: str, token: str | None = None) -> Page[CoverRequestState]:
        """All in one page, as the interface has none."""
        return self._desk.undecided(policy_number)

    # --- Policy -------------------------------------------------------------------------------------------------

    def policy_details(self, policy_number: str) -> PolicyDetails:
        """The one call that refuses ``customerId``."""
        answer = self._client.get("policy_details", "policy", {"policyId": policy_number})
        return answer.read(lambda node: reading.policy(reading.only(node)))


def _candidates(country: str, kind: str, score: int) -> Callable[[Node], tuple[BuyerCandidate, ...]]:
    return lambda node: tuple(reading.candidate(row, country, kind, score) for row in reading.rows(node))


def _grades(node: Node) -> tuple[Grade, ...]:
    return tuple(grade for row in reading.rows(node) if (grade := reading.grade(row)))
