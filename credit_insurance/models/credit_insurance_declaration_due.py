"""What a policy wants declared, and the drafts that are prepared for it each month."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

from . import credit_insurance_declaration, credit_insurance_policy  # noqa: F401 (have to be loaded first)


class CreditInsurancePolicy(models.Model):
    _inherit = "credit.insurance.policy"

    declares_turnover = fields.Boolean(string="Declare Turnover Monthly", tracking=True)
    declares_per_buyer = fields.Boolean(string="Turnover per Buyer")
    declares_shipments = fields.Boolean(string="Declare Shipments Monthly", tracking=True)
    declares_receipts = fields.Boolean(string="Declare Payments Monthly", tracking=True)
    declaration_days = fields.Integer(
        string="Declare Within (days)", default=30, help="Days after the end of the period. Zero: no last day."
    )
    declaration_user_id = fields.Many2one(
        "res.users", string="Who Declares", default=lambda self: self.env.user, domain=[("share", "=", False)]
    )

    _declaration_days_positive = models.Constraint(
        "CHECK(declaration_days >= 0)", "The days to declare are zero or more."
    )

    def _get_declared_kinds(self):
        self.ensure_one()
        return [kind for kind in ("turnover", "shipments", "receipts") if self[f"declares_{kind}"]]

    def _get_declared_period(self):
        """The part of last month in which the policy was in force, or None."""
        self.ensure_one()
        first = self.company_id._credit_today().replace(day=1)
        start = max(first - relativedelta(months=1), self.date_start)
        end = min(filter(None, (first - relativedelta(days=1), self.date_end)))
        return (start, end) if start <= end else None


class CreditInsuranceDeclaration(models.Model):
    _inherit = "credit.insurance.declaration"

    @api.model
    def _cron_prepare(self):
        """A draft for last month and an activity, for everything that policies want declared and nobody has begun."""
        wanted = ["|", "|", *((f"declares_{kind}", "=", True) for kind in ("turnover", "shipments", "receipts"))]
        for policy in self.env["credit.insurance.policy"].search(wanted):
            period = policy._get_declared_period()
            for kind in policy._get_declared_kinds() if period else ():
                self._prepare_draft(policy, kind, *period)

    @api.model
    def _prepare_draft(self, policy, kind, start, end):
        domain = [("policy_id", "=", policy.id), ("kind", "=", kind), ("state", "!=", "cancelled")]
        if self.search_count([*domain, ("period_from", "<=", end), ("period_to", ">=", start)], limit=1):
            return self.browse()
        user = policy.declaration_user_id or policy.create_uid
        vals = {"policy_id": policy.id, "kind": kind, "period_from": start, "period_to": end, "user_id": user.id}
        draft = self.create(vals)
        if kind != "turnover" and not (draft.declared_line_ids or draft._get_told_by_hand()):
            draft.unlink()
            return self.browse()
        draft.activity_schedule(
            self._activity_type,
            date_deadline=draft.due_on or policy.company_id._credit_today(),
            summary=self.env._("Check and send %s", draft.name),
            user_id=user.id,
        )
        return draft
