"""What becomes of a hold: handed over, released in part, cleared by itself, lapsed."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .test_credit_authority import AuthorityCase

REASON = "credit_insurance.release_reason_payment_announced"


class HoldCase(AuthorityCase):
    def _wizard(self, decision, user=None, hold=None, **values):
        return (
            self.env["credit.insurance.hold.release"]
            .with_user(user or self.manager)
            .create(
                {
                    "hold_id": (hold or self.hold).id,
                    "decision": decision,
                    "reason_id": self.env.ref(REASON).id,
                    "note": "Because",
                    **values,
                }
            )
        )


@tagged("post_install", "-at_install")
class TestHandOver(HoldCase):
    def test_activity_moves_and_it_is_on_record(self):
        self._wizard("hand_over", user_id=self.colleague.id).action_decide()
        self.assertEqual(self.hold.activity_ids.user_id, self.colleague)
        self.assertEqual((self.hold.decider_id, self.hold.state), (self.colleague, "open"))
        self.assertTrue(self.hold.message_ids.filtered(lambda message: "hands this hold over" in message.body))
        self.assertEqual(self.hold._get_decider(), self.colleague)

    def test_hold_goes_to_nobody_without_authority(self):
        self._allow(self.manager)
        for user in (self.colleague, self.officer, self.rep):
            with self.assertRaises(UserError):
                self._wizard("hand_over", user_id=user.id).action_decide()

    def test_rep_and_officer_hand_nothing_over(self):
        for user in (self.rep, self.officer):
            with self.assertRaises(AccessError):
                self._wizard("hand_over", user=user, user_id=self.colleague.id).action_decide()


@tagged("post_install", "-at_install")
class TestPartRelease(HoldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tax = cls.env["account.tax"].create({"name": "20 %", "amount": 20, "amount_type": "percent"})

        def line(name, quantity, price, **values):
            return Command.create(
                {
                    "product_id": cls.goods.id,
                    "name": name,
                    "product_uom_qty": quantity,
                    "price_unit": price,
                    "tax_ids": [Command.set(tax.ids)],
                    **values,
                }
            )

        def text(kind, name):
            return Command.create({"display_type": kind, "name": name})

        cls.big = cls.env["sale.order"].create(
            {
                "partner_id": cls.partner.id,
                "user_id": cls.rep.id,
                "client_order_ref": "PO 77",
                "validity_date": cls.today + timedelta(days=9),
                "order_line": [
                    text("line_section", "Kitchen"),
                    line("Pans", 10, 100, discount=10),
                    text("line_note", "Pans are blue"),
                    line("Lids", 7, 50),
                    text("line_section", "Hall"),
                    line("Mirror", 1, 500),
                    text("line_note", "Handle with care"),
                ],
            }
        )
        cls.big.with_user(cls.rep).action_confirm()
        cls.big_hold = cls.big.credit_hold_ids

    def _names(self, order):
        return order.order_line.sorted().mapped("name")

    def test_released_part_is_confirmed_and_the_rest_is_a_second_quotation(self):
        before = self.big.amount_total
        self._wizard("partial", hold=self.big_hold, amount=1300).action_decide()
        rest = self.big_hold.rest_order_id
        self.assertEqual((self.big.state, rest.state), ("sale", "draft"))
        self.assertEqual(self.big.amount_total + rest.amount_total, before)
        self.assertLessEqual(self.big.amount_total, 1300)
        self.assertEqual((rest.credit_split_from_id, rest.client_order_ref), (self.big, "PO 77"))
        self.assertEqual((rest.user_id, rest.validity_date), (self.rep, self.big.validity_date))
        self.assertIn(rest.name, self.big.message_ids.filtered("body").mapped("body").__str__())
        self.assertTrue(rest.message_ids.filtered(lambda message: self.big.name in (message.body or "")))

    def test_whole_quantities_prices_taxes_sections_and_notes_stay(self):
        # 10 pans are 1,080 with tax and discount, a lid is 60: three lids fit into 1,300.
        rest = self.big._credit_split(1300)
        self.assertEqual(self._names(self.big), ["Kitchen", "Pans", "Pans are blue", "Lids"])
        self.assertEqual(self._names(rest), ["Kitchen", "Lids", "Hall", "Mirror", "Handle with care"])
        lids = [order.order_line.filtered(lambda line: line.name == "Lids") for order in (self.big, rest)]
        self.assertEqual([line.product_uom_qty for line in lids], [3, 4])
        self.assertEqual([line.price_unit for line in lids], [50, 50])
        self.assertEqual(lids[0].tax_ids, lids[1].tax_ids)
        self.assertEqual(self.big.order_line.filtered(lambda line: line.name == "Pans").discount, 10)

    def test_price_of_the_whole_order_stays_although_the_pricelist_has_a_better_one_for_more(self):
        line = self.big.order_line.filtered(lambda line: line.name == "Lids")
        self.env["product.pricelist"].search([]).active = False
        line.write({"price_unit": 40, "technical_price_unit": 40})
        before = self.big.amount_total
        rest = self.big._credit_split(1250)
        self.assertEqual(self.big.amount_total + rest.amount_total, before)

    def test_line_of_one_goes_as_a_whole(self):
        with self.assertRaises(UserError):
            self._make_order(1500, quantity=1)._credit_split(1000)

    def test_fraction_stays_a_fraction(self):
        order = self._make_order(1000, quantity=2.5)
        rest = order._credit_split(500)
        self.assertEqual((order.order_line.product_uom_qty, rest.order_line.product_uom_qty), (1.25, 1.25))

    def test_everything_fits_or_confirmed_orders_are_not_split(self):
        with self.assertRaises(UserError):
            self.big._credit_split(self.big.amount_total)
        confirmed = self._make_confirmed_order(500)
        with self.assertRaises(UserError):
            confirmed._credit_split(100)

    def test_discount_line_stays_with_the_first_part(self):
        order = self._make_order(1000)
        order.order_line = [
            Command.create({"product_id": self.service.id, "price_unit": -100, "tax_ids": [Command.clear()]})
        ]
        rest = order._credit_split(500)
        self.assertEqual((order.amount_total, rest.amount_total), (500, 400))

    def test_wizard_shows_what_goes_where_and_changes_nothing(self):
        wizard = self._wizard("partial", hold=self.big_hold, amount=1300)
        shown = [(line.name, line.kept_quantity, line.moved_quantity) for line in wizard.split_line_ids]
        self.assertEqual(shown, [("Pans", 10, 0), ("Lids", 3, 4), ("Mirror", 0, 1)])
        self.assertEqual((wizard.kept_total, wizard.moved_total), (1260, 840))
        self.assertEqual(len(self.big.order_line), 7)
        wizard.amount = 1
        self.assertTrue(wizard.split_problem)

    def test_form_of_the_wizard_opens_with_what_would_pass(self):
        action = self.big_hold.with_user(self.manager).action_release_part()
        form = Form(self.env[action["res_model"]].with_user(self.manager).with_context(**action["context"]))
        self.assertEqual(form.amount, 1000)

    def test_wizard_proposes_what_would_pass_of_an_order_that_became_larger_too(self):
        proposed = self._wizard("partial").amount
        self.order.order_line.filtered(lambda line: not line.display_type)[:1].product_uom_qty *= 3
        self.assertEqual(self._wizard("partial").amount, proposed)

    def test_release_of_what_became_another_order_is_refused(self):
        euro = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self.order.pricelist_id = self.env["product.pricelist"].create({"name": "EUR", "currency_id": euro.id})
        with self.assertRaisesRegex(UserError, "by now"):
            self._wizard("release").action_decide()
        self.order.pricelist_id = False
        self.order.partner_invoice_id = other
        for decision in ("release", "partial"):
            with self.assertRaisesRegex(UserError, "by now"):
                self._wizard(decision).action_decide()
        self._wizard("reject").action_decide()
        self.assertEqual(self.hold.state, "rejected")

    def test_part_release_above_authority_changes_nothing(self):
        self._allow(self.manager, 1000)
        with self.assertRaises(AccessError):
            self._wizard("partial", hold=self.big_hold, amount=1300).action_decide()
        self.assertEqual(len(self.big.order_line), 7)

    def test_who_split_an_order_did_not_ask_for_the_rest(self):
        self._wizard("partial", hold=self.big_hold, amount=1300).action_decide()
        rest = self.big_hold.rest_order_id
        rest.with_user(self.rep).action_confirm()
        self.assertNotIn(self.manager, rest.credit_hold_ids.asker_ids)
        self.assertIn(self.big.create_uid, rest.credit_hold_ids.asker_ids)


@tagged("post_install", "-at_install")
class TestClearing(HoldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_confirm_cleared = True
        cls.order.order_line.write({"product_uom_qty": 15, "price_unit": 100, "technical_price_unit": 100})

    def _grant(self, amount):
        self._make_limit(amount)
        self.env["credit.insurance.hold"]._cron_redecide()

    def _make_limit(self, amount):
        self.env["credit.insurance.own.limit"].create(
            {
                "buyer_id": self.buyer.id,
                "amount": amount,
                "currency_id": self.buyer.currency_id.id,
                "date_from": self.today,
                "kind": "temporary",
                "date_to": self.today + timedelta(days=30),
            }
        )

    def test_cleared_order_is_confirmed_with_the_mail_the_customer_would_have_got(self):
        self.partner.email = "buyer@example.com"
        sent = []
        self.patch(type(self.order), "_send_order_confirmation_mail", lambda orders: sent.extend(orders.ids))
        self._grant(500)
        self.assertEqual((self.order.state, self.hold.state, sent), ("sale", "cleared", self.order.ids))
        self.assertTrue(self.order.message_ids.filtered(lambda message: "confirmed by itself" in message.body))

    def test_expired_quotation_is_only_ready(self):
        self.order.validity_date = self.today - timedelta(days=1)
        self._grant(500)
        self.assertEqual((self.order.state, self.order.credit_state), ("draft", "ready"))

    def test_order_whose_price_changed_is_only_ready(self):
        self.goods.list_price = 120
        self._grant(500)
        self.assertEqual((self.order.state, self.order.credit_state), ("draft", "ready"))

    def test_agreed_price_stands(self):
        self.order.order_line.write({"technical_price_unit": 120, "price_unit": 100})
        self._grant(500)
        self.assertEqual(self.order.state, "sale")

    def test_quotation_that_was_worked_on_is_only_ready(self):
        self.order.order_line.product_uom_qty = 9
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual((self.order.state, self.order.credit_state), ("draft", "ready"))

    def test_switching_the_gate_off_confirms_nothing_by_itself(self):
        self.buyer.write({"status": "blocked", "status_reason": "Insolvent"})
        for mode in ("observe", "off"):
            self.company.credit_gate_mode = mode
            self.env["credit.insurance.hold"]._cron_redecide()
            self.assertEqual((self.order.state, self.order.credit_state), ("draft", "ready"))

    def test_oldest_goes_first_unless_the_sales_team_ranks(self):
        other = self._make_order(1500, quantity=15)
        other.with_user(self.rep).action_confirm()
        other.credit_hold_ids.with_user(self.manager).action_set_rank(1)
        self._grant(500)
        self.assertEqual((other.state, self.order.state), ("sale", "draft"))

    def test_rep_ranks_nothing(self):
        with self.assertRaises(AccessError):
            self.hold.with_user(self.rep).action_set_rank(1)
        for junk in (-1, "1", None):
            with self.assertRaises(UserError):
                self.hold.with_user(self.manager).action_set_rank(junk)

    def test_failing_order_does_not_stop_the_others(self):
        other = self._make_order(1500, quantity=15)
        other.with_user(self.rep).action_confirm()
        order = self.order
        confirm = type(order)._action_confirm

        def fail(orders):
            if order in orders:
                raise UserError("No stock location")  # pylint: disable=translation-required
            return confirm(orders)

        self.patch(type(order), "_action_confirm", fail)
        self._grant(2000)
        self.assertEqual((order.state, other.state), ("draft", "sale"))
        self.assertTrue(order.message_ids.filtered(lambda message: "No stock location" in (message.body or "")))

    def test_hold_lapses_after_the_companys_days_and_the_rep_is_told(self):
        self.company.credit_hold_lapse_days = 10
        self.env.cr.execute(
            "UPDATE credit_insurance_hold SET create_date = create_date - interval '9 days' WHERE id = %s",
            [self.hold.id],
        )
        self.env["credit.insurance.hold"]._lapse_old()
        self.assertEqual(self.hold.state, "open")
        self.env.cr.execute(
            "UPDATE credit_insurance_hold SET create_date = create_date - interval '2 days' WHERE id = %s",
            [self.hold.id],
        )
        self.env.invalidate_all()
        self.env["credit.insurance.hold"]._lapse_old()
        self.assertEqual(self.hold.state, "lapsed")
        self.assertFalse(self.hold.activity_ids)
        told = self.order.message_ids.filtered(lambda message: "lapsed" in (message.body or ""))
        self.assertIn(self.rep.partner_id, told.notified_partner_ids)

    def test_hold_never_lapses_with_zero_days(self):
        self.env.cr.execute("UPDATE credit_insurance_hold SET create_date = '2020-01-01'")
        self.env.invalidate_all()
        self.env["credit.insurance.hold"]._lapse_old()
        self.assertEqual(self.hold.state, "open")

    def test_queries_do_not_grow_with_the_open_holds(self):
        self.company.credit_confirm_cleared = False
        holds = self.env["credit.insurance.hold"]
        counts = []
        for _round in range(3):
            (self._make_order(5000) | self._make_order(5000) | self._make_order(5000)).action_confirm()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            holds._cron_redecide()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2], "the first run fills the caches")


@tagged("post_install", "-at_install")
class TestTold(HoldCase):
    def test_activity_is_in_the_language_of_whoever_gets_it(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.manager.lang = "fr_FR"
        seen = []
        holds = type(self.env["credit.insurance.hold"])
        summary = holds._get_activity_summary
        self.patch(holds, "_get_activity_summary", lambda hold: seen.append(hold.env.lang) or summary(hold))
        self._asked_by(self.rep)
        self.assertEqual(seen, ["fr_FR"])

    def test_mail_is_in_the_language_of_its_reader_whatever_the_buyer_speaks(self):
        for code in ("fr_FR", "de_DE"):
            self.env["res.lang"]._activate_lang(code)
        template = self.env.ref("credit_insurance.mail_template_hold_opened")
        for code, subject in (("en_US", "is held"), ("fr_FR", "est bloquée"), ("de_DE", "ist gesperrt")):
            template.with_context(lang=code).subject = "{{ object.order_name }} " + subject
        self.company.credit_hold_mail = True
        self.manager.write({"email": "somebody@example.com", "lang": "fr_FR"})
        self.partner.lang = "de_DE"
        before = self.env["mail.mail"].sudo().search([])
        hold = self._asked_by(self.rep)
        mails = self.env["mail.mail"].sudo().search([]) - before
        self.assertEqual(mails.mapped("subject"), [f"{hold.order_name} est bloquée"])

    def test_no_mail_unless_the_company_wants_mails(self):
        mails = self.env["mail.mail"].sudo()
        (self.manager | self.rep).email = "somebody@example.com"
        before = mails.search([])
        self._asked_by(self.rep)
        self.assertEqual(mails.search([]), before)
        self.company.credit_hold_mail = True
        hold = self._asked_by(self.rep)
        mail = mails.search([]) - before
        self.assertIn("is held", mail.subject)
        self.assertIn("somebody@example.com", mail.email_to)
        self._release(hold, self.manager)
        mail = mails.search([("subject", "like", hold.order_name)], limit=1, order="id desc")
        self.assertIn("Released", mail.subject)

    def test_who_gets_a_mail_about_a_decision_is_not_notified_of_the_note_too(self):
        self.rep.write({"email": "rep@example.com", "notification_type": "email"})
        for wanted in (False, True):
            self.company.credit_hold_mail = wanted
            mails = self.env["mail.mail"].sudo().search([])
            order = self._make_confirmed_order(5000, user=self.rep)
            self._release(self._hold(order), self.manager)
            note = order.message_ids.filtered(lambda message: "Released" in (message.body or ""))
            self.assertEqual(self.rep.partner_id in note.notified_partner_ids, not wanted)
            told = (self.env["mail.mail"].sudo().search([]) - mails).filtered(lambda mail: "Released" in mail.subject)
            self.assertEqual(bool(told), wanted)
        self.assertIn(f"/odoo/sale.order/{order.id}", told.body_html)

    def test_rep_sees_own_holds_only_and_the_stock_user_only_those_of_deliveries(self):
        other = self._asked_by(self.manager)
        holds = self.env["credit.insurance.hold"]
        self.assertEqual(holds.with_user(self.rep).search([]).order_id, self.order)
        with self.assertRaises(AccessError):
            other.with_user(self.rep).read(["shortfall"])
        self.rep.group_ids = [
            Command.set((self.env.ref("base.group_user") | self.env.ref("stock.group_stock_user")).ids)
        ]
        self.assertFalse(holds.with_user(self.rep).search([]))

    def test_reasons_and_dates_of_a_release_are_needed(self):
        with self.assertRaises(UserError):
            self._wizard("release", reason_id=False).action_decide()
        with self.assertRaises(UserError):
            self._wizard("release", valid_until=fields.Date.today() - timedelta(days=2)).action_decide()
        with self.assertRaises(UserError):
            self._wizard("release", amount=-5).action_decide()
