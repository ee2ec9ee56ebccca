"""Confirming the quotations ticked in a list: each that can be is, and of each other one it is said why not."""

from odoo import models
from odoo.exceptions import RedirectWarning, UserError

from .errors import describe_error


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def action_credit_confirm_all(self):
        """Confirm what the credit gate lets pass and Odoo can confirm; tell in one notification what became of each.

        ``action_confirm`` on several orders raises when one of them cannot be confirmed, as it does in Odoo, and then
        confirms none: a program that called it has nobody to read a list.
        """
        self.check_access("write")
        self = self.union()  # pylint: disable=self-cls-assignment
        failed = {order: error for order in self if (error := order._confirmation_error_message())}
        ready = self.filtered(lambda order: order not in failed)
        # What cannot be confirmed anyway takes no headroom from the others.
        passed = self.env["credit.insurance.gate"]._pass_or_hold(ready)
        failed |= passed._credit_confirm_passed()
        # Another module may ask something first.
        confirmed = passed.filtered(lambda order: order.state == "sale")
        (passed - confirmed)._credit_end_passes()
        return (ready - passed)._credit_show_held(confirmed, failed)

    def _credit_confirm_passed(self):
        """Confirm orders that passed: all at once, and one by one only when one of them cannot be.

        :return: ``{order: why not}`` of those that stay quotations
        """
        if not self:
            return {}
        try:
            with self.env.cr.savepoint():
                self._credit_confirm_in_odoo()
            return {}
        except (UserError, RedirectWarning) as error:
            if len(self) == 1:
                return {self: describe_error(error)}
        failed = {}
        for order in self:
            failed |= order._credit_confirm_passed()
        return failed
