from datetime import timedelta
from unittest.mock import patch

from odoo.addons.credit_insurance.connectors import DeclarationReceipt, LineRefusal
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox

from .submission_kind_case import SubmissionKindCase


class DeclarationCase(SubmissionKindCase):
    kind = "turnover"
    path = "/v1/turnover-declarations"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.end = cls.today.replace(day=1) - timedelta(days=1)
        cls.start = cls.end.replace(day=1)
        cls.germany, cls.france = cls.env.ref("base.de"), cls.env.ref("base.fr")
        cls.partner.country_id = cls.germany
        cls.french = cls.env["res.partner"].create(
            {"name": "Gamma SA", "is_company": True, "country_id": cls.france.id}
        )
        cls.sale = cls._sell(1000.0)

    @classmethod
    def _sell(cls, amount, partner=None, day=0, term=30, **values):
        """A posted invoice of the period, ``day`` days after it began."""
        issued = cls.start + timedelta(days=day)
        due = issued + timedelta(days=term)
        dates = {"invoice_date": issued, "invoice_date_due": due, "date": issued}
        return cls._make_invoice(amount, partner=partner or cls.partner, **dates, **values)

    def _make(self, kind="turnover", user=None, **values):
        vals = {"policy_id": self.policy.id, "kind": kind, "period_from": self.start, "period_to": self.end}
        return self.env["credit.insurance.declaration"].with_user(user or self.accountant).create({**vals, **values})

    def _amounts(self, declaration):
        lines = declaration.line_ids
        return {(line.country_id.code, line.left_out or ""): line.amount for line in lines}

    def _receipt(self, refusals):
        now = self.env.cr.now().astimezone()
        return DeclarationReceipt("DT-1", "R", now, refusals=tuple(refusals))

    def _refuse(self, declaration, *references):
        """Send it to an insurer that takes all but these lines."""
        with patch.object(Sandbox, f"declare_{declaration.kind}") as declare:
            declare.return_value = self._receipt([LineRefusal(name, "C7", "No") for name in references])
            return self._submit(declaration)
