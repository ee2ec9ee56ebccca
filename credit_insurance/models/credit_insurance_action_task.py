"""What a rule asked for because of one alert, each action once.

    new ──> waiting ──approve──> carried out: done │ queued (a job) │ todo (a person finishes it) │ failed
              └──refuse──> refused
    the alert ends, or its rule stops asking:  waiting, todo ──> cancelled     done ──> undone, or done for good

Roles only read tasks; rules create them, people answer them through the actions.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import plaintext2html

from .alert_kinds import APPROVAL, MANAGER_GROUP, TODO, TODO_SUMMARY, USER_GROUP
from .bulk_rows import insert_rows
from .marked_words import tell_json, words_to_json

ACTIONS = [
    ("notify", "Tell who is responsible"),
    ("activity", "Activity"),
    ("watch_buyer", "Put the buyer on watch"),
    ("hold_buyer", "Hold orders of the buyer"),
    ("hold_order", "Hold the order"),
    ("change_payment_term", "Payment term of new quotations"),
    ("reduce_own_limit", "Reduce the own limit"),
    ("request_cover", "Request more cover"),
    ("reduce_cover", "Request less cover"),
    ("prepare_notification", "Overdue notification"),
    ("start_dunning", "Dunning step"),
    ("webhook", "Call a webhook"),
]
STATES = [
    ("new", "New"),
    ("waiting", "To approve"),
    ("queued", "Queued"),
    ("todo", "To do"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("refused", "Turned Down"),
    ("cancelled", "Not needed any more"),
    ("undone", "Taken back"),
]
# What changes more than a record of the alert, or leaves the house: the rule says whether somebody approves it first.
WEIGHTY = frozenset(
    "change_payment_term reduce_own_limit request_cover reduce_cover prepare_notification start_dunning webhook".split()
)
SUMMARIES = {"waiting": APPROVAL, "todo": TODO_SUMMARY}


class CreditInsuranceActionTask(models.Model):
    _name = "credit.insurance.action.task"
    _description = "Action of a Risk Alert"
    _order = "id desc"

    alert_id = fields.Many2one("credit.insurance.alert", required=True, readonly=True, ondelete="cascade", index=True)
    rule_id = fields.Many2one(related="alert_id.rule_id")
    severity = fields.Selection(related="alert_id.severity")
    message = fields.Text(related="alert_id.told")
    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, readonly=True, ondelete="restrict", index=True)
    partner_id = fields.Many2one(related="buyer_id.partner_id", string="Customer")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    key = fields.Selection(ACTIONS, string="Action", required=True, readonly=True)
    state = fields.Selection(STATES, default="new", required=True, readonly=True, index=True)
    note_words = fields.Json(readonly=True)
    note = fields.Text(string="What Was Done", compute="_compute_notes")
    text = fields.Text(string="Prepared Text", readonly=True)
    data = fields.Json(readonly=True, groups="base.group_system", help="What taking it back needs.")
    author_id = fields.Many2one(
        "res.users", string="Author of the Rule", readonly=True, help="Somebody else approves what the rule asks for."
    )
    approved_by_id = fields.Many2one("res.users", readonly=True)
    approved_on = fields.Datetime(readonly=True)
    done_by_id = fields.Many2one("res.users", readonly=True)
    done_on = fields.Datetime(readonly=True)
    ended_words = fields.Json(readonly=True)
    ended_note = fields.Text(string="When the Alert Ended", compute="_compute_notes")
    dropped = fields.Boolean(readonly=True, help="The rule does not ask for it any more.")
    may_approve = fields.Boolean(compute="_compute_may_approve")

    _alert_key_uniq = models.UniqueIndex("(alert_id, key)", "An alert carries out each action once.")

    @api.depends("key", "alert_id")
    def _compute_display_name(self):
        words = dict(self._fields["key"]._description_selection(self.env))
        for task in self:
            task.display_name = f"{words.get(task.key)}: {task.partner_id.name}"

    @api.depends("note_words", "ended_words")
    @api.depends_context("lang")
    def _compute_notes(self):
        for task in self:
            task.note = tell_json(self.env, task.note_words)
            task.ended_note = tell_json(self.env, task.ended_words)

    @api.depends_context("uid")
    @api.depends("state", "author_id", "company_id")
    def _compute_may_approve(self):
        for task in self:
            task.may_approve = task.state == "waiting" and not task._get_refusal()

    # === ACTIONS === #

    def action_approve(self):
        """The second pair of eyes: carry these actions out."""
        for task in self._lock_in("waiting"):
            if refusal := task._get_refusal():
                raise AccessError(refusal)
        tasks = self.sudo()
        tasks.write({"approved_by_id": self.env.uid, "approved_on": fields.Datetime.now()})
        self.env["credit.insurance.action"].sudo()._carry_out(tasks)
        tasks._close_activities()
        return True

    def action_refuse(self):
        for task in self._lock_in("waiting"):
            if refusal := task._get_refusal():
                raise AccessError(refusal)
        self.sudo()._settle("refused")
        return True

    def action_done(self):
        """Whoever works on a prepared action has finished it."""
        if not self.env.user.has_group(USER_GROUP):
            raise AccessError(self.env._("Only credit officers finish what a rule prepared."))
        self._lock_in("todo")
        for task in self.sudo():
            self.env["credit.insurance.action"].with_user(self.env.user)._finish(task)
        self.sudo()._settle("done")
        return True

    def action_retry(self):
        """Try again what failed."""
        if not self.env.user.has_group(MANAGER_GROUP):
            raise AccessError(self.env._("Only a credit manager tries again what failed."))
        tasks = self._lock_in("failed").sudo()
        if tasks.alert_id.filtered("ended_on"):
            raise UserError(self.env._("The alert has ended: nothing is left to be done."))
        if given_up := tasks.alert_id.filtered(lambda alert: alert.state == "dismissed" or alert.observe_only):
            text = self.env._(
                "“%s” was dismissed or is only observed: its actions are not carried out.", given_up[0].display_name
            )
            raise UserError(text)
        self.env["credit.insurance.action"].sudo()._carry_out(tasks)
        return True

    def action_write_mail(self):
        """Open a mail to the customer with the prepared text."""
        self.ensure_one()
        self.check_access("read")
        if self.key != "start_dunning" or not self.text:
            raise UserError(self.env._("No mail was prepared here."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": "res.partner",
                "default_res_ids": self.partner_id.ids,
                "default_partner_ids": self.partner_id.ids,
                "default_composition_mode": "comment",
                "default_body": plaintext2html(self.text),
            },
        }

    def action_open_alert(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "credit.insurance.alert",
            "res_id": self.alert_id.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS === #

    @api.model
    def _insert(self, vals_list):
        """Create tasks in one statement: a first screening makes tens of thousands."""
        tasks = insert_rows(self, vals_list)
        tasks.alert_id.invalidate_recordset(["task_ids"])
        return tasks

    def _write_notes(self, state, notes):
        """Write the state of these tasks and what was done, ``{task: note}``; those alike in one go."""
        for note, tasks in self.grouped(notes.get).items():
            tasks._set_state(state, note)

    def _get_refusal(self):
        """Why the user may not approve this task; None when nothing stands against it."""
        self.ensure_one()
        task, user = self.sudo(), self.env.user
        managers = self.env["credit.insurance.authority"]._get_managers(task.company_id)
        if user not in managers:
            return self.env._("Only a credit manager of %s approves what a rule asks for.", task.company_id.name)
        alone = not managers - user
        authors = task.author_id | task.alert_id.rule_version_id.create_uid
        if user in authors and not (alone and task.company_id.credit_self_approval):
            return self.env._("You wrote the rule that asks for it: another credit manager has to approve it.")
        return None

    def _lock_in(self, state):
        """These tasks, which nobody else answers meanwhile.

        :raise UserError: one is in another state
        """
        self.check_access("read")
        self.sudo().lock_for_update()
        self.invalidate_recordset(["state"])
        if self.filtered(lambda task: task.state != state):
            raise UserError(self.env._("This has been answered already."))
        return self

    def _set_state(self, state, note, **vals):
        """Write what was done; ``Words`` are told each reader in the own language."""
        self.write({**vals, "state": state, "note_words": words_to_json(note)})

    def _set_ended(self, note, **vals):
        """Write what became of it when the alert ended, as :meth:`_set_state`."""
        self.write({**vals, "ended_words": words_to_json(note)})

    def _settle(self, state):
        self.write({"state": state, "done_by_id": self.env.uid, "done_on": fields.Datetime.now()})
        self._close_activities()

    def _ask_for_approval(self):
        """Tell a credit manager who may approve, once for all that waits in a company."""
        for (company, author), tasks in self.grouped(lambda task: (task.company_id, task.author_id)).items():
            responsible = company._get_credit_responsible()
            others = self.env["credit.insurance.authority"]._get_managers(company) - author
            user = (responsible & others) or others[:1] or responsible
            if user:
                tasks.alert_id._schedule_summary(APPROVAL, user)

    def _close_activities(self):
        """Nobody is reminded of what needs no answer any more; summaries go with the last that they count."""
        busy = self.search([("alert_id", "in", self.alert_id.ids), ("state", "=", "todo")]).alert_id
        (self.alert_id - busy)._unlink_activities(TODO)
        for company in self.company_id:
            left = self._read_group(
                [("company_id", "=", company.id), ("state", "in", list(SUMMARIES))], ["state"], ["__count"]
            )
            done = SUMMARIES.keys() - {state for state, _count in left}
            self.env["mail.activity"].search(
                [
                    ("credit_insurance_kind", "in", [SUMMARIES[state] for state in done]),
                    ("credit_insurance_alert_id.company_id", "=", company.id),
                ]
            ).unlink()
