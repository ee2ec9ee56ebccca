from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .guarded_fields import without_fields

MERGED_FIELDS = ("merged_into_id", "merged_name")


class CreditInsuranceBuyer(models.Model):
    """What a buyer's limit is made of beside own limits and covers, and what ends some of it."""

    _inherit = "credit.insurance.buyer"

    guarantee_ids = fields.One2many("credit.insurance.guarantee", "buyer_id", string="Guarantees")
    discretionary_limit_ids = fields.One2many(
        "credit.insurance.discretionary.limit", "buyer_id", string="Discretionary Limits"
    )
    limit_request_ids = fields.One2many("credit.insurance.limit.request", "buyer_id")
    limit_request_count = fields.Integer(compute="_compute_limit_request_count", string="Open Limit Requests")
    adverse_since = fields.Date(
        string="Adverse Information Since",
        tracking=True,
        help="The day adverse information became known: a returned payment, an insolvency rumour, a request for "
        "deferral. Discretionary limits are void from then.",
    )
    adverse_source = fields.Char(string="Source of the Information", tracking=True)
    merged_into_id = fields.Many2one(
        "credit.insurance.buyer", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    merged_from_ids = fields.One2many(
        "credit.insurance.buyer", "merged_into_id", string="Merged Buyers", context={"active_test": False}
    )
    merged_name = fields.Char(readonly=True, help="The buyer's name before its contact was merged into another one.")

    def _get_insuring_policies(self):
        """The policies under which these buyers ever had a cover or a discretionary limit, in force or not."""
        return self.cover_ids.policy_id | self.discretionary_limit_ids.policy_id

    @api.depends("limit_request_ids.state")
    def _compute_limit_request_count(self):
        groups = self.env["credit.insurance.limit.request"]._read_group(
            [("buyer_id", "in", self.ids), ("state", "=", "asked")], ["buyer_id"], ["__count"]
        )
        counts = {buyer.id: count for buyer, count in groups}
        for buyer in self:
            buyer.limit_request_count = counts.get(buyer.id, 0)

    @api.depends("partner_id.display_name", "merged_name")
    def _compute_display_name(self):
        merged = self.filtered("merged_name")
        for buyer in merged:
            buyer.display_name = self.env._("%s (merged)", buyer.merged_name)
        return super(CreditInsuranceBuyer, self - merged)._compute_display_name()

    @api.constrains("adverse_since", "adverse_source")
    def _check_adverse_source(self):
        for buyer in self:
            if buyer.adverse_since and not (buyer.adverse_source or "").strip():
                raise ValidationError(
                    self.env._("Say where the adverse information about %s comes from.", buyer.display_name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, (*MERGED_FIELDS, "status_date"))
        return super().create(vals_list)

    def write(self, vals):
        """A record with a history is not given to another contact or company: what was granted is not either.

        :raise UserError: it would be
        """
        if not self.env.su:
            self, [vals] = without_fields(self, [vals], (*MERGED_FIELDS, "status_date"))
            for buyer in self:
                other = any(name in vals and vals[name] != buyer[name].id for name in ("partner_id", "company_id"))
                if other and buyer._has_history():
                    raise UserError(
                        self.env._("%s has a history: it stays a record of this buyer.", buyer.display_name)
                    )
        return super().write(vals)

    def action_explain_limit(self):
        """The limit in force on a date, line by line."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Limit on a Date"),
            "res_model": "credit.insurance.limit.explanation",
            "view_mode": "form",
            "target": "new",
            "context": {"default_buyer_id": self.id, "dialog_size": "extra-large"},
        }

    def action_ask_limit(self):
        """A new request for a limit of this buyer."""
        self.ensure_one()
        return self.env["credit.insurance.limit.request"]._get_new_action(
            {"default_partner_id": self.partner_id.id, "default_company_id": self.company_id.id}
        )

    def action_open_limit_requests(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_limit_request_action")
        return {**action, "domain": [("buyer_id", "=", self.id)], "context": {}}
