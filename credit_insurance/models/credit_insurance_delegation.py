from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_date


class CreditInsuranceDelegation(models.Model):
    """Who decides credit while somebody is away. It lends the absent one's own authority and is not passed on."""

    _name = "credit.insurance.delegation"
    _description = "Credit Delegation"
    _inherit = ["mail.thread"]
    _order = "date_from desc, id desc"

    name = fields.Char(compute="_compute_name", string="Delegation")
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
        tracking=True,
    )
    from_user_id = fields.Many2one(
        "res.users",
        string="Away",
        required=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
        index=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
    )
    to_user_id = fields.Many2one(
        "res.users",
        string="Deputy",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
    )
    date_from = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
    date_to = fields.Date(string="Until", required=True, tracking=True, help="The last day counts.")
    reason = fields.Char(required=True, tracking=True)

    _dates_ordered = models.Constraint("CHECK(date_to >= date_from)", "A delegation ends after it begins.")
    _two_people = models.Constraint("CHECK(from_user_id <> to_user_id)", "Nobody is their own deputy.")

    @api.depends_context("lang")
    @api.depends("from_user_id", "to_user_id", "date_to")
    def _compute_name(self):
        for row in self:
            if not (row.to_user_id and row.from_user_id and row.date_to):
                row.name = False
                continue
            row.name = self.env._(
                "%(deputy)s for %(absent)s until %(date)s",
                deputy=row.to_user_id.name,
                absent=row.from_user_id.name,
                date=format_date(self.env, row.date_to),
            )

    @api.constrains("to_user_id", "company_id")
    def _check_deputy(self):
        for row in self:
            if row.to_user_id not in self.env["credit.insurance.authority"]._get_managers(row.company_id):
                raise ValidationError(
                    self.env._(
                        "%(user)s is not a credit manager of %(company)s.",
                        user=row.to_user_id.name,
                        company=row.company_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._check_delegator()
        return rows

    def write(self, vals):
        self._check_delegator()
        result = super().write(vals)
        self._check_delegator()
        return result

    def _check_delegator(self):
        """:raise AccessError: somebody else than the absent one, or an administrator, lends their authority"""
        if self.env.su or self.env.user.has_group("credit_insurance.credit_insurance_group_admin"):
            return
        if self.from_user_id - self.env.user:
            raise AccessError(self.env._("You can name a deputy for yourself only; an administrator can for others."))

    @api.model
    def _get_active(self, company, from_user=None, to_user=None):
        """Delegations in force today between people who still work here."""
        today = company._credit_today()
        domain = [("company_id", "=", company.id), ("date_from", "<=", today), ("date_to", ">=", today)]
        if from_user is not None:
            domain.append(("from_user_id", "in", from_user.ids))
        if to_user is not None:
            domain.append(("to_user_id", "in", to_user.ids))
        rows = self.sudo().with_context(active_test=False).search(domain)
        return rows.filtered(lambda row: row.from_user_id.active and row.to_user_id.active)
