from odoo import models

from . import internal_fields  # noqa: F401 (the mixin has to be loaded first)


class CreditSubject(models.AbstractModel):
    """What the credit gate asks of a document, be it a sales order, a delivery or an invoice without an order.

    A document also has ``credit_hold_ids``, its holds, and ``company_id``.
    """

    _name = "credit.insurance.subject"
    _inherit = ["credit.insurance.internal.fields"]
    _description = "Document the Credit Gate Decides"

    def _credit_company(self):
        """The root company that grants the credit."""
        return self.company_id.root_id

    def _credit_currency(self):
        """The currency of :meth:`_credit_amount`."""
        return self.currency_id

    def _credit_amount(self):
        """What the document is about, tax included, in its own currency (float)."""
        raise NotImplementedError

    def _credit_buyer_partner(self):
        """The legal entity that owes the money, or will."""
        raise NotImplementedError

    def _credit_related_partners(self):
        """Legal entities that order or receive the goods, the buyer among them or not."""
        return self._credit_buyer_partner()

    def _credit_prepaid(self):
        """What was paid for this document, and how much of that is an open credit in the exposure already.

        :return: the amount in the document's currency, and exposure rows above zero
        """
        return 0.0, ()

    def _credit_term_days(self, today):
        """Days from ``today`` to the last due date; None when there is none."""
        return None

    def _credit_delivery_date(self, expected=False):
        """When goods will leave, if that is known and the cover has to reach so far.

        :param expected: also where nobody promised a day
        """
        return None

    def _credit_delivery_waits(self):
        """Whether everything in it leaves by deliveries that the gate can keep back."""
        return False

    def _credit_salesperson(self):
        """Who is told what becomes of a hold."""
        return self.env["res.users"]

    def _credit_order(self):
        """The sales order behind the document, if there is one."""
        return self.env["sale.order"]

    def _credit_paid(self):
        """What has been paid of the document, in its currency, whatever became of the money since."""
        return self._credit_prepaid()[0]

    def _credit_invoiced(self):
        """What of the document was invoiced already, in its currency: it has used its part of a release."""
        return 0.0

    def _credit_within_terms(self, given):
        """Whether payment term and delivery are no later than ``given`` covers, the release of a hold or a pass."""
        return True

    def _credit_prepare_told(self, passed):
        """The notification about these held documents, with the figures; ``passed`` went through beside them."""
        lines = [
            self.env._(
                "%(document)s is held. %(reasons)s",
                document=document.display_name,
                reasons=" ".join(document.sudo().credit_hold_ids.sorted("id")[-1:].reasons_text.splitlines()),
            )
            for document in self
        ]
        if passed:
            lines.append(self.env._("Went through: %s", ", ".join(passed.mapped("display_name"))))
        return {
            "type": "warning",
            "sticky": len(self) > 1,
            "title": self.env._("Stopped by the credit gate"),
            "message": "\n".join(lines),
            "next": {"type": "ir.actions.act_window_close"},
            "credit_insurance": {"passed": passed.ids, "held": self.ids},
        }

    # === ACTIONS === #

    def action_credit_request_release(self):
        """The dialog in which somebody who may see the newest hold asks for its release."""
        self.ensure_one()
        hold = self.sudo().credit_hold_ids.sorted("id")[-1:].sudo(False)
        hold.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ask for Release"),
            "res_model": "credit.insurance.hold.request",
            "view_mode": "form",
            "target": "new",
            "context": {"default_hold_id": hold.id},
        }
