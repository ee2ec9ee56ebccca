"""The figures of an impact: those of the day it became known, kept, and those of today beside them.

What is left to invoice of orders and what is owed come from the exposure, what of it is delivered from the statement
behind the signals: an order's undelivered part is the rest.
"""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.risk import Scope

from .credit_insurance_exposure_documents import ExposureDocument
from .signals_steps_sql import OPEN_LINE, delivered_steps
from .sql_functions import Inline

# What of a buyer's documents a change can still touch, in the order in which it is shown.
SOURCES = ("quotation", "undelivered", "unbilled")
OWED = ("not_due", "overdue", "credits")
ZERO = Decimal(0)


class CreditInsuranceImpact(models.Model):
    _inherit = "credit.insurance.impact"

    currency_id = fields.Many2one("res.currency", string="Limit Currency", readonly=True)
    quotation_amount = fields.Monetary(string="Quotations", readonly=True)
    undelivered_amount = fields.Monetary(
        string="Confirmed, Not Delivered", readonly=True, help="Left to deliver and to invoice of confirmed orders."
    )
    unbilled_amount = fields.Monetary(string="Delivered, Not Invoiced", readonly=True)
    owed_amount = fields.Monetary(
        string="Invoiced and Open", readonly=True, help="Open items less payments and credits not applied."
    )
    quotation_now = fields.Monetary(compute="_compute_now")
    undelivered_now = fields.Monetary(compute="_compute_now")
    unbilled_now = fields.Monetary(compute="_compute_now")
    owed_now = fields.Monetary(compute="_compute_now")
    line_ids = fields.One2many("credit.insurance.impact.line", "impact_id", groups=fields.NO_ACCESS)

    # === COMPUTE METHODS === #

    @api.depends_context("uid")
    def _compute_now(self):
        # The sums are of all documents, whoever looks; the documents themselves are not.
        for impact in self:
            documents, owed = impact.sudo()._get_affected()
            sums = _sum_up(documents)
            for source in SOURCES:
                impact[f"{source}_now"] = float(sums[source])
            impact.owed_now = float(owed)

    # === ACTION METHODS === #

    def action_open_frozen(self):
        """The documents that were affected when the change became known."""
        return self._open_documents(self.env._("Affected on the day it was known: %s", self.display_name), frozen=True)

    def action_open_current(self):
        """The documents that would be affected today."""
        return self._open_documents(self.env._("Affected today: %s", self.display_name), frozen=False)

    def _open_documents(self, title, *, frozen):
        """A list that adds up for every reader: what the reader may not open stands in one line per kind."""
        self.ensure_one()
        self.check_access("read")
        if self.env.user._is_portal() or self.env.user._is_public():
            raise AccessError(self.env._("Only sales and credit people see what a buyer owes."))
        impact = self.sudo()
        documents = impact.line_ids._get_documents() if frozen else impact._get_affected()[0]
        lines = self.env["credit.insurance.exposure.line"]._make_document_lines(
            impact.partner_id, impact.company_id, impact._get_currency(), documents
        )
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": lines._name,
            "view_mode": "list",
            "domain": [("id", "in", lines.ids)],
            "context": {"group_by": ["source"], "create": False},
        }

    # === BUSINESS METHODS === #

    def _freeze(self):
        """Keep the figures and documents of this moment."""
        lines = []
        for impact in self:
            documents, owed = impact._get_affected()
            sums = _sum_up(documents)
            impact.write({
                "currency_id": impact._get_currency().id,
                **{f"{source}_amount": float(sums[source]) for source in SOURCES},
                "owed_amount": float(owed),
            })  # fmt: skip
            lines += [{"impact_id": impact.id, **_prepare_line(document)} for document in documents]
        self.env["credit.insurance.impact.line"].create(lines)

    def _get_currency(self):
        return self.currency_id or self.buyer_id.currency_id

    def _get_affected(self):
        """``([ExposureDocument], owed)``: quotations and orders with their parts, and what is owed already."""
        buyer, company, currency = self.buyer_id, self.company_id, self._get_currency()
        today = company._credit_today()
        exposure = self.env["credit.insurance.exposure"]
        counted = exposure._get_documents(buyer.partner_id, company, currency, today)
        owed = sum((document.counted for document in counted if document.source in OWED), ZERO)
        orders = [document for document in counted if document.source == "confirmed"]
        delivered = self._get_delivered([order.id for order in orders])
        documents = self._get_quotations(buyer, company, currency, today)
        for order in orders:
            documents += _split(order, delivered[order.id])
        return documents, owed

    @api.model
    def _get_quotations(self, buyer, company, currency, today):
        exposure = self.env["credit.insurance.exposure"]
        orders = self.env["credit.insurance.signals"]._get_documents(Scope.ORDER, buyer, today)
        documents = []
        for order in orders.filtered(lambda order: order.state in ("draft", "sent")):
            amount = Decimal(repr(order.amount_total))
            value = exposure._convert(amount, order.currency_id, currency, company, today)
            documents.append(
                ExposureDocument("sale.order", order.id, "quotation", order.currency_id.id, amount, value, None)
            )
        return documents

    @api.model
    def _get_delivered(self, order_ids):
        """Value of what is delivered and not invoiced of each order, in its currency."""
        values = defaultdict(lambda: ZERO)
        if order_ids:
            place = Inline()
            totals = SQL(
                "SELECT q.order_id, SUM(q.value)::text FROM %s GROUP BY 1", place.rows("open_line", OPEN_LINE, "q")
            )
            steps = delivered_steps(place, SQL("o.id = ANY(%s)", list(order_ids)))
            for order_id, value in self.env.execute_query(place.render(steps, totals)):
                values[order_id] = Decimal(value or 0)
        return values


class CreditInsuranceImpactLine(models.Model):
    """A document that a change affected, as it stood when the change became known."""

    _name = "credit.insurance.impact.line"
    _description = "Document Affected by a Change of Cover"
    _log_access = False
    _order = "impact_id, id"

    impact_id = fields.Many2one("credit.insurance.impact", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="impact_id.company_id", store=True)
    source = fields.Selection(
        [
            ("quotation", "Quotation"),
            ("undelivered", "Confirmed, not delivered"),
            ("unbilled", "Delivered, not invoiced"),
        ],
        required=True,
    )
    order_id = fields.Many2one("sale.order", required=True, ondelete="cascade", index=True)
    document_currency_id = fields.Many2one("res.currency", required=True)
    document_amount = fields.Monetary(currency_field="document_currency_id")
    currency_id = fields.Many2one(related="impact_id.currency_id")
    amount = fields.Monetary()

    def _get_documents(self):
        return [
            ExposureDocument(
                "sale.order",
                line.order_id.id,
                line.source,
                line.document_currency_id.id,
                Decimal(repr(line.document_amount)),
                Decimal(repr(line.amount)),
                None,
            )
            for line in self
        ]


def _split(order, delivered):
    """The delivered and the undelivered part of what is left to invoice of an order."""
    part = min(max(delivered, ZERO), order.amount)
    share = part / order.amount if order.amount else ZERO
    parts = (("undelivered", order.amount - part, 1 - share), ("unbilled", part, share))
    return [
        replace(order, source=source, amount=amount, counted=order.counted * fraction)
        for source, amount, fraction in parts
        if amount
    ]


def _sum_up(documents):
    sums = dict.fromkeys(SOURCES, ZERO)
    for document in documents:
        sums[document.source] += document.counted
    return sums


def _prepare_line(document):
    return {
        "source": document.source,
        "order_id": document.id,
        "document_currency_id": document.currency_id,
        "document_amount": float(document.amount),
        "amount": float(document.counted),
    }
