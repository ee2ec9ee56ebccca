from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from . import credit_insurance_limit_row  # noqa: F401 (has to be loaded first)
from .amounts import to_decimal


class CreditInsuranceGuarantee(models.Model):
    """Security for what a buyer owes: added to the limit, or for one order only.

    The amount is what can still be drawn. When part of it has been drawn, a new row with the rest takes its place.
    """

    _name = "credit.insurance.guarantee"
    _description = "Guarantee or Letter of Credit"
    _inherit = ["credit.insurance.limit.row"]
    _order = "buyer_id, date_to, id desc"
    _fixed = ("buyer_id", "order_id")
    _terms = ("kind", "amount", "currency_id", "date_from")

    kind = fields.Selection(
        [
            ("guarantee", "Bank guarantee"),
            ("letter_of_credit", "Standby or letter of credit"),
            ("deposit", "Deposit"),
            ("parent_guarantee", "Parent company guarantee"),
        ],
        default="guarantee",
        required=True,
        tracking=True,
    )
    issuer_id = fields.Many2one("res.partner", ondelete="restrict", tracking=True, index="btree_not_null")
    reference = fields.Char(tracking=True, help="The issuer's number.")
    order_id = fields.Many2one(
        "sale.order",
        string="Only for Order",
        ondelete="restrict",
        index="btree_not_null",
        help="It secures this order and is no part of the limit. Empty: it is added to the limit.",
    )
    replaces_id = fields.Many2one(
        "credit.insurance.guarantee", string="Takes the Place Of", copy=False, index="btree_not_null"
    )
    state = fields.Selection(
        [("coming", "Not yet"), ("valid", "Valid"), ("expired", "Expired"), ("cancelled", "Taken back")],
        compute="_compute_state",
    )

    _amount_positive = models.Constraint("CHECK(amount > 0)", "A guarantee is an amount above zero.")
    _dates_ordered = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "The guarantee expires before it starts."
    )
    _expires = models.Constraint(
        "CHECK(kind = 'deposit' OR date_to IS NOT NULL)", "A guarantee needs its expiry; only a deposit may have none."
    )

    @api.depends("cancelled", "date_from", "date_to")
    def _compute_state(self):
        for row in self:
            today = row._today()
            if row.cancelled:
                row.state = "cancelled"
            elif row.date_from and row.date_from > today:
                row.state = "coming"
            else:
                row.state = "expired" if row.date_to and row.date_to < today else "valid"

    @api.constrains("order_id", "buyer_id", "issuer_id")
    def _check_holder(self):
        for row in self:
            order = row.order_id.sudo()
            if order and (order._credit_buyer_partner(), order.company_id.root_id) != (
                row.buyer_id.partner_id,
                row.company_id,
            ):
                raise ValidationError(self.env._("Order %s is not one of this buyer.", order.name))
            if row.kind != "deposit" and row.issuer_id.commercial_partner_id == row.buyer_id.partner_id:
                raise ValidationError(self.env._("A buyer does not secure its own debt."))

    @api.model
    def _get_secured(self, orders, today):
        """What guarantees for these orders alone secure today: ``{order_id: Decimal}`` in each order's currency.

        A guarantee is for what its buyer owes: it does not follow an order to another customer.
        """
        if not orders.ids:
            return {}
        self.flush_model()
        secured, exposure = defaultdict(Decimal), self.env["credit.insurance.exposure"]
        rows = self.sudo().search(
            [
                ("order_id", "in", orders.ids),
                ("cancelled", "=", False),
                ("date_from", "<=", today),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", today),
            ]
        )
        for row in rows:
            currencies = row.currency_id | row.order_id.currency_id
            # What nobody knows the worth of secures nothing.
            unrated = len(currencies) > 1 and exposure._get_unrated(currencies, row.company_id)
            if unrated or row.order_id._credit_buyer_partner() != row.buyer_id.partner_id:
                continue
            secured[row.order_id.id] += exposure._convert(
                to_decimal(row.amount, row.currency_id),
                row.currency_id,
                row.order_id.currency_id,
                row.company_id,
                today,
            )
        return dict(secured)
