from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import InsurerCover, Layer, LineCode

from . import credit_insurance_signals  # noqa: F401 (has to be loaded first)
from .credit_insurance_signals import ZERO

# Why a cover does not count, as the status people know; in all of these the insurer has answered "nothing".
ENDED_STATUS = {LineCode.REFUSED: "refused", LineCode.WITHDRAWN: "withdrawn", LineCode.EXPIRED: "expired"}


class CreditInsuranceSignals(models.AbstractModel):
    """Limit and cover as the gate judges them, in the company's currency."""

    _inherit = "credit.insurance.signals"

    @api.model
    def _add_limits(self, facts, today, as_of):
        pairs = {buyer_id: (values["_partner"], values["_company"]) for buyer_id, values in facts.items()}
        limits = self.env["credit.insurance.limit"]._get_limits(pairs.values(), today, on=today if as_of else None)
        for buyer_id, pair in pairs.items():
            found, values = limits[pair], facts[buyer_id]
            same = found.currency_id == values["_currency"]
            rate = 1 if same else self._get_rate(pair[1], found.currency_id, today)
            described = self._describe_cover(found.limit, rate, today)
            values.update((key, value) for key, value in described.items() if value is not None)
            values["is_configured"] = found.checked
            if found.limit.amount is not None:
                values["limit_in_force"] = found.limit.amount.amount * rate
            if not found.limit.unreadable:
                values["_insured_limit"] = found.limit.insured.amount * rate

    @api.model
    def _describe_cover(self, limit, in_company, today):
        """The insurer's answer in words and figures; without one in force, what the latest answer says."""
        lines = [line for line in limit.lines if isinstance(line.row, InsurerCover)]
        if not lines:
            return {"cover_status": "none"}
        # What the company's own limit outweighs is cover all the same.
        standing = [line for line in lines if line.amount is not None]
        if standing:
            main = max(standing, key=lambda line: (line.row.layer is Layer.PERMANENT, line.amount.amount))
            until = limit.insured_until
            return {
                "cover_status": main.row.status.value,
                "cover_amount": sum(line.amount.amount for line in standing) * in_company,
                "insured_percentage": main.row.percentage,
                "days_to_cover_end": (until - today).days if until else None,
                "data_age": limit.data_age_days,
            }
        latest = max(lines, key=lambda line: (line.code in ENDED_STATUS, line.row.start))
        return {
            "cover_status": ENDED_STATUS.get(latest.code, latest.row.status.value),
            "cover_amount": ZERO if latest.code in ENDED_STATUS else None,
            "data_age": latest.age_days,
        }
