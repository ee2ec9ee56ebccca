from odoo import models


class BuyerThread(models.AbstractModel):
    """For records about a buyer: what is written on them is for colleagues, and the buyer is proposed to no message."""

    _name = "credit.insurance.buyer.thread"
    _inherit = ["mail.thread"]
    _description = "Discussion About a Buyer"

    def _mail_get_partner_fields(self, introspect_fields=False):
        return []
