"""Whether what a buyer owes keeps its cover for new deliveries stopped.

oldest due and document dates of the exposure rows  ->  may it be?   no statement beside those of the exposure
the open items, and which of them are disputed      ->  is it so?    one statement for all buyers that may
"""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import INSURED, NO_HOLIDAYS, Base, OpenItem, Unit, stopped_by_mep

from .company_calendar import company_holidays
from .credit_insurance_event import DISPUTE
from .ledger_sql import open_items_sql
from .sql_functions import int_array


class LateItem(NamedTuple):
    """An open item; ``amount`` in its own currency, ``booked`` in the company's."""

    due: date
    invoiced: date
    currency_id: int
    amount: Decimal
    booked: Decimal
    disputed: bool


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _get_late(self, cases, rows):
        """What is open of the buyers whose cover may have stopped: ``{(partner_id, root_company_id): [LateItem]}``."""
        late, today = defaultdict(list), max((case.today for case in cases), default=None)
        keys = {case.key for case in cases if self._may_be_stopped(case, rows.get(case.key, ()))}
        if keys:
            partners, roots = (int_array({key[place] for key in keys}) for place in (0, 1))
            for row in self.env.execute_query(_late_sql(partners, roots, today)):
                *key, due, invoiced, currency_id, amount, booked, disputed = row
                item = LateItem(due, invoiced, currency_id, Decimal(amount), Decimal(booked), disputed)
                late[tuple(key)].append(item)
        return late

    @api.model
    def _may_be_stopped(self, case, rows):
        """Whether the oldest of what is owed is past its maximum extension period, whatever its amount."""
        today = case.today - timedelta(days=case.grace_days)
        return any(
            policy.terms.mep.passed(today, row.oldest_invoiced if _from_invoice(policy) else row.oldest_due)
            for policy in case.buyer.policies
            for row in rows
            if row.source in ("overdue", "not_due")
        )

    @api.model
    def _is_stopped(self, case, policy, figures):
        """Whether open items keep the policy's cover stopped: disputes and amounts that are too small do not.

        An extension moves the due date in the ledger, not the one the policy counts from. While the policy's currency
        has no rate, nobody knows what is too small in it.
        """
        if case.key not in figures.late:
            return False
        rated = (
            policy.currency_id == case.company.currency_id.id
            or (case.company.id, policy.terms.currency) in figures.rated
        )
        return stopped_by_mep(
            policy.terms,
            [
                OpenItem(_start(policy, item), self._get_late_amount(case, policy, item, rated), item.disputed)
                for item in figures.late[case.key]
            ],
            today=case.today - timedelta(days=case.grace_days),
            insured_limit=self._get_insured(case, policy, rated),
            holidays=_holidays(case, policy),
        )

    @api.model
    def _is_late(self, case, policy, figures):
        """Whether anything is unpaid beyond its maximum extension period, be it disputed or too little."""
        today = case.today - timedelta(days=case.grace_days)
        return any(
            policy.terms.mep.passed(today, _start(policy, item), _holidays(case, policy))
            for item in figures.late.get(case.key, ())
        )

    @api.model
    def _get_late_amount(self, case, policy, item, rated):
        """As in the exposure: the item's own amount where it is in the policy's currency, else what was booked.

        None where that has no rate in the policy's currency.
        """
        if item.currency_id == policy.currency_id:
            return item.amount
        if not rated:
            return None
        currency = self.env["res.currency"].browse(policy.currency_id)
        return self._convert(case, item.booked, case.company.currency_id, currency)

    @api.model
    def _get_insured(self, case, policy, rated):
        """What the policy insures of the limit, in its own currency and as it was granted where that is the same."""
        currencies, insured = self.env["res.currency"], Decimal(0)
        for line in case.buyer.limit.lines:
            if line.counted and isinstance(line.row, INSURED) and line.row.policy == policy.policy:
                if line.row.amount.currency == policy.terms.currency:
                    insured += line.row.amount.amount
                elif rated:
                    insured += self._convert(
                        case,
                        line.amount.amount,
                        currencies.browse(case.buyer.currency_id),
                        currencies.browse(policy.currency_id),
                    )
        return insured


def _from_invoice(policy):
    return policy.terms.mep.base is Base.INVOICE_DATE


def _start(policy, item):
    """The day from which the policy counts the maximum extension period of an open item."""
    return item.invoiced if _from_invoice(policy) else item.due


def _holidays(case, policy):
    return company_holidays(case.company) if policy.terms.mep.unit is Unit.WORKING_DAYS else NO_HOLIDAYS


def _late_sql(partners, roots, today):
    return SQL(
        """
        SELECT i.buyer_id, i.root_id, i.due, i.invoiced, i.currency_id, i.amount::text, i.booked::text,
               EXISTS (%s AND e.move_id = l.move_id)
          FROM (%s) i
          JOIN account_move_line l ON l.id = i.item_id
         WHERE i.source <> 'credits' AND LEAST(i.due, i.invoiced) < %s
        """,
        DISPUTE,
        open_items_sql(partners, roots, today),
        today,
    )
