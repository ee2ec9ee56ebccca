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

from odoo.addons.credit_insurance.rules.policy import (
    INSURED,
    NO_HOLIDAYS,
    Base,
    OpenItem,
    Unit,
    stopped_by_mep,
)

from .company_calendar import company_holidays
from .credit_insurance_event import DISPUTE
from .exposure_sql import open_items_sql
from .sql_functions import int_array


class LateItem(NamedTuple):
    """An open item; ``booked`` in the company's currency."""

    due: date
    invoiced: date
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
            for *key, due, invoiced, booked, disputed in self.env.execute_query(_late_sql(partners, roots, today)):
                late[tuple(key)].append(LateItem(due, invoiced, Decimal(booked), disputed))
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
    def _is_stopped(self, case, policy, late):
        """Whether open items keep the policy's cover stopped: disputes and amounts that are too small do not.

        An extension moves the due date in the ledger, not the one the policy counts from.
        """
        if case.key not in late:
            return False
        company, currency = case.company, self.env["res.currency"].browse(policy.currency_id)
        limit_currency = self.env["res.currency"].browse(case.buyer.currency_id)
        insured = sum((line.amount.amount for line in case.buyer.limit.lines if _counts(line, policy)), Decimal(0))
        return stopped_by_mep(
            policy.terms,
            [
                OpenItem(
                    item.invoiced if _from_invoice(policy) else item.due,
                    self._convert(case, item.booked, company.currency_id, currency),
                    item.disputed,
                )
                for item in late[case.key]
            ],
            today=case.today - timedelta(days=case.grace_days),
            insured_limit=self._convert(case, insured, limit_currency, currency),
            holidays=company_holidays(company) if policy.terms.mep.unit is Unit.WORKING_DAYS else NO_HOLIDAYS,
        )


def _from_invoice(policy):
    return policy.terms.mep.base is Base.INVOICE_DATE


def _counts(line, policy):
    return line.counted and isinstance(line.row, INSURED) and line.row.policy == policy.policy


def _late_sql(partners, roots, today):
    return SQL(
        """
        SELECT i.buyer_id, i.root_id, i.due, i.invoiced, i.booked::text, EXISTS (%s AND e.move_id = l.move_id)
          FROM (%s) i
          JOIN account_move_line l ON l.id = i.item_id
         WHERE i.source <> 'credits' AND LEAST(i.due, i.invoiced) < %s
        """,
        DISPUTE,
        open_items_sql(partners, roots, today),
        today,
    )
