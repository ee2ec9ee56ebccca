"""Where the wrong entity is seen: on the decision card of orders, and on claims, which are not handed in for it."""

from odoo import api, models
from odoo.exceptions import UserError


class CreditInsuranceClaim(models.Model):
    _inherit = "credit.insurance.claim"

    def _get_warnings(self):
        return [*super()._get_warnings(), *(link._describe_difference() for link in self._get_wrong_entities())]

    def _check_ready(self):
        """The insurer pays for the entity it covers: a claim for another one is not handed in."""
        result = super()._check_ready()
        if links := self._get_wrong_entities():
            way_out = self.env._(
                "Correct the contact, or the insured entity under “Buyers at Insurers”, before the claim is handed in."
            )
            raise UserError("\n".join([*(link._describe_difference() for link in links), way_out]))
        return result

    def _get_wrong_entities(self):
        self.ensure_one()
        claim = self.sudo()
        return claim.buyer_id._get_wrong_entities(claim.policy_id.account_id)


class CreditInsuranceCard(models.AbstractModel):
    _inherit = "credit.insurance.card"

    @api.model
    def _make(self, order):
        """A warning on the card while an insurer covers another entity than the one that will be invoiced.

        Numbers are said to the credit group only.
        """
        card = super()._make(order)
        if not card:
            return card
        links = self._get_wrong_entities(order.sudo())
        if links:
            texts = [self._describe_wrong_entity(link) for link in links]
            card["reasons"] = [*card["reasons"], *({"kind": "warn", "text": text} for text in texts)]
            card["tone"] = "tight" if card["tone"] == "pass" else card["tone"]
        return card

    @api.model
    def _get_wrong_entities(self, order):
        partner, company = order._credit_buyer_partner()._origin, order.company_id.root_id
        return self.env["credit.insurance.buyer"].sudo()._find(partner, company)._get_wrong_entities()

    @api.model
    def _describe_wrong_entity(self, link):
        if self.env.user.has_group("credit_insurance.credit_insurance_group_user"):
            return link.with_env(self.env)._describe_difference()
        return self.env._("The insurer covers another legal entity than the one that is invoiced.")
