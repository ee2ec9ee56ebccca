"""The way by hand: where an insurer's interface lacks the call, a person hands in the same data and enters the answer.

The files hold what the connection would have sent, with the figures frozen when they were prepared. Deadlines, states
and answers are those of the other way.
"""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.credit_insurance.connectors.files import FileForm, export

from . import credit_insurance_submission  # noqa: F401 (has to be loaded first)
from .amounts import is_amount
from .file_words import explain_to
from .marked_words import tell_error
from .submission_words import UNSETTLED_STATES, WAITING_STATES

# How the kinds of answers call the insurer's number.
NUMBERS = ("claim_number", "notice_number", "case_number", "order_id", "request_id")


class CreditInsuranceSubmission(models.AbstractModel):
    _inherit = "credit.insurance.submission"

    # States an insurer's answer can lead to.
    _answer_states = ("acknowledged", "pending", "accepted", "partial", "refused")
    # The report that prints its cover sheet.
    _sheet_report = ""
    # States in which an answer can be entered.
    _waiting_states = WAITING_STATES
    # The class of the insurer's receipts; none where the first answer is a state already.
    _receipt_type = ()

    # === ACTIONS === #

    def action_prepare_files(self):
        """Freeze the figures, for a person to hand in; nothing is sent."""
        self.ensure_one()
        self._prepare_submission()
        self._check_not_there()
        self.sudo().write({"state": "ready", "by_hand": True, "error_message": False, "sent_to": False})
        self.activity_unlink([self._activity_type])
        return True

    def action_export_csv(self):
        return self._download(FileForm.CSV)

    def action_export_xlsx(self):
        return self._download(FileForm.XLSX)

    def action_export_xml(self):
        return self._download(FileForm.XML)

    def action_print_sheet(self):
        """The cover sheet as a PDF."""
        self.ensure_one()
        self.check_access("read")
        self._check_frozen()
        return self.env.ref(self._sheet_report).report_action(self)

    def action_enter_answer(self):
        """Enter what the insurer answered elsewhere, or read its file."""
        self.ensure_one()
        self._check_may_answer()
        return self._get_answer_action(self.env._("The Insurer's Answer"))

    def _get_answer_action(self, name, way="enter"):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "credit.insurance.submission.answer",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_res_model": self._name, "default_res_id": self.id, "default_way": way},
        }

    def action_draft(self):
        result = super().action_draft()
        self.sudo().by_hand = False
        return result

    # === FILES === #

    def _check_frozen(self):
        if self.state in ("draft", "cancelled"):
            raise UserError(self.env._("Prepare the files of %s first: that freezes its figures.", self.name))

    def _download(self, form):
        """The file as an attachment of this record, and the action that downloads it."""
        self.ensure_one()
        self.check_access("read")
        self._check_frozen()
        return self.sudo()._attach_file(self._export(form))._get_download_action()

    def _export(self, form):
        """The ``connectors.ReportFile`` of this record."""
        trusted = self.sudo()
        try:
            return export(
                trusted._get_file_message(form),
                form,
                explain=explain_to(self.env),
                envelope=trusted._get_envelope(form),
            )
        except ValueError as exc:  # FileError is one
            raise UserError(tell_error(self.env, exc)) from exc

    def _get_file_message(self, form):
        """What the file says, in a form."""
        return self._get_message()

    def _get_envelope(self, form):
        """The ``connectors.files.Envelope`` of an EDIFACT interchange; None of the other forms."""

    def _attach_file(self, file):
        """The attachment with this content; made once, as the figures do not change any more."""
        attachments = self.env["ir.attachment"]
        checksum = attachments._compute_checksum(file.content)
        domain = [("res_model", "=", self._name), ("res_id", "=", self.id), ("checksum", "=", checksum)]
        found = attachments.search([*domain, ("name", "=", file.name)], limit=1)
        vals = {"name": file.name, "raw": file.content, "mimetype": file.media_type}
        return found or attachments.create({**vals, "res_model": self._name, "res_id": self.id})

    # === ANSWERS === #

    def _check_may_answer(self):
        self._check_sender()
        if self.state not in self._waiting_states or (self.state == "failed" and not self.maybe_sent):
            raise UserError(self.env._("%s waits for no answer of the insurer.", self.name))

    def _record_answer(self, state, *, number="", decided_on=False, amount=None, words=""):
        """What a person says that the insurer answered."""
        self._check_may_answer()
        self._lock_for_user()
        self._check_may_answer()
        if state not in self._answer_states:
            raise UserError(self.env._("This is no answer to %s.", self.name))
        if amount and (amount < 0 or not is_amount(amount)):
            raise UserError(self.env._("This is no amount."))
        if decided_on and decided_on > self.sudo().company_id._credit_today():
            raise UserError(self.env._("The insurer cannot have decided on %s in the future.", self.name))
        before, record = self.state, self.sudo()
        vals = self._prepare_answer_vals(state, amount=amount, decided_on=decided_on)
        record.write(
            {
                **vals,
                "state": state,
                "insurer_reference": number.strip() or self.insurer_reference,
                "insurer_status_code": False,  # that of an earlier answer
                "insurer_words": words.strip() or self.insurer_words,
                "acknowledged_on": self.acknowledged_on or fields.Datetime.now(),
                "status_changed_on": fields.Datetime.now(),
                "error_message": False,
                "maybe_sent": False,
            }
        )
        record.activity_unlink([self._activity_type])
        self.message_post(body=self.env._("The insurer's answer was entered by hand. %s", words.strip()))
        record._on_arrived()
        if state != before:
            record._on_changed(before)

    def _prepare_answer_vals(self, state, *, amount, decided_on):
        """What an answer entered by hand changes besides state, number and words."""
        return {}

    def _apply_answers(self, answers):
        """Take over what the insurer's file, as ``connectors.files.FileAnswers``, says about this record.

        :return: whether it says anything about it
        """
        self._check_may_answer()
        self._lock_for_user()
        self._check_may_answer()
        return self._take_over_answers(answers)

    def _take_over_answers(self, answers):
        """As :meth:`_apply_answers`, for one that was looked at and locked.

        :raise UserError: the file is older than what is known of it
        """
        receipt = self._find_latest(one for one in answers.receipts if isinstance(one, self._receipt_type))
        status = self._find_latest(self._get_status_answers(answers))
        if status is not None:
            self._check_not_older(status)
        if receipt is not None and self.state not in ("acknowledged", "pending"):
            self.sudo()._record_receipt(receipt)
        if status is not None:
            self.sudo()._record_told(status)
        if receipt is None and status is None:
            return False
        self.message_post(body=self.env._("The insurer's answer was read from a file."))
        return True

    def _record_told(self, status):
        """A state that was told and not asked for: from it, too, it is known that the insurer has this."""
        if self.state in UNSETTLED_STATES:
            self.activity_unlink([self._activity_type])
        self._apply_status(status)
        if self.state in UNSETTLED_STATES:  # a code we do not know
            self.state = "acknowledged"
        if not self.acknowledged_on:
            self.acknowledged_on = fields.Datetime.now()
            self._on_arrived()

    def _find_latest(self, answers):
        """Of answers, the latest one to this record, or None; a file may tell the whole course of it."""
        ours = sorted(filter(self._is_meant, answers), key=_told_at)
        return ours[-1] if ours else None

    def _is_meant(self, answer):
        """Whether an answer names this record: by our reference, or without one by the insurer's number."""
        if answer.reference:
            return answer.reference == self.name
        return bool(self.insurer_reference) and get_number(answer) == self.insurer_reference

    def _check_not_older(self, status):
        """What the insurer told last stands. Of what a person entered it is not known since when it stands so."""
        since = getattr(status, "updated_at", None)
        known = self.insurer_status_code and self.status_changed_on
        if since and known and since.date() < known.date():
            raise UserError(
                self.env._(
                    "What the file says of %(name)s is of %(day)s and older than what is known: it was left out.",
                    name=self.name,
                    day=format_date(self.env, since.date()),
                )
            )

    def _get_status_answers(self, answers):
        """Those of the file's answers that say how a record of this model stands."""
        return ()

    # === COVER SHEET === #

    def _get_sheet_title(self):
        """What this is, in the user's language."""
        return self.env["ir.model"].sudo()._get(self._name).name

    def _get_sheet_rows(self):
        """What the cover sheet says, in order: ``[(label, text)]``."""
        self.ensure_one()
        trusted = self.sudo()
        return [
            (self.env._("Our reference"), trusted.name),
            (self.env._("Policy"), trusted.policy_id.number),
            (self.env._("Insurer"), trusted.insurer_id.name),
        ]

    def _get_sheet_table(self):
        """The cover sheet's table: ``(headings, rows, indexes of the columns that hold figures)``, or None."""
        return None


def get_number(answer):
    """The insurer's number in an answer to something that was sent."""
    return next((getattr(answer, name) for name in NUMBERS if getattr(answer, name, "")), "")


def _told_at(answer):
    names = ("updated_at", "received_at", "ordered_at")
    return next(getattr(answer, name) for name in names if hasattr(answer, name))
