from odoo import models

# As many orders as are read in one glance; the rest is a number and a button.
SHOWN = 5


class SaleOrder(models.Model):
    """What is told after a confirmation, of one order or of a hundred."""

    _inherit = "sale.order"

    def _credit_show_held(self, passed, failed=None):
        """Tell which orders were held and why, with the figures, and which were confirmed; then reload what is behind.

        :param failed: what Odoo could not confirm, ``{order: why not}``
        :return: a client action; ``params["credit_insurance"]`` lists all ids of ``confirmed`` and ``held`` orders, and
            of those that ``failed`` where there are any
        """
        failed = failed or {}
        lines = [order._credit_tell_order_held(alone=len(self) == 1) for order in self[:SHOWN]]
        if len(self) > SHOWN:
            lines.append(self.env._("Held as well: %s more.", len(self) - SHOWN))
        lines += self._credit_tell_failed(failed)
        if passed:
            lines.append(self._credit_tell_confirmed(passed))
        ids = {"confirmed": passed.ids, "held": self.ids}
        if failed:
            ids["failed"] = [order.id for order in failed]
        return {
            "type": "ir.actions.client",
            "tag": "credit_insurance.tell_held",
            "params": {
                "type": "warning" if self or failed else "success",
                "sticky": len(self) + len(failed) > 1,
                "title": self._credit_title_held(passed, len(failed)),
                "message": "\n".join(lines),
                "next": {"type": "ir.actions.act_window_close"},
                "credit_insurance": ids,
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

    def _credit_tell_failed(self, failed):
        """Orders that fail for the same reason share a line."""
        alike = {}
        for order, why in failed.items():
            alike[why] = alike.get(why, self.browse()) | order
        lines, shown = [], 0
        for why, orders in list(alike.items())[:SHOWN]:
            named = orders[:SHOWN]
            shown += len(named)
            if len(named) == 1:
                lines.append(self.env._("%(order)s cannot be confirmed: %(why)s", order=named.name, why=why))
            else:
                names = ", ".join(named.mapped("name"))
                lines.append(self.env._("These cannot be confirmed: %(orders)s. %(why)s", orders=names, why=why))
        if len(failed) > shown:
            lines.append(self.env._("And %s more cannot be confirmed.", len(failed) - shown))
        return lines

    def _credit_title_held(self, passed, failed=0):
        if len(self) == 1 and not passed and not failed:
            return self.env._("Stopped by the credit gate")
        title = self.env._("%(held)s held, %(confirmed)s confirmed", held=len(self), confirmed=len(passed))
        return title if not failed else self.env._("%(title)s, %(failed)s not confirmed", title=title, failed=failed)

    def _credit_tell_confirmed(self, passed):
        names = ", ".join(passed[:SHOWN].mapped("name"))
        if len(passed) > SHOWN:
            return self.env._("Confirmed: %(names)s and %(count)s more.", names=names, count=len(passed) - SHOWN)
        return self.env._("Confirmed: %s", names)
