"""What is sent to an insurer exactly once: claims, cover requests, overdue notices and the like.

    draft ──submit──> queued ──job──> acknowledged / pending ──> accepted │ partial │ refused
      │                 ├──> failed: nothing arrived, or perhaps (maybe_sent): submitting again asks first
      │                 └──> uncertain: perhaps arrived and nobody can be asked: a person looks in the portal
      └──prepare files──> ready ──handed in──> sent ──answer entered or imported──> as above

The record with its own reference is committed before anything is sent. How it is sent stands in
credit_insurance_submission_job.py, the way by hand in credit_insurance_submission_file.py. A model that inherits this
one says what it is by the hooks at the end of this file.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context, format_list

from .claim_words import OPEN_PAYMENT_STATES
from .submission_words import SENDABLE_STATES, SUBMISSION_STATES


class CreditInsuranceSubmission(models.AbstractModel):
    _name = "credit.insurance.submission"
    _description = "What Is Sent to an Insurer"
    _inherit = ["credit.insurance.buyer.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    # What people may write, and only in a draft (but for the responsible). Everything else is the addon's.
    _draft_fields = frozenset({"policy_id", "comment", "user_id"})
    # Of these, what the figures depend on.
    _figure_fields = frozenset()
    # Who sends, and answers for what was sent: one of these groups.
    _sender_groups = ()
    _activity_type = "credit_insurance.mail_activity_type_submission"

    name = fields.Char(string="Reference", readonly=True, copy=False, index=True)
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="restrict", check_company=True)
    company_id = fields.Many2one(related="policy_id.company_id", store=True)
    currency_id = fields.Many2one(related="policy_id.currency_id", store=True)
    insurer_id = fields.Many2one(related="policy_id.insurer_id", store=True)
    user_id = fields.Many2one("res.users", string="Responsible", default=lambda self: self.env.user, copy=False)
    state = fields.Selection(
        "_selection_state", default="draft", required=True, readonly=True, copy=False, index=True, tracking=True
    )
    comment = fields.Text(string="Comment for the Insurer")
    submitted_on = fields.Datetime(readonly=True, copy=False)
    submitted_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    acknowledged_on = fields.Datetime(readonly=True, copy=False, help="When the insurer received it.")
    insurer_reference = fields.Char(
        string="Insurer's Number", readonly=True, copy=False, tracking=True, index="trigram"
    )
    insurer_status_code = fields.Char(string="Insurer's Status", readonly=True, copy=False)
    insurer_words = fields.Text(readonly=True, copy=False, help="What the insurer says about it, as sent.")
    status_changed_on = fields.Datetime(string="Insurer's Last Change", readonly=True, copy=False)
    status_checked_on = fields.Datetime(string="Last Asked", readonly=True, copy=False)
    error_message = fields.Text(string="What Went Wrong", readonly=True, copy=False)
    maybe_sent = fields.Boolean(
        readonly=True, copy=False, help="The insurer may have it although no answer was recorded: it is asked first."
    )
    by_hand = fields.Boolean(readonly=True, copy=False, help="Handed in by a person, not by the connection.")
    route_note = fields.Text(compute="_compute_route_note", help="Why it cannot be sent through the connection.")

    @api.model
    def _selection_state(self):
        """A model names its states itself, so that their words can be translated and some may be its own."""
        return SUBMISSION_STATES

    # === COMPUTE METHODS === #

    @api.depends("state", "policy_id")
    @api.depends_context("lang")
    def _compute_route_note(self):
        for record in self:
            before = record.state in SENDABLE_STATES and record.policy_id
            record.route_note = record._get_route_refusal() if before else False

    def _get_route_refusal(self):
        """Why the connection cannot take this, in the user's language; empty when it can."""
        account = self.sudo().policy_id.account_id
        if not account:
            return self.env._(
                "Policy %s has no connection to its insurer: hand it in yourself and mark it as sent by hand.",
                self.sudo().policy_id.number,
            )
        if refusal := account._get_refusal():
            return refusal
        if self._get_operation() not in account._get_capabilities():
            return self.env._(
                "The interface of %s does not take this in: hand it in yourself and mark it as sent by hand.",
                account.insurer_id.name,
            )
        return ""

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # Nor through defaults in the context, which comes from the client.
        self = self.with_context(clean_context(self.env.context))
        for vals in vals_list:
            self._check_editable(vals)
            vals["name"] = self.env["ir.sequence"].sudo().next_by_code(self._name)
        records = super().create(vals_list)
        records._refresh_figures()
        return records

    def write(self, vals):
        self._check_editable(vals)
        if self._draft_fields & vals.keys() - {"user_id"} and not self.env.su:
            self._check_draft()
        result = super().write(vals)
        self._check_still_ours(vals)
        if self._figure_fields & vals.keys():
            self._refresh_figures()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        if any(record.state != "draft" or record.submitted_on for record in self):
            raise UserError(self.env._("What was sent to an insurer is kept. Cancel it where that is possible."))

    def _check_editable(self, vals):
        """What comes from the insurer, and the state, is written by the addon alone, whatever a client sends."""
        if self.env.su:
            return
        # Core's own fields: followers, messages, activities.
        mixins = self.env["mail.thread"]._fields.keys() | self.env["mail.activity.mixin"]._fields.keys()
        refused = sorted(vals.keys() - self._draft_fields - mixins)
        if refused:
            raise AccessError(self.env._("These fields cannot be written: %s", ", ".join(refused)))

    def _check_still_ours(self, vals):
        """A draft cannot be moved to where its writer may not go, nor be about what he may not see."""
        if self.env.su:
            return
        self.check_access("write")
        for name in self._draft_fields & vals.keys():
            if self._fields[name].type == "many2one":
                self[name].check_access("read")

    @api.model
    def _get_readable_names(self, records):
        """The names of those of ``records`` that the user may read, for a message."""
        return records.with_env(self.env)._filtered_access("read").mapped("name")

    def _check_draft(self):
        for record in self:
            if record.state != "draft":
                raise UserError(self.env._("%s was submitted: its figures do not change any more.", record.name))

    # === ACTIONS === #

    def action_submit(self):
        """Freeze the figures and have it sent by a job; what failed is sent again under its reference."""
        self.ensure_one()
        self._prepare_submission()
        self._check_connection()
        if self.maybe_sent and self._is_elsewhere():
            self.sudo()._record_elsewhere()
            return True
        self._set_submitted("queued")
        self._enqueue_submission()
        return True

    def action_mark_sent(self):
        """Record that it was handed in by other means."""
        self.ensure_one()
        self._prepare_submission(("draft", "failed", "ready"))
        self._check_not_there()
        self._set_submitted("sent")
        self.sudo().by_hand = True
        self.activity_unlink([self._activity_type])
        self._on_arrived()
        return True

    def action_refresh_figures(self):
        """Work the figures of drafts out anew, as of today."""
        self._check_draft()
        self._refresh_figures()
        return True

    def action_cancel(self):
        """Give up what the insurer cannot have."""
        self.check_access("write")
        self._lock_for_user()
        for record in self:
            if record.state not in ("draft", "failed", "ready") or record.maybe_sent:
                raise UserError(
                    self.env._("The insurer has %s, or may have it: it cannot be cancelled here.", record.name)
                )
        self.sudo().write({"state": "cancelled"})
        self.activity_unlink([self._activity_type])
        return True

    def action_draft(self):
        """Take back to draft what the insurer certainly does not have, to correct it."""
        self.check_access("write")
        self._lock_for_user()
        for record in self:
            if record.state not in ("failed", "cancelled", "ready") or record.maybe_sent:
                raise UserError(self.env._("%s cannot be changed any more.", record.name))
        self.sudo().write({"state": "draft", "error_message": False, "sent_to": False})
        self._refresh_figures()
        return True

    def action_send_again(self):
        """A person has looked in the insurer's portal: it did not arrive."""
        self.ensure_one()
        self._check_sender()
        self._lock_for_user()
        if self.state != "uncertain":
            raise UserError(self.env._("%s is not waiting for anybody to look in the portal.", self.name))
        self._check_connection()
        self.env["credit.insurance.attempt"].sudo()._forget(self)
        self.message_post(body=self.env._("Looked up at the insurer: it is not there. It is sent again."))
        self._set_submitted("queued")
        self._enqueue_submission()
        return True

    def _prepare_submission(self, states=SENDABLE_STATES):
        """Make sure that the user may submit this, that nobody else does, and that its figures are of today."""
        self._check_sender()
        self._lock_for_user()
        if self.state not in states:
            raise UserError(self.env._("%s was submitted already.", self.name))
        if self.state == "draft":
            self._refresh_figures()
        self._check_ready()

    def _set_submitted(self, state):
        account = self.sudo().policy_id.account_id
        self.sudo().write(
            {
                "state": state,
                "sent_to": account._get_place() if state == "queued" else False,
                "submitted_on": fields.Datetime.now(),
                "submitted_by_id": self.env.uid,
                "error_message": False,
            }
        )

    def _check_sender(self):
        self.check_access("write")
        if not any(self.env.user.has_group(group) for group in self._sender_groups):
            groups = (self.env.ref(group).sudo().display_name for group in self._sender_groups)
            raise AccessError(self.env._("This is sent by: %s.", ", ".join(groups)))

    def _lock_for_user(self):
        busy = self - self.sudo().try_lock_for_update().sudo(False)
        if busy:
            raise UserError(self.env._("%s is being sent at this moment.", ", ".join(busy.mapped("name"))))
        self.invalidate_recordset()

    @api.model
    def _check_unpaid(self, moves):
        """What is reported, claimed or handed over are posted customer invoices that are not paid."""
        wrong = moves.filtered(
            lambda move: not move._credit_insurance_applies() or move.payment_state not in OPEN_PAYMENT_STATES
        )
        if wrong:
            raise UserError(
                self.env._(
                    "Only posted customer invoices that are not paid are reported or claimed. Leave out %s.",
                    format_list(self.env, wrong.mapped("display_name")),
                )
            )

    def _check_not_there(self):
        if self.maybe_sent:
            raise UserError(self.env._("The insurer may have %s already: submit it again to ask.", self.name))

    def _check_connection(self):
        if refusal := self._get_route_refusal():
            raise UserError(refusal)

    def _get_form_action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    # === HOOKS === #

    def _get_operation(self):
        """The ``connectors.Operation`` that sends this."""
        raise NotImplementedError

    def _get_message(self):
        """This record as the connectors send it. Only frozen figures go in: a repetition is the same message."""
        raise NotImplementedError

    def _refresh_figures(self):
        """Write the figures of drafts as they are now. Called until the record is submitted, and never after."""

    def _check_ready(self):
        """What can be known to be wrong is told to the person, not to the insurer.

        :raise UserError:
        """

    def _is_ours(self, insurer, receipt, message, *, attempted):
        """Whether what the insurer has is this record; ``attempted``: a try to send it may have reached it.

        :raise UserError: it has another under our reference (a copy of the database, for example)
        """
        return True

    def _prepare_receipt_vals(self, receipt):
        """What the insurer's receipt changes: at least ``state``, ``insurer_reference``, ``acknowledged_on``."""
        raise NotImplementedError

    def _get_status_operation(self):
        """The ``connectors.Operation`` that asks by the insurer's number how it stands; None where there is none."""
        return None

    @api.model
    def _get_status_operations(self):
        """All of these that records of this model may have."""
        return {self._get_status_operation()} - {None}

    def _prepare_status_vals(self, status):
        """What the insurer's answer changes. A code we do not know is shown as it is and changes no state."""
        raise NotImplementedError

    def _on_arrived(self):
        """The insurer has it, or a person says so: duties end, tasks are done."""
        self._get_duties()._mark_done()

    def _get_duties(self):
        """The ``credit.insurance.deadline`` that it fulfils by arriving."""
        return self.env["credit.insurance.deadline"]

    def _on_changed(self, before):
        """The insurer's answer differs from the state ``before``: tell who waits for it."""
