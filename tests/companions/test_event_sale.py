"""A module whose ``action_confirm`` runs outside this addon's: it books seats for whatever it is called with."""

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.credit_insurance.tests.common import CreditCommon


@tagged("post_install", "-at_install")
class TestEventSale(CreditCommon):
    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("event.group_event_user")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ticket_product = cls.env["product.product"].create(
            {"name": "Ticket", "type": "service", "service_tracking": "event", "list_price": 300, "taxes_id": []}
        )
        cls.event = cls.env["event.event"].create(
            {
                "name": "Trade fair",
                "date_begin": fields.Datetime.add(fields.Datetime.now(), days=30),
                "date_end": fields.Datetime.add(fields.Datetime.now(), days=31),
                "event_ticket_ids": [
                    Command.create({"name": "Stand", "product_id": cls.ticket_product.id, "price": 300})
                ],
            }
        )

    def _make_ticket_order(self, partner, seats=1):
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.ticket_product.id,
                            "product_uom_qty": seats,
                            "event_id": self.event.id,
                            "event_ticket_id": self.event.event_ticket_ids.id,
                        }
                    )
                ],
            }
        )

    def _make_limited_partner(self, limit):
        partner = self.env["res.partner"].create({"name": f"Buyer up to {limit}", "is_company": True})
        self._make_buyer(limit, partner)
        return partner

    def test_held_order_books_no_seat(self):
        order = self._make_ticket_order(self._make_limited_partner(200))
        answer = order.action_confirm()
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))
        self.assertFalse(order.order_line.registration_ids, "a seat was booked for an order that is held")
        self.assertEqual(answer["params"]["credit_insurance"], {"confirmed": [], "held": order.ids})

    def test_passed_order_books_its_seats(self):
        order = self._make_ticket_order(self._make_limited_partner(2000), seats=2)
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertEqual(len(order.order_line.registration_ids), 2)

    def test_mass_confirmation_books_seats_for_what_passes_only(self):
        partner = self._make_limited_partner(700)
        orders = self._make_ticket_order(partner) | self._make_ticket_order(partner) | self._make_ticket_order(partner)
        answer = orders.action_confirm()
        self.assertEqual(orders.mapped("state"), ["sale", "sale", "draft"])
        self.assertEqual([len(order.order_line.registration_ids) for order in orders], [1, 1, 0])
        self.assertEqual(answer["params"]["credit_insurance"]["held"], orders[2].ids)
