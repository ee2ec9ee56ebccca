import json
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.risk import DEFAULT_CATALOGUE, Scope

from . import credit_insurance_signals  # noqa: F401 (has to be loaded first)
from .company_calendar import company_day, company_day_bounds
from .exposure_sql import OPEN_ORDER
from .ledger_sql import OPEN_ITEM, taken_in_sql
from .signals_documents_sql import (
    events_sql,
    invoices_sql,
    open_invoices_on,
    orders_sql,
    past_orders_sql,
    saved_orders_sql,
    typed_order_sql,
    zone_of_order,
)

MODELS = {Scope.ORDER: "sale.order", Scope.INVOICE: "account.move", Scope.EVENT: "credit.insurance.event"}
EVENT_DAYS = 365
QUOTATION_DAYS = 60
# What of the buyer a document's own signals are computed with.
BEHIND = {
    "order_headroom": {"headroom"},
    "order_term_excess": {"payment_term_maximum"},
    "invoice_term_excess": {"payment_term_maximum"},
    "order_fraud_signs": {"days_since_bank_change", "days_since_mail_change"},
}
LATELY = 60
# Of documents; nothing dated tells what these were on a past day.
UNDATED_DOCUMENTS = frozenset({"invoice_extended", "invoice_uninsured"})


class CreditInsuranceSignals(models.AbstractModel):
    """Signals of documents, each with those of its buyer."""

    _inherit = "credit.insurance.signals"

    @api.model
    def _get_document_facts(self, scope, documents, keys=None, today=None, as_of=False, past=None):
        """What is known of each document and its buyer: ``{document_id: {signal key: value}}``.

        ``_buyer`` among the values is the buyer's id. Documents whose buyer has no record, or that the rules are not
        about (a draft invoice), are absent. One statement for the documents, and what their buyers cost.

        :param scope: order (``sale.order``), invoice (``account.move``) or event (``credit.insurance.event``)
        :param documents: several saved ones of one root company, or one order that is being typed (its id is then 0
            unless it was saved before)
        :param keys: the signals that are needed, of documents and buyers; None means all
        :param as_of: read them, their buyers and what they are compared with as they stood on ``today``, a past day;
            orders as confirmed that day. What nothing dated tells is missing.
        :param past: the orders as they were put to the gate on that day, as JSON; see :func:`past_orders_sql`
        """
        scope = Scope(scope)
        if not documents:
            return {}
        if keys is not None:
            keys = set(self._get_catalogue().sources(keys))
        own = {signal.key for signal in DEFAULT_CATALOGUE if signal.scope is scope}
        wanted = own if keys is None else own & keys
        today = today or documents.company_id[:1].root_id._credit_today()
        self.env.flush_all()
        statement = self._get_statement(scope, documents, today, as_of, past)
        query = SQL("SELECT row_to_json(q)::text FROM (%s) q", statement)
        rows = [json.loads(text, parse_float=Decimal) for (text,) in self.env.execute_query(query)]
        buyers = self.env["credit.insurance.buyer"].browse({row["buyer_id"] for row in rows})
        behind = None if keys is None else (keys - own).union(*(BEHIND.get(key, ()) for key in wanted))
        facts = self._get_facts(buyers, behind, today, as_of=as_of)
        found = {row["id"]: self._join_buyer(row, facts[row["buyer_id"]]) for row in rows}
        for values in found.values() if as_of else ():
            for key in UNDATED_DOCUMENTS:
                values.pop(key, None)
        if "invoice_uninsured" in wanted and not as_of:
            self._add_uninsured(documents.browse(found), found)
        return found

    @api.model
    def _get_undated_keys(self):
        return super()._get_undated_keys() | UNDATED_DOCUMENTS

    @api.model
    def _get_statement(self, scope, documents, today, as_of, past):
        if scope is Scope.INVOICE:
            return invoices_sql(documents.ids, today, as_of)
        if scope is Scope.EVENT:
            return events_sql(documents.ids, today)
        if isinstance(documents[0].id, int):
            zone = zone_of_order(documents[0].id)
            orders = past_orders_sql(past, zone) if past else saved_orders_sql(documents.ids, zone)
            return orders_sql(orders, today, zone, as_of)
        zone = documents.company_id.root_id._get_credit_timezone()
        moment = documents.date_order or fields.Datetime.now()
        day = company_day(documents.company_id.root_id, moment)
        return orders_sql(typed_order_sql(documents, day), today, zone)

    @api.model
    def _join_buyer(self, row, of_buyer):
        """The document's values with its buyer's, and what follows from both."""
        values = {key: value for key, value in row.items() if value is not None}
        values["_buyer"] = values.pop("buyer_id")
        for key in ("id", "partner_id", "company_id"):
            values.pop(key, None)
        state, counted = values.pop("_state", None), values.pop("_counted", None)
        values = {**of_buyer, **values}
        if state and "headroom" in values:
            # A confirmed order is part of the exposure already.
            if counted is None:
                counted = values["order_amount"] if state == "sale" else 0
            values["order_headroom"] = values["headroom"] + counted - values["order_amount"]
        for key in ("order", "invoice"):
            if f"{key}_payment_term" in values and "payment_term_maximum" in values:
                values[f"{key}_term_excess"] = values[f"{key}_payment_term"] - values["payment_term_maximum"]
        if state:
            values["order_fraud_signs"] = self._count_fraud_signs(values)
        return values

    @api.model
    def _count_fraud_signs(self, values):
        usual = values.get("order_size") or values.get("order_size_company") or 0
        return sum(
            [
                values["order_is_first"],
                usual > 200,
                # For a first order every address is new.
                (values["order_new_address"] and not values["order_is_first"]) or values["order_other_country"],
                values["order_other_domain"],
                values.get("days_since_bank_change", LATELY + 1) <= LATELY,
                values.get("days_since_mail_change", LATELY + 1) <= LATELY,
            ]
        )

    @api.model
    def _add_uninsured(self, moves, found):
        splits = self.env["credit.insurance.split"]._get_splits(moves)
        for move in moves:
            values, split = found[move.id], splits.get(move.id)
            if split is None:
                values["invoice_uninsured"] = values["invoice_open"]
            elif split.cover:
                policy = self.env["credit.insurance.policy"].browse(split.policy_id)
                company = move.company_id.root_id
                same = policy.currency_id == company.currency_id
                rate = 1 if same else self._get_rate(company.id, policy.currency_id.id, company._credit_today())
                uninsured = split.cover.open.amount - split.cover.insured.amount
                values["invoice_uninsured"] = uninsured * rate

    @api.model
    def _get_documents(self, scope, buyers, today, as_of=False):
        """What screening evaluates of these buyers.

        Open orders and quotations of the last two months, open invoices, events of the last year. What an alert holds
        does not get out of it by growing old.

        :param as_of: the invoices and events that it would have evaluated on ``today``, a past day
        """
        scope = Scope(scope)
        if scope is Scope.EVENT:
            domain = [("buyer_id", "in", buyers.ids), ("date", ">", today - timedelta(days=EVENT_DAYS))]
            if as_of:
                domain += [("date", "<=", today), "|", ("known_on", "=", False), ("known_on", "<=", today)]
            return self.env["credit.insurance.event"].search(domain)
        self.env.flush_all()
        if as_of:
            query = open_invoices_on(_whose(buyers), today)
            return self.env[MODELS[scope]].browse(res_id for (res_id,) in self.env.execute_query(query))
        query = _open_orders(buyers, today) if scope is Scope.ORDER else _open_invoices(buyers)
        return self.env[MODELS[scope]].browse(res_id for (res_id,) in self.env.execute_query(query))


def _whose(buyers):
    return SQL(
        """
        SELECT p.id AS partner_id, c.id AS company_id
          FROM credit_insurance_buyer b
          JOIN res_partner p ON p.commercial_partner_id = b.partner_id
          JOIN res_company c ON split_part(c.parent_path, '/', 1)::int = b.company_id
         WHERE b.id = ANY(%s)
        """,
        buyers.ids,
    )


def _open_orders(buyers, today):
    return SQL(
        """
        SELECT o.id FROM (%s) w
          JOIN sale_order o ON o.partner_invoice_id = w.partner_id AND o.company_id = w.company_id
         WHERE (o.state = 'sale' AND %s)
            OR (o.state IN ('draft', 'sent')
                AND (o.date_order >= %s
                     OR EXISTS (SELECT FROM credit_insurance_alert a
                                 WHERE a.res_model = 'sale.order' AND a.res_id = o.id AND a.holds IS NOT NULL
                                   AND a.ended_on IS NULL)))
        """,
        _whose(buyers),
        OPEN_ORDER,
        company_day_bounds(buyers.company_id[:1], today - timedelta(days=QUOTATION_DAYS))[1],
    )


def _open_invoices(buyers):
    return SQL(
        """
        WITH w AS (%s)
        SELECT l.move_id FROM w
          JOIN account_move_line l ON l.partner_id = w.partner_id AND l.company_id = w.company_id
         WHERE %s AND l.display_type = 'payment_term' AND l.amount_residual > 0
         UNION
        SELECT l.move_id FROM (%s) t
          JOIN account_move_line l ON l.id = t.item_id
          JOIN w ON w.partner_id = l.partner_id AND w.company_id = l.company_id
         WHERE l.display_type = 'payment_term' AND t.booked > 0
        """,
        _whose(buyers),
        OPEN_ITEM,
        taken_in_sql(SQL("%s", buyers.company_id.ids)),
    )
