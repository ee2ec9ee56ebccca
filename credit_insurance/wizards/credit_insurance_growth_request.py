from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditInsuranceGrowthRequest(models.TransientModel):
    """Asks for the release of a confirmed order as somebody wants to change it. The order itself is not changed."""

    _name = "credit.insurance.growth.request"
    _description = "Ask for the Release of a Larger Order"
    _inherit = ["credit.insurance.amounts"]

    order_id = fields.Many2one("sale.order", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="order_id.currency_id", related_sudo=False)
    current_amount = fields.Monetary(related="order_id.amount_total", string="Order Total Now", related_sudo=False)
    amount = fields.Monetary(string="New Total", required=True)
    partner_invoice_id = fields.Many2one("res.partner", string="New Invoice Address")
    current_payment_term_id = fields.Many2one(
        related="order_id.payment_term_id", string="Payment Terms Now", related_sudo=False
    )
    payment_term_id = fields.Many2one("account.payment.term", string="New Payment Terms")
    current_commitment_date = fields.Datetime(
        related="order_id.commitment_date",
        string="Delivery Date Now",
        related_sudo=False,
        help="What the order says now.",
    )
    commitment_date = fields.Datetime(string="New Delivery Date")
    note = fields.Text(string="Why It Should Pass", required=True)

    @api.model_create_multi
    def create(self, vals_list):
        """Who may not change the order is turned away, also when it is named in the context."""
        requests = super().create(vals_list)
        requests._check_asker()
        return requests

    def _check_asker(self):
        """:raise AccessError: the user may not change the order, or not see whom or what is asked about"""
        self.order_id.check_access("write")
        self.partner_invoice_id.check_access("read")
        self.payment_term_id.check_access("read")

    def action_request(self):
        self.ensure_one()
        order = self.order_id
        self._check_asker()
        wanted = order._credit_make_wanted(self.partner_invoice_id, self.payment_term_id, self.commitment_date)
        if order.state != "sale" or not order._credit_goes_beyond(wanted, self.amount):
            raise UserError(self.env._("Only more for a confirmed order needs a release."))
        hold = self.env["credit.insurance.gate"]._hold_growth(order, self.amount, wanted)
        if not hold:
            raise UserError(self.env._("What you typed fits the credit by now: save the order again."))
        hold.with_user(self.env.user).sudo()._request_release(self.note)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Asked for. Save the order again once %s is released.", hold.name),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
