"""The data of the screening benchmark: what ``portfolio`` makes, with grades, limits and payments that differ.

Nine buyers of ten pay within a day or two; the tenth is up to 60 days late. One in twenty lost two classes lately, one
in fifty a part of its cover.
"""

# ruff: noqa: TID251 (runs inside Odoo)
from cloning import clone
from portfolio import AMOUNT, Generator, Partners, Patterns
from sizes import Sizes

from odoo import Command, fields
from odoo.api import Environment
from odoo.orm.models import BaseModel

LATE = 10


class ScreeningGenerator(Generator):
    """Buyers of whom all signals are known."""

    def __init__(self, env: Environment, sizes: Sizes) -> None:
        super().__init__(env, sizes)
        self.paid: tuple[BaseModel, BaseModel] | None = None

    def run(self) -> None:
        self.env["credit.insurance.rule"].search([]).write({"state": "draft"})
        super().run()

    def _invoice_day(self, partner: str) -> str:
        late = f"(({partner}) % {LATE} = 0)"
        return f"(DATE '{self.today}' - CASE WHEN {late} THEN n * 31 % 120 ELSE n * 31 % 61 END::int)"

    def _make_patterns(self, partner: BaseModel) -> Patterns:
        patterns = super()._make_patterns(partner)
        order = self._make_order(partner, 1)
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids)
        wizard.create({})._create_payments()
        line = invoice.line_ids.filtered(lambda item: item.display_type == "payment_term")
        self.paid = (line.matched_credit_ids, line.matched_credit_ids.credit_move_id)
        return patterns

    def _clone_invoices(self, invoice: BaseModel, partners: Partners) -> None:
        """Those that are paid get a payment each, up to two weeks after they fell due."""
        sizes = self.sizes
        self._clone_invoice(invoice, sizes.big, str(partners.big), "A")
        self._clone_invoice(invoice, sizes.invoices - sizes.big, partners.spread(), "B")
        bases = self._clone_invoice(invoice, sizes.paid, partners.spread(), "C", paid=True)
        [term] = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        partial, credit = self.paid
        day = f"({self._invoice_day(partners.spread())} + 60 + n::int % 15)"
        base = clone(
            self.cr, "account_move_line", credit.id, sizes.paid,
            partner_id=partners.spread(), date=day, balance=f"-{AMOUNT}", credit=AMOUNT,
            amount_currency=f"-{AMOUNT}", amount_residual="0", amount_residual_currency="0", reconciled="TRUE",
        )  # fmt: skip
        clone(
            self.cr, "account_partial_reconcile", partial.id, sizes.paid,
            debit_move_id=f"{bases[term.id]} + n", credit_move_id=f"{base} + n", max_date=f"LEAST({day}, CURRENT_DATE)",
            amount=AMOUNT, debit_amount_currency=AMOUNT, credit_amount_currency=AMOUNT,
        )  # fmt: skip

    def _clone_limits(self, partner: BaseModel, partners: Partners) -> None:
        """A limit, covers of today and of last month, and grades of a year, of last quarter and of today."""
        buyer = self.env["credit.insurance.buyer"].create({"partner_id": partner.id})
        own = self.env["credit.insurance.own.limit"].create({"buyer_id": buyer.id, "amount": 5_000})
        cover = self.env["credit.insurance.cover"].create(self._prepare_cover(buyer))
        grade = self._make_grade(buyer, cover.insurer_id)
        self.env.flush_all()
        count = self.sizes.buyers
        base = clone(self.cr, "credit_insurance_buyer", buyer.id, count, partner_id=f"{partners.first} + n")
        buyer_id = f"{base} + n"
        clone(
            self.cr, "credit_insurance_own_limit", own.id, count, buyer_id=buyer_id,
            amount="4000 + n % 7 * 1000",
        )  # fmt: skip
        clone(self.cr, "credit_insurance_cover", cover.id, count, buyer_id=buyer_id, amount="6000 + n % 11 * 1000")
        cut = {"status": "'reduced'", "amount": "2000", "effective_from": f"DATE '{self.today}' - 10"}
        clone(self.cr, "credit_insurance_cover", cover.id, count // 50, buyer_id=f"{base} + 50 * n", **cut)
        graded = (
            (400, "1 + n % 3"),
            (100, "1 + n % 3"),
            (5, "1 + n % 3 + CASE n % 20 WHEN 0 THEN 2 ELSE 0 END"),
        )
        for days, risk_class in graded:
            clone(
                self.cr, "credit_insurance_grade", grade.id, count, buyer_id=buyer_id,
                graded_on=f"DATE '{self.today}' - {days}", grade=f"({risk_class})::text",
                risk_class=f"({risk_class})::text",
            )  # fmt: skip

    def _make_grade(self, buyer: BaseModel, insurer: BaseModel) -> BaseModel:
        lines = [Command.create({"grade": str(grade), "risk_class": str(grade)}) for grade in range(1, 6)]
        insurer.grade_scale_id = self.env["credit.insurance.grade.scale"].create({"name": "1-5", "line_ids": lines})
        return self.env["credit.insurance.grade"].create(
            {
                "buyer_id": buyer.id,
                "insurer_id": insurer.id,
                "grade": "2",
                "risk_class": "2",
                "graded_on": fields.Date.subtract(self.today, days=5),
            }
        )
