"""The covers at SINOSURE: limits as they were approved, what was announced of them, what was given back."""

from dataclasses import replace
from datetime import date, datetime

from .messages import Cover, CoverStatus, Page, Unread
from .sinosure_calls import GIVEN_BACK, QUOTAS
from .sinosure_codes import ROWS_PER_CALL
from .sinosure_orders import SinosureOrders
from .sinosure_reading import (
    Decision,
    QuotaBalance,
    Verdict,
    announced,
    approved,
    balance,
    quota_number,
    revoked_cover,
)
from .sinosure_windows import Window
from .sinosure_wire import Row, Texts


class SinosureCovers(SinosureOrders):
    def cover_page(self, policy_number: str, token: str | None = None) -> Page[Cover]:
        """The limits approved in ``history_days``, each as it was approved last, with what was announced since and
        without what was given back. ``token`` is the day of the list and a number of covers: each page is cut out of
        the same whole, as a limit may come in several spans."""
        day, offset = self._cut(token) if token else (self._today(), 0)
        unread: list[Unread] = []
        covers = sorted(self._portfolio(policy_number, day, unread).values(), key=lambda each: each.cover_id)
        page = covers[offset : offset + ROWS_PER_CALL]
        more = f"{day.isoformat()}/{offset + ROWS_PER_CALL}" if len(covers) > offset + ROWS_PER_CALL else None
        return Page(tuple(page), more, len(covers), () if token else tuple(unread))

    def _cut(self, token: str) -> tuple[date, int]:
        day, _slash, offset = token.partition("/")
        try:
            return date.fromisoformat(day), max(0, int(offset))
        except ValueError:
            self._refuse(f"{token!r} is no page of ours")

    def _portfolio(self, policy: str, day: date, unread: list[Unread]) -> dict[str, Cover]:
        """Covers by their number. A refused application for more leaves the limit as it was, and what was given back at
        a time that is not told stays so. Of a limit of which anything cannot be read nothing is told."""
        spans = self._whole_list(self._terms.history_days, day)
        told = [each for window in reversed(spans) for each in self._approvals(policy, window, unread)]
        covers: dict[str, Cover] = {}
        decided: dict[str, datetime] = {}
        for approval, cover in sorted(told, key=lambda each: each[0].moment):
            covers[cover.cover_id] = cover
            decided[cover.cover_id] = approval.moment
        rows = self._wire.send("getEdiQuotaPreRevocationInfo", {"policyNo": policy}, "QuotaPreRevocationInfo")

        def leaving(row: Row) -> Cover:
            standing = covers.get(quota_number(row)) or revoked_cover(row, policy, self._terms)
            return replace(standing, announcements=(announced(row),))

        covers |= {cover.cover_id: cover for cover in self._read_each(rows, leaving, unread)}
        for window in spans:
            for back, number in self._given_back_in(policy, window, unread):
                is_last = not back.row.text("notifyTime") or back.moment >= decided.get(number, back.moment)
                if back.verdict is Verdict.ACCEPTED and number in covers and is_last:
                    covers[number] = _given_back(covers[number], back.moment.astimezone(self._terms.zone).date())
        lost = {entry.number for entry in unread} | {entry.buyer_id for entry in unread}
        return {number: cover for number, cover in covers.items() if not {number, cover.buyer_id} & lost}

    def _approvals(self, policy: str, window: Window, unread: list[Unread]) -> list[tuple[Decision, Cover]]:
        found = self._told(QUOTAS, window, policy, lambda told: approved(told, policy, self._terms), unread)
        return [(told, cover) for told, cover in found if cover]

    def _given_back_in(self, policy: str, window: Window, unread: list[Unread]) -> list[tuple[Decision, str]]:
        return self._told(GIVEN_BACK, window, policy, lambda told: quota_number(told.row), unread)

    def quota_balances(self, policy_number: str) -> Page[QuotaBalance]:
        """What is left of each limit, which no message of ours has room for."""
        parameters = {"policyNoList": Texts((policy_number,))}
        rows = self._wire.send("getQuotaBalanceInfoByPolicyNo", parameters, "QuotaBalanceInfo")
        unread: list[Unread] = []
        found = self._read_each(rows, lambda row: balance(row, self._terms), unread)
        return Page(tuple(found), unread=tuple(unread))


def _given_back(standing: Cover, last: date) -> Cover:
    until = min(last, standing.effective_to or last)
    return replace(standing, status=CoverStatus.WITHDRAWN, effective_to=until, announcements=())
