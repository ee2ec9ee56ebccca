"""The limit in force of buyers: rows read from the database, arithmetic by ``rules.policy``."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import (
    Base,
    BuyerStatus,
    CoverStatus,
    ExchangeRates,
    InsurerCover,
    Layer,
    LimitInForce,
    Money,
    OwnLimit,
    Period,
    Unit,
    limit_in_force,
)

from .amounts import to_decimal


@dataclass(frozen=True)
class PolicyChecks:
    """What a policy asks of an order beside the limit."""

    mep: Period
    max_payment_term_days: int | None
    countries: frozenset[str] | None


@dataclass(frozen=True)
class BuyerLimit:
    """One buyer in one root company as the gate sees it. ``currency_id`` is the limit's currency."""

    partner_id: int
    company_id: int
    buyer_id: int | None
    currency_id: int
    status: BuyerStatus
    limit: LimitInForce
    country: str = ""
    policies: tuple[PolicyChecks, ...] = ()

    @property
    def checked(self):
        """Whether anything is to be compared: an unconfigured buyer costs no further query."""
        return self.limit.amount is not None or self.status in (BuyerStatus.BLOCKED, BuyerStatus.CASH_ONLY)


class CreditInsuranceLimit(models.AbstractModel):
    _name = "credit.insurance.limit"
    _description = "Limit in Force"

    @api.model
    def _get_limits(self, pairs, today):
        """Limits of ``(partner_id, root_company_id)`` pairs: ``{pair: BuyerLimit}``, one statement for any number.

        A buyer without a row of its own gets what its company grants those nobody has looked at.
        """
        pairs = sorted(set(pairs))
        found = {row[1:3]: row for row in self._read_rows(pairs)}
        companies = self.env["res.company"].browse({company_id for _partner_id, company_id in pairs}).sudo()
        foreign = self._get_foreign_currencies(found.values(), companies)
        books = {company.id: (company, self._get_rates(company, foreign, today)) for company in companies}
        return {pair: self._make_limit(pair, *books[pair[1]], found.get(pair), today) for pair in pairs}

    @api.model
    def _read_rows(self, pairs):
        """Own limits and covers of every buyer as JSON.

        Columns: buyer_id, partner_id, company_id, status, currency_id, currency code, country code, own limits, covers.

        A cover is as fresh as the connection's last complete pull, or the last one that contained the buyer.
        """
        self.env.flush_all()
        if not pairs:
            return []
        return self.env.execute_query(
            SQL(
                """
                SELECT b.id, b.partner_id, b.company_id, b.status, b.currency_id, bc.name, n.code,
                       (SELECT json_agg(json_build_object(
                                   'id', l.id, 'kind', l.kind, 'amount', l.amount::text, 'currency', lc.name,
                                   'from', l.date_from, 'to', l.date_to))
                          FROM credit_insurance_own_limit l
                          JOIN res_currency lc ON lc.id = l.currency_id
                         WHERE l.buyer_id = b.id),
                       (SELECT json_agg(json_build_object(
                                   'id', c.id, 'layer', c.layer, 'status', c.status, 'amount', c.amount::text,
                                   'currency', cc.name, 'percentage', c.insured_percentage::text,
                                   'from', c.effective_from, 'to', c.effective_to, 'policy', c.policy_id,
                                   'policy_from', p.date_start, 'policy_to', p.date_end, 'policy_active', p.active,
                                   'ends_cover', c.ends_cover,
                                   'max_term', p.max_payment_term_days, 'mep', pp.period, 'countries', pc.codes,
                                   'reference', c.external_id, 'decided', c.decided_on,
                                   'fetched', (CASE WHEN c.external_id IS NULL THEN c.fetched_at
                                                    WHEN k.missing_since IS NULL
                                                    THEN GREATEST(c.fetched_at, a.covers_pulled_at)
                                                    ELSE GREATEST(c.fetched_at, k.last_seen_at) END)::date)
                                ORDER BY c.id, c.announced)
                          FROM (%s) c
                          JOIN credit_insurance_policy p ON p.id = c.policy_id
                          JOIN res_currency cc ON cc.id = c.currency_id
                          LEFT JOIN LATERAL (
                               SELECT json_build_array(number, unit, base, last_day_counts) AS period
                                 FROM credit_insurance_policy_period
                                WHERE policy_id = p.id AND kind = 'end_of_mep') pp ON TRUE
                          LEFT JOIN LATERAL (
                               SELECT json_agg(n.code) AS codes
                                 FROM credit_insurance_policy_res_country_rel r
                                 JOIN res_country n ON n.id = r.res_country_id
                                WHERE r.credit_insurance_policy_id = p.id) pc ON TRUE
                          LEFT JOIN credit_insurance_account a ON a.id = p.account_id
                          LEFT JOIN credit_insurance_buyer_link k ON k.buyer_id = b.id AND k.account_id = a.id
                         WHERE c.buyer_id = b.id)
                  FROM credit_insurance_buyer b
                  JOIN res_currency bc ON bc.id = b.currency_id
                  JOIN res_partner q ON q.id = b.partner_id
                  LEFT JOIN res_country n ON n.id = q.country_id
                 WHERE b.active AND (b.partner_id, b.company_id) IN %s
                """,
                self._cover_rows_sql(),
                tuple(pairs),
            )
        )

    @api.model
    def _cover_rows_sql(self):
        """The history as it stands, and each announced change as a row of its own from its day on.

        A change that the insurer took back before that day, by answering anew, has no row.
        """
        return SQL(
            """
            SELECT id, buyer_id, policy_id, layer, status, amount, currency_id, insured_percentage, effective_from,
                   effective_to, ends_cover, external_id, decided_on, fetched_at, FALSE AS announced
              FROM credit_insurance_cover
             WHERE active
             UNION ALL
            SELECT c.id, c.buyer_id, c.policy_id, c.layer, c.announced_status, c.announced_amount, c.currency_id,
                   c.insured_percentage, c.announced_from, NULL, FALSE, c.external_id, c.decided_on, c.fetched_at, TRUE
              FROM credit_insurance_cover c
             WHERE c.active AND c.announced_status IS NOT NULL AND c.announced_from IS NOT NULL
               AND NOT EXISTS (SELECT FROM credit_insurance_cover later
                                WHERE later.buyer_id = c.buyer_id AND later.policy_id = c.policy_id
                                  AND later.layer = c.layer AND later.active AND later.id > c.id
                                  AND later.fetched_at::date < c.announced_from)
            """
        )

    @api.model
    def _make_limit(self, pair, company, rates, row, today):
        partner_id, company_id = pair
        if row:
            buyer_id, _partner, _company, status, currency_id, currency, country, own, covers = row
        else:
            currency_id, currency = company.currency_id.id, company.currency_id.name
            buyer_id, status, country, own, covers = None, BuyerStatus.NORMAL, "", None, None
        rows = [self._make_own_limit(item) for item in own or ()]
        rows += [self._within_policy(item, self._make_cover(item), today) for item in covers or ()]
        limit = self._compute_limit(rows, company, rates, currency, today)
        policies = self._make_policy_checks(covers or (), limit)
        return BuyerLimit(
            partner_id, company_id, buyer_id, currency_id, BuyerStatus(status), limit, country or "", policies
        )

    @api.model
    def _make_policy_checks(self, covers, limit):
        """The demands of the policies whose cover counts in the limit; own credit has none."""
        counted = {line.row.policy for line in limit.lines if line.counted and isinstance(line.row, InsurerCover)}
        items = {item["policy"]: item for item in covers if str(item["policy"]) in counted}
        return tuple(
            PolicyChecks(
                mep=_period(item["mep"]),
                max_payment_term_days=item["max_term"] or None,
                countries=frozenset(item["countries"]) if item["countries"] else None,
            )
            for item in items.values()
        )

    @api.model
    def _compute_limit(self, rows, company, rates, currency, today):
        default_amount = None
        if company.credit_unchecked_buyers == "amount":
            default_amount = Money(
                to_decimal(company.credit_default_limit, company.currency_id), company.currency_id.name
            )
        return limit_in_force(
            today,
            rows,
            currency=currency,
            rates=rates,
            combine=company.credit_limit_combination,
            default=company.credit_unchecked_buyers,
            default_amount=default_amount,
            stale=company.credit_stale_data,
            max_age_days=company.credit_data_max_age_days or None,
        )

    @api.model
    def _get_foreign_currencies(self, rows, companies):
        """The currencies in which something may have to be converted; none where everything is in one."""
        names = set(companies.currency_id.mapped("name"))
        for *_ids, currency, _country, own, covers in rows:
            names |= {currency} | {item["currency"] for item in (own or []) + (covers or [])}
        if len(names) == 1:
            return self.env["res.currency"]
        return self.env["res.currency"].with_context(active_test=False).search([("name", "in", list(names))])

    @api.model
    def _get_rates(self, company, currencies, today):
        """Today's rates of these currencies against the company's, as ``rules.policy`` takes them."""
        base = company.currency_id
        rates = (currencies | base)._get_rates(company, today) if currencies else {}
        own = Decimal(repr(rates.get(base.id, 1.0)))
        per_unit = {currency.name: Decimal(repr(rates[currency.id])) / own for currency in currencies - base}
        return ExchangeRates(base.name, today, per_unit)

    @api.model
    def _make_own_limit(self, item):
        return OwnLimit(
            amount=Money(Decimal(item["amount"]), item["currency"]),
            kind=Layer(item["kind"]),
            valid_from=_date(item["from"]),
            valid_to=_date(item["to"]),
            reference=f"own.limit,{item['id']}",
        )

    @api.model
    def _within_policy(self, item, cover, today):
        """The cover as far as its policy carries it: it expires with the policy, or when that is archived."""
        start, end = _date(item["policy_from"]), _date(item["policy_to"])
        if not item["policy_active"]:
            end = min(end or date.max, today - timedelta(days=1))
        first = max(cover.start, start)
        last = min(cover.effective_to or date.max, end or date.max)
        # An answer none of which lies within the policy is an answer all the same: it counts as expired.
        return replace(cover, effective_from=min(first, last), effective_to=None if last == date.max else last)

    @api.model
    def _make_cover(self, item):
        return InsurerCover(
            status=CoverStatus(item["status"]),
            amount=Money(Decimal(item["amount"]), item["currency"]) if item["amount"] is not None else None,
            percentage=Decimal(item["percentage"]) if item["percentage"] else None,
            effective_from=_date(item["from"]),
            effective_to=_date(item["to"]),
            decided_on=_date(item["decided"]),
            fetched_on=_date(item["fetched"]),
            layer=Layer(item["layer"]),
            policy=str(item["policy"]),
            reference=item["reference"] or "",
            ends_cover=bool(item["ends_cover"]),
        )


def _period(values):
    """The policy's maximum extension period; a policy that states none has the generic template's 60 days."""
    number, unit, base, last_day_counts = values or (60, "days", "due_date", True)
    return Period(number, Unit(unit), Base(base), last_day_counts)


def _date(text):
    return date.fromisoformat(text) if text else None
