"""Invoices that come from no order, and ways to post more than credit allows."""

from odoo import Command
from odoo.tests import tagged

from .gate_attack_case import AttackCase


class InvoiceCase(AttackCase):
    """A buyer with a limit of 1,000 whose company holds invoices that come from no order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)
        cls.company.credit_check_invoice = "hold"
        cls.biller = cls._make_user("credit_biller", "account.group_account_invoice")
        cls.accountant = cls._make_user("credit_accountant", "account.group_account_user,account.group_account_manager")
        cls.beta = cls.env["res.partner"].create({"name": "Beta", "is_company": True})

    def _draft(self, amount, **values):
        return self._make_invoice(amount, post=False, **values)

    def _posted(self, *moves, user=None):
        """The states of invoices that somebody posts in one call."""
        posted = self.env["account.move"].union(*moves).with_user(user or self.biller)
        self._refused(posted.action_post)
        return [move.state for move in moves]

    def _linked(self, order, amount, quantity=1, **values):
        """An invoice whose line is said to come from an order."""
        move = self._draft(amount, **values)
        line = {
            "quantity": quantity,
            "price_unit": amount / quantity,
            "sale_line_ids": [Command.set(order.order_line.ids)],
        }
        move.invoice_line_ids.with_user(self.biller).write(line)
        return move


@tagged("post_install", "-at_install")
class TestPosting(InvoiceCase):
    def test_invoice_does_not_begin_as_posted(self):
        vals = {
            "move_type": "out_invoice",
            "partner_id": self.partner.id,
            "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 5000, "tax_ids": []})],
        }
        draft = self._draft(5000)
        for user in (self.biller, self.accountant):
            moves = self.env["account.move"].with_user(user).with_context(default_state="posted")
            self.assertTrue(self._refused(lambda moves=moves: moves.create(vals)))
            copied = draft.with_user(user).with_context(default_state="posted")
            self.assertTrue(self._refused(copied.copy))
        self.assertFalse(self._exposure()["total"])

    def test_what_is_written_beside_the_state_is_decided_with_it(self):
        """The context key is one of Odoo's: it lets lines of posted invoices be written."""
        for user in (self.biller, self.accountant):
            small = self._draft(100).with_user(user).with_context(skip_readonly_check=True)
            of_beta = self._draft(5000, partner=self.beta).with_user(user).with_context(skip_readonly_check=True)
            refund = self._draft(5000, move_type="out_refund").with_user(user)
            grown = [Command.update(small.invoice_line_ids.id, {"price_unit": 5000})]
            for number, edit in enumerate((
                lambda small=small, grown=grown: small.write({"state": "posted", "invoice_line_ids": grown}),
                lambda of_beta=of_beta: of_beta.write({"state": "posted", "partner_id": self.partner.id}),
                lambda refund=refund: refund.write({"state": "posted", "move_type": "out_invoice"}),
            )):  # fmt: skip
                with self.subTest(user=user.login, edit=number):
                    self._assert_refused_or_nothing_gained(edit, 0)

    def test_posted_invoice_does_not_grow(self):
        for user in (self.biller, self.accountant):
            move = self._draft(100).with_user(user)
            move.action_post()
            owed = move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            earned = move.line_ids - owed
            lines = [
                Command.update(owed.id, {"balance": 5000, "amount_currency": 5000}),
                Command.update(earned.id, {"balance": -5000, "amount_currency": -5000}),
            ]
            key = {"skip_readonly_check": True, "check_move_validity": False, "skip_invoice_sync": True}
            more = self.env["account.move.line"].with_user(user).with_context(**key)
            other = {
                "account_id": owed.account_id.id,
                "balance": 5000,
                "date_maturity": self.today,
                "display_type": "payment_term",
                "move_id": move.id,
                "name": "More",
                "partner_id": self.partner.id,
            }
            before = self._exposure()["total"]
            for number, edit in enumerate((
                lambda move=move, lines=lines, key=key: move.with_context(**key).write({"line_ids": lines}),
                lambda owed=owed, key=key: owed.with_context(**key).write({"balance": 5000, "amount_currency": 5000}),
                lambda owed=owed, key=key: owed.with_context(**key).write({"debit": 5000}),
                lambda lines=more, other=other: lines.create(other),
            )):  # fmt: skip
                with self.subTest(user=user.login, edit=number):
                    self._assert_refused_or_nothing_gained(edit, before)

    def test_posted_invoice_does_not_become_one_of_another_buyer(self):
        for user in (self.biller, self.accountant):
            move = self._draft(5000, partner=self.beta).with_user(user)
            move.action_post()
            keyed = move.with_context(skip_readonly_check=True)
            for number, edit in enumerate((
                lambda keyed=keyed: keyed.write({"partner_id": self.partner.id}),
                lambda keyed=keyed: keyed.line_ids.write({"partner_id": self.partner.id}),
            )):  # fmt: skip
                with self.subTest(user=user.login, edit=number):
                    self._assert_refused_or_nothing_gained(edit, 0)

    def test_posted_entry_does_not_become_an_invoice(self):
        move = self._draft(5000).with_user(self.biller)
        move.write({"move_type": "entry"})
        move.action_post()
        self.assertTrue(self._refused(lambda: move.write({"move_type": "out_invoice"})))

    def test_what_is_open_of_an_invoice_is_not_written(self):
        for user in (self.biller, self.accountant):
            move = self._draft(500).with_user(user)
            move.action_post()
            owed = move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            before = self._exposure()["total"]
            for vals in ({"amount_residual": 0, "amount_residual_currency": 0}, {"parent_state": "draft"}):
                with self.subTest(user=user.login, vals=vals):
                    self._assert_refused_or_nothing_gained(lambda owed=owed, vals=vals: owed.write(vals), before)

    def test_posted_invoice_is_reset_changed_and_decided_anew(self):
        move = self._draft(900)
        self.assertEqual(self._posted(move), ["posted"])
        move.with_user(self.biller).button_draft()
        move.invoice_line_ids.with_user(self.biller).price_unit = 1100
        self.assertEqual(self._posted(move), ["draft"])
        move.invoice_line_ids.with_user(self.biller).price_unit = 1000
        self.assertEqual(self._posted(move), ["posted"])

    def test_invoice_reset_in_the_same_transaction_is_decided_anew(self):
        move = self._draft(900).with_user(self.biller)
        move.action_post()
        move.button_draft()
        move.invoice_line_ids.price_unit = 5000
        move.action_post()
        self.assertEqual(move.state, "draft")

    def test_invoice_named_twice_is_told_once(self):
        good, bad = self._draft(600), self._draft(700)
        answer = (bad + good + bad + good).with_user(self.biller).action_post()["params"]
        self.assertEqual(answer["credit_insurance"], {"passed": good.ids, "held": bad.ids})
        self.assertEqual(answer["message"].count("300.00"), 1)

    def test_company_that_only_warns_says_so_when_the_state_is_written(self):
        self.company.credit_check_invoice = "warn"
        move = self._draft(5000)
        move.with_user(self.biller).write({"state": "posted"})
        self.assertEqual(move.state, "posted")
        self.assertIn("4,000.00", " ".join(move.message_ids.mapped("body")))

    def test_posted_invoice_is_paid_reconciled_and_corrected_downwards(self):
        move = self._draft(900).with_user(self.accountant)
        move.action_post()
        self._pay(move.with_user(self.accountant), 400)
        self.assertEqual(self._exposure()["total"], 500)
        owed = move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        owed.with_user(self.accountant).remove_move_reconcile()
        owed.with_user(self.accountant).write({"date_maturity": self.today, "name": "Later"})
        self._commit()
        self.assertEqual(move.state, "posted")

    def test_company_that_checks_no_invoices_leaves_them_to_odoo(self):
        self.company.credit_check_invoice = "off"
        move = self._draft(5000, partner=self.beta).with_user(self.accountant)
        move.action_post()
        edit = {"partner_id": self.partner.id}
        self.assertFalse(self._refused(lambda: move.with_context(skip_readonly_check=True).write(edit)))


@tagged("post_install", "-at_install")
class TestLinkedInvoices(InvoiceCase):
    """An order that passed covers its invoices once, and nothing else."""

    def _order(self, amount=1000, **values):
        order = self._make_confirmed_order(amount, **values)
        self._commit()
        self.assertEqual(order.state, "sale")
        return order

    def _paid(self, **values):
        order = self._order(**values)
        self._pay(self._invoice(order))
        self._commit()
        return order

    def test_second_invoice_of_all_an_order_is_decided(self):
        order = self._order()
        self.assertEqual(self._posted(self._linked(order, 1000)), ["posted"])
        self.assertEqual(self._posted(self._linked(order, 1000)), ["draft"])

    def test_invoice_linked_to_an_order_that_was_invoiced_and_paid_is_decided(self):
        order = self._paid()
        self._make_invoice(1000)
        self.assertEqual(self._posted(self._linked(order, 1000)), ["draft"])
        self.assertEqual(self._posted(self._linked(order, 1000, quantity=0.01)), ["draft"])

    def test_invoices_of_one_call_do_not_share_what_is_left_of_an_order(self):
        order = self._order()
        moves = [self._linked(order, 1000) for _invoice in range(3)]
        self.assertEqual(self._posted(*moves), ["posted", "draft", "draft"])
        self.assertEqual(moves[1].sudo().credit_hold_ids.order_amount, 1000)

    def test_line_of_another_order_does_not_use_what_is_left_of_one(self):
        used, fresh = self._paid(), self._order(500)
        self._make_invoice(500)
        move = self._linked(used, 1000)
        line = {"name": "Link", "price_unit": 0.01, "tax_ids": [], "sale_line_ids": [Command.set(fresh.order_line.ids)]}
        move.with_user(self.biller).write({"invoice_line_ids": [Command.create(line)]})
        self.assertEqual(self._posted(move), ["draft"])

    def test_pass_of_a_confirmation_before_the_order_was_cut_covers_nothing(self):
        order = self._order()
        order.action_cancel()
        order.action_draft()
        order.order_line.price_unit = 1
        order.action_confirm()
        self._commit()
        self._make_invoice(990)
        self.assertEqual(self._posted(self._linked(order, 1000)), ["draft"])

    def test_cancelled_order_covers_what_was_delivered_of_it(self):
        order = self._order(product=self.goods_on_delivery)
        self._deliver(order, 4)
        self._commit()
        order._action_cancel()
        self._commit()
        self._make_invoice(600)
        self.assertEqual(self._posted(self._linked(order, 1000)), ["draft"])
        self.assertEqual(self._posted(self._linked(order, 400, quantity=4)), ["posted"])

    def test_cancelled_quotation_covers_nothing_that_is_said_to_be_delivered(self):
        order = self._make_order(1000, product=self.service)
        order.order_line.with_user(self.rep).qty_delivered = 10
        order.with_user(self.rep).action_cancel()
        self._commit()
        self.assertEqual(self._posted(self._linked(order, 1000)), ["draft"])

    def test_posted_invoice_does_not_bill_an_order_later(self):
        """What was paid long ago would take an order out of what is owed."""
        paid = self._make_invoice(100)
        self._pay(paid)
        order = self._order(product=self.goods_on_delivery)
        self._deliver(order, 1)
        self._commit()
        part = self._invoice(order)
        before = self._exposure()["total"]
        link = {"sale_line_ids": [Command.link(order.order_line.id)]}
        for user in (self.biller, self.accountant):
            old, new = paid.with_user(user), part.with_user(user).invoice_line_ids
            for number, edit in enumerate((
                lambda old=old: old.invoice_line_ids.write({"quantity": 9, **link}),
                lambda old=old: old.invoice_line_ids.write(link),
                lambda old=old: old.with_context(skip_readonly_check=True).write(
                    {"invoice_line_ids": [Command.update(old.invoice_line_ids.id, link)]}
                ),
                lambda new=new: new.write({"quantity": 10}),
                lambda new=new: new.write({"product_uom_id": self.env.ref("uom.product_uom_dozen").id}),
            )):  # fmt: skip
                with self.subTest(user=user.login, edit=number):
                    self._assert_refused_or_nothing_gained(edit, before)

    def test_receipt_is_no_invoice_of_an_order(self):
        order = self._order()
        for _receipt in range(2):
            self.assertEqual(self._posted(self._linked(order, 1000, move_type="out_receipt")), ["draft"])

    def test_invoice_linked_to_the_order_of_another_company_is_decided(self):
        other = self._create_company(name="Other books")
        self.env.user.company_ids += other
        orders = self.env["sale.order"].with_company(other)
        line = Command.create({"name": "Work", "product_id": self.service.id, "price_unit": 5000, "tax_ids": []})
        order = orders.create({"partner_id": self.partner.id, "company_id": other.id, "order_line": [line]})
        order.action_confirm()
        self._commit()
        self.assertEqual(order.state, "sale")
        move = self._draft(5000)
        move.invoice_line_ids.sudo().sale_line_ids = order.order_line
        self.assertEqual(self._posted(move), ["draft"])


@tagged("post_install", "-at_install")
class TestInvoicesPaidInAdvance(InvoiceCase):
    """Odoo lets money and credit notes settle a draft: what is paid needs no credit, and what is no money is none."""

    def _settle(self, move, other):
        lines = (move | other).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        lines.with_user(self.accountant).reconcile()
        self._commit()

    def test_paid_invoice_is_posted(self):
        move = self._draft(5000)
        credit = self._make_invoice(4000, move_type="out_refund")
        self._settle(move, credit)
        self.assertEqual(self._posted(move), ["posted"])
        self.assertEqual(self._exposure()["total"], 1000)

    def test_what_is_left_of_an_invoice_paid_in_part_is_decided(self):
        move = self._draft(5000)
        self._settle(move, self._make_invoice(3999, move_type="out_refund"))
        self.assertEqual(self._posted(move), ["draft"])
        self.assertEqual(move.sudo().credit_hold_ids.shortfall, 1)

    def test_credit_that_settles_a_draft_leaves_no_room_for_another_document(self):
        """It stands as a credit in the exposure, and pays the one invoice it is matched with."""
        self._make_invoice(1000)
        move, other = self._draft(4000), self._draft(1)
        self._settle(move, self._make_invoice(4000, move_type="out_refund"))
        self.assertEqual(self._exposure()["total"], -3000)
        self.assertEqual(self._posted(move), ["posted"], "paid, whatever else is owed")
        self.assertEqual(self._exposure()["total"], 1000)
        self.assertEqual(self._posted(other), ["draft"])

    def test_money_of_a_draft_is_lent_to_no_order(self):
        move, order = self._draft(4000), self._make_order(5000)
        self._settle(move, self._make_invoice(4000, move_type="out_refund"))
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.shortfall), ("draft", 4000))
        self.assertEqual(self._posted(move), ["posted"])
        self.assertEqual(self._exposure()["total"], 0)

    def test_credit_of_another_buyer_that_settles_a_draft_is_no_credit_of_this_one(self):
        self._make_invoice(1000)
        move = self._draft(4000)
        self._settle(move, self._make_invoice(4000, move_type="out_refund", partner=self.beta))
        self.assertEqual(self._exposure()["total"], 1000)
        self.assertEqual(self._posted(move), ["posted"])

    def test_match_that_takes_nothing_from_a_credit_pays_nothing(self):
        move, credit = self._draft(5000), self._make_invoice(1, move_type="out_refund")
        debit, other = (
            document.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            for document in (move, credit)
        )
        self.env["account.partial.reconcile"].with_user(self.biller).create(
            {
                "debit_move_id": debit.id,
                "credit_move_id": other.id,
                "amount": 1,
                "debit_amount_currency": 5000,
                "credit_amount_currency": 1,
            }
        )
        self._commit()
        self.assertEqual(self._posted(move), ["draft"])

    def test_draft_credit_note_pays_nothing(self):
        move = self._draft(5000)
        self._settle(move, self._draft(5000, move_type="out_refund"))
        self.assertEqual(self._posted(move), ["draft"])


@tagged("post_install", "-at_install")
class TestInvoicesThatAreNeverStopped(InvoiceCase):
    """Invoices of orders that passed, whatever became of the buyer since."""

    def _block(self):
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency"})

    def _order(self, amount=1000, **values):
        order = self._make_confirmed_order(amount, **values)
        self._commit()
        self.assertEqual(order.state, "sale")
        return order

    def _invoiced(self, order, **values):
        return self._posted(order._create_invoices(**values), user=self.biller)

    def test_over_delivered_goods(self):
        order = self._order(product=self.goods_on_delivery)
        self._deliver(order, 30)
        self._commit()
        self._block()
        invoice = order._create_invoices()
        self.assertEqual((self._posted(invoice), invoice.amount_total), (["posted"], 3000))

    def test_part_invoices_of_one_order_posted_in_one_call(self):
        order = self._order(product=self.goods_on_delivery)
        invoices = []
        for quantity in (1, 2, 7):
            self._deliver(order, quantity)
            self._commit()
            invoices.append(order._create_invoices())
        self._block()
        self.assertEqual(self._posted(*invoices), ["posted"] * 3)

    def test_down_payment_and_the_rest(self):
        order = self._order()
        wizard = self.env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=order.ids)
        wizard.create({"advance_payment_method": "percentage", "amount": 30}).create_invoices()
        self._block()
        self.assertEqual(self._posted(order.invoice_ids), ["posted"])
        self.assertEqual(self._invoiced(order, final=True), ["posted"])
        self.assertEqual(sum(order.invoice_ids.mapped("amount_total")), 1000)

    def test_invoice_that_is_reset_and_posted_again(self):
        order = self._order()
        invoice = order._create_invoices()
        self.assertEqual(self._posted(invoice), ["posted"])
        self._block()
        invoice.with_user(self.biller).button_draft()
        self.assertEqual(self._posted(invoice), ["posted"])

    def test_invoice_that_replaces_a_credited_one(self):
        order = self._order()
        invoice = order._create_invoices()
        self.assertEqual(self._posted(invoice), ["posted"])
        self._block()
        wizard = self.env["account.move.reversal"].with_user(self.biller)
        wizard = wizard.with_context(active_model="account.move", active_ids=invoice.ids)
        action = wizard.create({"journal_id": invoice.journal_id.id, "date": self.today}).modify_moves()
        anew = self.env["account.move"].browse(action["res_id"])
        anew.invoice_date = self.today
        self.assertEqual(self._posted(anew), ["posted"])

    def test_ordered_quantities_whose_delivery_was_cancelled(self):
        order = self._order()
        order.picking_ids.action_cancel()
        self._commit()
        self._block()
        self.assertEqual(self._invoiced(order), ["posted"])

    def test_order_with_tax_rounded_line_by_line(self):
        tax = self.env["account.tax"].create({"name": "7 %", "amount": 7})
        line = {"product_id": self.service.id, "product_uom_qty": 1, "price_unit": 0.07, "tax_ids": tax.ids}
        order = self.env["sale.order"].create(
            {"partner_id": self.partner.id, "order_line": [Command.create(line) for _line in range(10)]}
        )
        order.action_confirm()
        self._commit()
        self._block()
        self.assertEqual(self._invoiced(order), ["posted"])
