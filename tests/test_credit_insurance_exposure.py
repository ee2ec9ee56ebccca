"""One test per row of the exposure truth table, on Odoo's own documents."""

from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestExposure(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"

    def _deliver(self, order, quantity=None, backorder=True):
        picking = order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))[:1]
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty if quantity is None else quantity
            move.picked = True
        picking._action_done() if backorder else picking.with_context(cancel_backorder=True)._action_done()
        return picking

    def _invoice(self, order, quantity=None):
        invoice = order._create_invoices(final=True)
        if quantity is not None:
            invoice.invoice_line_ids.filtered(lambda line: line.quantity > 0).quantity = quantity
        return invoice

    def _down_payment(self, order, amount):
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        return wizard.create({"advance_payment_method": "fixed", "fixed_amount": amount})._create_invoices(order)

    def test_quotation_is_not_exposure(self):
        order = self._make_order()
        order.action_quotation_sent()
        self.assertEqual(self._exposure(), {"total": 0})

    def test_confirmed_order_counts_whatever_its_invoicing_policy(self):
        for product in (self.goods, self.goods_on_delivery, self.service):
            with self.subTest(product=product.name):
                order = self._make_confirmed_order(product=product)
                self.assertEqual(self._exposure(), {"confirmed": 1000, "total": 1000})
                order._action_cancel()

    def test_down_payment_does_not_change_exposure_until_it_is_paid(self):
        order = self._make_confirmed_order()
        down_payment = self._down_payment(order, 300)
        self.assertEqual(self._exposure(), {"confirmed": 1000, "total": 1000}, "a draft is counted as the order")
        down_payment.action_post()
        self.assertEqual(self._exposure(), {"not_due": 300, "confirmed": 700, "total": 1000})
        self._pay(down_payment)
        self.assertEqual(self._exposure(), {"confirmed": 700, "total": 700})
        final = self._invoice(order)
        self.assertEqual(self._exposure(), {"confirmed": 700, "total": 700}, "a draft is counted as the order")
        final.action_post()
        self.assertEqual(self._exposure(), {"not_due": 700, "total": 700})
        self._pay(final)
        self.assertEqual(self._exposure(), {"total": 0})

    def test_half_invoiced_order_counts_once(self):
        order = self._make_confirmed_order()
        self._invoice(order, quantity=5).action_post()
        self.assertEqual(self._exposure(), {"not_due": 500, "confirmed": 500, "total": 1000})

    def test_cancelled_order_with_paid_down_payment_is_nothing_until_it_is_credited(self):
        order = self._make_confirmed_order()
        down_payment = self._down_payment(order, 300)
        down_payment.action_post()
        self._pay(down_payment)
        order._action_cancel()
        self.assertEqual(self._exposure(), {"total": 0})
        self._reverse_invoice(down_payment, post=True)
        self.assertEqual(self._exposure(), {"credits": -300, "total": -300})
        self._reverse_invoice(down_payment, post=True)
        self.assertEqual(self._exposure(), {"credits": -600, "total": -600}, "nothing of it is ordered again")

    def test_open_credit_note_does_not_reopen_its_order(self):
        order = self._make_confirmed_order()
        self._deliver(order)
        invoice = self._invoice(order)
        invoice.action_post()
        self._pay(invoice)
        credit_note = self._reverse_invoice(invoice)
        credit_note.invoice_line_ids.quantity = 2
        credit_note.action_post()
        self.assertEqual(self._exposure(), {"credits": -200, "total": -200})

    def test_goods_owed_again_reopen_the_order(self):
        order = self._make_confirmed_order(product=self.goods_on_delivery)
        picking = self._deliver(order)
        invoice = self._invoice(order)
        invoice.action_post()
        self._pay(invoice)
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": 2, "to_refund": True})
        returned = wizard._create_return()
        for move in returned.move_ids:
            move.write({"quantity": 2, "picked": True})
        returned._action_done()
        credit_note = self._invoice(order)
        credit_note.action_post()
        self.assertEqual(credit_note.move_type, "out_refund")
        self.assertEqual(self._exposure(), {"credits": -200, "total": -200})
        again = self.env["stock.move"].create(
            {
                "product_id": self.goods_on_delivery.id,
                "product_uom_qty": 2,
                "product_uom": self.goods_on_delivery.uom_id.id,
                "location_id": picking.location_id.id,
                "location_dest_id": picking.location_dest_id.id,
                "sale_line_id": order.order_line.id,
            }
        )
        again._action_confirm()
        self.assertEqual(self._exposure(), {"confirmed": 200, "credits": -200, "total": 0})
        again.write({"quantity": 2, "picked": True})
        again._action_done()
        self.assertEqual(order.order_line.qty_delivered, 10)
        self.assertEqual(self._exposure(), {"confirmed": 200, "credits": -200, "total": 0}, "goods that left are owed")

    def test_payment_with_entry_counts_before_it_is_matched(self):
        self.init_payment(150, post=True, partner=self.partner)
        self.assertEqual(self._exposure(), {"credits": -150, "total": -150})

    def test_payment_without_entry_is_not_money_yet(self):
        payment = self.init_payment(150, post=False, partner=self.partner)
        payment.outstanding_account_id = False
        payment.action_post()
        self.assertFalse(payment.move_id)
        self.assertEqual(self._exposure(), {"total": 0})

    def test_draft_invoice_without_order_is_not_exposure(self):
        self._make_invoice(500, post=False)
        self.assertEqual(self._exposure(), {"total": 0})

    def test_foreign_invoice_is_converted_once(self):
        usd = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self._make_invoice(2000, currency_id=usd.id)
        self.assertEqual(self._exposure()["total"], 1000)
        self.assertEqual(self._exposure(currency=usd)["total"], 2000)

    def test_booked_items_keep_the_rate_of_their_document(self):
        foreign = self.setup_other_currency(
            "EUR", rates=[("2016-01-01", 2.0), (str(self.today - timedelta(days=1)), 4.0)]
        )
        self._make_invoice(2000, currency_id=foreign.id, due_in=-30)
        self.assertEqual(self._exposure(), {"overdue": 1000, "total": 1000})

    def test_each_company_has_its_own_exposure(self):
        other = self.setup_other_company()
        self._make_invoice(100)
        product = self.env["product.product"].with_company(other["company"]).create({"name": "Other", "taxes_id": []})
        move = (
            self.env["account.move"]
            .with_company(other["company"])
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partner.id,
                    "invoice_date": self.today,
                    "invoice_line_ids": [
                        Command.create({"product_id": product.id, "price_unit": 40, "tax_ids": [Command.clear()]})
                    ],
                }
            )
        )
        move.action_post()
        self.assertEqual(self._exposure()["total"], 100)
        self.assertEqual(self._exposure(company=other["company"])["total"], 40)
        narrow = self.env["credit.insurance.exposure"].with_context(allowed_company_ids=self.company.ids)
        rows = narrow._get_rows(self.partner.ids, other["company"].ids, self.today)
        self.assertEqual(sum(row.amount for row in rows[self.partner.id, other["company"].id]), 40)

    def test_branches_roll_up_to_the_root_company(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self._make_invoice(100)
        self._make_confirmed_order(company_id=branch.id)
        self.assertEqual(self._exposure(), {"not_due": 100, "confirmed": 1000, "total": 1100})

    def test_overdue_counts_only_instalments_past_their_date(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Half now, half later",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 10}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 60}),
                ],
            }
        )
        move = self._make_invoice(1000, post=False, due_in=-30)
        move.write({"invoice_date": self.today - timedelta(days=30), "invoice_payment_term_id": term.id})
        move.action_post()
        self.assertEqual(self._exposure(), {"not_due": 500, "overdue": 500, "total": 1000})

    def test_document_due_today_is_not_overdue(self):
        self._make_invoice(500, due_in=0)
        self.assertEqual(self._exposure(), {"not_due": 500, "total": 500})

    def test_contacts_and_addresses_roll_up_to_the_commercial_partner(self):
        delivery = self.env["res.partner"].create({"name": "Depot", "parent_id": self.partner.id, "type": "delivery"})
        self._make_invoice(100, partner=self.contact)
        self._make_confirmed_order(partner=delivery)
        self.assertEqual(self._exposure()["total"], 1100)

    def test_the_buyer_is_the_invoiced_entity(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_confirmed_order(partner_invoice_id=other.id)
        self.assertEqual(self._exposure()["total"], 0)
        self.assertEqual(self._exposure(partner=other)["total"], 1000)

    def test_locked_order_counts_like_any_other(self):
        order = self._make_confirmed_order()
        order.action_lock()
        self.assertEqual(self._exposure(), {"confirmed": 1000, "total": 1000})

    def test_line_whose_deliveries_ended_counts_only_what_was_delivered(self):
        order = self._make_confirmed_order(product=self.goods_on_delivery)
        self._deliver(order, quantity=4)
        self.assertEqual(self._exposure()["total"], 1000, "the rest is still to be delivered")
        order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")).action_cancel()
        self.assertEqual(self._exposure(), {"confirmed": 400, "total": 400})
        self._invoice(order).action_post()
        self.assertEqual(self._exposure(), {"not_due": 400, "total": 400})

    def test_goods_on_their_way_back_are_nothing_to_come(self):
        order = self._make_confirmed_order(product=self.goods_on_delivery)
        picking = self._deliver(order, quantity=4, backorder=False)
        self.assertEqual(self._exposure(), {"confirmed": 400, "total": 400})
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": 1, "to_refund": True})
        returned = wizard._create_return()
        self.assertEqual(self._exposure(), {"confirmed": 400, "total": 400}, "they are still with the buyer")
        returned.move_ids.write({"quantity": 1, "picked": True})
        returned._action_done()
        self.assertEqual(self._exposure(), {"confirmed": 300, "total": 300})

    def test_service_line_is_closed_explicitly(self):
        order = self._make_confirmed_order(product=self.service)
        order.order_line.qty_delivered = 6
        self.assertEqual(self._exposure()["total"], 1000)
        order.order_line.credit_insurance_closed = True
        self.assertEqual(self._exposure()["total"], 600)

    def test_over_delivery_counts_what_was_delivered(self):
        order = self._make_confirmed_order(product=self.goods_on_delivery)
        self._deliver(order, quantity=13)
        self.assertEqual(order.order_line.qty_delivered, 13)
        self.assertEqual(self._exposure()["total"], 1300)

    def test_line_added_by_a_delivery_counts_although_nothing_was_ordered(self):
        order = self._make_confirmed_order()
        self.env["sale.order.line"].create(
            {
                "order_id": order.id,
                "product_id": self.service.id,
                "product_uom_qty": 0,
                "qty_delivered": 5,
                "price_unit": 100,
                "tax_ids": [Command.clear()],
            }
        )
        self.assertEqual(self._exposure()["total"], 1500)

    def test_down_payment_larger_than_what_remains_is_floored_at_zero(self):
        order = self._make_confirmed_order(500, product=self.service)
        down_payment = self._down_payment(order, 500)
        down_payment.action_post()
        self._pay(down_payment)
        order.order_line.filtered(lambda line: not line.is_downpayment and not line.display_type).product_uom_qty = 1
        self._make_confirmed_order(200)
        self.assertEqual(self._exposure(), {"confirmed": 200, "total": 200})

    def test_manual_entry_on_the_receivable_account_counts(self):
        receivable = self.company_data["default_account_receivable"]
        revenue = self.company_data["default_account_revenue"]
        self.env["account.move"].create(
            {
                "date": self.today,
                "line_ids": [
                    Command.create({"account_id": receivable.id, "partner_id": self.contact.id, "debit": 80}),
                    Command.create({"account_id": revenue.id, "credit": 80}),
                ],
            }
        ).action_post()
        self.assertEqual(self._exposure()["total"], 80)

    def test_draft_of_what_is_not_delivered_any_more_counts_what_it_bills(self):
        order = self._make_confirmed_order()
        draft = self._invoice(order)
        self._deliver(order, quantity=4)
        order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")).action_cancel()
        self.assertEqual(self._exposure(), {"confirmed": 1000, "total": 1000})
        draft.invoice_line_ids.quantity = 4
        self.assertEqual(self._exposure(), {"confirmed": 400, "total": 400})
        draft.action_post()
        self.assertEqual(self._exposure(), {"not_due": 400, "total": 400})

    def test_draft_that_is_cancelled_leaves_what_was_delivered(self):
        order = self._make_confirmed_order()
        draft = self._invoice(order)
        self._deliver(order, quantity=4)
        order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")).action_cancel()
        draft.button_cancel()
        self.assertEqual(self._exposure(), {"confirmed": 400, "total": 400})

    def test_bank_payment_not_yet_matched_is_not_money_yet(self):
        self._make_invoice(500)
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "partner_id": self.partner.id,
                "payment_ref": "Transfer",
                "amount": 500,
                "date": self.today,
            }
        )
        self.assertEqual(line.move_id.state, "posted")
        self.assertEqual(self._exposure(), {"not_due": 500, "total": 500}, "it stands on the suspense account")
        self.assertFalse(line.is_reconciled)

    def test_point_of_sale_entry_counts_for_its_partner_and_for_nobody_without(self):
        receivable = self.company_data["default_account_receivable"]
        point_of_sale = receivable.copy({"name": "Receivable (PoS)", "code": "101399"})
        revenue = self.company_data["default_account_revenue"]
        self.env["account.move"].create(
            {
                "date": self.today,
                "line_ids": [
                    Command.create({"account_id": point_of_sale.id, "debit": 60}),
                    Command.create({"account_id": point_of_sale.id, "partner_id": self.partner.id, "debit": 40}),
                    Command.create({"account_id": revenue.id, "credit": 100}),
                ],
            }
        ).action_post()
        self.assertEqual(self._exposure()["total"], 40)

    def test_manual_credit_on_the_receivable_account_lowers_exposure(self):
        self._make_invoice(500)
        receivable = self.company_data["default_account_receivable"]
        revenue = self.company_data["default_account_revenue"]
        self.env["account.move"].create(
            {
                "date": self.today,
                "line_ids": [
                    Command.create({"account_id": receivable.id, "partner_id": self.partner.id, "credit": 80}),
                    Command.create({"account_id": revenue.id, "debit": 80}),
                ],
            }
        ).action_post()
        self.assertEqual(self._exposure(), {"not_due": 500, "credits": -80, "total": 420})

    def test_sum_over_buyers_reconciles_with_the_ledger(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_invoice(100)
        self._make_invoice(70, partner=other, due_in=-5)
        self._pay(self._make_invoice(300, partner=other), 120)
        self._make_invoice(25, partner=self.contact, move_type="out_refund")
        lines = self.env["account.move.line"].search(
            [
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("partner_id", "!=", False),
                ("company_id", "=", self.company.id),
            ]
        )
        partners = lines.partner_id.commercial_partner_id
        model = self.env["credit.insurance.exposure"]
        rows = model._get_rows(partners.ids, self.company.ids, self.today)
        for partner in partners:
            ledger = sum(
                lines.filtered(lambda x, p=partner: x.partner_id.commercial_partner_id == p).mapped("amount_residual")
            )
            ours = sum(row.amount_company for row in rows[partner.id, self.company.id] if row.source != "confirmed")
            self.assertAlmostEqual(float(ours), ledger, 2, partner.name)

    def test_one_statement_answers_for_any_number_of_buyers(self):
        partners = self.env["res.partner"].create([{"name": f"Buyer {n}", "is_company": True} for n in range(40)])
        for partner in partners[:10]:
            self._make_invoice(100, partner=partner)
        self.env.flush_all()
        for count in (1, 40):
            with self.subTest(buyers=count), self.assertQueryCount(1):
                self.env["credit.insurance.exposure"]._get_rows(partners[:count].ids, self.company.ids, self.today)
