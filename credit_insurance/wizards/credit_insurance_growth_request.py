from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditInsuranceGrowthRequest(models.TransientModel):
    """Asks for the release of a confirmed order's new amount. The order itself is not changed."""

    _name = "credit.insurance.growth.request"
    _description = "Ask for the Release of a Larger Order"

    order_id = fields.Many2one("sale.order", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="order_id.currency_id", related_sudo=False)
    current_amount = fields.Monetary(related="order_id.amount_total", string="Order Total Now", related_sudo=False)
    amount = fields.Monetary(string="New Total", required=True)
    note = fields.Text(string="Why It Should Pass", required=True)

    @api.model_create_multi
    def create(self, vals_list):
        """Who may not change the order is turned away, also when it is named in the context."""
        requests = super().create(vals_list)
        requests.order_id.check_access("write")
        return requests

    def action_request(self):
        self.ensure_one()
        order = self.order_id
        order.check_access("write")
        if order.state != "sale" or order.currency_id.compare_amounts(self.amount, order.amount_total) <= 0:
            raise UserError(self.env._("Only more for a confirmed order needs a release."))
        hold = self.env["credit.insurance.gate"]._hold_growth(order, self.amount)
        if not hold:
            raise UserError(self.env._("The new total fits the credit by now: save the order again."))
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
