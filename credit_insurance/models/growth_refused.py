from odoo.exceptions import ValidationError


class GrowthRefused(ValidationError):
    """An edit takes a confirmed order beyond its credit; one click asks for a release of the order as it was typed.

    The web client shows a button with the message (static/src/growth_refused), also to whoever leaves the form. It
    opens a dialog over the form, in which everything that was typed stays; for other clients it is a
    ``ValidationError``: ``context``, and not the arguments, holds what the button does, since clients print those.
    """

    def __init__(self, message, order, wanted):
        """:param wanted: the fields of the dialog that say what was typed: it was refused and is in no database"""
        super().__init__(message)
        self.context = {
            "button": order.env._("Ask for Release"),
            "action": {
                "type": "ir.actions.act_window",
                "name": order.env._("Ask for Release"),
                "res_model": "credit.insurance.growth.request",
                "views": [(False, "form")],
                "target": "new",
                "context": {
                    "default_order_id": order.id,
                    **{f"default_{name}": value for name, value in wanted.items()},
                },
            },
        }
