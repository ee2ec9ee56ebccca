"""Adapter: the policy as the terms that the insurance arithmetic of ``rules.policy`` works with."""

from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.credit_insurance.rules.policy import (
    Base,
    Freeze,
    InvalidTerms,
    MissedNotification,
    Period,
    PolicyTerms,
    Unit,
)

from .amounts import percentage, to_decimal

# The kinds of the policy's periods, by the name of the term they set.
TERM_OF_KIND = {
    "reminder": "reminder",
    "dunning": "dunning",
    "escalation": "escalation",
    "end_of_mep": "mep",
    "restoration": "restoration",
    "notification": "notification",
    "date_of_loss": "waiting",
    "claim": "claim",
    "adverse_information": "adverse_information",
}
# An extension given to the buyer moves these, and never what the insurer counts.
DUNNING_KINDS = ("reminder", "dunning", "escalation")


class CreditInsurancePolicy(models.Model):
    _inherit = "credit.insurance.policy"

    @api.constrains("period_ids", "disputed_share", "tolerance")
    def _check_terms(self):
        for policy in self:
            policy._get_terms()

    def _get_terms(self):
        """The policy as ``PolicyTerms``; a period the policy does not state keeps the generic template's value.

        :raise ValidationError: a value no policy can have, such as a claim period counted from a later day
        """
        self.ensure_one()
        policy = self.sudo()
        try:
            return PolicyTerms(
                currency=policy.currency_id.name,
                date_start=policy.date_start or None,
                date_end=policy.date_end or None,
                countries=frozenset(policy.country_ids.mapped("code")) or None,
                insured_percentage=percentage(policy.insured_percentage),
                tax_included=policy.tax_included,
                max_payment_term_days=policy.max_payment_term_days or None,
                max_invoicing_days=policy.max_invoicing_days or None,
                covers_public_buyers=policy.covers_public_buyers,
                covers_private_persons=policy.covers_private_persons,
                covers_affiliates=policy.covers_affiliates,
                refill=policy.refill,
                freeze=Freeze(policy.freeze),
                disputed_share=percentage(policy.disputed_share),
                tolerance=to_decimal(policy.tolerance, policy.currency_id),
                missed_notification=MissedNotification(policy.missed_notification),
                **policy._get_loss_terms(),
                **{TERM_OF_KIND[period.kind]: period._get_period() for period in policy.period_ids},
            )
        except InvalidTerms as exc:
            raise ValidationError(
                self.env._("Policy %(number)s: %(problem)s", number=self.number, problem=exc)
            ) from exc

    def _get_loss_terms(self):
        """What the policy deducts from a loss, and what it pays at most (zero in the form: no maximum)."""
        currency = self.currency_id
        return {
            "threshold": to_decimal(self.threshold, currency),
            "minimum_retention": to_decimal(self.minimum_retention, currency),
            "each_and_every_first_loss": to_decimal(self.each_and_every_first_loss, currency),
            "aggregate_first_loss_left": to_decimal(self.aggregate_first_loss, currency),
            "maximum_liability_left": to_decimal(self.maximum_liability, currency) or None,
        }


class CreditInsurancePolicyPeriod(models.Model):
    _inherit = "credit.insurance.policy.period"

    @api.constrains("kind", "number", "unit", "base")
    def _check_period(self):
        for period in self:
            if period.base == "extended_due_date" and period.kind not in DUNNING_KINDS:
                raise ValidationError(
                    self.env._(
                        "%(kind)s is counted from the original due date: an extension given to the buyer does not "
                        "move what is owed to the insurer.",
                        kind=dict(self._fields["kind"]._description_selection(self.env))[period.kind],
                    )
                )
        self.policy_id._check_terms()

    def _get_period(self):
        """This row as a ``Period``. The deadlines themselves count dunning from the extended due date."""
        self.ensure_one()
        base = "due_date" if self.base == "extended_due_date" else self.base
        return Period(self.number, Unit(self.unit), Base(base), self.last_day_counts)
