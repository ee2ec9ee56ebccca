"""A portfolio of the simulator's, some of whose buyers are ours."""

from datetime import date
from decimal import Decimal

from odoo.addons.credit_insurance.connectors import Cover, CoverStatus

from .common import CreditCommon
from .simulator_case import POLICY_NUMBER, SimulatorCase


class PullCommon(SimulatorCase, CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.atelier = cls._make_linked_buyer("1001", "Atelier Lumière SARL")
        cls.iberia = cls._make_linked_buyer("1006", "Iberia Frutas S.L.")
        cls.lakes = cls._make_linked_buyer("1008", "Great Lakes Supply Inc.")

    def _covers(self, buyer):
        return self.env["credit.insurance.cover"].search([("buyer_id", "=", buyer.id)], order="id")

    @staticmethod
    def _cover(reference, number, **values):
        return Cover(
            **{
                "cover_id": reference,
                "buyer_id": number,
                "policy_number": POLICY_NUMBER,
                "status": CoverStatus.APPROVED,
                "raw_code": "APPROVED",
                "currency": "EUR",
                "amount": Decimal(1),
                "effective_from": date(2026, 1, 1),
                **values,
            }
        )
