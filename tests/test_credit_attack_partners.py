from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .gate_attack_case import AttackCase


class PartnersCase(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)
        cls.beta = cls.env["res.partner"].create({"name": "Beta", "is_company": True})
        cls.beta_contact = cls.env["res.partner"].create({"name": "Beta, invoices", "parent_id": cls.beta.id})
        cls.contacts_user = new_test_user(
            cls.env,
            login="contacts",
            groups="base.group_user,base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _merge(self, source, target, user=None):
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(user or self.env.user)
        wizard = wizard.with_context(active_model="res.partner", active_ids=(source | target).ids).create({})
        wizard.dst_partner_id = target
        wizard.action_merge()
        self.env.invalidate_all()

    def _pass(self, order):
        return order.credit_pass_ids.filtered("live")


@tagged("post_install", "-at_install")
class TestMergeAcrossCompanies(PartnersCase):
    """Two contacts of different companies become one."""

    def test_buyer_merged_into_a_contact_of_another_buyer_is_checked(self):
        self._make_buyer(limit=500, partner=self.beta)
        self._make_confirmed_order(400)
        self._merge(self.partner, self.beta_contact)
        held = self._make_confirmed_order(601, partner=self.beta_contact)
        self.assertEqual((held.state, held.credit_hold_id.shortfall), ("draft", 1))
        self.assertEqual(self._exposure(self.beta_contact), {"confirmed": 400, "total": 400})
        self.assertEqual(self.buyer.partner_id, self.beta_contact)

    def test_buyer_merged_into_a_contact_of_nobody_known_is_checked(self):
        self._make_confirmed_order(400)
        self._merge(self.partner, self.beta_contact)
        held = self._make_confirmed_order(700, partner=self.beta_contact)
        self.assertEqual(held.state, "draft")

    def test_blocked_buyer_merged_into_a_contact_stays_blocked(self):
        self.buyer.write({"status": "blocked", "status_reason": "Insolvent"})
        self._make_buyer(limit=500, partner=self.beta)
        self._merge(self.partner, self.beta_contact)
        self.assertEqual(self._make_confirmed_order(10, partner=self.beta_contact).state, "draft")

    def test_orders_of_a_contact_merged_into_another_company_follow_the_new_buyer(self):
        self._make_buyer(limit=100, partner=self.beta)
        order = self._make_confirmed_order(400, partner_invoice_id=self.contact.id)
        self._commit()
        self._merge(self.contact, self.beta)
        self._commit()
        self.assertEqual(order.partner_invoice_id, self.beta)
        self.assertEqual(self._exposure(self.beta)["total"], 400)
        self.assertEqual(self._exposure()["total"], 0)
        self.assertEqual(self._pass(order).partner_id, self.beta)
        self.assertFalse(self._refused(lambda: order.order_line.write({"price_unit": 39})))

    def test_contact_of_a_buyer_is_merged_away_by_a_credit_manager_only(self):
        self._make_confirmed_order(400, partner_invoice_id=self.contact.id)
        self.assertTrue(self._refused(lambda: self._merge(self.contact, self.beta, self.contacts_user)))

    def test_person_with_a_credit_record_does_not_become_a_contact_by_a_merge(self):
        person = self.env["res.partner"].create({"name": "Carla"})
        self._make_buyer(limit=50, partner=person)
        self.assertTrue(self._refused(lambda: self._merge(self.contact, person)))

    def test_contacts_of_a_person_merged_into_a_company_are_that_companys(self):
        self._make_buyer(limit=100, partner=self.beta)
        person = self.env["res.partner"].create({"name": "Carla"})
        below = self.env["res.partner"].create({"name": "Carla, invoices", "parent_id": person.id})
        order = self._make_confirmed_order(400, partner=below)
        self.assertEqual(self._pass(order).partner_id, person)
        self._commit()
        self._merge(person, self.beta_contact)
        self._commit()
        self.assertEqual(below.commercial_partner_id, self.beta)
        self.assertEqual(self._exposure(self.beta)["total"], 400)
        self.assertEqual(self._pass(order).partner_id, self.beta)

    def test_members_of_two_groups_become_one(self):
        other = self._make_buyer(limit=5000, partner=self.beta)
        groups = self.env["credit.insurance.group"].create([{"name": "A"}, {"name": "B"}])
        for group in groups:
            self.env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": 500})
        self.buyer.group_id, other.group_id = groups
        self._make_confirmed_order(400, partner=self.beta)
        self._merge(self.beta, self.partner)
        self.assertEqual((groups[0].exposure, groups[1].exposure), (400, 0))
        self.assertEqual(groups[0].buyer_ids, self.buyer)
        self.assertFalse(groups[1].buyer_ids)
        self.assertEqual(self._make_confirmed_order(101).state, "draft")
        groups[1].action_archive()

    def test_open_holds_of_both_are_decided_against_what_both_owe(self):
        self._make_buyer(limit=1000, partner=self.beta)
        first = self._make_confirmed_order(900)
        second = self._make_confirmed_order(900, partner=self.beta)
        held = self._make_confirmed_order(150, partner=self.beta)
        self._commit()
        self._merge(self.beta, self.partner)
        second._action_cancel()
        self._commit()
        held.action_confirm()
        self.assertEqual((held.state, held.credit_hold_id.shortfall), ("draft", 50))
        self.assertEqual(held.credit_hold_id.partner_id, self.partner)
        self.assertEqual(first.credit_state, "passed")


@tagged("post_install", "-at_install")
class TestHierarchy(PartnersCase):
    """Contacts change the company they belong to."""

    def test_contact_below_does_not_leave_with_its_parent(self):
        below = self.env["res.partner"].create({"name": "Below", "parent_id": self.contact.id})
        self._make_confirmed_order(300, partner=below)
        contact = self.contact.with_user(self.contacts_user)
        for edit in ({"is_company": True}, {"company_type": "company"}, {"parent_id": self.beta.id}):
            self._assert_refused_or_nothing_gained(lambda edit=edit: contact.write(edit), 300)

    def test_company_below_a_contact_is_a_buyer_of_its_own(self):
        subsidiary = self.env["res.partner"].create(
            {"name": "Subsidiary", "is_company": True, "parent_id": self.contact.id}
        )
        self._make_buyer(limit=300, partner=subsidiary)
        order = self._make_confirmed_order(300, partner=subsidiary)
        self._commit()
        passed = self._pass(order)
        contact = self.contact.with_user(self.contacts_user)
        self.assertFalse(self._refused(lambda: contact.write({"parent_id": self.beta.id})))
        self.assertEqual((self._pass(order), self._exposure(subsidiary)["total"]), (passed, 300))

    def test_order_of_a_contact_that_a_manager_moved_follows_the_new_buyer(self):
        self._make_buyer(limit=100, partner=self.beta)
        order = self._make_confirmed_order(400, partner_invoice_id=self.contact.id)
        self._commit()
        self.contact.with_user(self.env.user).write({"parent_id": self.beta.id})
        self._commit()
        self.assertEqual(self._exposure(self.beta)["total"], 400)
        self.assertEqual(self._pass(order).partner_id, self.beta)
        # The new buyer's limit is 100: whoever decides credit is told.
        self.assertTrue(order.picking_ids.credit_held or order.activity_ids)
        self.assertFalse(self._refused(lambda: order.order_line.write({"price_unit": 39})))

    def test_company_made_a_branch_of_another_stays_its_own_buyer(self):
        self._make_confirmed_order(400)
        self.partner.parent_id = self.beta
        self.assertEqual(self._exposure()["total"], 400)
        self.assertEqual(self._make_confirmed_order(601).state, "draft")

    def test_company_below_another_one_does_not_become_a_part_of_it(self):
        self.partner.parent_id = self.beta
        with self.assertRaises(UserError):
            self.partner.is_company = False

    def test_contact_that_owes_nothing_any_more_moves_freely(self):
        order = self._make_confirmed_order(400, partner_invoice_id=self.contact.id)
        invoice = self._invoice(order)
        self._pay(invoice)
        self._commit()
        self.assertEqual(self._exposure()["total"], 0)
        contact = self.contact.with_user(self.contacts_user)
        self.assertFalse(self._refused(lambda: contact.write({"parent_id": self.beta.id})))

    def test_company_of_a_contact_changes_no_exposure(self):
        order = self._make_confirmed_order(400)
        self.partner.company_id = self.company
        self.assertEqual(self._exposure()["total"], 400)
        self.assertTrue(self._pass(order))

    def test_archived_contact_counts(self):
        self._make_confirmed_order(400, partner_invoice_id=self.contact.id)
        self.contact.with_user(self.contacts_user).action_archive()
        self.assertEqual(self._exposure()["total"], 400)
        self.assertEqual(self._make_confirmed_order(601).state, "draft")

    def test_deleting_the_company_of_a_contact(self):
        parent = self.env["res.partner"].create({"name": "Holding", "is_company": True})
        person = self.env["res.partner"].create({"name": "Nobody", "parent_id": parent.id})
        self._make_buyer(limit=100, partner=parent)
        self._make_invoice(50, partner=person)
        self.assertTrue(self._refused(lambda: parent.unlink()))
