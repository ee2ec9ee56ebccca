"""How much of the buyers' open invoices is insured: Odoo's tables as facts for ``rules.policy.split_cover``.

    account_move, its instalments and settlements  ┐
    credit_insurance_cover, discretionary_limit    ├─>  split_cover, per buyer and policy  ─>  {move id: Split}
    credit_insurance_claim, event (they stop cover)┘

The room a cover gives is shared by all invoices of a buyer, so buyers are always read as a whole, with a number of
queries that does not grow with the invoices.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import (
    BuyerFacts,
    Instalment,
    InsurerCover,
    Invoice,
    InvoiceCover,
    InvoiceKind,
    MissingRate,
    Money,
    Settlement,
    Stop,
    StopCause,
    split_cover,
)

from .amounts import to_decimal
from .company_calendar import company_day, company_holidays, company_today
from .credit_insurance_cover import GRANTED_STATUSES
from .credit_insurance_event import DISPUTE
from .ledger_sql import taken_in_sql

# Whether a journal item "k" is money that came in, and not a credit note or a write-off.
PAYMENT = SQL(
    "EXISTS (SELECT FROM account_journal j WHERE j.id = k.journal_id AND j.type IN ('bank', 'cash', 'credit'))"
)


@dataclass(frozen=True, slots=True)
class Split:
    """The figures of one invoice under one policy; ``cover`` is None for an invoice that is not open."""

    policy_id: int
    cover: InvoiceCover | None
    problem: str = ""


class CreditInsuranceSplit(models.AbstractModel):
    _name = "credit.insurance.split"
    _description = "Cover of Open Invoices"

    @api.model
    def _get_splits(self, moves):
        """The split of posted customer invoices: ``{move id: Split}``, nothing for those of uninsured buyers."""
        buyers = self._get_covered_buyers(moves.sudo())
        if not buyers:
            return {}
        # What is in memory only would be missing from the SQL below.
        self.env.flush_all()
        covers, adverse_since = self._get_covers(buyers)
        start = min((policy.date_start for rows in covers.values() for policy in rows), default=None)
        facts = self._get_invoice_facts(buyers, start)
        stops = self._get_claim_stops(buyers)
        affiliates = set(self.env["res.company"].sudo().search([]).partner_id.ids)  # pylint: disable=no-search-all
        country_stops = self.env["credit.insurance.policy.country.stop"]._get_stops
        splits = {}
        for buyer in buyers:
            by_policy = {
                policy: self._split(
                    buyer.company_id,
                    policy,
                    rows,
                    facts[buyer.id],
                    stops=[*stops[buyer.id], *country_stops(policy.id, buyer.partner_id.country_id.code)],
                    buyer=self._make_buyer_facts(buyer, rows, affiliates),
                    adverse_since=adverse_since[buyer.id],
                )
                for policy, rows in covers[buyer.id].items()
            }
            for row in facts[buyer.id] if by_policy else ():
                splits[row["id"]] = self._choose(row, by_policy)
        return splits

    @api.model
    def _get_covered_buyers(self, moves):
        """The buyers of these invoices with any cover or discretionary limit: one query when there is none."""
        buyers = self.env["credit.insurance.buyer"].sudo()
        partners = moves.commercial_partner_id
        if not partners:
            return buyers
        return buyers.search(
            [
                ("active", "in", [True, False]),
                ("partner_id", "in", partners.ids),
                ("company_id", "in", moves.company_id.root_id.ids),
                *("|", ("cover_ids", "!=", False), ("discretionary_limit_ids", "!=", False)),
            ],
            order="id",
        )

    # === FACTS === #

    @api.model
    def _get_covers(self, buyers):
        """What insures buyers, by buyer and policy, and since when adverse information of them is known:
        ``{buyer id: {policy: [InsurerCover or DiscretionaryLimit]}}, {buyer id: date or None}``.
        """
        limits = self.env["credit.insurance.limit"]
        today = {buyer.id: company_today(buyer.company_id) for buyer in buyers}
        pairs = [(buyer.partner_id.id, buyer.company_id.id) for buyer in buyers]
        covers, adverse_since = defaultdict(lambda: defaultdict(list)), dict.fromkeys(buyers.ids)
        for row in limits._read_rows(pairs):
            adverse_since[row.buyer_id] = row.adverse_since
            of_buyer = covers[row.buyer_id]
            for item in row.covers:
                of_buyer[item["policy"]].append(limits._make_cover(item))
            for item in row.discretionary:
                of_buyer[item["policy"]].append(limits._make_discretionary(item, today[row.buyer_id]))
        policies = self.env["credit.insurance.policy"].sudo()
        every_id = {policy_id for rows in covers.values() for policy_id in rows}
        by_id = {policy.id: policy for policy in policies.browse(sorted(every_id))}
        by_policy = {buyer_id: {by_id[key]: rows[key] for key in sorted(rows)} for buyer_id, rows in covers.items()}
        return defaultdict(dict, by_policy), adverse_since

    @api.model
    def _get_invoice_facts(self, buyers, start):
        """Rows of open invoices, and of paid ones that fell due after ``start``, by buyer; none without a start."""
        facts, by_move = defaultdict(list), {}
        if not start:
            return facts
        for row in self._fetch(self._invoices_sql(buyers.ids, start)):
            row |= {"settlements": [], "instalments": []}
            facts[row["buyer_id"]].append(row)
            by_move[row["id"]] = row
        if by_move:
            for row in self._fetch(self._settlements_sql(list(by_move))):
                by_move[row["move_id"]]["settlements"].append(row)
            for row in self._fetch(self._instalments_sql(list(by_move))):
                by_move[row["move_id"]]["instalments"].append(row)
        return facts

    @api.model
    def _fetch(self, query):
        self.env.cr.execute(query)
        return self.env.cr.dictfetchall()

    @api.model
    def _invoices_sql(self, buyer_ids, start):
        """One row per posted invoice of the buyers that is open, or fell due after ``start``."""
        return SQL(
            """
            SELECT m.id, b.id AS buyer_id, m.name, m.invoice_date, m.delivery_date, m.currency_id, m.company_id,
                   COALESCE(m.credit_insurance_original_due_date, m.invoice_date_due) AS due_date,
                   m.amount_total, m.amount_tax, abs(m.amount_total_signed) AS amount_company, l.goods, l.down_payment,
                   EXISTS (%(dispute)s AND e.move_id = m.id) AS disputed
              FROM credit_insurance_buyer b
              JOIN account_move m ON m.commercial_partner_id = b.partner_id
              JOIN res_company c ON c.id = m.company_id AND split_part(c.parent_path, '/', 1)::int = b.company_id
             CROSS JOIN LATERAL (
                SELECT COALESCE(BOOL_OR(t.type = 'consu' AND r.order_line_id IS NOT NULL), FALSE) AS goods,
                       COALESCE(BOOL_AND(l.is_downpayment), FALSE) AS down_payment
                  FROM account_move_line l
                  LEFT JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = l.id
                  LEFT JOIN product_product p ON p.id = l.product_id
                  LEFT JOIN product_template t ON t.id = p.product_tmpl_id
                 WHERE l.move_id = m.id AND l.display_type = 'product'
             ) l
             WHERE b.id = ANY(%(buyers)s) AND m.state = 'posted' AND m.move_type IN ('out_invoice', 'out_receipt')
               AND m.amount_total > 0
               AND (m.payment_state NOT IN ('paid', 'in_payment', 'reversed') OR m.invoice_date_due >= %(start)s
                    OR m.id IN (SELECT l.move_id FROM (%(taken)s) t JOIN account_move_line l ON l.id = t.item_id))
            """,
            buyers=list(buyer_ids),
            taken=taken_in_sql(
                SQL("ARRAY(SELECT company_id FROM credit_insurance_buyer WHERE id = ANY(%s))", list(buyer_ids))
            ),
            start=start,
            dispute=DISPUTE,
        )

    @api.model
    def _settlements_sql(self, move_ids):
        """Posted payments and credit notes on the invoices, in their currency, at the day they count from."""
        return SQL(
            """
            SELECT l.move_id, r.max_date AS date, r.debit_amount_currency AS amount, %(payment)s AS is_payment
              FROM account_move_line l
              JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
              JOIN account_partial_reconcile r ON r.debit_move_id = l.id
              JOIN account_move_line k ON k.id = r.credit_move_id
             WHERE l.move_id = ANY(%(moves)s) AND r.debit_amount_currency <> 0 AND k.parent_state = 'posted'
            """,
            payment=PAYMENT,
            moves=move_ids,
        )

    @api.model
    def _instalments_sql(self, move_ids):
        return SQL(
            """
            SELECT l.move_id, COALESCE(l.credit_insurance_original_due_date, l.date_maturity) AS due_date,
                   l.amount_currency AS amount
              FROM account_move_line l
             WHERE l.move_id = ANY(%s) AND l.display_type = 'payment_term'
             ORDER BY 2, l.id
            """,
            move_ids,
        )

    @api.model
    def _get_claim_stops(self, buyers):
        """Cover stops for new deliveries from a claim until it is paid, and at an insolvency: stops by buyer."""
        claims = self.env["credit.insurance.claim"].sudo().search([("buyer_id", "in", buyers.ids), ("live", "=", True)])
        stops = defaultdict(list)
        for claim in claims:
            if claim.submitted_on:
                stops[claim.buyer_id.id].append(self._make_stop(claim, StopCause.CLAIM, claim.state == "paid"))
            if claim.cause == "insolvency" and claim.insolvency_date:
                stops[claim.buyer_id.id].append(Stop(claim.insolvency_date, StopCause.INSOLVENCY))
        insolvencies = [("buyer_id", "in", buyers.ids), ("kind", "=", "insolvency")]
        for event in self.env["credit.insurance.event"].sudo().search(insolvencies):
            stops[event.buyer_id.id].append(Stop(event.date, StopCause.INSOLVENCY))
        return stops

    @api.model
    def _make_stop(self, submission, cause, ended):
        """The stop from the day a claim or a case was submitted to the day on which it ended."""
        start = company_day(submission.company_id, submission.submitted_on)
        if not (ended and submission.status_changed_on):
            return Stop(start, cause)
        return Stop(start, cause, max(company_day(submission.company_id, submission.status_changed_on), start))

    # === ARITHMETIC === #

    @api.model
    def _make_buyer_facts(self, buyer, covers, affiliates):
        """A buyer whom the insurer named: that it is public or a private person was the insurer's to judge."""
        named = any(isinstance(row, InsurerCover) and row.status in GRANTED_STATUSES for row in covers)
        return BuyerFacts(
            country=buyer.partner_id.country_id.code or "",
            is_public=buyer.is_public and not named,
            is_private_person=buyer.is_private_person and not named,
            is_affiliated=buyer.partner_id.id in affiliates,
        )

    @api.model
    def _split(self, company, policy, covers, rows, **facts):
        """The cover of a buyer's open invoices under one policy: ``{move id: InvoiceCover}``, or what is wrong.

        :param facts: about the buyer, as ``split_cover`` takes them: who it is, what stopped its cover
        """
        currency, today = policy.currency_id, company_today(company)
        names = {cover.amount.currency for cover in covers if cover.amount is not None} | {currency.name}
        try:
            rate_of = self._get_booked_rates(company, currency, rows)
            results = split_cover(
                policy._get_terms(),
                covers,
                [self._make_invoice(row, rate_of(row)) for row in rows],
                today=today,
                rates=self._get_rates(names, company, today) if len(names) > 1 else None,
                holidays=company_holidays(company),
                decimal_places=currency.decimal_places,
                **facts,
            )
        except MissingRate as exc:
            return self.env._("There is no rate for %s.", exc.currency)
        return {self._get_move_id(result.number): result for result in results}

    @api.model
    def _get_rates(self, names, company, today):
        """Today's rates, for covers granted in another currency than the policy's; none of what has none."""
        exposure = self.env["credit.insurance.exposure"]
        currencies = exposure._get_currencies(names)
        rated = currencies - exposure._get_unrated(currencies, company)
        return self.env["credit.insurance.limit"]._get_rates(company, rated, today)

    @api.model
    def _choose(self, row, by_policy):
        """The policy an invoice falls under: one that insures it, else one in force on its date, else the latest."""
        day = row["delivery_date"] or row["invoice_date"]

        def preference(policy):
            result = by_policy[policy]
            cover = None if isinstance(result, str) else result.get(row["id"])
            return bool(cover and cover.insurable), policy._is_in_force(day), policy.date_start, -policy.id

        policy = max(by_policy, key=preference)
        result = by_policy[policy]
        return Split(policy.id, None, result) if isinstance(result, str) else Split(policy.id, result.get(row["id"]))

    @api.model
    def _make_invoice(self, row, rate):
        """The pure invoice; ``_get_move_id`` reads its number, since those of moves repeat between companies."""
        currency = self.env["res.currency"].browse(row["currency_id"])
        total = to_decimal(row["amount_total"], currency)
        parts = tuple(Instalment(part["due_date"], to_decimal(part["amount"], currency)) for part in row["instalments"])
        whole = len(parts) > 1 and sum(part.amount for part in parts) == total
        kind = InvoiceKind.GOODS if row["goods"] else InvoiceKind.SERVICE
        return Invoice(
            number=f"{row['name']}#{row['id']}",
            invoice_date=row["invoice_date"],
            due_date=max((part.due_date for part in parts), default=row["due_date"]),
            total=Money(total, currency.name),
            tax=min(max(to_decimal(row["amount_tax"], currency), Decimal(0)), total),
            settlements=tuple(
                Settlement(item["date"], to_decimal(item["amount"], currency), item["is_payment"])
                for item in row["settlements"]
            ),
            instalments=parts if whole else (),
            delivery_date=row["delivery_date"],
            kind=InvoiceKind.DOWN_PAYMENT if row["down_payment"] else kind,
            disputed=row["disputed"],
            rate=rate,
            rate_date=row["invoice_date"],
        )

    @api.model
    def _get_move_id(self, number):
        return int(number.rpartition("#")[2])

    # === RATES === #

    @api.model
    def _get_booked_rates(self, company, currency, rows):
        """A function row -> units of the policy's currency per unit of the invoice's; None where they are the same.

        What was booked counts as far as the company's currency, from there the rate of the invoice date.

        :raise MissingRate: the policy's currency has none
        """
        home = company.currency_id
        foreign = [row for row in rows if row["currency_id"] != currency.id]
        if not foreign:
            return lambda row: None
        history = self._get_rate_history(company, home | currency) if home != currency else {}
        if home != currency and not history[currency.id]:
            raise MissingRate(currency.name)

        def rate_of(row):
            if row["currency_id"] == currency.id:
                return None
            booked = Decimal(repr(row["amount_company"])) / Decimal(repr(row["amount_total"]))
            if home == currency:
                return booked
            day = row["invoice_date"]
            return booked * self._rate_on(history[currency.id], day) / self._rate_on(history[home.id], day)

        return rate_of

    @api.model
    def _get_rate_history(self, company, currencies):
        """All rates of these currencies, oldest first, read at once: ``{currency id: [(date, rate)]}``."""
        history = {currency.id: [] for currency in currencies}
        domain = [("currency_id", "in", currencies.ids), ("company_id", "in", [company.id, False])]
        # Rates of the company itself come last on a day, and win.
        for rate in self.env["res.currency.rate"].sudo().search(domain, order="name, company_id desc"):
            history[rate.currency_id.id].append((rate.name, Decimal(repr(rate.rate))))
        return history

    @api.model
    def _rate_on(self, history, day):
        """The rate that stood on ``day``; before the first one the first one, without any 1, as core does."""
        position = bisect_right(history, day, key=lambda item: item[0])
        return history[max(position - 1, 0)][1] if history else Decimal(1)
