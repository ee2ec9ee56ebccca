from odoo import fields, models

from .credit_insurance_rule_actions import ROLES


class ResCompany(models.Model):
    """Whom this company puts risk alerts before."""

    _inherit = "res.company"

    credit_role_critical = fields.Selection(
        ROLES, string="Critical Alerts", default="credit_responsible", required=True
    )
    credit_role_high = fields.Selection(ROLES, string="High Alerts", default="credit_responsible", required=True)
    credit_role_warning = fields.Selection(ROLES, string="Warnings", default="credit_responsible", required=True)
    credit_role_info = fields.Selection(ROLES, string="Information", default="credit_responsible", required=True)
    credit_alert_digest = fields.Boolean(
        string="Digest of Risk Alerts",
        help="Credit officers can ask, in their preferences, for one mail a day or a week about what is new.",
    )

    def _get_credit_role(self, role):
        """The person in this role; a salesperson depends on the document, without one it is the responsible.

        The credit manager is another one than the responsible where there are two.
        """
        self.ensure_one()
        responsible = self._get_credit_responsible()
        if role == "credit_manager":
            managers = self.env["credit.insurance.authority"]._get_managers(self)
            people = managers.filtered(lambda user: not user._is_superuser()) or managers
            return (people - responsible).sorted("id", reverse=True)[:1] or people[:1] or responsible
        return responsible
