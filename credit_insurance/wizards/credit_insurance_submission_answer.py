import base64

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.credit_insurance.models.claim_words import CLAIM_STATES
from odoo.addons.credit_insurance.credit_insurance.models.marked_words import tell_problems
from odoo.addons.credit_insurance.credit_insurance.models.submission_words import SUBMISSION_STATES


class CreditInsuranceSubmissionAnswer(models.TransientModel):
    """The insurer's answer to something that was handed in by a person: entered, or read from the insurer's file."""

    _name = "credit.insurance.submission.answer"
    _description = "Insurer's Answer Entered by Hand"

    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True, readonly=True)
    way = fields.Selection(
        [("enter", "Enter it"), ("file", "Read it from a file"), ("report", "Attach the report")],
        default="enter",
        required=True,
    )
    state = fields.Selection("_selection_state", string="The Insurer's Answer")
    number = fields.Char(string="Insurer's Number")
    decided_on = fields.Date(default=fields.Date.context_today)
    amount = fields.Float(digits="Account", help="What the insurer grants or accepts.")
    words = fields.Text(string="In the Insurer's Words")
    file = fields.Binary(attachment=False, help="CSV, XLSX, XML or EDIFACT, as the insurer sent it.")
    filename = fields.Char()
    issued_on = fields.Date(string="Report Of")
    grade = fields.Char()
    source = fields.Char(help="Who issued the report. Empty: the insurer.")

    @api.model
    def _selection_state(self):
        """The states that the model at hand can be answered with."""
        labels = dict([*SUBMISSION_STATES, *CLAIM_STATES])
        model = self.env.context.get("default_res_model")
        if isinstance(model, str) and self._is_submission(model):
            field = self.env[model]._fields["state"]
            return [
                (state, label)
                for state, label in field._description_selection(self.env)
                if state in self.env[model]._answer_states
            ]
        return list(labels.items())

    @api.model
    def _is_submission(self, model):
        return model in self.env and isinstance(self.env[model], self.pool["credit.insurance.submission"])

    def action_apply(self):
        self.ensure_one()
        record = self._get_record()
        if self.way == "file":
            self._apply_file(record)
        elif self.way == "report":
            self._attach_report(record)
        elif not self.state:
            raise UserError(self.env._("Say what the insurer answered."))
        else:
            record._record_answer(
                self.state,
                number=self.number or "",
                decided_on=self.decided_on,
                amount=self.amount,
                words=self.words or "",
            )
        return {"type": "ir.actions.act_window_close"}

    def _get_record(self):
        """The record that is answered, with the user's rights on it."""
        if not self._is_submission(self.res_model):
            raise UserError(self.env._("Nothing of this kind is sent to insurers."))
        record = self.env[self.res_model].browse(self.res_id).exists()
        if not record:
            raise UserError(self.env._("What is answered here was deleted."))
        record.check_access("write")
        return record

    def _attach_report(self, record):
        if record._name != "credit.insurance.report.order":
            raise UserError(self.env._("A report is attached where one was ordered."))
        record._record_report(
            self.filename or "",
            self._get_content(),
            issued_on=self.issued_on,
            source=self.source or "",
            grade=self.grade or "",
            amount=self.amount,
        )

    def _get_content(self):
        if not self.file:
            raise UserError(self.env._("Choose the insurer's file."))
        return base64.b64decode(self.file)

    def _apply_file(self, record):
        content = self._get_content()
        answers = record.sudo().policy_id.account_id._read_answers(content, self.filename)
        if not record._apply_answers(answers):
            problems = "\n".join(tell_problems(self.env, answers.problems[:10]))
            raise UserError(self.env._("The file says nothing about %(name)s. %(why)s", name=record.name, why=problems))
        self.env["ir.attachment"]._keep_evidence(record, self.filename, content)
