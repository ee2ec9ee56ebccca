"""A list of the documents behind an exposure that adds up for every reader."""

from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_exposure import SOURCES

# What else than an exposure is listed like one: the documents that a change of cover affects.
KINDS = (*SOURCES, "quotation", "undelivered", "unbilled")


class CreditInsuranceExposureLine(models.TransientModel):
    """A document of an exposure as its reader sees it.

    What the reader may not open stands in one line per source, with the sum: the list adds up all the same.
    """

    _name = "credit.insurance.exposure.line"
    _description = "Document of an Exposure"
    _order = "source_order, hidden_count, date_due, id"

    name = fields.Char(string="Document", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Buyer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    source = fields.Selection(
        [
            ("not_due", "Open, not due"),
            ("overdue", "Overdue"),
            ("confirmed", "Confirmed, not invoiced"),
            ("credits", "Payments and credits not applied"),
            ("quotation", "Quotation"),
            ("undelivered", "Confirmed, not delivered"),
            ("unbilled", "Delivered, not invoiced"),
        ],
        readonly=True,
    )
    source_order = fields.Integer(readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    hidden_count = fields.Integer(
        string="Not Open to You", readonly=True, help="So many documents that you may not open are summed up here."
    )
    date = fields.Date(readonly=True)
    date_due = fields.Date(string="Due Date", readonly=True, help="The original due date, before any extension.")
    document_currency_id = fields.Many2one("res.currency", readonly=True)
    document_amount = fields.Monetary(
        currency_field="document_currency_id", readonly=True, help="What counts, in the currency of the document."
    )
    currency_id = fields.Many2one("res.currency", string="Limit Currency", readonly=True)
    amount = fields.Monetary(string="Counted", readonly=True, help="What counts, in the currency of the limit.")

    # === ACTION METHODS === #

    def action_open_document(self):
        """Open the invoice, payment or entry, or the order. The reader's own rights decide."""
        self.ensure_one()
        self.check_access("read")
        if not self.res_id:
            raise AccessError(self.env._("You may not open the documents that are summed up in this line."))
        document = self.env[self.res_model].browse(self.res_id)
        document.check_access("read")
        if self.res_model == "account.move.line":
            return document.action_open_business_doc()
        return {"type": "ir.actions.act_window", "res_model": "sale.order", "res_id": self.res_id, "view_mode": "form"}

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, partner, company, currency, source=None):
        """The list of the documents behind a figure, as an action. The caller has checked who may see the figure.

        :param source: one of SOURCES; all of them without
        """
        if source not in (None, False, *SOURCES):
            source = None
        company = company.root_id.sudo()
        lines = self._make_lines(partner.sudo().commercial_partner_id, company, currency.sudo(), source or None)
        buyer = partner.sudo().display_name
        title = self.env._("Exposure: %s", buyer)
        if source:
            words = dict(self._fields["source"]._description_selection(self.env))
            title = self.env._("%(what)s: %(buyer)s", what=words[source], buyer=buyer)
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": self._name,
            "view_mode": "list",
            "domain": [("id", "in", lines.ids)],
            "context": {"group_by": [] if source else ["source"], "create": False},
        }

    @api.model
    def _make_lines(self, partner, company, currency, source):
        today = company._credit_today()
        documents = (
            self.env["credit.insurance.exposure"].sudo()._get_documents(partner, company, currency, today, source)
        )
        return self._make_document_lines(partner, company, currency, documents)

    @api.model
    def _make_document_lines(self, partner, company, currency, documents):
        """A line for each document that the reader may open, and one for the others of each source."""
        readable = self._get_readable(documents)
        shared = {"partner_id": partner.id, "company_id": company.id, "currency_id": currency.id}
        values, hidden = [], defaultdict(list)
        for document, amount in zip(documents, _round_as_a_sum(documents, currency), strict=True):
            record = readable.get((document.model, document.id))
            if record is None:
                hidden[document.source].append(amount)
            else:
                values.append({**shared, **self._prepare_line_vals(document, record), "amount": amount})
        values += [{**shared, **self._prepare_hidden_vals(*item)} for item in hidden.items()]
        # Lines are made for their reader with the rights of the system, because nobody may write his own.
        return self.with_user(self.env.user).sudo().create(values).sudo(False)

    @api.model
    def _get_readable(self, documents):
        """``{(model, id): sudo record}`` of those the user may open, in any of his companies, ticked or not."""
        user = self.env.user
        reader = self.with_user(user).with_context(allowed_company_ids=user.sudo().company_ids.ids).env
        result = {}
        for model in {document.model for document in documents}:
            records = reader[model].browse([document.id for document in documents if document.model == model])
            readable = records._filtered_access("read")
            if model == "account.move.line":
                moves = readable.sudo().move_id.sudo(False)._filtered_access("read")
                readable = readable.filtered(lambda line, moves=moves: line.sudo().move_id.id in moves._ids)
            result |= {(model, record.id): record for record in readable.sudo()}
        return result

    @api.model
    def _prepare_line_vals(self, document, record):
        is_order = document.model == "sale.order"
        return {
            "document_currency_id": document.currency_id,
            "document_amount": float(document.amount),
            "name": record.name if is_order else record.move_id.name or record.display_name,
            "source": document.source,
            "source_order": KINDS.index(document.source),
            "res_model": document.model,
            "res_id": document.id,
            "date": record.date_order.date() if is_order else record.invoice_date or record.date,
            "date_due": document.due,
        }

    @api.model
    def _prepare_hidden_vals(self, source, amounts):
        count = len(amounts)
        one = self.env._("One document you may not open")
        return {
            "name": one if count == 1 else self.env._("%s documents you may not open", count),
            "source": source,
            "source_order": KINDS.index(source),
            "hidden_count": count,
            "amount": sum(amounts),
        }


def _round_as_a_sum(documents, currency):
    """The amounts rounded so that those of each source add up to its sum, rounded: as floats, in the order given."""
    sums, told = defaultdict(Decimal), defaultdict(float)
    for document in documents:
        sums[document.source] += document.counted
        rounded = currency.round(float(sums[document.source]))
        yield currency.round(rounded - told[document.source])
        told[document.source] = rounded
