"""Cases put to ``rules.policy``: every amount in the currency of the buyer's limit."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import (
    BuyerStatus,
    DecisionRequest,
    Exposure,
    Money,
    ReasonCode,
    Severity,
    SharedLimit,
)

from .amounts import to_decimal
from .company_calendar import company_day_bounds
from .credit_insurance_exposure import Snapshot

# What a delivery is not asked that waits for a reason of its own, where the company does not check deliveries.
NOTHING_ELSE = {
    "buyer_status": BuyerStatus.NORMAL,
    "max_overdue_days": None,
    "mep_passed": False,
    "mep_excused": False,
    "cover_stopped": "",
    "alert_holds": (),
    "blocked_related": (),
    "different": (),
}


@dataclass(frozen=True)
class Figures:
    """What is read for all cases at once: exposure rows by (partner_id, root_company_id), and rated currencies.

    ``rated`` are pairs of a company's id and the code of a foreign currency that has a rate there; ``small`` is what
    passed below a threshold today, by (partner_id, root_company_id): ``[(currency_id, amount)]``; ``earmarked`` what
    quotations and drafts were paid with, as rows by document; ``late`` the open items of buyers whose cover these may
    have stopped; ``snapshot`` what the transaction saw, where headroom is taken.
    """

    rows: dict
    rated: frozenset[tuple[int, str]]
    small: dict
    earmarked: dict
    late: dict
    snapshot: Snapshot | None = None


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    # === FIGURES === #

    @api.model
    def _get_figures(self, cases, taking=False):
        """Exposure of the buyers concerned and of those they share a limit with, the documents left out.

        :param taking: headroom is going to be taken
        """
        keys = set()
        for case in cases:
            if case.looked_up:
                keys |= {case.key, *(case.group.members if case.group else ())}
        orders = self.env["sale.order"].union(*(case.subject._credit_order() for case in cases))
        rows, snapshot, exposure = {}, None, self.env["credit.insurance.exposure"]
        for company in self.env["res.company"].browse({company_id for _partner, company_id in keys}).sudo():
            partner_ids = [partner_id for partner_id, company_id in keys if company_id == company.id]
            asked = (partner_ids, company.ids, company._credit_today(), orders.ids)
            if taking and not snapshot:
                found, snapshot = exposure._get_rows_and_snapshot(*asked)
            else:
                found = exposure._get_rows(*asked)
            rows |= found
        small, earmarked, late = self._get_passed_today(cases), self._get_earmarked(rows), self._get_late(cases, rows)
        return Figures(rows, self._get_rated(cases, rows, late), small, earmarked, late, snapshot)

    @api.model
    def _make_request(self, case, figures, ledger):
        currency = self.env["res.currency"].browse(case.buyer.currency_id)
        unrated = {code for _company, code in self._get_foreign(case, figures.rows) - figures.rated}
        request = DecisionRequest(
            exposure=self._make_exposure(case, currency, figures, ledger),
            limit=case.buyer.limit,
            mode=case.mode,
            buyer=f"{case.key}",
            buyer_status=self._get_status(case),
            shared=self._make_shared(case, currency, figures, ledger),
            country=case.buyer.country,
            alert_holds=case.alerts,
            blocked_related=case.blocked,
            different=case.different,
            unrated=tuple(sorted(unrated)),
            decimal_places=currency.decimal_places,
            **self._prepare_document_vals(case, currency),
            **self._prepare_profile_vals(case, currency, figures, ledger),
            **self._prepare_policy_vals(case, figures),
        )
        return request if case.look_around else replace(request, **NOTHING_ELSE)

    @api.model
    def _prepare_document_vals(self, case, currency):
        """What the document itself brings: its amount, and what was paid, secured and released of it."""
        # Where nothing is left to deliver, nothing waits for the money.
        waits = case.profile.delivery_waits_for_money and case.checkpoint in ("confirmation", "growth")
        return {
            "document": Money(case.document, currency.name),
            "document_currency": case.subject._credit_currency().name,
            "check_limit": case.check_limit,
            "prepaid": Money(case.prepaid, currency.name),
            "secured": self._money(case.secured, currency),
            "released": self._money(case.released, currency),
            "released_reasons": case.released_reasons,
            "must_be_paid": case.must_be_paid,
            "goods_leave": case.goods_leave,
            "delivery_waits_for_money": waits and case.subject._credit_delivery_waits(),
        }

    @api.model
    def _get_status(self, case):
        status, limit = case.buyer.status, case.buyer.limit
        if not case.checked and status is BuyerStatus.NORMAL and not limit.unreadable:
            return BuyerStatus.NOT_CHECKED
        return status

    @api.model
    def _money(self, amount, currency):
        return None if amount is None else Money(amount, currency.name)

    @api.model
    def _prepare_policy_vals(self, case, figures):
        """What the policies behind the limit, and the age of what is owed, say about the document."""
        policies, subject, grace = case.buyer.policies, case.subject, timedelta(days=case.grace_days)
        overdue = [row for row in figures.rows.get(case.key, ()) if row.source == "overdue"]
        stopped = any(self._is_stopped(case, policy, figures) for policy in policies)
        terms = [policy.max_payment_term_days for policy in policies if policy.max_payment_term_days]
        return {
            "overdue_days": max(((case.today - grace - row.oldest_due).days for row in overdue), default=0),
            "mep_passed": stopped,
            "mep_excused": not stopped and any(self._is_late(case, policy, figures) for policy in policies),
            "payment_term_days": subject._credit_term_days(case.today) if terms else None,
            "max_payment_term_days": min(terms, default=None),
            "delivery_date": self._get_delivery_date(case),
            "currency_allowed": all(
                policy.currencies is None or subject._credit_currency().name in policy.currencies for policy in policies
            ),
            "country_allowed": all(
                policy.countries is None or case.buyer.country in policy.countries for policy in policies
            ),
            "cover_stopped": case.cover_stopped or (self._get_stop(case) if policies else ""),
        }

    @api.model
    def _get_stop(self, case):
        """What stopped insurers' cover for new deliveries, beside what is overdue."""
        stops = self.env["credit.insurance.policy.country.stop"]
        # Few companies have any: the others need not read where the buyer is.
        if case.buyer.stop or not stops._get_all():
            return case.buyer.stop
        policy_ids = [int(policy.policy) for policy in case.buyer.policies]
        country = case.subject._credit_buyer_partner().country_id.code
        return "country" if stops._is_stopped(policy_ids, country, case.today, case.grace_days) else ""

    @api.model
    def _prepare_profile_vals(self, case, currency, figures, ledger):
        """What the buyer's profile allows beyond the limit, and how much of what is overdue it bears."""
        profile, company = case.profile, case.company
        days, amount, given_in = company.credit_max_overdue_days, company.credit_max_overdue_amount, company.currency_id
        own = self.env["res.currency"].browse(profile.currency_id)
        if profile.overdue_days:
            days, amount, given_in = profile.overdue_days, profile.overdue_amount, own
        return {
            "max_overdue_days": days or None,
            "max_overdue_amount": self._convert_money(case, amount, given_in, currency),
            "tolerance_percent": Decimal(f"{profile.tolerance_percent:.4f}"),
            "tolerance": self._convert_money(case, profile.tolerance, own, currency),
            "order_threshold": self._convert_money(case, profile.order_threshold or None, own, currency),
            "day_threshold": self._convert_money(case, profile.day_threshold or None, own, currency),
            "severities": {ReasonCode(code): Severity(severity) for code, severity in profile.severities},
            "passed_today": self._make_passed_today(case, currency, figures, ledger),
        }

    @api.model
    def _convert_money(self, case, amount, from_currency, currency):
        if amount is None:
            return None
        exact = to_decimal(amount, from_currency) if from_currency else Decimal(0)
        return Money(self._convert(case, exact, from_currency, currency), currency.name)

    @api.model
    def _convert(self, case, amount, from_currency, to_currency):
        return self.env["credit.insurance.exposure"]._convert(
            amount, from_currency, to_currency, case.company, case.today
        )

    @api.model
    def _make_exposure(self, case, currency, figures, ledger):
        if not case.looked_up:
            return Exposure.of(currency.name)
        amounts = self.env["credit.insurance.exposure"]._convert_rows(
            self._get_rows_for(case, case.key, figures), case.company, currency, case.today
        )
        # What was taken out of the credits in parts can differ from them by a rounding.
        amounts["credits"] = min(Decimal(0), amounts["credits"])
        reserved = self._get_reserved(case, case.key, currency, ledger)
        return Exposure.of(currency.name, reserved=reserved, **amounts)

    @api.model
    def _get_reserved(self, case, key, currency, ledger, small=False):
        """What confirmations running at this moment were granted to the buyer ``key``."""
        if ledger is None:
            return Decimal(0)
        amounts = (ledger.small if small else ledger.reserved).get(key, {})
        Currency = self.env["res.currency"]
        return sum(
            (self._convert(case, amount, Currency.browse(id_), currency) for id_, amount in amounts.items()), Decimal(0)
        )

    # === SHARED LIMITS === #

    @api.model
    def _make_shared(self, case, currency, figures, ledger):
        """The limit of the buyer's credit group with what all its members owe, whatever their companies."""
        group = case.group
        if not group or group.amount is None or not case.looked_up:
            return None
        total = Decimal(0)
        for key in group.members:
            company = self.env["res.company"].browse(key[1]).sudo()
            amounts = self.env["credit.insurance.exposure"]._convert_rows(
                self._get_rows_for(case, key, figures), company, currency, case.today
            )
            total += sum(amounts.values()) + self._get_reserved(case, key, currency, ledger)
        own = self.env["res.currency"].browse(group.currency_id)
        limit = self._convert(case, group.amount, own, currency)
        return SharedLimit(
            key=f"group,{group.group_id}",
            name=group.name,
            limit=Money(limit, currency.name),
            exposure=Money(total, currency.name),
            per_unit=self._convert(case, Decimal(1), currency, own),
        )

    # === SMALL AMOUNTS === #

    @api.model
    def _get_passed_today(self, cases):
        """What passed below the threshold of a day, the documents left out: ``{key: [(currency_id, amount)]}``.

        An order that was cancelled after goods of it had left counts all the same.
        """
        passed = defaultdict(list)
        asked = [case for case in cases if case.looked_up and case.profile.day_threshold]
        orders = self.env["sale.order"].union(*(case.subject._credit_order() for case in asked))
        for company, today in {(case.company, case.today) for case in asked}:
            partner_ids = [case.buyer.partner_id for case in asked if case.company == company]
            for partner_id, currency_id, amount in self._read_passed(partner_ids, company, today, orders):
                passed[partner_id, company.id].append((currency_id, Decimal(amount)))
        return passed

    @api.model
    def _read_passed(self, partner_ids, company, day, excluded):
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """
                SELECT partner_id, currency_id, SUM(amount)::text
                  FROM (
                    SELECT d.partner_id, d.currency_id, d.order_id, d.move_id, MAX(d.document_amount) AS amount
                      FROM credit_insurance_decision d
                      LEFT JOIN account_move m ON m.id = d.move_id
                     WHERE d.partner_id = ANY(%s) AND d.company_id = %s
                       AND d.outcome = 'pass' AND d.basis = 'below_threshold'
                       AND d.create_date >= %s AND d.create_date < %s
                       AND NOT (COALESCE(d.order_id, 0) = ANY(%s))
                       AND (m.state = 'posted'
                            OR EXISTS (SELECT FROM credit_insurance_pass p WHERE p.decision_id = d.id AND p.live)
                            OR EXISTS (SELECT FROM sale_order_line l
                                        WHERE l.order_id = d.order_id AND l.qty_delivered > 0))
                     GROUP BY 1, 2, 3, 4) passed
                 GROUP BY 1, 2
                """,
                partner_ids, company.id, *company_day_bounds(company, day), excluded.ids,
            )
        )  # fmt: skip

    @api.model
    def _make_passed_today(self, case, currency, figures, ledger):
        """What this transaction sees of today's small amounts, and what running ones were granted."""
        if not case.profile.day_threshold:
            return None
        Currency = self.env["res.currency"]
        seen = sum(
            self._convert(case, amount, Currency.browse(id_), currency)
            for id_, amount in figures.small.get(case.key, ())
        )
        return Money(seen + self._get_reserved(case, case.key, currency, ledger, small=True), currency.name)

    # === RATES === #

    @api.model
    def _get_foreign(self, case, rows):
        """Currencies in which something of this case is given, other than the company's: ``{(company_id, code)}``."""
        if not case.looked_up:
            return set()
        ids = {case.subject._credit_currency().id, case.buyer.currency_id}
        names = case.buyer.limit_codes
        if case.group:
            ids.add(case.group.currency_id)
            names |= case.group.codes
        if case.profile.names_amounts:
            ids.add(case.profile.currency_id)
        found = self._get_owed_in(case.company, rows.get(case.key, ()), ids, names)
        # What members of its group owe is converted with the rates of their own companies.
        for key in case.group.members if case.group else ():
            if rows.get(key) and key != case.key:
                company = self.env["res.company"].browse(key[1]).sudo()
                found |= self._get_owed_in(company, rows[key], {case.buyer.currency_id}, set())
        return found

    @api.model
    def _get_owed_in(self, company, rows, currency_ids, names):
        ids = currency_ids | {row.currency_id for row in rows if row.amount_company is None}
        codes = names | set(self.env["res.currency"].browse(ids).mapped("name"))
        return {(company.id, code) for code in codes - {company.currency_id.name}}

    @api.model
    def _get_rated(self, cases, rows, late):
        """Which of these currencies have a rate, by company; the others Odoo would count one to one.

        Those of policies are asked about where something may be too small to stop their cover.
        """
        foreign = {
            (case.company.id, policy.terms.currency)
            for case in cases
            if case.key in late
            for policy in case.buyer.policies
            if policy.currency_id != case.company.currency_id.id
        }.union(*(self._get_foreign(case, rows) for case in cases))
        if not foreign:
            return frozenset()
        found = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT w.company_id, w.code
                  FROM unnest(%s::int[], %s::text[]) AS w(company_id, code)
                  JOIN res_currency c ON c.name = w.code
                  JOIN res_currency_rate r ON r.currency_id = c.id
                   AND (r.company_id IS NULL OR r.company_id = w.company_id)
                """,
                [company_id for company_id, _code in foreign],
                [code for _company, code in foreign],
            )
        )
        return frozenset((company_id, code) for company_id, code in found)
