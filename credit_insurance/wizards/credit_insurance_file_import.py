import base64

from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.credit_insurance.models.marked_words import tell_problems


class CreditInsuranceFileImport(models.TransientModel):
    """A file of the insurer's with covers, grades or answers, where there is no interface or it does not tell them."""

    _name = "credit.insurance.file.import"
    _description = "Read a File of the Insurer"

    account_id = fields.Many2one("credit.insurance.account", string="Connection", required=True, readonly=True)
    file = fields.Binary(attachment=False, help="CSV, XLSX, XML or EDIFACT, as the insurer sent it.")
    filename = fields.Char()
    as_of = fields.Datetime(
        string="Data As Of",
        default=fields.Datetime.now,
        required=True,
        help="When the insurer made the file: its data are that old.",
    )
    complete = fields.Boolean(
        string="All Covers",
        help="The file lists every cover of every policy of this connection: buyers it lacks count as missing, and "
        "what did not change is as fresh as the file.",
    )

    def action_import(self):
        self.ensure_one()
        account = self.account_id
        account._check_role("credit_insurance.credit_insurance_group_manager")
        account.check_access("read")
        if refusal := account._get_disabled_refusal():
            raise UserError(refusal)
        if self.as_of > fields.Datetime.now():
            raise UserError(self.env._("The insurer cannot have made the file in the future."))
        if not self.file:
            raise UserError(self.env._("Choose the insurer's file."))
        content = base64.b64decode(self.file)
        answers = account.sudo()._read_answers(content, self.filename)
        if not answers.all():
            problems = "\n".join(tell_problems(self.env, answers.problems[:10]))
            raise UserError(self.env._("The file says nothing that could be read. %s", problems))
        file = (self.filename, content)
        pull = self.env["credit.insurance.pull"]._take_file(account, answers, file, self.as_of, self.complete)
        return {
            "type": "ir.actions.act_window",
            "res_model": pull._name,
            "res_id": pull.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }
