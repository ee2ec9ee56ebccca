"""Where a connection leads: connector, environment, policyholder. What an insurer numbered there is unknown elsewhere.

A key is stored with what is sent, so that after a switch (tests to production, another connector, another customer
number) nothing is asked about or repeated where it was never sent.
"""

import json

from markupsafe import Markup

from odoo import api, fields, models

from odoo.addons.credit_insurance.connectors import CONNECTORS, Environment

from . import credit_insurance_account  # noqa: F401 (has to be loaded first)

SHOWN_OF_EACH = 10
FOR_TESTS = f'["{Environment.TEST.value}", '  # how the key of a test environment begins


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    elsewhere_html = fields.Html(
        string="Sent Elsewhere",
        compute="_compute_elsewhere_html",
        help="What is open where this connection led before.",
    )

    def _get_place(self, environment=None):
        """The key of where this connection leads, or would lead in ``environment``."""
        self.ensure_one()
        environment = environment or self._get_environment()
        given = self.sudo().setting_ids._get_values("setting", environment)
        holder = [
            given.get(setting.name, setting.default)
            for setting in CONNECTORS[self.connector].settings
            if setting.names_holder
        ]
        return json.dumps([environment.value, self.id, self.connector, *holder])

    def _describe_place(self, place):
        """A key in words."""
        environment, _account, code, *holder = json.loads(place)
        words = [CONNECTORS[code].label if code in CONNECTORS else code]
        words.append(self.env._("production") if environment == Environment.PRODUCTION else self.env._("tests"))
        return ", ".join([*words, *filter(None, holder)])

    # === WHAT IS OPEN ELSEWHERE === #

    @api.depends("state", "connector")
    def _compute_elsewhere_html(self):
        names = self.env["credit.insurance.submission"]._get_submission_models()
        readable = [self.env[name] for name in names if self.env[name].has_access("read")]
        for account in self:
            used = account.id and account.state != "disabled"
            lists = [model._list_elsewhere(account) for model in readable] if used else []
            account.elsewhere_html = Markup().join(lists) or False
