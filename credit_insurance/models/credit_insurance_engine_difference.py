"""The alarm for administrators: engine and reference evaluator said different things about the same facts."""

import logging
import threading

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .rule_trace import to_json

_logger = logging.getLogger(__name__)
_noted = threading.local()
ADMIN_GROUP = "credit_insurance.credit_insurance_group_admin"
ACTIVITY_TYPE = "mail.mail_activity_data_warning"


def note(difference):
    """Called by the engine, deep inside an evaluation; what it tells is written by who asked."""
    _noted.found = [*getattr(_noted, "found", ()), difference]


class CreditInsuranceEngineDifference(models.Model):
    """A defect of the engine or of the reference evaluator, with all it takes to repeat it. The reference counted."""

    _name = "credit.insurance.engine.difference"
    _description = "Difference of the Rule Engine"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _rec_name = "rules"
    _mail_post_access = "read"

    company_id = fields.Many2one("res.company", readonly=True)
    rules = fields.Char(readonly=True, help="Keys of the rules that were answered differently.")
    pack_version = fields.Char(readonly=True)
    day = fields.Date(readonly=True)
    facts = fields.Json(readonly=True)
    engine_answer = fields.Json(readonly=True)
    reference_answer = fields.Json(readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("done", "Done")], default="open", required=True, readonly=True, tracking=True
    )

    @api.model
    def _write_noted(self, company):
        """Record what was noted in this thread since the last call; one activity for all of it."""
        found, _noted.found = getattr(_noted, "found", ()), []
        if not found:
            return self
        records = self.sudo().create([self._prepare_difference_vals(item, company) for item in found])
        admins = self.env.ref("credit_insurance.credit_insurance_group_admin").sudo().all_user_ids
        responsible = admins.filtered(lambda user: user.active and not user.share and company in user.company_ids)[:1]
        if not self.sudo().search_count([("state", "=", "open"), ("id", "not in", records.ids)], limit=1):
            records[0].activity_schedule(
                ACTIVITY_TYPE,
                summary=self.env._("The rule engine and the reference evaluator disagree"),
                user_id=responsible.id or self.env.uid,
            )
        return records

    @api.model
    def _prepare_difference_vals(self, item, company):
        said = {}
        for name in ("engine", "reference"):
            verdict = getattr(item, name)
            said[name] = {part: list(getattr(verdict, part)) for part in ("fired", "excluded", "undecided")}
        keys = {key for part in said["engine"] for key in {*said["engine"][part]} ^ {*said["reference"][part]}}
        return {
            "company_id": company.id,
            "rules": ", ".join(sorted(keys))[:500],
            "pack_version": item.version,
            "day": item.today,
            "facts": {key: to_json(value) for key, value in item.facts.items()},
            "engine_answer": said["engine"],
            "reference_answer": said["reference"],
        }

    def action_done(self):
        """Somebody has looked into it."""
        if not self.env.user.has_group(ADMIN_GROUP):
            raise AccessError(self.env._("Only an administrator of risk rules looks into differences of the engine."))
        self.check_access("read")
        self.sudo().write({"state": "done"})
        self.activity_feedback([ACTIVITY_TYPE])
        return True
