from odoo import fields, models


class CreditInsurancePass(models.Model):
    """The ledger of what may be confirmed: an order in state ``sale`` has a live pass for at least its amount.

    No role has any right on this model; only the gate's private methods write it, so nothing a client can send makes
    a pass. An order has one live pass at most; the passes before it stay as history.
    """

    _name = "credit.insurance.pass"
    _description = "Credit Pass of an Order"
    _order = "id desc"
    _rec_name = "order_id"

    order_id = fields.Many2one("sale.order", required=True, ondelete="cascade", index=True, readonly=True)
    partner_id = fields.Many2one("res.partner", string="Buyer", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one("res.company", required=True, help="The root company that grants the credit.")
    amount = fields.Monetary(required=True, help="Up to this order total, tax included, in the order's currency.")
    open_amount = fields.Monetary(
        string="Still to Invoice Up to",
        required=True,
        help="What may still be owed beside the invoices already posted. It falls as the order is invoiced or ends.",
    )
    order_amount = fields.Monetary(help="The order's total when it was last looked at.")
    currency_id = fields.Many2one("res.currency", required=True)
    payment_term_id = fields.Many2one("account.payment.term", help="The order may be paid this late, or earlier.")
    delivery_until = fields.Date(
        help="Goods that leave later were not decided about: the cover ends before. Empty: any day."
    )
    decision_id = fields.Many2one("credit.insurance.decision", ondelete="restrict", index="btree_not_null")
    hold_id = fields.Many2one(
        "credit.insurance.hold", string="Released Hold", ondelete="restrict", index="btree_not_null"
    )
    deliveries_wait = fields.Selection(
        [("cash", "For the money"), ("growth", "For a decision about what it grew by"), ("order", "For room")],
        help="What the order's deliveries wait for, whatever the company's settings for deliveries say.",
    )
    live = fields.Boolean(default=True)

    _live_uniq = models.UniqueIndex("(order_id) WHERE live", "An order has one live pass.")
