from odoo.exceptions import ValidationError


class GrowthRefused(ValidationError):
    """An edit makes a confirmed order larger than its credit; one click asks for a release of the new amount.

    The web client shows a button with the message (static/src/growth_refused). It opens a dialog over the form, in
    which everything that was typed stays; for other clients it is a ``ValidationError``.
    """

    def __init__(self, message, order):
        action = {
            "type": "ir.actions.act_window",
            "name": order.env._("Ask for Release"),
            "res_model": "credit.insurance.growth.request",
            "views": [(False, "form")],
            "target": "new",
        }
        # The new amount is not in the database: whatever made it was refused.
        context = {"default_order_id": order.id, "default_amount": order.amount_total}
        Exception.__init__(self, message, action, order.env._("Ask for Release"), context)
