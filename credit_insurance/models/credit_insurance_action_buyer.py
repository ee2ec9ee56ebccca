"""Actions on the buyer: watch list, holds, payment term, own limit.

What becomes of them when the alert ends is said in ``ended_note`` of the task:

    watch_buyer           taken back when no other alert asks for it and nobody has changed the status since
    hold_buyer            ends with the alert, when somebody dismisses it, or when the rule stops asking for it
    hold_order            the same
    change_payment_term   taken back where the term is still the one that was set
    reduce_own_limit      stays: a limit is granted by people
"""

from odoo import api, models

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

LIVE = ("open", "acknowledged")
HOLDS = ("hold_buyer", "hold_order")


class CreditInsuranceAction(models.AbstractModel):
    _inherit = "credit.insurance.action"

    # === WATCH LIST === #

    @api.model
    def _action_watch_buyer(self, tasks):
        """One status serves all alerts of a buyer: the last of them takes it back."""
        by_rule = tasks.grouped("rule_id")
        for rule, group in by_rule.items():
            group.buyer_id._set_status_by_rules("watch", self.env._("Risk rule: %s", rule.name))
        by_rules = tasks.filtered(lambda task: task.buyer_id.status_by_rules)
        by_rules._set_state("done", _lt("The buyer is on watch."))
        by_hand = _lt("The buyer had a status by hand already, which stays.")
        (tasks - by_rules)._set_state("done", by_hand)

    @api.model
    def _undo_watch_buyer(self, tasks):
        still = (
            self.env["credit.insurance.action.task"]
            .search(
                [
                    ("buyer_id", "in", tasks.buyer_id.ids),
                    ("key", "=", "watch_buyer"),
                    ("state", "=", "done"),
                    ("alert_id.ended_on", "=", False),
                    ("alert_id.state", "in", LIVE),
                    ("id", "not in", tasks.ids),
                ]
            )
            .buyer_id
        )
        ours = tasks.buyer_id.filtered("status_by_rules")
        (ours - still)._take_back_status()
        on_still, on_ours = set(still.ids), set(ours.ids)
        kept = tasks.filtered(lambda task: task.buyer_id.id in on_still)
        kept._set_ended(_lt("Stays on watch: another alert asks for it."), state="undone")
        undone = (tasks - kept).filtered(lambda task: task.buyer_id.id in on_ours)
        undone._set_ended(_lt("The watch was taken back."), state="undone")
        (tasks - kept - undone)._set_ended(_lt("The status stays: somebody has set it since."))

    # === HOLDS === #

    @api.model
    def _action_hold_buyer(self, tasks):
        tasks.alert_id.write({"holds": "buyer"})
        tasks._set_state("done", _lt("Orders of the buyer are held while the alert stands."))

    @api.model
    def _action_hold_order(self, tasks):
        # Holding the buyer holds this order too, and more.
        orders = tasks.alert_id.filtered(lambda alert: alert.res_model == "sale.order" and not alert.holds)
        orders.write({"holds": "order"})
        tasks._set_state("done", _lt("The order is held while the alert stands."))

    @api.model
    def _undo_hold_buyer(self, tasks):
        """What another action of the same alert holds stays held until that one is taken back."""
        tasks._set_ended(_lt("The hold ended with the alert."), state="undone")
        alerts = tasks.alert_id
        alerts.write({"holds": False})
        left = tasks.search([("alert_id", "in", alerts.ids), ("key", "in", HOLDS), ("state", "=", "done")])
        for key in HOLDS:
            if group := left.filtered(lambda task, key=key: task.key == key):
                getattr(self, f"_action_{key}")(group)

    @api.model
    def _undo_hold_order(self, tasks):
        self._undo_hold_buyer(tasks)

    # === PAYMENT TERM === #

    @api.model
    def _action_change_payment_term(self, tasks):
        """New quotations get the rule's term where it is shorter than the customer's own."""
        for task in tasks:
            term, today = task.rule_id.payment_term_id, task.company_id._credit_today()
            if not term or term.company_id and term.company_id.root_id != task.company_id:
                task._set_state("failed", _lt("Choose a payment term on the rule."))
                continue
            days = self.env["sale.order"]._credit_days_of_term
            before = {}
            for company in self._get_branches(task.company_id):
                partner = task.partner_id.with_company(company)
                own = partner.property_payment_term_id
                if own and (days(own, today) or 0) > (days(term, today) or 0):
                    before[str(company.id)] = own.id
                    partner.property_payment_term_id = term
            note = _lt("New quotations get “%(term)s”.", term=term.name)
            if not before:
                note = _lt("The customer's own payment term is no longer than “%(term)s”.", term=term.name)
            task._set_state("done", note, data={"term": term.id, "before": before})

    @api.model
    def _undo_change_payment_term(self, tasks):
        for task in tasks:
            if self._hand_term_over(task, tasks):
                task._set_ended(_lt("Another alert asks for a payment term."), state="undone")
                continue
            term, kept = (task.data or {}).get("term"), True
            for company_id, before in (task.data or {}).get("before", {}).items():
                partner = task.partner_id.with_company(int(company_id))
                if partner.property_payment_term_id.id == term:
                    partner.property_payment_term_id = self.env["account.payment.term"].browse(before).exists()
                    kept = False
            if kept:
                task._set_ended(_lt("The payment term stays as it is."))
            else:
                task._set_ended(_lt("The former payment term is back."), state="undone")

    @api.model
    def _hand_term_over(self, task, ending):
        """Whether another standing alert takes on the customer's former terms, and from now on sees to its own."""
        heir, own = self._get_term_heir(task, ending), task.data or {}
        if not heir or not own.get("before"):
            return False
        before, terms = dict(heir.data["before"]), self.env["account.payment.term"]
        wanted = terms.browse(heir.data["term"])
        for company_id, term_id in own["before"].items():
            partner, former = task.partner_id.with_company(int(company_id)), terms.browse(term_id).exists()
            shortens = self._get_days(former, task) > self._get_days(wanted, task)
            if shortens and before.get(company_id, own["term"]) == own["term"]:
                before[company_id] = term_id
            if partner.property_payment_term_id.id == own["term"]:
                partner.property_payment_term_id = wanted if company_id in before else former
        heir.data = {**heir.data, "before": before}
        return True

    @api.model
    def _get_term_heir(self, task, ending):
        """Of the standing alerts that ask for a term for this customer, the action with the shortest."""
        others = self.env["credit.insurance.action.task"].search(
            [
                ("buyer_id", "=", task.buyer_id.id),
                ("key", "=", "change_payment_term"),
                ("state", "=", "done"),
                ("alert_id.ended_on", "=", False),
                ("alert_id.state", "in", LIVE),
                ("id", "not in", ending.ids),
            ]
        )
        terms = self.env["account.payment.term"]
        wanted = {other: terms.browse((other.data or {}).get("term")).exists() for other in others}
        heirs = others.filtered(lambda other: wanted[other])
        return heirs.sorted(lambda other: self._get_days(wanted[other], task))[:1]

    @api.model
    def _get_days(self, term, task):
        return self.env["sale.order"]._credit_days_of_term(term, task.company_id._credit_today()) or 0

    @api.model
    def _get_branches(self, company):
        return self.env["res.company"].search([("id", "child_of", company.id)])

    # === OWN LIMIT === #

    @api.model
    def _action_reduce_own_limit(self, tasks):
        """The standing permanent limit is replaced, from today on, by the rule's share of what people granted.

        An alert that comes and goes, or a second rule, does not take a share of a share.
        """
        for task in tasks:
            today, share = task.company_id._credit_today(), task.rule_id.limit_percent
            standing = task.buyer_id.own_limit_ids.filtered(
                lambda row, today=today: (
                    row.kind == "permanent"
                    and not row.cancelled
                    and row.date_from <= today
                    and (not row.date_to or row.date_to >= today)
                )
            )[:1]
            granted = standing and standing._get_granted_by_people().amount
            amount = standing.currency_id.round(granted * share / 100) if standing else 0
            if not standing or amount >= standing.amount:
                task._set_state("done", _lt("No own limit of the buyer's stands that is reduced."))
                continue
            standing.create(
                {
                    "buyer_id": task.buyer_id.id,
                    "amount": amount,
                    "currency_id": standing.currency_id.id,
                    "date_from": today,
                    "date_to": standing.date_to,
                    "replaces_id": standing.id,
                    "reviewer_id": standing.reviewer_id.id,
                    "rule_id": task.rule_id.id,
                    "note": self.env._("Risk rule: %s", task.rule_id.display_name),
                }
            )
            note = _lt(
                "The own limit was reduced from %(before)s to %(after)s.",
                before=standing.currency_id.format(standing.amount),
                after=standing.currency_id.format(amount),
            )
            task._set_state("done", note)

    @api.model
    def _undo_reduce_own_limit(self, tasks):
        tasks._set_ended(_lt("The limit stays: people grant it again."))
