"""Files that prove something: what was sent to an insurer, and what it delivered, stays as it was."""

import hashlib
import os
import unicodedata

from odoo import api, fields, models
from odoo.exceptions import UserError

from .guarded_fields import without_fields

# By model: the field that names the file.
EVIDENCE = {
    "credit.insurance.claim.document": "file_id",
    "credit.insurance.pull": "file_id",
    "credit.insurance.report.order": "report_id",
}
FROZEN_FIELDS = frozenset(
    "raw datas db_datas store_fname checksum name mimetype type url res_model res_id res_field "
    "credit_insurance_evidence".split()
)
LONGEST_NAME = 100
UNSAFE = frozenset('\\/:*?"<>|')


def safe_file_name(name, fallback="file"):
    """The name of a file as any system takes it: one segment, no control characters, its ending kept.

    >>> safe_file_name("../../etc/passwd"), safe_file_name("Rechnung: 7/2026.pdf"), safe_file_name(".htaccess")
    ('passwd', '2026.pdf', 'htaccess')
    >>> len(safe_file_name("x" * 300 + ".pdf")), safe_file_name("a\\u202efdp.exe")
    (100, 'afdp.exe')
    """
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    text = unicodedata.normalize("NFC", last)
    kept = "".join(char for char in text if char not in UNSAFE and unicodedata.category(char)[0] != "C")
    stem, ending = os.path.splitext(kept.strip(" ."))
    return stem[: LONGEST_NAME - len(ending[:20])].rstrip() + ending[:20] or fallback


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    credit_insurance_evidence = fields.Boolean(
        readonly=True, copy=False, help="What came from an insurer as a file, and records rest on."
    )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, ["credit_insurance_evidence"])
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and FROZEN_FIELDS & vals.keys():
            self._check_no_insurer_evidence()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_insurer_evidence(self):
        self._check_no_insurer_evidence()

    @api.model
    def _keep_evidence(self, record, name, content):
        """A file of an insurer as an attachment of ``record`` that nobody can change or delete any more."""
        vals = {"name": safe_file_name(name, "answer"), "raw": content, "res_model": record._name, "res_id": record.id}
        return self.sudo().create({**vals, "credit_insurance_evidence": True})

    def _get_download_action(self):
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": f"/web/content/{self.id}?download=true", "target": "download"}

    def _check_no_insurer_evidence(self):
        kept = any(self.sudo().mapped("credit_insurance_evidence"))
        for model, field in EVIDENCE.items():
            own = self.sudo().filtered(lambda file, model=model: file.res_model == model)
            kept = kept or bool(own and self.env[model].sudo().search_count([(field, "in", own.ids)], limit=1))
            if kept:
                raise UserError(self.env._("What was sent to an insurer, or came from one, is kept as it is."))
