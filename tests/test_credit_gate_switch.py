"""Day one, and the switch: nothing is held before a credit manager switches the gate on, knowing what it will hold."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.credit_insurance.hooks import post_init_hook

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestGateSwitch(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"

    def _switch(self, user, mode="on"):
        return self.env["credit.insurance.gate.switch"].with_user(user).create({"mode": mode, "reason": "Go live"})

    def test_new_company_observes_and_does_not_check_unknown_buyers(self):
        company = self.env["res.company"].create({"name": "Newly Installed"})
        self.assertEqual((company.credit_gate_mode, company.credit_unchecked_buyers), ("observe", "not_checked"))

    def test_installation_leaves_confirmed_orders_as_they_are_with_a_pass_each(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        orders = self._make_confirmed_order(700) | self._make_confirmed_order(5, company_id=branch.id)
        quotation = self._make_order(900)
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM credit_insurance_pass WHERE order_id = ANY(%s)", (orders.ids,))
        self.env.cr.execute("UPDATE sale_order SET credit_state = NULL")
        self.env.cr.execute("DELETE FROM credit_insurance_pass")
        self.env.invalidate_all()
        post_init_hook(self.env)
        self.env.invalidate_all()
        for order in orders:
            live = order.credit_pass_ids
            self.assertEqual((order.state, order.credit_state), ("sale", "passed"))
            self.assertEqual((live.amount, live.partner_id), (order.amount_total, self.partner))
            self.assertEqual(live.company_id, self.company, "branches share the pass of their root company")
        self.assertFalse(quotation.credit_pass_ids)
        orders.order_line.write({"name": "Touched after the installation"})
        self.env.cr.flush()

    def test_switch_lists_what_would_be_held_today(self):
        self._make_buyer(limit=1000)
        held, passing = self._make_order(1500), self._make_order(900)
        wizard = self._switch(self.manager)
        listed = wizard.line_ids.filtered(lambda line: line.order_id in held | passing)
        self.assertEqual(listed.order_id, held)
        self.assertEqual((listed.shortfall, listed.limit_amount), (500, 1000))
        self.assertEqual(held.state, "draft")
        self.assertFalse(held.credit_hold_ids, "looking holds nothing")

    def test_switch_counts_what_buyers_owe_while_the_gate_is_off_too(self):
        self._make_buyer(limit=1000)
        self._make_invoice(800)
        quotation = self._make_order(300)
        self.company._switch_credit_gate("off", "The data cannot be read")
        listed = self._switch(self.manager).line_ids.filtered(lambda line: line.order_id == quotation)
        self.assertEqual((listed.exposure, listed.shortfall), (800, 100))

    def test_switching_is_on_record(self):
        self._switch(self.manager).action_switch()
        self.assertEqual(self.company.credit_gate_mode, "on")
        log = self.env["credit.insurance.gate.log"].search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual((log.user_id, log.mode_before, log.mode_after), (self.manager, "observe", "on"))
        self.assertEqual(log.reason, "Go live")
        self.assertEqual(dict(log._fields["mode_after"]._description_selection(self.env))[log.mode_after], "On")
        with self.assertRaises(UserError):
            log.sudo().reason = "Nothing happened"
        with self.assertRaises(UserError):
            log.sudo().unlink()

    def test_branch_switches_and_sets_what_its_root_company_decides_by(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.manager.company_ids |= branch
        wizard = self._switch(self.manager, "off")
        wizard.company_id = branch
        wizard.action_switch()
        self.assertEqual(self.company.credit_gate_mode, "off")
        self.manager.write({"company_ids": branch.ids, "company_id": branch.id})
        with self.assertRaises(AccessError):
            self._switch(self.manager, "on").action_switch()
        settings = self.env["res.config.settings"].with_company(branch).create({"company_id": branch.id})
        settings.credit_unchecked_buyers = "no_credit"
        self.assertEqual(self.company.credit_unchecked_buyers, "no_credit")

    def test_only_credit_managers_switch(self):
        for user in (self.rep, self.officer):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._switch(user)
        with self.assertRaises(AccessError):
            self.company.with_user(self.rep).write({"credit_gate_mode": "off"})

    def test_system_administrator_without_credit_rights_does_not_switch(self):
        admin = self.env["res.users"].create(
            {
                "name": "System",
                "login": "system_only",
                "company_id": self.company.id,
                "company_ids": self.company.ids,
                "group_ids": [self.env.ref("base.group_system").id, self.env.ref("base.group_erp_manager").id],
            }
        )
        with self.assertRaises(AccessError):
            self.company.with_user(admin).write({"credit_gate_mode": "off"})

    def test_switched_off_gate_lets_everything_pass_and_says_so(self):
        self._switch(self.manager, mode="off").action_switch()
        self._make_buyer(limit=0)
        order = self._make_confirmed_order(900)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.credit_pass_ids.decision_id.basis, "gate_off")
