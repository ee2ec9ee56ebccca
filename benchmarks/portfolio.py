"""The benchmarks' data: buyers, invoices and orders in quantity, the same on every run.

One record of each kind is made by Odoo; the others are its copies with dates and amounts spread by arithmetic on their
number. Both databases get the same.
"""

# ruff: noqa: TID251 (runs inside Odoo)
import json
from dataclasses import asdict, dataclass, replace

from cloning import clone, loading
from sizes import Sizes

from odoo import Command, fields
from odoo.api import Environment
from odoo.orm.models import BaseModel
from odoo.sql_db import db_connect

PARAMETER = "credit_insurance.bench"
LARGE_LIMIT = 1_000_000_000
TABLES = (
    "res_partner", "account_move", "account_move_line", "sale_order", "sale_order_line", "stock_move",
)  # fmt: skip
AMOUNT = "(100 + n % 1000 * 7919 % 900)::numeric"


@dataclass(frozen=True)
class Partners:
    """Ids: buyer n of the configured ones is ``first + n``; the big buyer and the unconfigured ones follow them.

    The address for invoices of buyer 4 n is ``addresses + n``; the other buyers have none.
    """

    first: int
    addresses: int
    buyers: int
    unconfigured: int

    @property
    def ids(self) -> list[int]:
        """The buyers with a limit."""
        return [self.first + n for n in range(1, self.buyers + 1)]

    @property
    def big(self) -> int:
        return self.first + 1

    def spread(self) -> str:
        """SQL: the partner of copy n, over all buyers but the big one."""
        return f"{self.first} + 2 + (n * 7 % {self.buyers + self.unconfigured - 1})"

    def invoice_address(self, partner: str) -> str:
        """SQL: where the invoices of a buyer, itself given as SQL, go to."""
        number = f"({partner} - {self.first})"
        return f"CASE {number} % 4 WHEN 0 THEN {self.addresses} + {number} / 4 ELSE {partner} END"


@dataclass(frozen=True)
class Patterns:
    """The records that are copied: orders of goods and a service, and what they were invoiced with."""

    partial: BaseModel
    invoiced: BaseModel
    invoice: BaseModel
    drafted: BaseModel
    draft: BaseModel
    quotation: BaseModel


@dataclass(frozen=True)
class Bench:
    """What the measurements need to know: ids of buyers and of quotations, one list per kind of buyer."""

    sizes: Sizes
    user_id: int
    partners: Partners
    quotations: dict[str, list[int]]


def settle(env: Environment) -> None:
    """Leave the tables as PostgreSQL's own upkeep leaves those of a database that has run for a day."""
    with db_connect(env.cr.dbname).cursor() as cr:
        cr._cnx.autocommit = True
        cr.execute("VACUUM (ANALYZE)")


def has_data(env: Environment) -> bool:
    return bool(env["ir.config_parameter"].get_param(PARAMETER))


def find(env: Environment, sizes: Sizes) -> Bench:
    """The generated records again, from what :class:`Generator` stored; how much is measured comes from ``sizes``."""
    stored = env["ir.config_parameter"].get_param(PARAMETER)
    if not stored:
        raise LookupError(f"{env.cr.dbname} holds no benchmark data")
    values = json.loads(stored)
    generated = replace(Sizes(**values["sizes"]), sample=sizes.sample)
    count, first = min(generated.rounds, sizes.rounds), values["quotations"]
    kinds = ("normal", "big", "unconfigured")
    return Bench(
        replace(generated, rounds=count),
        values["user"],
        Partners(**values["partners"]),
        {kind: [first + n * 3 + number + 1 for n in range(count)] for number, kind in enumerate(kinds)},
    )


class Generator:
    """Makes the data of one database, with this addon or with the community module.

    The caller commits what :meth:`run` made, then calls :func:`analyze`.
    """

    def __init__(self, env: Environment, sizes: Sizes) -> None:
        self.env = env
        self.cr = env.cr
        self.sizes = sizes
        self.today = fields.Date.today()

    def run(self) -> None:
        self._set_up_company()
        user = self._make_salesperson()
        partner = self._make_partner()
        patterns = self._make_patterns(partner)
        with loading(self.cr, TABLES):
            partners = self._clone_partners(partner)
            self._clone_invoices(patterns.invoice, partners)
            self._clone_orders(patterns, partners)
            base = self._clone_quotations(patterns.quotation, partners)
        self._clone_limits(partner, partners)
        stored = {"partners": asdict(partners), "quotations": base, "user": user.id, "sizes": asdict(self.sizes)}
        self.env["ir.config_parameter"].set_param(PARAMETER, json.dumps(stored))

    # === PATTERNS === #

    def _set_up_company(self) -> None:
        company = self.env.company
        if not company.chart_template:
            self.env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
        if "credit_gate_mode" in company._fields:
            company.credit_gate_mode = "on"

    def _make_salesperson(self) -> BaseModel:
        groups = self.env.ref("sales_team.group_sale_salesman_all_leads") | self.env.ref("base.group_user")
        return self.env["res.users"].create(
            {"name": "Benchmark Sales", "login": "bench_sales", "group_ids": [Command.set(groups.ids)]}
        )

    def _make_partner(self) -> BaseModel:
        vals: dict[str, object] = {"name": "Benchmark Buyer", "is_company": True, "customer_rank": 1}
        included = ("risk_sale_order", "risk_invoice_draft", "risk_invoice_open", "risk_invoice_unpaid")
        if "risk_total" in self.env["res.partner"]._fields:
            vals |= {f"{name}_include": True for name in included} | {"credit_limit": LARGE_LIMIT}
        return self.env["res.partner"].create(vals)

    def _make_patterns(self, partner: BaseModel) -> Patterns:
        partial, invoiced, drafted = (self._make_order(partner, quantity) for quantity in (2, 1, 1))
        (partial | invoiced | drafted).action_confirm()
        invoice = invoiced._create_invoices()
        invoice.action_post()
        draft = drafted._create_invoices()
        # Services only: what Odoo does about deliveries is not what is measured, and varies a lot.
        quotation = self._make_order(partner, 1, kinds=("service", "service"))
        self.env.flush_all()
        return Patterns(partial, invoiced, invoice, drafted, draft, quotation)

    def _make_order(
        self, partner: BaseModel, quantity: int, kinds: tuple[str, str] = ("consu", "service")
    ) -> BaseModel:
        shared = {"list_price": 50, "taxes_id": False, "invoice_policy": "order"}
        products = self.env["product.product"].create(
            [{"name": f"Benchmark {kind}", "type": kind, **shared} for kind in kinds]
        )
        lines = [Command.create({"product_id": product.id, "product_uom_qty": quantity}) for product in products]
        return self.env["sale.order"].create({"partner_id": partner.id, "order_line": lines})

    # === COPIES === #

    def _clone_partners(self, partner: BaseModel) -> Partners:
        sizes = self.sizes
        count = sizes.buyers + sizes.unconfigured
        base = self._last_id("res_partner")
        first = clone(
            self.cr, "res_partner", partner.id, count,
            name="'Buyer ' || n", complete_name="'Buyer ' || n", commercial_partner_id=f"{base} + n",
        )  # fmt: skip
        # Every fourth buyer has an address of its own for invoices.
        addresses = clone(
            self.cr, "res_partner", partner.id, count // 4,
            name="'Accounts ' || n", complete_name="'Accounts ' || n", is_company="FALSE", type="'invoice'",
            parent_id=f"{first} + 4 * n", commercial_partner_id=f"{first} + 4 * n",
        )  # fmt: skip
        return Partners(first, addresses, sizes.buyers, sizes.unconfigured)

    def _last_id(self, table: str) -> int:
        self.cr.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}")
        return self.cr.fetchone()[0]

    def _clone_invoices(self, invoice: BaseModel, partners: Partners) -> None:
        sizes = self.sizes
        self._clone_invoice(invoice, sizes.big, str(partners.big), "A")
        self._clone_invoice(invoice, sizes.invoices - sizes.big, partners.spread(), "B")
        self._clone_invoice(invoice, sizes.paid, partners.spread(), "C", paid=True)

    def _clone_invoice(
        self, invoice: BaseModel, count: int, partner: str, series: str, *, paid: bool = False, draft: bool = False
    ) -> dict[int, int]:
        """Copies of an invoice with its items: due from 60 days ago to 60 days ahead.

        :return: ``{id of the pattern's item: number before its first copy's id}``
        """
        name = f"'BENCH/{series}/' || n"
        day = self._invoice_day(partner)
        residual = "0" if paid else AMOUNT
        base = self._last_id("account_move")
        clone(
            self.cr, "account_move", invoice.id, count,
            name="'/'" if draft else name, payment_reference=name, sequence_prefix=f"'BENCH/{series}/'",
            sequence_number="n", partner_id=partner, commercial_partner_id=partner, partner_shipping_id=partner,
            access_token="NULL", date=day, invoice_date=day, invoice_date_due=f"{day} + 60",
            amount_total=AMOUNT, amount_untaxed=AMOUNT, amount_residual=residual, amount_total_signed=AMOUNT,
            amount_untaxed_signed=AMOUNT, amount_residual_signed=residual,
            payment_state="'paid'" if paid else "t.payment_state",
        )  # fmt: skip
        return {
            line.id: clone(
                self.cr, "account_move_line", line.id, count,
                move_id=f"{base} + n", move_name=name, partner_id=partner, date=day, invoice_date=day,
                **self._prepare_item(line, day, residual, paid),
            )
            for line in invoice.line_ids
        }  # fmt: skip

    def _invoice_day(self, partner: str) -> str:
        """SQL: the date of copy n, an invoice of the buyer that is itself given as SQL."""
        return f"DATE '{self.today}' - (n * 31 % 120)::int"

    def _prepare_item(self, line: BaseModel, day: str, residual: str, paid: bool) -> dict[str, str]:
        if line.display_type == "payment_term":
            return {
                "debit": AMOUNT, "balance": AMOUNT, "amount_currency": AMOUNT, "amount_residual": residual,
                "amount_residual_currency": residual, "date_maturity": f"{day} + 60", "reconciled": str(paid),
            }  # fmt: skip
        half = f"{AMOUNT} / 2"
        return {"credit": half, "balance": f"-{half}", "amount_currency": f"-{half}", "price_total": half}

    def _clone_orders(self, patterns: Patterns, partners: Partners) -> None:
        """Open orders, one per buyer and every third invoiced in part; invoiced ones; some with a draft invoice."""
        sizes = self.sizes
        lines, base = self._clone_order(patterns.partial, sizes.buyers, f"{partners.first} + n", partners, "A")
        self._clone_stock_moves(patterns.partial, lines, sizes.buyers)
        self._clone_passes(patterns.partial, base, sizes.buyers, partners)
        count = sizes.buyers // 3
        items = self._clone_invoice(patterns.invoice, count, f"{partners.first} + 3 * n", "D", paid=True)
        self._link(lines, items, patterns.invoice, count, 3)
        self._clone_order(patterns.invoiced, sizes.invoiced, partners.spread(), partners, "B")
        lines, _base = self._clone_order(patterns.drafted, sizes.drafts, partners.spread(), partners, "C")
        items = self._clone_invoice(patterns.draft, sizes.drafts, partners.spread(), "E", draft=True)
        self._link(lines, items, patterns.draft, sizes.drafts, 1)

    def _clone_order(
        self, order: BaseModel, count: int, partner: str, partners: Partners, series: str
    ) -> tuple[list[int], int]:
        """Copies of an order with its lines. Gives the number before the first copy's id, per line and of the order."""
        base = self._last_id("sale_order")
        clone(
            self.cr, "sale_order", order.id, count,
            name=f"'BENCH/{series}/' || n", partner_id=partner, partner_shipping_id=partner,
            partner_invoice_id=partners.invoice_address(partner), access_token="NULL",
        )  # fmt: skip
        shared = {"order_id": f"{base} + n", "order_partner_id": partner}
        if "risk_partner_id" in self.env["sale.order.line"]._fields:
            shared["risk_partner_id"] = partner
        lines = [clone(self.cr, "sale_order_line", line.id, count, **shared) for line in order.order_line]
        return lines, base

    def _clone_stock_moves(self, order: BaseModel, lines: list[int], count: int) -> None:
        for line, base in zip(order.order_line, lines, strict=True):
            for move in line.move_ids:
                clone(self.cr, "stock_move", move.id, count, sale_line_id=f"{base} + n")

    def _clone_passes(self, order: BaseModel, base: int, count: int, partners: Partners) -> None:
        if "credit_pass_ids" in order._fields:
            partner = f"{partners.first} + n"
            clone(
                self.cr, "credit_insurance_pass", order.credit_pass_ids.id, count,
                order_id=f"{base} + n", partner_id=partner,
            )  # fmt: skip

    def _link(self, lines: list[int], items: dict[int, int], invoice: BaseModel, count: int, every: int) -> None:
        """Connect copies of invoice items with copies of order lines, in the order of the patterns."""
        products = invoice.line_ids.filtered(lambda line: line.display_type == "product")
        for line, product in zip(lines, products, strict=True):
            self.cr.execute(
                "INSERT INTO sale_order_line_invoice_rel (order_line_id, invoice_line_id)"
                " SELECT %s + n * %s, %s + n FROM generate_series(1, %s) n",
                [line, every, items[product.id], count],
            )

    def _clone_quotations(self, quotation: BaseModel, partners: Partners) -> int:
        """Quotations to be confirmed, for a normal, the big and an unconfigured buyer in turn."""
        partner = (
            f"CASE n % 3 WHEN 1 THEN {partners.first} + 2 + n / 3 WHEN 2 THEN {partners.big}"
            f" ELSE {partners.first} + {partners.buyers} + 1 + n / 3 % {partners.unconfigured} END"
        )
        _lines, base = self._clone_order(quotation, 3 * self.sizes.rounds, partner, partners, "Q")
        return base

    def _clone_limits(self, partner: BaseModel, partners: Partners) -> None:
        """In this addon's database: a permanent own limit and an insurer's cover of each configured buyer."""
        if "credit.insurance.buyer" not in self.env:
            # The community module's buyers have their limit in a column of res_partner.
            self._unconfigure(partners)
            return
        buyer = self.env["credit.insurance.buyer"].create({"partner_id": partner.id})
        limit = self.env["credit.insurance.own.limit"].create({"buyer_id": buyer.id, "amount": LARGE_LIMIT})
        cover = self.env["credit.insurance.cover"].create(self._prepare_cover(buyer))
        self.env.flush_all()
        count = self.sizes.buyers
        base = clone(self.cr, "credit_insurance_buyer", buyer.id, count, partner_id=f"{partners.first} + n")
        for record, table in ((limit, "credit_insurance_own_limit"), (cover, "credit_insurance_cover")):
            clone(self.cr, table, record.id, count, buyer_id=f"{base} + n")

    def _unconfigure(self, partners: Partners) -> None:
        last = partners.first + partners.buyers
        names = [name for name in self.env["res.partner"]._fields if name.endswith("_include")]
        columns = ", ".join(f"{name} = FALSE" for name in names if name.startswith("risk_"))
        if columns:
            self.cr.execute(
                f"UPDATE res_partner SET credit_limit = NULL, {columns} WHERE id BETWEEN %s AND %s",
                [last + 1, last + partners.unconfigured],
            )

    def _prepare_cover(self, buyer: BaseModel) -> dict[str, object]:
        insurer = self.env["credit.insurance.insurer"].create({"name": "Benchmark Insurer", "code": "bench"})
        policy = self.env["credit.insurance.policy"].create(
            {
                "number": "BENCH", "insurer_id": insurer.id,
                "date_start": fields.Date.subtract(self.today, years=1),
            }
        )  # fmt: skip
        return {
            "buyer_id": buyer.id,
            "policy_id": policy.id,
            "status": "approved",
            "amount": 1_000_000,
            "currency_id": buyer.currency_id.id,
            "insured_percentage": 90,
            "effective_from": fields.Date.subtract(self.today, months=6),
            "fetched_at": fields.Datetime.now(),
        }
