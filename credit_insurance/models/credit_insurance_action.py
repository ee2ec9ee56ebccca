"""What rules do: the registry of actions and how they are carried out.

    alerts ──_run──> tasks, one per alert and action ──_carry_out──> _action_<key>(tasks)
    alerts end, or their rules stop asking ────────────_take_back──> _undo_<key>(tasks), where there is one

A method takes all tasks of its action at once and says what it did (``_set_state``). One that fails fails alone: the
others go on, and the alerts stand in any case.
"""

import logging

from psycopg2 import OperationalError

from odoo import api, models

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt
from odoo.addons.queue_job.exception import RetryableJobError

from .credit_insurance_action_task import ACTIONS, WEIGHTY

_logger = logging.getLogger(__name__)

STANDING = ("waiting", "todo", "done")
ENDED = ("undone", "cancelled")
ORDER = {key: place for place, (key, _name) in enumerate(ACTIONS)}


class CreditInsuranceAction(models.AbstractModel):
    _name = "credit.insurance.action"
    _description = "Actions of Risk Rules"

    @api.model
    def _run(self, wanted):
        """Carry out for each alert what it has not done yet, and take back what its rule no longer asks for.

        An alert that somebody has answered starts nothing new.

        :param wanted: ``{alert: action keys}``
        """
        tasks = self.env["credit.insurance.action.task"]
        alerts = self.env["credit.insurance.alert"].union(*wanted)
        known = tasks.search_fetch([("alert_id", "in", alerts.ids)], ["alert_id", "key", "state", "dropped"])
        self._drop(known.filtered(lambda task: not task.dropped and task.key not in wanted[task.alert_id]))
        wanted = {alert: keys for alert, keys in wanted.items() if alert.state == "open"}
        self._take_up(known.filtered(lambda task: task.dropped and task.key in wanted.get(task.alert_id, ())))
        present = {(task.alert_id.id, task.key) for task in known}
        vals_list = [
            self._prepare_task_vals(alert, key)
            for alert, keys in wanted.items()
            for key in sorted(keys, key=lambda key: ORDER.get(key, len(ORDER)))
            if (alert.id, key) not in present and key in ORDER
        ]
        tasks = tasks._insert(vals_list)
        tasks.filtered(lambda task: task.state == "waiting")._ask_for_approval()
        self._carry_out(tasks.filtered(lambda task: task.state == "new"))

    @api.model
    def _drop(self, tasks):
        """The rules no longer ask for these: another text, an override, or another row of a table."""
        if not tasks:
            return
        note = _lt("The rule no longer asks for it.")
        self._take_back_tasks(tasks.filtered(lambda task: task.state in STANDING), note)
        tasks.write({"dropped": True})
        tasks.filtered(lambda task: task.state == "undone")._set_ended(note)

    @api.model
    def _take_up(self, tasks):
        """The rules ask for these again: do what was taken back; what was done for good is not done twice."""
        if not tasks:
            return
        tasks.write({"dropped": False})
        self._do_again(tasks.filtered(lambda task: task.state in ENDED))

    @api.model
    def _prepare_task_vals(self, alert, key):
        rule = alert.rule_id
        return {
            "alert_id": alert.id,
            "buyer_id": alert.buyer_id.id,
            "company_id": alert.company_id.id,
            "key": key,
            "state": "waiting" if key in WEIGHTY and rule.needs_approval else "new",
            "author_id": (alert.override_version_id or alert.rule_version_id).create_uid.id,
        }

    @api.model
    def _carry_out(self, tasks):
        """Do what these tasks stand for. What cannot be done is a failed task with the reason, never an error."""
        for key, group in tasks.grouped("key").items():
            try:
                with self.env.cr.savepoint():
                    getattr(self, f"_action_{key}")(group)
            except (OperationalError, RetryableJobError):
                raise
            except Exception as error:
                if len(group) > 1:
                    # One of them spoils it for all: each by itself.
                    for task in group:
                        self._carry_out(task)
                    continue
                _logger.warning("Action %s of risk alert %s failed", key, group.alert_id.id, exc_info=True)
                group._set_state("failed", str(error))

    @api.model
    def _take_back(self, alerts, note):
        """The alerts are over: what waits is not needed any more, what can be undone is undone."""
        domain = [("alert_id", "in", alerts.ids), ("state", "in", STANDING)]
        self._take_back_tasks(self.env["credit.insurance.action.task"].search(domain), note)

    @api.model
    def _take_back_tasks(self, tasks, note):
        waiting = tasks.filtered(lambda task: task.state != "done")
        waiting._set_ended(note, state="cancelled")
        waiting._close_activities()
        for key, group in (tasks - waiting).grouped("key").items():
            if undo := getattr(self, f"_undo_{key}", None):
                undo(group)

    @api.model
    def _resume(self, alerts):
        """Alerts that were over are open again: do again what was taken back."""
        if not alerts:
            return
        domain = [("alert_id", "in", alerts.ids), ("state", "in", ENDED), ("dropped", "=", False)]
        self._do_again(self.env["credit.insurance.action.task"].search(domain))

    @api.model
    def _do_again(self, tasks):
        tasks.write({"ended_words": False})
        asked = tasks.filtered(lambda task: task.rule_id.needs_approval and task.key in WEIGHTY)
        asked.write({"state": "waiting"})
        asked._ask_for_approval()
        self._carry_out(tasks - asked)

    @api.model
    def _finish(self, task):
        """A person has finished a prepared action: ``_finish_<key>`` records what else follows from it."""
        if finish := getattr(self, f"_finish_{task.key}", None):
            finish(task)

    @api.model
    def _in_language_of(self, partner):
        """For what is written to the partner, or for all who work there: a job knows none of them."""
        return self.with_context(lang=partner.lang or self.env.user.lang)

    # === PEOPLE === #

    @api.model
    def _action_notify(self, tasks):
        told = tasks.alert_id._notify_people()
        notes = {name: _lt("Told %(names)s.", names=name or "–") for name in set(told.values())}
        tasks._write_notes("done", {task: notes[told[task.alert_id]] for task in tasks})

    @api.model
    def _action_activity(self, tasks):
        people = tasks.alert_id._schedule_activities()
        notes = {user: _lt("Activity of %(user)s.", user=user.name) for user in set(people.values())}
        tasks._write_notes("done", {task: notes[people[task.alert_id]] for task in tasks})
