from odoo import api, fields, models

from . import credit_insurance_buyer_history  # noqa: F401 (has to be loaded first)
from .credit_insurance_grade_scale import RISK_CLASSES


class CreditInsuranceGrade(models.Model):
    """A buyer's grade on the insurer's own scale, as a dated history."""

    _name = "credit.insurance.grade"
    _description = "Insurer's Buyer Grade"
    _inherit = ["credit.insurance.buyer.history"]
    _rec_name = "grade"
    _order = "graded_on desc, id desc"

    insurer_id = fields.Many2one("credit.insurance.insurer", required=True, ondelete="restrict")
    grade = fields.Char(required=True, help="The grade on the insurer's own scale, as received.")
    risk_class = fields.Selection(
        RISK_CLASSES,
        readonly=True,
        help="Our class at the time the grade was received. Empty: the scale does not know this grade.",
    )
    label = fields.Char(compute="_compute_label", string="Meaning")
    graded_on = fields.Date(required=True, default=fields.Date.context_today)

    _latest_idx = models.Index("(buyer_id, insurer_id, graded_on DESC, id DESC)")

    @api.depends("grade", "insurer_id.grade_scale_id.line_ids.label")
    def _compute_label(self):
        for row in self:
            row.label = row.insurer_id.grade_scale_id._get_line(row.grade).label

    @api.model_create_multi
    def create(self, vals_list):
        """A row without a risk class gets the one of its insurer's scale, as of now."""
        insurers = self.env["credit.insurance.insurer"].browse([vals.get("insurer_id") for vals in vals_list])
        scales = {insurer.id: insurer.grade_scale_id for insurer in insurers if insurer.id}
        for vals in vals_list:
            scale = scales.get(vals.get("insurer_id"))
            if "risk_class" not in vals and scale:
                vals["risk_class"] = scale._get_risk_class(vals.get("grade"))
        return super().create(vals_list)
