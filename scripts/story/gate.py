"""Steps 2 and 3: an order is stopped, and released."""

# ruff: noqa: TID251 (this runs inside an Odoo shell)

from odoo.service.model import call_kw

from .narrator import money

DEMO = "credit_insurance.demo_"


def step_2_stop(story):
    story.title("2. Stop: the sales rep confirms an order above the limit in force")
    with story.person("sam") as env:
        order = env.ref(DEMO + "quotation_officina")
        answer = call_kw(order, "action_confirm", [order.ids], {})
        hold = order.credit_hold_id
        story.tell("the rep reads", answer["params"]["message"])
        story.expect("the order stays a quotation and is held", (order.state, order.credit_state) == ("draft", "held"))
        story.expect(
            "the decision card on the order shows the shortfall",
            order.credit_decision["then"]["shortfall"] == hold.shortfall > 0,
        )
        request = env[order.action_credit_request_release()["res_model"]].create(
            {"hold_id": hold.id, "note": "Bianchi pays the overdue invoice on Friday."}
        )
        call_kw(request, "action_request", [request.ids], {})
    with story.person("maria") as env:
        hold = env["credit.insurance.hold"].search([("state", "=", "open")])
        story.expect(
            "the manager's list of holds has one",
            len(hold) == 1 and hold.order_id == env.ref(DEMO + "quotation_officina"),
        )
        tell_figures(story, hold)
        activity = hold.activity_ids.filtered(lambda activity: activity.user_id == env.user)
        story.tell("the manager's activity", activity.summary)
        story.expect("the manager has an activity", len(activity) == 1)


def tell_figures(story, hold):
    """Limit, exposure by source, this order and what is missing; they must add up."""
    names = ("insured_limit", "own_limit", "limit_amount")
    sources = ("exposure_not_due", "exposure_overdue", "exposure_confirmed", "exposure_credits", "exposure_reserved")
    for name in (*names, *sources, "exposure", "document_amount", "shortfall"):
        label = hold.decision_id._fields[name]._description_string(hold.env)
        story.tell(f"  {label}", f"{money(hold, name):>14}")
    same = hold.currency_id.compare_amounts
    story.expect("the sources add up to the exposure", same(sum(hold[name] for name in sources), hold.exposure) == 0)
    missing = hold.exposure + hold.document_amount - hold.limit_amount
    story.expect("exposure + this order - limit = shortfall", same(missing, hold.shortfall) == 0 and missing > 0)


def step_3_release(story):
    story.title("3. Release: only the credit manager can")
    with story.person("sam") as env:
        order = env.ref(DEMO + "quotation_officina")
        for what, refused in try_everything(story, env, order, order.credit_hold_id):
            story.expect(f"refused to the rep: {what}", refused)
        call_kw(order, "action_confirm", [order.ids], {"context": {"credit_bypass": True, "bypass_risk": True}})
        story.expect(
            "confirming again, with any context, leaves it held", (order.state, order.credit_state) == ("draft", "held")
        )
    with story.person("maria") as env:
        hold = env["credit.insurance.hold"].search([("state", "=", "open")])
        reason = env.ref("credit_insurance.release_reason_payment_announced")
        wizard = env["credit.insurance.hold.release"].create(
            {"hold_id": hold.id, "reason_id": reason.id, "note": "Payment order seen."}
        )
        call_kw(wizard, "action_decide", [wizard.ids], {})
        order = hold.order_id
        story.expect("the order is confirmed", (order.state, order.credit_state) == ("sale", "passed"))
        story.tell(
            "on record", f"{hold.name}: {hold.state} by {hold.decided_by_id.name}, {hold.reason_id.name}: {hold.note}"
        )
        story.tell("up to, until", f"{money(hold, 'release_amount')}, {hold.release_valid_until}")
        decision = env["credit.insurance.decision"].search([("order_id", "=", order.id)], limit=1)
        story.expect("the decision is logged as released", (decision.outcome, decision.basis) == ("pass", "released"))


def try_everything(story, env, order, hold):
    """What a sales rep might send: (what, whether it is refused)."""
    vals = {"hold_id": hold.id, "decision": "release", "reason_id": 1, "amount": order.amount_total}
    ledger = {"order_id": order.id, "partner_id": order.partner_id.id, "company_id": order.company_id.id, "amount": 1e9}
    calls = {
        "the release wizard": ("credit.insurance.hold.release", "create", [vals]),
        "the hold's private method": ("credit.insurance.hold", "_release", hold.ids, False, "", 1e9, "2099-12-31"),
        "writing the hold": ("credit.insurance.hold", "write", hold.ids, {"state": "released"}),
        "writing a pass": ("credit.insurance.pass", "create", [{**ledger, "currency_id": order.currency_id.id}]),
        "writing the order's state": ("sale.order", "write", order.ids, {"state": "sale"}),
        "writing where the order stands": ("sale.order", "write", order.ids, {"credit_state": "released"}),
        "a new order in state sale": ("sale.order", "create", [{**order.copy_data()[0], "state": "sale"}]),
        "the gate itself": ("credit.insurance.gate", "_pass_or_hold", order.ids),
        "switching the gate off": ("res.company", "write", order.company_id.ids, {"credit_gate_mode": "off"}),
    }
    for what, (model, method, *arguments) in calls.items():
        yield what, story.refused(env, model, method, *arguments)
