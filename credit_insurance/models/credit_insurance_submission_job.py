"""The jobs behind what is sent to an insurer: send once, ask how it stands.

The row is locked while it is sent. What may have reached the insurer without an answer is asked for before it is sent
again; where nobody can be asked and the insurer does not know our references again, a person looks.
"""

from datetime import UTC

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, plaintext2html

from odoo.addons.credit_insurance.connectors import (
    CONNECTORS,
    FINDERS,
    ConnectorError,
    NotSupported,
    RejectedByInsurer,
)
from odoo.addons.queue_job.exception import RetryableJobError

from . import credit_insurance_submission  # noqa: F401 (has to be loaded first)
from .marked_words import tell_error
from .submission_words import PENDING_STATES

MAX_TRIES = 8


class CreditInsuranceSubmission(models.AbstractModel):
    _inherit = "credit.insurance.submission"

    # States in which the insurer is asked how it stands.
    _asked_states = PENDING_STATES

    # === ACTIONS === #

    def action_ask_status(self):
        """Have the insurer asked how these stand, now."""
        self.check_access("read")
        for record in self:
            if not record.insurer_reference:
                raise UserError(self.env._("The insurer has given %s no number yet.", record.name))
            if record._is_elsewhere():
                raise UserError(record.elsewhere_text or self.env._("%s was not sent there.", record.name))
            if not record.sudo()._can_ask_status():
                refusal = record._get_route_refusal()
                raise UserError(refusal or self.env._("This insurer's interface does not offer that."))
            record._delayed("status")._job_status()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "info", "message": self.env._("The insurer is being asked. The answer appears here.")},
        }

    # === SENDING === #

    def _enqueue_submission(self):
        self._delayed("submit", max_retries=MAX_TRIES)._job_submit()

    def _delayed(self, step, **options):
        # Never at once, whatever the caller's context says: the context comes from the client.
        record = self.with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        kind = self._name.removeprefix("credit.insurance.")
        key = f"credit_insurance.{kind}-{self.id}-{step}"
        return record.with_delay(identity_key=key, description=f"{self._description} {self.name}: {step}", **options)

    def _job_submit(self):
        """Send it unless the insurer has it, and record the answer."""
        self.ensure_one()
        self._lock_for_job()
        if self.state not in ("queued", "failed"):
            return f"{self.name} is {self.state}: nothing to send"
        if self._is_elsewhere():
            return self._record_elsewhere()
        account = self.policy_id.account_id
        try:
            with account._connect() as insurer:
                receipt = self._find_or_submit(insurer)
        except ConnectorError as exc:
            return self._record_error(account, exc)
        except UserError as exc:
            return self._record_failure(str(exc))
        except ValueError as exc:
            return self._record_failure(tell_error(self.env, exc))
        if receipt is None:
            return self._record_uncertain(self.env._("An earlier try ended without an answer."))
        return self._record_receipt(receipt)

    def _lock_for_job(self):
        if not self.try_lock_for_update():
            raise RetryableJobError(f"{self.name} is being worked on", seconds=10, ignore_retry=True)

    def _find_or_submit(self, insurer):
        """The insurer's receipt; None when it may have this and cannot be asked.

        :raise UserError: the insurer has something else under our reference
        """
        operation, message = self._get_operation(), self._get_message()
        attempts = self.env["credit.insurance.attempt"]
        attempted = attempts._exists(self)
        finder = FINDERS.get(operation)
        if finder in insurer.capabilities():
            receipt = getattr(insurer, finder)(message)
            if receipt is not None and self._is_ours(insurer, receipt, message, attempted=attempted):
                return receipt
        elif attempted and operation not in insurer.recognises:
            return None
        with attempts._running(self):
            return getattr(insurer, operation)(message)

    def _may_be_repeated(self):
        """Whether another try is safe: the insurer can be asked first, or knows our reference again."""
        operation = self._get_operation()
        connector = CONNECTORS.get(self.policy_id.account_id.connector)
        return connector is not None and (
            FINDERS.get(operation) in connector.capabilities() or operation in connector.recognises
        )

    @api.model
    def _unsettled_sql(self):
        """``res_model, res_id`` of all of which it is not known whether the insurer has it."""
        selects = []
        for name in self._get_submission_models():
            self.env[name].flush_model(["state", "maybe_sent"])
            table = SQL.identifier(self.env[name]._table)
            query = "SELECT %s::varchar AS res_model, id AS res_id FROM %s WHERE state IN %s OR maybe_sent"
            selects.append(SQL(query, name, table, ("queued", "uncertain")))
        return SQL(" UNION ALL ").join(selects)

    # === RESULTS === #

    def _record_error(self, account, error):
        """An answer that got lost, or cannot be read: the next try asks whether the insurer has it.

        :raise RetryableJobError: there is a next try
        """
        text = account._explain(error)
        if error.may_have_acted and not self._may_be_repeated():
            return self._record_uncertain(text)
        if error.retryable or error.may_have_acted:
            raise RetryableJobError(text, seconds=wished_wait(error)) from error
        words = error.words if isinstance(error, RejectedByInsurer) else False
        if isinstance(error, NotSupported):
            way_out = self.env._("Hand it in by other means and mark it as sent by hand.")
            text = f"{text} {way_out}"
        return self._record_failure(text, words=words)

    def _record_receipt(self, receipt):
        before = self.state
        self.write({**self._prepare_receipt_vals(receipt), "error_message": False, "maybe_sent": False})
        self.activity_unlink([self._activity_type])
        self._on_arrived()
        if self.state not in ("queued", "acknowledged", "pending"):  # decided at once
            self._post_words()
            self._on_changed(before)
        return f"{self.name} is {self.insurer_reference} at the insurer"

    def _record_failure(self, message, *, words=False, maybe_sent=False):
        """Nothing was taken in, as far as is known: say why on the record and in an activity."""
        perhaps = maybe_sent or self.env["credit.insurance.attempt"]._exists(self)
        self.write(
            {
                "state": "failed",
                "error_message": message,
                "insurer_words": words or self.insurer_words,
                "maybe_sent": perhaps,
            }
        )
        self._tell_responsible(self.env._("%s could not be sent", self.name), message)
        return message

    def _record_uncertain(self, message):
        """It may have arrived, and nobody but a person can find out."""
        todo = self.env._(
            "Look for %s in the insurer's portal. Then enter the insurer's answer, or send it again.", self.name
        )
        message = f"{message} {todo}"
        self.write({"state": "uncertain", "error_message": message, "maybe_sent": True})
        self._tell_responsible(self.env._("Did %s arrive at the insurer?", self.name), message)
        return message

    def _on_submit_failed(self, exc_info, exc_name, exc_message):
        """The job gave up, after all its tries or on an error nobody foresaw: the insurer may have it."""
        for record in self.filtered(lambda record: record.state == "queued"):
            text = exc_message or exc_name
            if record._may_be_repeated():
                record._record_failure(text, maybe_sent=True)
            elif self.env["credit.insurance.attempt"]._exists(record):
                record._record_uncertain(text)
            else:
                record._record_failure(text)

    def _tell_responsible(self, summary, note):
        """One activity for whoever submitted it, brought up to date when there is one already.

        :param note: as text; the insurer's words may look like HTML
        """
        user = self._get_told_user()
        self.activity_unlink([self._activity_type])
        self.activity_schedule(
            self._activity_type, summary=summary, note=plaintext2html(note or ""), user_id=user.id or self.env.uid
        )

    def _get_told_user(self):
        """Who submitted it or is responsible; the company's credit responsible when they have left."""
        company = self.sudo().company_id
        for user in (self.submitted_by_id.sudo(), self.user_id.sudo()):
            if user.active and any(own.root_id == company for own in user.company_ids):
                return user
        return company._get_credit_responsible()

    # === STATUS === #

    def _can_ask_status(self):
        account = self.policy_id.account_id
        operation = self._get_status_operation()
        return bool(
            operation
            and account
            and not account._get_refusal()
            and not self._is_elsewhere()
            and operation in account._get_capabilities()
        )

    def _job_status(self):
        """Ask how it stands, and show it."""
        self.ensure_one()
        self._lock_for_job()
        if self._is_elsewhere():
            return f"{self.name} was not sent where the connection leads: it is not asked about"
        account = self.policy_id.account_id
        try:
            with account._connect() as insurer:
                status = getattr(insurer, self._get_status_operation())(self.insurer_reference)
        except ConnectorError as exc:
            if exc.retryable:
                raise RetryableJobError(account._explain(exc), seconds=wished_wait(exc)) from exc
            # The last known status stays, with the day it is from.
            self.error_message = account._explain(exc)
            return self.error_message
        except UserError as exc:
            self.error_message = str(exc)
            return self.error_message
        return self._apply_status(status)

    def _apply_status(self, status):
        """Take over what the insurer says."""
        before = (self.state, self.insurer_status_code)
        vals = self._prepare_status_vals(status)
        self.write({**vals, "status_checked_on": fields.Datetime.now(), "error_message": False, "maybe_sent": False})
        if (self.state, self.insurer_status_code) != before:
            self._post_words()
            self._on_changed(before[0])
        return f"{self.name}: {self.insurer_status_code}"

    def _post_words(self):
        self.message_post(
            body=self.env._(
                "The insurer says: %(code)s. %(words)s",
                code=self.insurer_status_code or "–",
                words=self.insurer_words or "",
            )
        )


def wished_wait(error):
    """Seconds until the next try as the insurer wishes, or None: as the job function's pattern says."""
    wished = getattr(error, "retry_after", None)
    return int(wished) + 1 if wished else None


def naive_utc(moment):
    """An aware instant as Odoo stores it: in UTC, without saying so and without fractions of a second."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
