"""A gate that does not stop anything is never forgotten: every backend screen says so until it is on again."""

from odoo import api, fields, models

CREDIT_GROUP = "credit_insurance.credit_insurance_group_user"
SWITCHED = "credit_insurance.gate_switched"


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if "credit_gate_mode" in vals:
            # Without content: each client asks for what its own user may know.
            self.env["bus.bus"]._sendone(self.env.ref("base.group_user"), SWITCHED, {})
        return result

    @api.model
    def credit_gate_notices(self):
        """What the reader's screens say about the gates of the reader's companies.

        Everybody learns that a gate is off. Who switched it, when and why is for the credit team, and so is that one
        only observes.

        :return: a list of ``{"company", "mode"}``, for the credit team with ``user``, ``since`` (UTC) and ``reason``
        """
        if not self.env.user._is_internal():
            return []
        roots = self.env.user.company_ids.sudo().root_id
        if not self.env.user.has_group(CREDIT_GROUP):
            off = roots.filtered(lambda company: company.credit_gate_mode == "off")
            return [{"company": company.name, "mode": "off"} for company in off]
        return [
            {"company": company.name, "mode": company.credit_gate_mode, **company._get_credit_gate_switch()}
            for company in roots
            if company.credit_gate_mode in ("off", "observe")
        ]

    def _get_credit_gate_switch(self):
        """Who switched the gate last, when and why; nothing for one that still stands as it was installed."""
        self.ensure_one()
        log = self.env["credit.insurance.gate.log"].sudo().search([("company_id", "=", self.id)], limit=1)
        if not log:
            return {}
        return {
            "user": log.user_id.name,
            "since": fields.Datetime.to_string(log.create_date),
            "reason": log.reason or "",
        }


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """The notices travel with the session: no screen has to ask for them."""
        info = super().session_info()
        if self.env.user._is_internal():
            info["credit_gate_notices"] = self.env["res.company"].credit_gate_notices()
        return info
