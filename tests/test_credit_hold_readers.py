"""Who reads what of a hold: the customer nothing, a rep no alert's name, and whoever looks after the order now."""

import json

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .test_credit_hold import HoldCase


@tagged("post_install", "-at_install")
class TestReaders(HoldCase):
    def _read_as(self, user, record, *names):
        self.env.flush_all()
        self.env.invalidate_all()
        return record.with_user(user).read(names)[0]

    def _make_customer(self):
        customer = new_test_user(self.env, login="credit_customer", groups="base.group_portal")
        customer.partner_id.parent_id = self.partner
        return customer

    def test_customer_reads_nothing_of_credit_over_rpc(self):
        customer = self._make_customer()
        self.order.message_subscribe(customer.partner_id.ids)
        self.assertEqual(self._read_as(customer, self.order, "name")["name"], self.order.name)
        for name in ("credit_state", "credit_hold_id", "credit_split_from_id"):
            with self.assertRaises(AccessError):
                self._read_as(customer, self.order, name)
        with self.assertRaises(AccessError):
            self.env["sale.order"].with_user(customer).search([("credit_state", "=", "held")])
        for model in ("sale.order", "stock.picking", "account.move", "res.company"):
            fields = self.env[model].with_user(customer).fields_get([])
            ours = [name for name in fields if self.env[model]._fields[name]._modules[:1] == ("credit_insurance",)]
            self.assertFalse(ours, model)

    def test_customer_does_not_learn_over_rpc_that_an_order_is_held(self):
        order = self.order.with_user(self._make_customer())
        for name in ("action_credit_open_hold", "action_credit_request_release", "action_credit_release"):
            with self.assertRaises(AccessError, msg=name):
                getattr(order, name)()

    def test_customer_is_not_proposed_as_reader_of_what_is_written_about_its_credit(self):
        """The chatter sends a message to whom it proposes unless somebody takes them out."""
        self.partner.email = "buyer@example.com"
        alert = self.env["credit.insurance.alert"].new({"partner_id": self.partner.id})
        for record in (self.hold, self.buyer, alert):
            self.assertFalse(record._mail_get_partners()[record.id], record._name)
        self.assertFalse(self.hold._message_get_suggested_recipients(reply_discussion=True))
        self.assertFalse(self.buyer._message_get_suggested_recipients(reply_discussion=True))
        for name, model in self.env.registry.items():
            if name.startswith("credit.insurance.") and "message_ids" in model._fields:
                self.assertFalse(self.env[name]._mail_get_partner_fields(), name)

    def test_customer_does_not_read_why_a_delivery_is_held(self):
        customer = self._make_customer()
        self._release(self.hold, self.manager)
        picking = self.order.picking_ids
        picking.partner_id = customer.partner_id
        self.company.credit_check_delivery = True
        self.buyer.write({"status": "blocked", "status_reason": "Insolvent"})
        picking.button_validate()
        self.assertIn("blocked", picking.credit_reasons)
        self.assertEqual(self._read_as(customer, picking, "name")["name"], picking.name)
        with self.assertRaises(AccessError):
            self._read_as(customer, picking, "credit_reasons")

    def test_name_of_an_alert_is_for_the_credit_team_wherever_it_is_read(self):
        reasons = [
            {"code": "alert", "severity": "hold", "params": {"alerts": ["Grade fell to 8"]}, "exempted_by": None}
        ]
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_insurance_decision SET reasons = %s", [json.dumps(reasons)])
        self.env.invalidate_all()
        hold, decision = self.hold.with_user(self.rep), self.hold.decision_id
        self.assertIn("Grade fell to 8", decision.with_user(self.manager).reasons_text)
        self.assertIn("Grade fell to 8", self.hold.with_user(self.manager).reasons_text)
        self.assertNotIn("Grade", hold.reasons_text)
        self.assertNotIn("Grade", hold.read(["reasons_text"])[0]["reasons_text"])
        self.assertNotIn("Grade", self.order.with_user(self.rep)._credit_tell_order_held(alone=True))

    def test_mail_about_an_alert_says_to_each_reader_what_he_may_read(self):
        reasons = [
            {"code": "alert", "severity": "hold", "params": {"alerts": ["Grade fell to 8"]}, "exempted_by": None}
        ]
        self.company.credit_hold_mail = True
        (self.manager | self.rep).email = "somebody@example.com"
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_insurance_decision SET reasons = %s", [json.dumps(reasons)])
        self.env.invalidate_all()
        mails = self.env["mail.mail"].sudo()
        for user, told in ((self.manager, True), (self.rep, False)):
            self.hold.with_user(self.rep)._send_mail("open", user)
            mail = mails.search([], limit=1, order="id desc")
            self.assertEqual("Grade fell to 8" in mail.body_html, told)

    def test_mail_about_a_hold_is_read_by_nobody_but_whom_it_goes_to(self):
        """On the hold it would stand before the rep until it has left, and for ever when it cannot."""
        self.company.credit_hold_mail = True
        (self.manager | self.rep).email = "somebody@example.com"
        before = self.env["mail.mail"].sudo().search([])
        self.hold.with_user(self.rep)._send_mail("open", self.manager)
        mail = self.env["mail.mail"].sudo().search([]) - before
        self.assertIn(self.order.name, mail.subject)
        self.assertNotIn(mail.mail_message_id, self.hold.message_ids)
        with self.assertRaises(AccessError):
            self._read_as(self.rep.with_user(self.rep), mail.mail_message_id, "body")

    def test_hold_goes_along_with_its_order_to_another_salesperson(self):
        successor = new_test_user(
            self.env,
            login="credit_successor",
            groups="base.group_user,sales_team.group_sale_salesman",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.order.user_id = successor
        self.assertEqual(self.hold.salesperson_id, successor)
        self.assertEqual(self._read_as(successor, self.hold, "shortfall")["shortfall"], 500)
        with self.assertRaises(AccessError):
            self._read_as(self.rep, self.hold, "shortfall")
        request = self.env["credit.insurance.hold.request"].with_user(successor)
        request.create({"hold_id": self.hold.id, "note": "Please"}).action_request()
        self.assertEqual(self.hold.requested_by_id, successor)

    def test_hold_of_a_deleted_quotation_stays_with_its_salesperson(self):
        hold = self.hold
        self.order._action_cancel()
        self.order.unlink()
        self.assertEqual((hold.state, hold.salesperson_id), ("lapsed", self.rep))
