from markupsafe import escape

from odoo import api, fields, models

from .bulk_log import log_in_bulk
from .guarded_fields import without_fields

# What rules remember of a buyer's status while theirs stands.
RULE_FIELDS = ("status_by_rules", "status_before", "status_reason_before")
# From the mildest to the strictest.
STRICTNESS = ("normal", "watch", "cash_only", "blocked")


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    alert_ids = fields.One2many("credit.insurance.alert", "buyer_id", string="Alerts", readonly=True)
    open_alert_count = fields.Integer(string="Open Alerts", compute="_compute_open_alert_count")
    status_by_rules = fields.Boolean(
        readonly=True,
        copy=False,
        help="A risk rule set the status, and nobody has touched it since: it goes when the rule's last alert ends.",
    )
    status_before = fields.Char(readonly=True, copy=False)
    status_reason_before = fields.Char(readonly=True, copy=False)

    def _compute_open_alert_count(self):
        groups = self.env["credit.insurance.alert"]._read_group(
            [("buyer_id", "in", self.ids), ("state", "in", ("open", "acknowledged"))], ["buyer_id"], ["__count"]
        )
        counts = {buyer.id: count for buyer, count in groups}
        for buyer in self:
            buyer.open_alert_count = counts.get(buyer.id, 0)

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, RULE_FIELDS)
        return super().create(vals_list)

    def write(self, vals):
        """A status that somebody else writes is theirs: rules take it back no more."""
        if not self.env.su:
            self, [vals] = without_fields(self, [vals], RULE_FIELDS)
        if {"status", "status_reason"} & vals.keys() and "status_by_rules" not in vals:
            vals = {**vals, "status_by_rules": False}
        return super().write(vals)

    def action_open_alerts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_alert_action")
        return action | {"domain": [("buyer_id", "=", self.id)], "context": {"search_default_live": 1}}

    def _set_status_by_rules(self, status, reason):
        """Make these buyers' status at least as strict as ``status``; returns those that changed."""
        changed = self.filtered(lambda buyer: STRICTNESS.index(buyer.status) < STRICTNESS.index(status))
        for (before, reason_before, by_rules), buyers in changed.grouped(
            lambda buyer: (buyer.status, buyer.status_reason, buyer.status_by_rules)
        ).items():
            vals = {"status": status, "status_reason": reason, "status_by_rules": True}
            if not by_rules:
                vals |= {"status_before": before, "status_reason_before": reason_before}
            buyers._write_status(vals)
        return changed

    def _get_status_without_rules(self):
        """The status and its reason as people left them."""
        self.ensure_one()
        if self.status_by_rules:
            return self.status_before or "normal", self.status_reason_before
        return self.status, self.status_reason

    def _take_back_status(self):
        """The status that rules set goes back to what it was before."""
        for (before, reason), buyers in self.grouped(lambda buyer: buyer._get_status_without_rules()).items():
            buyers._write_status({"status": before, "status_reason": reason, "status_by_rules": False})

    def _write_status(self, vals):
        """Write a status and note it in the chatter, for any number of buyers in a few statements."""
        states = dict(self._fields["status"]._description_selection(self.env))
        note = f"{states[self[0].status]} → {states[vals['status']]}. {vals['status_reason'] or ''}"
        self.with_context(tracking_disable=True).write(vals)
        log_in_bulk(self, dict.fromkeys(self.ids, escape(note)))
