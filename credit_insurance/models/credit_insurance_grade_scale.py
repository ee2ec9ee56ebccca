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
    direction_confirmed = fields.Boolean(
        default=True,
        help="Until somebody has confirmed with the insurer which end of the scale is the good one, "
        "its grades are shown as received and get no risk class.",
    )
    note = fields.Text(translate=True, help="Where the mapping comes from, and what of it is not certain.")
    line_ids = fields.One2many("credit.insurance.grade.scale.line", "scale_id", string="Grades", copy=True)
    insurer_ids = fields.One2many("credit.insurance.insurer", "grade_scale_id", string="Insurers")

    def action_reverse(self):
        """Turn the mapping round: the best risk class goes to the other end of the scale."""
        for scale in self:
            scale.higher_is_better = not scale.higher_is_better
            for line in scale.line_ids:
                line.risk_class = str(6 - int(line.risk_class))
        return True

    def _get_line(self, grade):
        """The line of this scale for a raw grade; empty for an unknown one, which is never guessed."""
        grade = (grade or "").strip()
        exact = self.line_ids.filtered(lambda line: line.grade == grade and not line.grade_to)[:1]
        return exact or self.line_ids.filtered(lambda line: line._includes(grade))[:1]

    def _get_risk_class(self, grade):
        """The risk class ("1".."5") this scale gives to a raw grade, or False."""
        return bool(self.direction_confirmed) and self._get_line(grade).risk_class


class CreditInsuranceGradeScaleLine(models.Model):
    """One grade, or a band of whole numbers from ``grade`` to ``grade_to``, both included."""

    _name = "credit.insurance.grade.scale.line"
    _description = "Grade of a Scale"
    _order = "scale_id, sequence, id"
    _rec_name = "grade"

    scale_id = fields.Many2one("credit.insurance.grade.scale", required=True, ondelete="cascade", index=True)
    sequence = fields.Integer(default=10)
    grade = fields.Char(required=True, help="The grade exactly as the insurer sends it.")
    grade_to = fields.Char(string="Up To", help="Last grade of a band of whole numbers. Empty: this one grade.")
    risk_class = fields.Selection(RISK_CLASSES, required=True)
    label = fields.Char(translate=True)

    _grade_uniq = models.UniqueIndex("(scale_id, grade)", "This grade stands twice in the scale.")

    @api.constrains("grade", "grade_to")
    def _check_grade(self):
        for line in self:
            if line.grade != line.grade.strip():
                raise ValidationError(self.env._("Remove the spaces around grade “%s”.", line.grade))
            if line.grade_to and not (
                line.grade.isdecimal() and line.grade_to.isdecimal() and int(line.grade) <= int(line.grade_to)
            ):
                raise ValidationError(
                    self.env._(
                        "A band goes from one whole number up to another, not from %(first)s to %(last)s.",
                        first=line.grade,
                        last=line.grade_to,
                    )
                )

    def _includes(self, grade):
        """Whether the band contains a raw grade."""
        return bool(self.grade_to) and grade.isdecimal() and int(self.grade) <= int(grade) <= int(self.grade_to)
