from odoo import models

# As many orders as are read in one glance; the rest is a number and a button.
SHOWN = 5


class SaleOrder(models.Model):
    """What is told after a confirmation, of one order or of a hundred."""

    _inherit = "sale.order"

    def _credit_show_held(self, passed):
        """Tell which orders were held and why, with the figures, and which were confirmed; then reload what is behind.

        :return: a client action; ``params["credit_insurance"]`` lists all ids of ``confirmed`` and ``held`` orders
        """
        lines = [order._credit_tell_order_held(alone=len(self) == 1) for order in self[:SHOWN]]
        if len(self) > SHOWN:
            lines.append(self.env._("And %s more are held.", len(self) - SHOWN))
        if passed:
            lines.append(self._credit_tell_confirmed(passed))
        return {
            "type": "ir.actions.client",
            "tag": "credit_insurance.tell_held",
            "params": {
                "type": "warning",
                "sticky": len(self) > 1,
                "title": self._credit_title_held(passed),
                "message": "\n".join(lines),
                "next": {"type": "ir.actions.act_window_close"},
                "credit_insurance": {"confirmed": passed.ids, "held": self.ids},
            },
        }

    def _credit_tell_order_held(self, alone):
        """One order is told with every reason; of several, each gets its line."""
        hold = self.sudo().credit_hold_id
        reasons = hold.reasons_text.splitlines()
        if alone:
            return self.env._("%(order)s is held. %(reasons)s", order=self.name, reasons=" ".join(reasons))
        if hold.shortfall:
            short = hold.currency_id.format(hold.shortfall)
            return self.env._("%(order)s is held: short %(amount)s", order=self.name, amount=short)
        return self.env._("%(order)s is held. %(reasons)s", order=self.name, reasons="".join(reasons[:1]))

    def _credit_title_held(self, passed):
        if len(self | passed) == 1:
            return self.env._("Stopped by the credit gate")
        return self.env._("%(held)s held, %(confirmed)s confirmed", held=len(self), confirmed=len(passed))

    def _credit_tell_confirmed(self, passed):
        names = ", ".join(passed[:SHOWN].mapped("name"))
        if len(passed) > SHOWN:
            return self.env._("Confirmed: %(names)s and %(count)s more.", names=names, count=len(passed) - SHOWN)
        return self.env._("Confirmed: %s", names)
