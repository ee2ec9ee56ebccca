"""Actions that prepare something and leave the last step to a person: cover requests, notifications, dunning.

The task carries the text. It is finished by hand, and not needed any more when its alert ends.
"""

from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

from .marked_words import tell

FIGURES = ("exposure", "limit_in_force", "cover_amount", "uninsured_exposure")
# What a reminder calls soon.
SOON = 7


class CreditInsuranceAction(models.AbstractModel):
    _inherit = "credit.insurance.action"

    # === COVER === #

    @api.model
    def _action_request_cover(self, tasks):
        self._prepare_cover_request(tasks, _lt("Ask the insurer for more cover."))

    @api.model
    def _action_reduce_cover(self, tasks):
        self._prepare_cover_request(tasks, _lt("Give cover back that is not used."))

    @api.model
    def _prepare_cover_request(self, tasks, what):
        """The request with the figures of this moment, in company currency."""
        for company, group in tasks.grouped("company_id").items():
            facts = self.env["credit.insurance.signals"]._get_facts(
                group.buyer_id, frozenset(FIGURES), company._credit_today()
            )
            catalogue = self.env["credit.insurance.signals"]._get_catalogue()
            texts = self._in_language_of(company.partner_id).env
            currency = company.currency_id.with_env(texts)
            for task in group:
                lines = [tell(texts, what)]
                for key in FIGURES:
                    value = facts[task.buyer_id.id].get(key)
                    shown = texts._("unknown") if value is None else currency.format(float(value))
                    lines.append(f"{texts._(catalogue[key].label)}: {shown}")
                task._set_state("todo", what, text="\n".join(lines))
        tasks.alert_id._schedule_todo(tasks)

    # === WHAT IS OVERDUE === #

    @api.model
    def _action_prepare_notification(self, tasks):
        """The invoices the insurer has to hear of, with the last day in time."""
        items = self._get_notified_items(tasks)
        deadlines = self._get_notification_deadlines(tasks, items)
        for task in tasks:
            own, texts = deadlines[task], self._in_language_of(task.company_id.partner_id).env
            lines = [
                texts._("Overdue notification: %s", task.partner_id.display_name),
                texts._("Registration number: %s", task.partner_id.company_registry or "–"),
            ]
            if own:
                lines.append(texts._("Last day to notify: %s", format_date(texts, min(own.mapped("date")))))
            lines += self.with_env(texts)._describe_items(items[task], task.company_id._credit_today(), _original_due)
            note = _lt("Prepared: %(count)s invoices.", count=len(items[task].move_id))
            task._set_state("todo", note, text="\n".join(lines), data={"deadlines": own.ids})
        tasks.alert_id._schedule_todo(tasks)

    @api.model
    def _finish_prepare_notification(self, task):
        """What was reported to the insurer is no deadline any more."""
        deadlines = self.env["credit.insurance.deadline"].sudo().browse((task.data or {}).get("deadlines", ()))
        deadlines.exists()._mark_done()

    @api.model
    def _action_start_dunning(self, tasks):
        """A reminder in the customer's language, for whoever looks after the customer to send."""
        items = self._get_dunned_items(tasks)
        for task in tasks:
            texts = self._in_language_of(task.partner_id).env
            step = 1 + self.env["credit.insurance.action.task"].search_count(
                [("buyer_id", "=", task.buyer_id.id), ("key", "=", "start_dunning"), ("state", "=", "done")]
            )
            lines = [
                texts._("Dear Sir or Madam,"),
                "",
                texts._("The following invoices are open on our side:"),
                *self.with_env(texts)._describe_items(items[task], task.company_id._credit_today()),
                "",
                texts._("Please pay them, or tell us what stands against it."),
                "",
                task.company_id.name,
            ]
            note = _lt("Dunning step %(step)s is prepared: %(rule)s", step=step, rule=task.rule_id.display_name)
            task._set_state("todo", note, text="\n".join(lines))
        tasks.alert_id._schedule_todo(tasks)

    @api.model
    def _get_notified_items(self, tasks):
        """What is overdue for the insurer: an extension does not move the duties. ``{task: account.move.line}``"""
        found = self._get_open_items(tasks)
        for task, items in found.items():
            if task.alert_id.res_model != "account.move":
                today = task.company_id._credit_today()
                found[task] = items.filtered(lambda item, today=today: _original_due(item) < today)
        return found

    @api.model
    def _get_dunned_items(self, tasks):
        """What is overdue for the customer, and for a reminder what falls due soon: ``{task: account.move.line}``."""
        found = {}
        for task, items in self._get_open_items(tasks).items():
            if task.alert_id.res_model == "account.move":
                found[task] = items
                continue
            today = task.company_id._credit_today()
            overdue = items.filtered(lambda item, today=today: item.date_maturity < today)
            coming = items - overdue
            if coming and (not overdue or "days_to_next_due" in (task.alert_id.values_now or {})):
                last = max(today + timedelta(days=SOON), coming[0].date_maturity)
                overdue |= coming.filtered(lambda item, last=last: item.date_maturity <= last)
            found[task] = overdue
        return found

    @api.model
    def _get_open_items(self, tasks):
        """Open receivable items of each task's buyer, or of its invoice: ``{task: account.move.line}``."""
        empty = self.env["account.move.line"]
        result = dict.fromkeys(tasks, empty)
        for company, group in tasks.grouped("company_id").items():
            items = empty.search(
                Domain("company_id", "child_of", company.id)
                & Domain("partner_id.commercial_partner_id", "in", group.partner_id.ids)
                & Domain("account_type", "=", "asset_receivable")
                & Domain([("parent_state", "=", "posted"), ("reconciled", "=", False), ("amount_residual", ">", 0)])
                & Domain("date_maturity", "!=", False),
                order="date_maturity, id",
            )
            by_partner = items.grouped(lambda item: item.partner_id.commercial_partner_id)
            for task in group:
                alert, own = task.alert_id, by_partner.get(task.partner_id, empty)
                if alert.res_model == "account.move":
                    own = own.filtered(lambda item, alert=alert: item.move_id.id == alert.res_id)
                result[task] = own
        return result

    @api.model
    def _get_notification_deadlines(self, tasks, items):
        moves = self.env["account.move"].union(*(own.move_id for own in items.values()))
        rows = self.env["credit.insurance.deadline"].search(
            [("move_id", "in", moves.ids), ("kind", "=", "notification"), ("state", "in", ("pending", "missed"))]
        )
        by_move = rows.grouped("move_id")
        return {task: rows.union(*(by_move.get(move, rows.browse()) for move in items[task].move_id)) for task in tasks}

    @api.model
    def _describe_items(self, items, today, due_of=None):
        """A line for each item: number, due date, what is open, how late it is.

        :param due_of: the day from which an item is late; else the one agreed last
        """
        lines = []
        for item in items.with_env(self.env):
            due = due_of(item) if due_of else item.date_maturity
            words = {
                "invoice": item.move_id.name,
                "date": format_date(self.env, due),
                "amount": item.currency_id.format(item.amount_residual_currency),
            }
            if due < today:
                days = (today - due).days
                text = self.env._("%(invoice)s, due %(date)s: %(amount)s, %(days)s days overdue", days=days, **words)
            else:
                text = self.env._("%(invoice)s, due %(date)s: %(amount)s", **words)
            lines.append(text)
        return lines


def _original_due(item):
    return item.credit_insurance_original_due_date or item.date_maturity
