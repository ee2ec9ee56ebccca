from odoo import api, fields, models
from odoo.exceptions import ValidationError

RISK_CLASSES = [
    ("1", "1 - Very low risk"),
    ("2", "2 - Low risk"),
    ("3", "3 - Medium risk"),
    ("4", "4 - High risk"),
    ("5", "5 - Very high risk"),
]


class CreditInsuranceGradeScale(models.Model):
    """An insurer's own scale of buyer grades, mapped to our risk classes by data that people may edit."""

    _name = "credit.insurance.grade.scale"
    _description = "Grade Scale"
    _order = "name"

    name = fields.Char(required=True, translate=True)
    higher_is_better = fields.Boolean(
        help="Coface's DRA goes up with quality (10 is best), Allianz Trade's grade goes down (1 is best)."
    )
    line_ids = fields.One2many("credit.insurance.grade.scale.line", "scale_id", string="Grades", copy=True)

    def _get_risk_class(self, grade):
        """The risk class ("1".."5") this scale gives to a raw grade, or False: an unknown grade is never guessed."""
        self.ensure_one()
        return self.line_ids.filtered(lambda line: line.grade == (grade or "").strip())[:1].risk_class


class CreditInsuranceGradeScaleLine(models.Model):
    _name = "credit.insurance.grade.scale.line"
    _description = "Grade of a Scale"
    _order = "scale_id, sequence, id"

    scale_id = fields.Many2one("credit.insurance.grade.scale", required=True, ondelete="cascade", index=True)
    sequence = fields.Integer(default=10)
    grade = fields.Char(required=True, help="The grade exactly as the insurer sends it.")
    risk_class = fields.Selection(RISK_CLASSES, required=True)
    label = fields.Char(translate=True)

    _grade_uniq = models.UniqueIndex("(scale_id, grade)", "This grade stands twice in the scale.")

    @api.constrains("grade")
    def _check_grade(self):
        for line in self:
            if line.grade != line.grade.strip():
                raise ValidationError(self.env._("Remove the spaces around grade “%s”.", line.grade))
