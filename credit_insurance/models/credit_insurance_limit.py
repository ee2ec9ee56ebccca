"""The limit in force of buyers: rows read from the database, arithmetic by ``rules.policy``."""

from collections import namedtuple
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache, partial

from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import (
    INSURED,
    Base,
    BuyerStatus,
    CoverStatus,
    DiscretionaryLimit,
    ExchangeRates,
    Guarantee,
    InsurerCover,
    Layer,
    LimitInForce,
    Money,
    OwnLimit,
    Period,
    PolicyTerms,
    Unit,
    limit_in_force,
)

from .amounts import to_decimal

# One buyer's row as `_read_rows` returns it; the last four are lists of JSON objects.
BuyerRow = namedtuple(
    "BuyerRow",
    "buyer_id partner_id company_id status currency_id currency country group_id profile_id adverse_since alerts "
    "order_alerts secures_orders stop "
    "own guarantees discretionary covers",
)


@dataclass(frozen=True)
class PolicyChecks:
    """What a policy asks of an order beside the limit. ``terms`` are those about what stops cover."""

    policy: str
    currency_id: int
    terms: PolicyTerms
    max_payment_term_days: int | None
    countries: frozenset[str] | None
    currencies: frozenset[str] | None


@dataclass(frozen=True)
class BuyerLimit:
    """One buyer in one root company as the gate sees it. ``currency_id`` is the limit's currency.

    ``stop`` says what stopped insurers' cover for new deliveries, beside what is overdue: ``rules.policy.StopCause``.
    ``sources`` names the record behind each line of the limit: ``(model, id)``, in the order of ``limit.lines``.
    """

    partner_id: int
    company_id: int
    buyer_id: int | None
    currency_id: int
    status: BuyerStatus
    limit: LimitInForce
    country: str = ""
    policies: tuple[PolicyChecks, ...] = ()
    group_id: int | None = None
    profile_id: int | None = None
    alerts: tuple[str, ...] = ()
    order_alerts: tuple[tuple[int, str], ...] = ()
    secures_orders: bool = False
    stop: str = ""
    sources: tuple[tuple[str, int], ...] = ()

    @property
    def checked(self):
        """Whether anything is to be compared: an unconfigured buyer costs no further query."""
        return self.limit.amount is not None or self.status in (BuyerStatus.BLOCKED, BuyerStatus.CASH_ONLY)

    @property
    def limit_codes(self):
        """The currencies in which what makes up the limit was granted."""
        amounts = (line.row.amount for line in self.limit.lines if line.counted)
        return frozenset(amount.currency for amount in amounts if amount is not None)


class CreditInsuranceLimit(models.AbstractModel):
    _name = "credit.insurance.limit"
    _description = "Limit in Force"

    @api.model
    def _get_limits(self, pairs, today, on=None, attached=None):
        """Limits of ``(partner_id, root_company_id)`` pairs: ``{pair: BuyerLimit}``, one statement for any number.

        A buyer without a row of its own gets what its company grants those nobody has looked at. ``on`` asks for
        another day than ``today``, at today's rates; ``attached`` reads more in the same statement.
        """
        pairs = sorted(set(pairs))
        parts, names = self._read_parts(pairs, attached)
        companies = self.env["res.company"].browse({company_id for _partner_id, company_id in pairs}).sudo()
        own = self.env["credit.insurance.exposure"]._get_currency_names(set(companies.currency_id.ids))
        foreign = self._get_foreign_currencies({*names.values(), *own.values()})
        computed = {company.id: (company, self._get_computation(company, foreign, today, on)) for company in companies}
        found = {(row.partner_id, row.company_id): row for row in self._make_buyer_rows(parts, names)}
        return {pair: self._make_limit(pair, *computed[pair[1]], found.get(pair), today) for pair in pairs}

    @api.model
    def _get_unconfigured(self, partners, company):
        """What the company grants these buyers if nobody has looked at them: ``{pair: BuyerLimit}``."""
        today = company._credit_today()
        compute = self._get_computation(company, self.env["res.currency"], today)
        pairs = [(partner.id, company.id) for partner in partners]
        return {pair: self._make_limit(pair, company, compute, None, today) for pair in pairs}

    @api.model
    def _make_limit(self, pair, company, compute, row, today):
        """:param compute: what :meth:`_get_computation` gives for the company"""
        partner_id, company_id = pair
        if row is None:
            currency = company.currency_id
            limit = compute([], currency=currency.name)
            return BuyerLimit(partner_id, company_id, None, currency.id, BuyerStatus.NORMAL, limit)
        sources, rows = self._make_rows(row, today)
        limit = compute(rows, currency=row.currency, adverse_since=row.adverse_since)
        return BuyerLimit(
            partner_id,
            company_id,
            row.buyer_id,
            row.currency_id,
            BuyerStatus(row.status),
            limit,
            country=row.country or "",
            policies=self._make_policy_checks((*row.covers, *row.discretionary), limit),
            group_id=row.group_id,
            profile_id=row.profile_id,
            alerts=tuple(row.alerts or ()),
            order_alerts=tuple(row.order_alerts or ()),
            secures_orders=row.secures_orders,
            stop=row.stop,
            sources=sources,
        )

    @api.model
    def _make_rows(self, row, today):
        """The buyer's rows as ``rules.policy`` takes them, and beside them the records they come from."""
        made = [("own.limit", item, self._make_own_limit(item)) for item in row.own or ()]
        made += [("guarantee", item, self._make_guarantee(item)) for item in row.guarantees or ()]
        made += [
            ("discretionary.limit", item, self._make_discretionary(item, today)) for item in row.discretionary or ()
        ]
        made += [("cover", item, self._make_cover(item, **_policy_days(item, today))) for item in row.covers or ()]
        sources = tuple((f"credit.insurance.{model}", item["id"]) for model, item, _row in made)
        return sources, [limit_row for _model, _item, limit_row in made]

    @api.model
    def _make_policy_checks(self, insured, limit):
        """The demands of the policies whose cover or discretionary limit counts in the limit; own credit has none."""
        counted = {line.row.policy for line in limit.lines if line.counted and isinstance(line.row, INSURED)}
        items = {item["policy"]: item for item in insured if str(item["policy"]) in counted}
        currency_ids = {item["policy_currency"] for item in items.values()}
        names = self.env["credit.insurance.exposure"]._get_currency_names(currency_ids)
        return tuple(
            _policy_checks(
                str(item["policy"]),
                item["policy_currency"],
                names[item["policy_currency"]],
                tuple(item["mep"] or ()),
                item["disputed_share"] or "0",
                item["tolerance"] or "0",
                item["max_term"],
                tuple(item["countries"] or ()),
                tuple(item["currencies"] or ()),
            )
            for item in items.values()
        )

    @api.model
    def _get_computation(self, company, foreign, today, on=None):
        """``limit_in_force`` with the company's settings and today's rates: it lacks the rows and their currency."""
        default_amount = None
        if company.credit_unchecked_buyers == "amount":
            default_amount = Money(
                to_decimal(company.credit_default_limit, company.currency_id), company.currency_id.name
            )
        return partial(
            limit_in_force,
            on or today,
            rates=self._get_rates(company, foreign, today),
            combine=company.credit_limit_combination,
            default=company.credit_unchecked_buyers,
            default_amount=default_amount,
            stale=company.credit_stale_data,
            max_age_days=company.credit_data_max_age_days or None,
            # What will be known of a day to come is no fresher than today; a day past is judged by its own date.
            today=today if on is None or on > today else on,
        )

    @api.model
    def _get_foreign_currencies(self, names):
        """The currencies in which something may have to be converted; none where everything is in one."""
        if len(names) == 1:
            return self.env["res.currency"]
        return self.env["res.currency"].with_context(active_test=False).search([("name", "in", list(names))])

    @api.model
    def _get_rates(self, company, currencies, today):
        """Today's rates of these currencies against the company's, as ``rules.policy`` takes them."""
        base = company.currency_id
        rates = (currencies | base)._get_rates(company, today) if currencies else {}
        names = self.env["credit.insurance.exposure"]._get_currency_names({base.id, *currencies.ids})
        own = Decimal(repr(rates.get(base.id, 1.0)))
        per_unit = {names[id_]: Decimal(repr(rates[id_])) / own for id_ in (currencies - base).ids}
        return ExchangeRates(names[base.id], today, per_unit)

    @api.model
    def _make_own_limit(self, item):
        return OwnLimit(
            amount=Money(Decimal(item["amount"]), item["currency"]),
            kind=Layer(item["kind"]),
            valid_from=_date(item["from"]),
            valid_to=_date(item["to"]),
            reference=f"own.limit,{item['id']}",
            cancelled=bool(item["cancelled"]),
        )

    @api.model
    def _make_guarantee(self, item):
        return Guarantee(
            amount=Money(Decimal(item["amount"]), item["currency"]),
            valid_from=_date(item["from"]),
            valid_to=_date(item["to"]),
            reference=f"guarantee,{item['id']}",
            cancelled=bool(item["cancelled"]),
        )

    @api.model
    def _make_discretionary(self, item, today):
        return DiscretionaryLimit(
            amount=Money(Decimal(item["amount"]), item["currency"]),
            percentage=Decimal(item["percentage"]) if item["percentage"] else None,
            valid_from=_date(item["from"]),
            valid_to=_date(item["to"]),
            policy=str(item["policy"]),
            reference=f"discretionary.limit,{item['id']}",
            evidenced=bool(item["evidenced"]),
            cancelled=bool(item["cancelled"]),
            **_policy_days(item, today),
        )

    @api.model
    def _make_cover(self, item, **policy_days):
        # Cover by a grade of which the policy's table says nothing: granted, nobody knows how much.
        without_amount = item["status"] == "unknown" and item["grade"]
        amount = None if without_amount else item["amount"]
        return InsurerCover(
            status=CoverStatus.APPROVED if without_amount else CoverStatus(item["status"]),
            amount=Money(Decimal(amount), item["currency"]) if amount is not None else None,
            percentage=Decimal(item["percentage"]) if item["percentage"] else None,
            effective_from=_date(item["from"]),
            effective_to=_date(item["to"]),
            decided_on=_date(item["decided"]),
            fetched_on=_date(item["fetched"]),
            layer=Layer(item["layer"]),
            policy=str(item["policy"]),
            reference=item["reference"] or "",
            ends_cover=bool(item["ends_cover"]),
            **policy_days,
        )


@lru_cache
def _policy_checks(policy, currency_id, currency, mep, disputed_share, tolerance, max_term, countries, currencies):
    """:param mep: the policy's maximum extension period; one that states none has the generic template's 60 days"""
    number, unit, base, last_day_counts = mep or (60, "days", "due_date", True)
    return PolicyChecks(
        policy=policy,
        currency_id=currency_id,
        terms=PolicyTerms(
            currency=currency,
            mep=Period(number, Unit(unit), Base(base), last_day_counts),
            disputed_share=Decimal(disputed_share),
            tolerance=Decimal(tolerance),
        ),
        max_payment_term_days=max_term or None,
        countries=frozenset(countries) or None,
        currencies=frozenset(currencies) or None,
    )


def _policy_days(item, today):
    """The days of a row's policy; an archived one ended yesterday."""
    end = _date(item["policy_to"])
    if not item["policy_active"]:
        yesterday = today - timedelta(days=1)
        end = min(end, yesterday) if end else yesterday
    return {"policy_from": _date(item["policy_from"]), "policy_to": end}


def _date(text):
    return date.fromisoformat(text) if text else None
