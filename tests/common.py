from datetime import timedelta

from odoo import Command, fields
from odoo.tests import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

# One user per role; the base test user may do everything, so that set-up is not what is tested.
ROLES = {
    "rep": "sales_team.group_sale_salesman",
    "manager": "credit_insurance.credit_insurance_group_manager,sales_team.group_sale_salesman_all_leads",
    "officer": "credit_insurance.credit_insurance_group_user,account.group_account_invoice",
    "administrator": "credit_insurance.credit_insurance_group_admin",
}


class CreditCommon(AccountTestInvoicingCommon):
    """A company with one buyer, products without tax and one user per role; the gate is on."""

    @classmethod
    def get_default_groups(cls):
        groups = super().get_default_groups()
        for xmlid in (
            "sales_team.group_sale_manager",
            "stock.group_stock_manager",
            "credit_insurance.credit_insurance_group_admin",
        ):
            groups |= cls.env.ref(xmlid)
        return groups

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.company.credit_gate_mode = "on"
        cls.company_currency = cls.company.currency_id
        cls.today = fields.Date.today()
        cls.partner = cls.env["res.partner"].create({"name": "Alpha Trading Ltd", "is_company": True})
        cls.contact = cls.env["res.partner"].create(
            {"name": "Alpha, invoices", "parent_id": cls.partner.id, "type": "invoice"}
        )
        cls.goods = cls._make_product("Goods", type="consu", invoice_policy="order")
        cls.goods_on_delivery = cls._make_product("Goods on delivery", type="consu", invoice_policy="delivery")
        cls.service = cls._make_product("Service", type="service", invoice_policy="order")
        for role, groups in ROLES.items():
            setattr(cls, role, cls._make_user(f"credit_{role}", groups, name=f"{role.capitalize()} of the story"))
        cls.company.credit_responsible_id = cls.manager

    @classmethod
    def _make_user(cls, login, groups, **values):
        return new_test_user(
            cls.env,
            login=login,
            groups=f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            **values,
        )

    @classmethod
    def _make_second_administrator(cls):
        """Who may approve what the first one wrote."""
        return cls._make_user("credit_second_administrator", ROLES["administrator"])

    @classmethod
    def _make_product(cls, name, **values):
        return cls.env["product.product"].create(
            {"name": name, "list_price": 100.0, "taxes_id": [Command.clear()], **values}
        )

    @classmethod
    def _make_order(cls, amount=1000.0, partner=None, product=None, quantity=10, user=None, **values):
        """A quotation of ``amount`` without tax, ``quantity`` units of ``product``."""
        partner = partner or cls.partner
        return cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "user_id": (user or cls.rep).id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": (product or cls.goods).id,
                            "product_uom_qty": quantity,
                            "price_unit": amount / quantity,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
                **values,
            }
        )

    @classmethod
    def _make_confirmed_order(cls, amount=1000.0, **values):
        order = cls._make_order(amount, **values)
        order.action_confirm()
        return order

    @classmethod
    def _make_invoice(cls, amount, partner=None, due_in=30, post=True, move_type="out_invoice", **values):
        """A posted customer invoice or credit note without an order, due ``due_in`` days from today."""
        move = cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": (partner or cls.partner).id,
                "invoice_date": cls.today + timedelta(days=min(due_in, 0)),
                "invoice_payment_term_id": False,
                "invoice_date_due": cls.today + timedelta(days=due_in),
                "invoice_line_ids": [
                    Command.create({"name": "Goods", "price_unit": amount, "tax_ids": [Command.clear()]})
                ],
                **values,
            }
        )
        if post:
            move.action_post()
        return move

    @classmethod
    def _pay(cls, move, amount=None):
        wizard = cls.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        return wizard.create({"amount": amount} if amount else {})._create_payments()

    @classmethod
    def _make_buyer(cls, limit=None, partner=None, company=None, **values):
        """The buyer's row, with a permanent own limit when ``limit`` is given."""
        buyer = cls.env["credit.insurance.buyer"]._get_or_create(partner or cls.partner, company or cls.company)
        if values:
            buyer.write({"status_reason": "Rumours", **values} if "status" in values else values)
        if limit is not None:
            cls.env["credit.insurance.own.limit"].create(
                {"buyer_id": buyer.id, "amount": limit, "currency_id": buyer.currency_id.id, "date_from": cls.today}
            )
        return buyer

    @classmethod
    def _make_group(cls, buyers, limit=None, **values):
        group = cls.env["credit.insurance.group"].create({"name": "Alpha and Beta", **values})
        buyers.group_id = group
        if limit is not None:
            cls._grant_to_group(group, limit)
        return group

    @classmethod
    def _grant_to_group(cls, group, amount, **values):
        return cls.env["credit.insurance.own.limit"].create(
            {
                "group_id": group.id,
                "amount": amount,
                "currency_id": group.currency_id.id,
                "date_from": cls.today,
                **values,
            }
        )

    @classmethod
    def _make_policy(cls, **values):
        """An Allianz-Trade-like policy of the company: 90 % insured, terms up to 120 days."""
        insurer = cls.env["credit.insurance.insurer"].create({"name": "Test Insurer", "code": "TEST"})
        return cls.env["credit.insurance.policy"].create(
            {
                "number": "TCI-1",
                "insurer_id": insurer.id,
                "company_id": cls.company.id,
                "date_start": "2020-01-01",
                **values,
            }
        )

    @classmethod
    def _make_cover(cls, policy, buyer, amount, status="approved", **values):
        return cls.env["credit.insurance.cover"].create(
            {
                "policy_id": policy.id,
                "buyer_id": buyer.id,
                "status": status,
                "amount": amount,
                "currency_id": policy.currency_id.id,
                "insured_percentage": policy.insured_percentage,
                "effective_from": cls.today,
                **values,
            }
        )

    @classmethod
    def _make_discretionary(cls, policy, buyer, amount=100, **values):
        """A discretionary limit on a report of today."""
        report = cls.env["ir.attachment"].create({"name": "report.pdf", "raw": b"report"})
        return cls.env["credit.insurance.discretionary.limit"].create(
            {
                "buyer_id": buyer.id,
                "policy_id": policy.id,
                "amount": amount,
                "report_date": cls.today,
                "attachment_ids": report.ids,
                **values,
            }
        )

    def _exposure(self, partner=None, company=None, currency=None):
        """Exposure by source as plain floats, zero sources left out; the sum stands under ``total``."""
        company = company or self.company
        partner = (partner or self.partner).commercial_partner_id
        model = self.env["credit.insurance.exposure"]
        rows = model._get_rows(partner.ids, company.root_id.ids, self.today)[partner.id, company.root_id.id]
        amounts = model._convert_rows(rows, company.root_id, currency or company.root_id.currency_id, self.today)
        result = {source: round(float(amount), 2) for source, amount in amounts.items() if amount}
        return {**result, "total": round(float(sum(amounts.values())), 2)}
