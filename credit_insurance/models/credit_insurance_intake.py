"""Adapter: covers as the insurer tells them, as the connectors' messages, into the history of our buyers.

One statement per page, however many rows it has: it adds a row where the insurer's answer differs from the last one
under the same reference and writes nothing where it is the same.
"""

import hashlib
import json
from datetime import date, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.connectors import AnnouncementKind, CoverStatus

from .intake_sql import END_TEMPORARY, INCOMING_COVERS, INSERT_CHANGED, MARK_CORRECTED, NEWS, REPORT_UNLINKED

ANNOUNCED = {AnnouncementKind.WITHDRAWAL: "withdrawn", AnnouncementKind.REDUCTION: "reduced"}
GRANTED = (CoverStatus.APPROVED, CoverStatus.PARTIAL, CoverStatus.REDUCED)
# Of a temporary amount: what the insurer says of the permanent one does not hold for it.
PERMANENT_ONLY = ("requested_amount", "announced_status", "announced_code", "announced_from", "announced_amount")


class CreditInsuranceCover(models.Model):
    _inherit = "credit.insurance.cover"

    _temporary_idx = models.Index("(policy_id, external_id) WHERE layer = 'temporary'")

    @api.model
    def _take_over(self, pull, policy, covers):
        """Add history rows for what changed in these ``connectors.Cover`` messages of one policy, in none of which
        ``_find_problems`` found anything.

        Buyers that are not linked to ours are reported (``credit.insurance.unlinked.buyer``).

        :return: (number of rows added, list of sentences about whose cover it is)
        """
        told = {cover.buyer_id: cover.own_reference.strip() for cover in covers if cover.own_reference.strip()}
        ambiguous = self.env["credit.insurance.buyer.link"]._link_own_references(pull.account_id, told)
        self.env.flush_all()
        values = self._prepare_values(pull, policy)
        rows = self._prepare_incoming(policy, self._choose_news(covers, values))
        added = []
        if rows:
            values["incoming"] = SQL(INCOMING_COVERS, json.dumps(rows))
            added += [row[0] for row in self.env.execute_query(SQL(INSERT_CHANGED, **values))]
        values["permanent"] = [cover.cover_id for cover in covers if not _has_temporary(cover)]
        added += [row[0] for row in self.env.execute_query(SQL(END_TEMPORARY, **values))]
        if added:
            self.env.cr.execute(SQL(MARK_CORRECTED, added))
            self._record_changes(policy, added)
        if by_grade := [row["reference"] for row in rows if row["grade"]]:
            self._derive_from_grades(policy, by_grade)
        if rows:
            self.env.cr.execute(SQL(REPORT_UNLINKED, **values))
        if rows or added:
            for name in ("credit.insurance.cover", "credit.insurance.buyer", "credit.insurance.unlinked.buyer"):
                self.env[name].invalidate_model(flush=False)
        return len(added), ambiguous

    @api.model
    def _prepare_values(self, pull, policy):
        """What the statements of a page have in common."""
        return {
            "policy": policy.id,
            "account": pull.account_id.id,
            "company": pull.company_id.id,
            "pull": pull.id,
            "percentage": policy.insured_percentage,
            "today": policy.company_id._credit_today(),
            "told": pull._get_told_at(),
            "now": fields.Datetime.now(),
            "uid": self.env.uid,
        }

    @api.model
    def _choose_news(self, covers, values):
        """``[(cover, fingerprint)]``: those that say something else than last time. Of two answers the later counts."""
        told = {cover.cover_id: (cover, _fingerprint(cover)) for cover in covers}
        told_values = {
            "references": list(told),
            "buyers": [cover.buyer_id for cover, _fingerprint in told.values()],
            "fingerprints": [fingerprint for _cover, fingerprint in told.values()],
        }
        news = {reference for (reference,) in self.env.execute_query(SQL(NEWS, **values, **told_values))}
        return [item for reference, item in told.items() if reference in news or _has_temporary(item[0])]

    # === MESSAGES === #

    @api.model
    def _prepare_incoming(self, policy, news):
        today = policy.company_id._credit_today()
        by_code = self._get_currencies(cover for cover, _fingerprint in news)
        rows = []
        for cover, fingerprint in news:
            row = self._prepare_row(cover, by_code[cover.currency], today, fingerprint)
            rows.append(row)
            if _has_temporary(cover):
                rows.append(self._prepare_temporary(cover, row))
        return rows

    @api.model
    def _get_currencies(self, covers):
        """The ids of the active currencies of these messages by their code."""
        codes = {cover.currency for cover in covers}
        found = self.env["res.currency"].search([("name", "in", list(codes))]) if codes else ()
        return {currency.name: currency.id for currency in found}

    @api.model
    def _find_problems(self, policy, covers):
        """Why some of these messages cannot be taken over: ``{cover id: sentence}``."""
        by_code = self._get_currencies(covers)
        told = {cover.cover_id: self._find_problem(policy, cover, by_code) for cover in covers}
        return {cover_id: problem for cover_id, problem in told.items() if problem}

    @api.model
    def _find_problem(self, policy, cover, currencies):
        """Why this message cannot be taken over, or None."""
        if cover.policy_number != policy.number:
            return self.env._(
                "Cover %(cover)s belongs to policy %(policy)s, which was not asked for.",
                cover=cover.cover_id,
                policy=cover.policy_number,
            )
        if cover.currency not in currencies:
            return self.env._(
                "Cover %(cover)s is in %(currency)s: activate that currency and give it a rate.",
                cover=cover.cover_id,
                currency=cover.currency,
            )
        return None

    @api.model
    def _prepare_row(self, cover, currency_id, today, fingerprint):
        """One message as a row of ``INCOMING_COVERS``; only the dates need interpreting."""
        announced = min(cover.announcements, key=lambda item: item.effective_from or date.max, default=None)
        decided = cover.decided_on or today
        ended = cover.status in (CoverStatus.WITHDRAWN, CoverStatus.EXPIRED)
        # What has ended is told with the dates on which it *stood*; our row says from when on it no longer does.
        changed = cover.effective_to + timedelta(days=1) if ended and cover.effective_to else decided
        row = {
            "reference": cover.cover_id,
            "buyer": cover.buyer_id,
            "status": _status_of(cover).value,
            "raw_code": cover.raw_code,
            "amount": cover.amount or 0,
            "requested_amount": cover.requested_amount,
            "currency_id": currency_id,
            "insured_percentage": cover.insured_percentage,
            "told_from": cover.effective_from,
            "effective_to": None if ended else cover.effective_to,
            "announced_status": announced and ANNOUNCED.get(announced.kind, "unknown"),
            "announced_code": announced and announced.raw_code,
            "announced_from": announced and announced.effective_from,
            "announced_amount": announced and announced.amount,
            "decided_on": cover.decided_on,
            "conditions": "\n".join(cover.conditions) or None,
            "own_reference": cover.own_reference.strip() or None,
            "grade": (_is_by_grade(cover) and cover.grade) or None,
        }
        row = {key: value if value is None else str(value) for key, value in row.items()}
        return {
            **row,
            "layer": "permanent",
            "first_from": str(changed if ended else cover.effective_from or decided),
            "changed_from": str(changed),
            "fingerprint": fingerprint,
        }

    @api.model
    def _prepare_temporary(self, cover, permanent):
        """The temporary amount of a cover as a row of its own, beside that of the permanent one."""
        until = cover.temporary_until or cover.effective_to
        row = {
            **permanent,
            **dict.fromkeys(PERMANENT_ONLY),
            "layer": "temporary",
            "amount": str(cover.temporary_amount),
            "told_from": str(cover.temporary_from) if cover.temporary_from else permanent["told_from"],
            "first_from": str(cover.temporary_from or permanent["first_from"]),
            "effective_to": str(until) if until else None,
        }
        told = (cover.currency, row["amount"], row["told_from"], row["effective_to"], row["insured_percentage"])
        return {**row, "fingerprint": _digest(told)}


def _is_by_grade(cover):
    return cover.amount is None and cover.status in GRANTED


def _has_temporary(cover):
    return bool(cover.temporary_amount) and cover.status in GRANTED


def _fingerprint(cover):
    """Of what the insurer said of a cover, but for its temporary amount: an equal answer adds no row."""
    return _digest(
        (
            *(cover.buyer_id, cover.status.value, cover.raw_code, cover.currency, cover.amount, cover.requested_amount),
            *(cover.insured_percentage, cover.effective_from, cover.effective_to, cover.decided_on),
            *(cover.announcements, cover.conditions, *filter(None, [cover.grade])),
        )
    )


def _digest(told):
    return hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()


def _status_of(cover):
    """What was granted without saying how much, as a grade cover is, is not known; it is not an amount of 0."""
    return CoverStatus.UNKNOWN if cover.status in GRANTED and cover.amount is None else cover.status
