from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditInsuranceLimitRequestDecide(models.TransientModel):
    """Grants or refuses a request; the request itself checks who may."""

    _name = "credit.insurance.limit.request.decide"
    _description = "Decide a Request for a Limit"

    request_id = fields.Many2one("credit.insurance.limit.request", required=True, readonly=True, ondelete="cascade")
    decision = fields.Selection([("grant", "Grant"), ("refuse", "Refuse")], required=True, default="grant")
    # Figures of the request are read with the rights of the reader, not of the system.
    currency_id = fields.Many2one(related="request_id.currency_id", related_sudo=False)
    asked_amount = fields.Monetary(related="request_id.amount", string="Amount Asked", related_sudo=False)
    figures_html = fields.Html(related="request_id.figures_html", related_sudo=False)
    kind = fields.Selection([("permanent", "Permanent"), ("temporary", "Temporary")])
    amount = fields.Monetary(string="Amount Granted")
    date_from = fields.Date(default=fields.Date.context_today)
    date_to = fields.Date(string="Until")
    next_review = fields.Date()
    note = fields.Text()

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        request = self.env["credit.insurance.limit.request"].browse(values.get("request_id")).exists()
        if request:
            today = request.company_id._credit_today()
            months = request.company_id.sudo().credit_limit_review_months
            values |= {
                "kind": request.kind,
                "amount": request.amount,
                "date_from": today,
                "date_to": request.date_to,
                "next_review": months and today + relativedelta(months=months),
            }
        return values

    def action_apply(self):
        self.ensure_one()
        if self.decision == "refuse":
            self.request_id._refuse(self.note)
            return True
        if not self.kind or not self.date_from:
            raise UserError(self.env._("Say which kind of limit is granted, and from when."))
        self.request_id._grant(self.amount, self.kind, self.date_from, self.date_to, self.next_review, self.note)
        return True
