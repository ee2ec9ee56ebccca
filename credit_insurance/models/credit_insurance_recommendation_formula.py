from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.credit_insurance.rules.policy import Formula, PolicyError
from odoo.addons.credit_insurance.rules.policy.recommendation import DEFAULT_FORMULA, FIGURES


class CreditInsuranceRecommendationFormula(models.Model):
    """How a company recommends limits and payment terms. A company without a row uses the defaults below."""

    _name = "credit.insurance.recommendation.formula"
    _description = "Recommendation Formula"
    _inherit = ["mail.thread", "credit.insurance.amounts"]
    _rec_name = "company_id"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
        ondelete="cascade",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    expression = fields.Char(
        required=True,
        default=DEFAULT_FORMULA,
        tracking=True,
        help="Numbers, the figures named below, + - * / and min(a, b), max(a, b).",
    )
    figure_names = fields.Char(compute="_compute_figure_names", string="Figures")
    buffer = fields.Float(
        string="Buffer (%)", default=20, tracking=True, help="Orders come in waves: need is so much above the average."
    )
    equity_share = fields.Float(string="Share of Its Equity (%)", default=10, tracking=True)
    sales_share = fields.Float(string="Share of Its Yearly Turnover (%)", default=5, tracking=True)
    days_late_free = fields.Float(string="Days Late Without Effect", default=5, tracking=True)
    reduction_per_day = fields.Float(string="Less per Day Late (%)", default=2, tracking=True)
    own_risk_limited = fields.Boolean(string="Limit Own Risk", tracking=True)
    own_risk_maximum = fields.Monetary(
        tracking=True, help="What a recommended limit may exceed the insurer's cover by. Zero: nothing."
    )
    step = fields.Monetary(string="Round Down To", default=100, tracking=True)
    factor_1 = fields.Float(string="Factor, Class 1", default=1, tracking=True)
    factor_2 = fields.Float(string="Factor, Class 2", default=0.9, tracking=True)
    factor_3 = fields.Float(string="Factor, Class 3", default=0.6, tracking=True)
    factor_4 = fields.Float(string="Factor, Class 4", default=0.3, tracking=True)
    factor_5 = fields.Float(string="Factor, Class 5", default=0, tracking=True)
    factor_unknown = fields.Float(string="Factor, Class Unknown", default=0.5, tracking=True)
    term_1 = fields.Integer(string="Days, Class 1", default=60, tracking=True)
    term_2 = fields.Integer(string="Days, Class 2", default=60, tracking=True)
    term_3 = fields.Integer(string="Days, Class 3", default=30, tracking=True)
    term_4 = fields.Integer(string="Days, Class 4", default=14, tracking=True)
    term_5 = fields.Integer(string="Days, Class 5", default=0, tracking=True)
    term_unknown = fields.Integer(string="Days, Class Unknown", default=30, tracking=True)

    _company_uniq = models.UniqueIndex("(company_id)", "This company has a formula already.")

    def _compute_figure_names(self):
        self.figure_names = ", ".join(FIGURES)

    @api.constrains(
        "expression",
        "step",
        *(f"{name}_{number}" for name in ("factor", "term") for number in (*range(1, 6), "unknown")),
        "buffer",
        "equity_share",
        "sales_share",
        "days_late_free",
        "reduction_per_day",
        "own_risk_maximum",
    )
    def _check_formula(self):
        for row in self:
            try:
                row._to_formula()
            except PolicyError as exc:
                raise ValidationError(self.env._("This formula cannot be used: %s", exc)) from exc
            numbers = [
                row[name] for name, field in row._fields.items() if field.type in ("float", "integer", "monetary")
            ]
            if min(numbers) < 0:
                raise ValidationError(self.env._("The numbers of the formula are zero or more."))

    def _to_formula(self):
        """The formula as ``rules.policy`` takes it; the defaults when there is none."""
        if not self:
            return Formula()
        classes = range(1, 6)
        return Formula(
            expression=self.expression,
            buffer=_exact(self.buffer),
            equity_share=_exact(self.equity_share),
            sales_share=_exact(self.sales_share),
            class_factors={number: _exact(self[f"factor_{number}"]) for number in classes},
            unknown_class_factor=_exact(self.factor_unknown),
            class_terms={number: self[f"term_{number}"] for number in classes},
            unknown_class_term=self.term_unknown,
            days_late_free=_exact(self.days_late_free),
            reduction_per_day=_exact(self.reduction_per_day),
            own_risk_maximum=_exact(self.own_risk_maximum) if self.own_risk_limited else None,
            step=_exact(self.step),
        )


def _exact(value):
    """A setting's float as the number that was typed in."""
    return Decimal(f"{value:.6f}").normalize() + 0
