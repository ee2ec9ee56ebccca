"""Countries for which the insurer stopped cover: dated, since what was delivered before stays insured."""

from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from odoo.addons.credit_insurance.rules.policy import Stop, StopCause

from . import credit_insurance_policy  # noqa: F401 (has to be loaded first)


class CreditInsurancePolicyCountryStop(models.Model):
    """From one day to another, goods delivered to buyers of a country are not insured.

    A country taken from the policy's list is another thing: then nothing sold there is insured, whenever it left.
    """

    _name = "credit.insurance.policy.country.stop"
    _description = "Stop of Cover for a Country"
    _inherit = ["credit.insurance.cached"]
    _order = "policy_id, date_from desc, id"

    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="cascade", index=True)
    country_id = fields.Many2one("res.country", required=True)
    date_from = fields.Date(string="From", required=True, help="The first day on which deliveries are not insured.")
    date_to = fields.Date(string="Until", help="The last such day. Empty: until further notice.")
    reference = fields.Char(help="The insurer's circular or letter.")

    _dates_ordered = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "A stop of cover ends after it has begun."
    )

    @api.constrains("policy_id", "country_id", "date_from", "date_to")
    def _check_overlap(self):
        for row in self:
            others = row.policy_id.country_stop_ids.filtered(lambda one, row=row: one.country_id == row.country_id)
            if any(
                one.date_from <= (row.date_to or one.date_from) and row.date_from <= (one.date_to or row.date_from)
                for one in others - row
            ):
                raise ValidationError(
                    self.env._("Two stops of cover for %s overlap: change the one there is.", row.country_id.name)
                )

    @api.model
    def _get_stops(self, policy_id, country):
        """The stops under a policy of buyers in a country, oldest first.

        :param country: its ISO 3166 code; empty where it is not known
        """
        return [Stop(start, StopCause.COUNTRY, end) for start, end in self._get_all().get((policy_id, country), ())]

    @api.model
    def _is_stopped(self, policy_ids, country, today, grace_days=0):
        """Whether cover under any of these policies is stopped, and has been for longer than the days of grace."""
        before = today - timedelta(days=grace_days)
        stops = [stop for policy_id in policy_ids for stop in self._get_stops(policy_id, country)]
        return any(stop.covers(today) and stop.start <= before for stop in stops)

    @api.model
    @tools.ormcache()
    def _get_all(self):
        """``{(policy id, country code): ((first day, last day or None), ...)}``: few, and asked for at every order."""
        found = {}
        for row in self.sudo().search([], order="date_from, id"):  # pylint: disable=no-search-all
            key = row.policy_id.id, row.country_id.code
            found[key] = (*found.get(key, ()), (row.date_from, row.date_to or None))
        return found


class CreditInsurancePolicy(models.Model):
    _inherit = "credit.insurance.policy"

    country_stop_ids = fields.One2many(
        "credit.insurance.policy.country.stop", "policy_id", string="Countries Without Cover for Now", copy=True
    )
