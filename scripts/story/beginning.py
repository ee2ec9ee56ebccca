"""Steps 0 and 1: what the addon finds, and what the insurer says."""

# ruff: noqa: TID251 (this runs inside an Odoo shell)

from odoo.service.model import call_kw

from .narrator import money, shorten

DEMO = "credit_insurance.demo_"


def step_0_day_one(story):
    story.title("0. Day one: installed in companies with history")
    with story.person(None) as env:
        confirmed = env["sale.order"].search([("state", "=", "sale")])
        passes = env["credit.insurance.pass"].search([("order_id", "in", confirmed.ids), ("live", "=", True)])
        story.tell("orders confirmed before", len(confirmed))
        story.tell("of them with a pass by the install hook", len(passes.filtered(lambda row: not row.decision_id)))
        story.expect("every confirmed order has its pass", passes.order_id == confirmed)
        story.expect("nothing is held", not env["credit.insurance.hold"].search_count([]))
        company = env.ref("base.main_company")
        story.expect(f"the gate of {company.name} only observes", company.credit_gate_mode == "observe")
        demo = env.ref(DEMO + "company")
        story.expect(f"the gate of {demo.name} is switched on", demo.credit_gate_mode == "on")
    observe(story)
    preview(story)
    not_checked(story)


def observe(story):
    """In a company that did nothing about credit yet, an order over the limit is noted and confirmed."""
    with story.person("admin") as env:
        company = env.ref("base.main_company")
        env = env(context={**env.context, "allowed_company_ids": company.ids})
        partner = env["res.partner"].create({"name": "Observed Ltd", "is_company": True})
        buyer = env["credit.insurance.buyer"].create({"partner_id": partner.id})
        env["credit.insurance.own.limit"].create({"buyer_id": buyer.id, "amount": 1000})
        product = env["product.product"].create({"name": "Crate", "list_price": 5000, "taxes_id": False})
        order = env["sale.order"].create(
            {"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 1})]}
        )
        call_kw(order, "action_confirm", [order.ids], {})
        decision = env["credit.insurance.decision"].search([("order_id", "=", order.id)], limit=1)
        story.tell(
            "limit there, and an order", f"{money(decision, 'limit_amount')}, {money(decision, 'document_amount')}"
        )
        story.expect(
            "the gate would have held it, says so, and holds nothing", decision.would_hold and order.state == "sale"
        )


def preview(story):
    """The screen on which a credit manager switches the gate says first what it would hold today."""
    with story.person("maria") as env:
        screen = env["credit.insurance.gate.switch"].create({"reason": "Looking at it"})
        story.tell("quotations looked at", screen.checked_count)
        for line in screen.line_ids:
            order = f"{line.order_id.name} {shorten(line.partner_id.name, 25)}"
            story.tell(f"would be held: {order}", f"{money(line, 'document_amount')}, short {money(line, 'shortfall')}")
        officina = env.ref(DEMO + "quotation_officina")
        story.expect("the switch-on screen lists what would be held", officina in screen.line_ids.order_id)
        story.expect("and looking holds nothing", not env["credit.insurance.hold"].search_count([]))


def not_checked(story):
    """Where the gate is on, a buyer nobody has looked at is not checked."""
    with story.person("sam") as env:
        order = env.ref(DEMO + "quotation_unknown_customer")
        call_kw(order, "action_confirm", [order.ids], {})
        story.tell(f"{order.partner_id.name}, nobody looked at it", order.currency_id.format(order.amount_total))
        story.expect("a buyer without any limit is not checked: the order is confirmed", order.state == "sale")


def step_1_pull(story):
    story.title("1. Pull: the insurer is asked for grades and covers")
    with story.person(None) as env:
        buyers = env["credit.insurance.buyer"].search([("company_id", "=", env.ref(DEMO + "company").id)])
        ids = buyers.ids
        before = {buyer.id: describe(buyer) for buyer in buyers}
        rows = count_history(env, ids)
        env.ref("credit_insurance.ir_cron_pull").method_direct_trigger()
    story.tell("jobs run", story.run_jobs())
    with story.person("maria") as env:
        buyers = env["credit.insurance.buyer"].browse(ids)
        for buyer in buyers:
            story.tell(shorten(buyer.partner_id.name), before[buyer.id])
            story.tell("", f"-> {describe(buyer)}")
        after = count_history(env, ids)
        story.tell("history rows: covers, grades", f"{rows} -> {after}")
        story.expect("history rows appeared", after[0] > rows[0] and after[1] > rows[1])
        story.expect("all data are of today", all(buyer.data_age == "today" for buyer in buyers))
        iberia = env.ref(DEMO + "buyer_iberia")
        story.expect(
            "Iberia Frutas: cover reduced to 15,000, risk class 3",
            (iberia.cover_status, iberia.cover_amount, iberia.risk_class) == ("reduced", 15000, "3"),
        )


def describe(buyer):
    """Grade, class, cover, its status and its age, as the buyer's form shows them."""
    status = dict(buyer._fields["cover_status"]._description_selection(buyer.env))[buyer.cover_status].lower()
    grade = f"grade {buyer.grade or '-'}, class {buyer.risk_class or '-'}"
    return f"{grade}, {money(buyer, 'cover_amount')} {status}, {buyer.data_age}"


def count_history(env, buyer_ids):
    domain = [("buyer_id", "in", buyer_ids)]
    return env["credit.insurance.cover"].search_count(domain), env["credit.insurance.grade"].search_count(domain)
