"""Steps 4 and 5: what is insured of an invoice, and what a risk rule finds."""

# ruff: noqa: TID251 (this runs inside an Odoo shell)

from odoo.service.model import call_kw

from .narrator import money

DEMO = "credit_insurance.demo_"


def step_4_invoice(story):
    story.title("4. Invoice: delivered, invoiced, insured")
    with story.person("ada") as env:
        picking = env.ref(DEMO + "quotation_officina").picking_ids
        picking.move_ids.quantity = sum(picking.move_ids.mapped("product_uom_qty"))
        call_kw(picking, "button_validate", [picking.ids], {})
        story.tell("delivered", f"{picking.name}: {picking.state}")
    with story.person("anna") as env:
        order = env.ref(DEMO + "quotation_officina")
        wizard = (
            env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=order.ids).create({})
        )
        wizard.create_invoices()
        invoice = order.invoice_ids
        call_kw(invoice, "action_post", [invoice.ids], {})
        for name in ("open", "covered", "insured", "own_share", "uninsured"):
            field = f"credit_insurance_{name}"
            story.tell(f"{invoice.name}: {name.replace('_', ' ')}", money(invoice, field))
        story.tell("policy", invoice.credit_insurance_policy_id.number)
        story.tell("why not all of it", invoice.credit_insurance_reasons or "-")
        for deadline in invoice.credit_insurance_deadline_ids.sorted("date"):
            kind = dict(deadline._fields["kind"]._description_selection(env))[deadline.kind]
            story.tell(f"  {kind}", f"{deadline.date}  {deadline.state}")
        check_invoice(story, invoice)


def check_invoice(story, invoice):
    covered = invoice.credit_insurance_covered
    story.expect(
        "it is covered under TCI-2026-0001",
        covered > 0 and invoice.credit_insurance_policy_id.number == "TCI-2026-0001",
    )
    insured = invoice.currency_id.compare_amounts(invoice.credit_insurance_insured, covered * 0.9) == 0
    story.expect("insured is 90 % of what is covered", insured)
    days = {
        deadline.kind: (deadline.date - deadline.due_date).days for deadline in invoice.credit_insurance_deadline_ids
    }
    told = {"end_of_mep": 60, "notification": 90, "date_of_loss": 180, "claim": 360}
    story.expect("MEP 60, notification 90, loss 180, claim 360 days after the due date", told.items() <= days.items())


def step_5_alert(story):
    story.title("5. Alert: a rule in YAML fires once")
    rule_text(story)
    before = screen(story)
    with story.person("maria") as env:
        alert = env["credit.insurance.alert"].search([])
        story.expect("one alert", len(alert) == 1 and alert.partner_id == env.ref(DEMO + "iberia"))
        story.tell("alert", alert.message)
        for name, value in sorted((alert.values_first or {}).items()):
            story.tell(f"  {name}", value)
        for row in alert._get_trace_rows():
            if "label" in row:
                story.tell(f"  {row['label']} {row['needed']}", f"{row['value']}: {row['answer']}")
        story.tell("evaluated by", dict(alert._fields["engine"]._description_selection(env))[alert.engine])
        story.expect("durable_rules said so, in its child process", alert.engine == "durable")
    after = screen(story)
    story.tell("alerts after screening once and twice", f"{before}, {after}")
    story.expect("running it again raises none", before == after == 1)


def rule_text(story):
    with story.person("maria") as env:
        rule = env.ref("credit_insurance.rule_grade_drop_and_overdue")
        for line in rule.document.splitlines():
            if not line.startswith("tests:"):
                print(f"    {line}")
            else:
                break


def screen(story):
    """Screen all buyers as the daily job does; return how many alerts there are."""
    with story.person("ada") as env:
        call_kw(env["credit.insurance.rule"], "action_screen_now", [[]], {})
    story.run_jobs()
    with story.person(None) as env:
        return env["credit.insurance.alert"].search_count([])
