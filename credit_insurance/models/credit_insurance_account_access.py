"""How a connection is reached: addresses, credentials, and what the server lends to the transport."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.credit_insurance.connectors import (
    CONNECTORS,
    Credentials,
    Environment,
    Hooks,
    TransportOptions,
)

from . import credit_insurance_account  # noqa: F401 (has to be loaded first)
from .credit_insurance_account_setting import BAD_NAME, UNAVAILABLE
from .credit_insurance_call import SharedLimiter, get_customer_key
from .credit_insurance_token import SharedTokenStore
from .secret_sources import FILE_NAME, SecretUnavailable, get_path

SETTING_READERS = "base.group_system,credit_insurance.credit_insurance_group_admin"


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    base_url = fields.Char(
        string="Test Address",
        groups="base.group_system",
        tracking=True,
        help="The insurer's test environment, or a gateway to it. Empty: the connector's own addresses.",
    )
    production_base_url = fields.Char(
        string="Production Address",
        groups="base.group_system",
        tracking=True,
        help="Empty: the connector's own addresses. The address for tests is never used in production, nor this one "
        "for tests.",
    )
    allow_http = fields.Boolean(
        string="Plain HTTP",
        groups="base.group_system",
        tracking=True,
        help="For an insurer's gateway inside your own network that has no certificate. Everything is readable on the "
        "way to it.",
    )
    ca_file = fields.Char(
        string="Certificates",
        groups="base.group_system",
        help="File below the directory for secrets: certificates to trust instead of the machine's.",
    )
    setting_ids = fields.One2many(
        "credit.insurance.account.setting", "account_id", string="Settings", groups=SETTING_READERS, copy=False
    )
    plain_setting_ids = fields.One2many(
        "credit.insurance.account.setting",
        "account_id",
        domain=[("kind", "=", "setting")],
        groups=SETTING_READERS,
        copy=False,
    )
    secret_ids = fields.One2many(
        "credit.insurance.account.setting",
        "account_id",
        domain=[("kind", "=", "secret")],
        string="Secrets",
        groups=SETTING_READERS,
        copy=False,
    )
    address_ids = fields.One2many(
        "credit.insurance.account.setting",
        "account_id",
        domain=[("kind", "=", "address")],
        string="Addresses",
        groups=SETTING_READERS,
        copy=False,
    )
    api_key = fields.Char(
        string="API Key",
        compute="_compute_api_key",
        inverse="_inverse_api_key",
        groups="base.group_system",
        copy=False,
        exportable=False,
        help="Sets the secret of this name for the environment in use. Can be set and replaced, and never read again.",
    )
    has_secrets = fields.Boolean(
        string="Secrets Present",
        compute="_compute_has_secrets",
        compute_sudo=True,
        help="Every secret the connector needs in the environment in use can be read.",
    )

    # === COMPUTE METHODS === #

    def _compute_api_key(self):
        self.api_key = False

    def _inverse_api_key(self):
        for account in self.filtered("api_key"):
            account._sync_settings()
            environment = account._get_environment().value
            rows = account.sudo().setting_ids.filtered(
                lambda row, wanted=environment: (row.kind, row.name, row.environment) == ("secret", "api_key", wanted)
            )
            if not rows:
                raise UserError(self.env._("This connector has no API key: enter its secrets one by one."))
            rows.secret = account.api_key

    @api.depends("connector", "state", "setting_ids.present")
    def _compute_has_secrets(self):
        for account in self:
            environment = account._get_environment().value
            needed = account.setting_ids.filtered(
                lambda row, wanted=environment: row.kind == "secret" and row.environment == wanted and row.required
            )
            account.has_secrets = all(needed.mapped("present"))

    @api.constrains("ca_file")
    def _check_ca_file(self):
        for account in self.sudo():
            if account.ca_file and not FILE_NAME.fullmatch(account.ca_file):
                raise ValidationError(self.env._(BAD_NAME))

    # === SETTINGS === #

    def _sync_settings(self):
        """See that there is a row for each thing the connector has to be told, and none for what it no longer knows."""
        rows = self.env["credit.insurance.account.setting"].sudo()
        for account in self.sudo():
            wanted = rows._get_wanted(account.connector)
            present = {(row.kind, row.environment, row.name): row for row in account.setting_ids}
            rows.union(*(row for key, row in present.items() if key not in wanted)).unlink()
            rows.create(
                [
                    {"account_id": account.id, "kind": kind, "environment": place, "name": name, "sequence": sequence}
                    for (kind, place, name), sequence in wanted.items()
                    if (kind, place, name) not in present
                ]
            )

    @api.model
    def _sync_all_settings(self):
        """After an update of the addon: connectors may ask for more than before."""
        self.sudo().with_context(active_test=False).search([("connector", "!=", False)])._sync_settings()

    # === CONNECTION === #

    def _get_capabilities(self):
        """The operations the connector offers; none when the connector is not there (any more)."""
        self.ensure_one()
        connector = CONNECTORS.get(self.connector)
        return connector.capabilities() if connector else frozenset()

    def _get_environment(self):
        self.ensure_one()
        return Environment.PRODUCTION if self.state == "enabled" else Environment.TEST

    def _get_connection_values(self, environment):
        """What the connector is told for one environment: nothing of the other one is ever among it.

        :raise UserError: a secret cannot be read
        """
        account = self.sudo()  # addresses and secrets are hidden from those who may pull
        rows = account.setting_ids
        production = environment is Environment.PRODUCTION
        values = {
            "base_url": (account.production_base_url if production else account.base_url) or "",
            "credentials": Credentials(**rows._get_values("secret", environment)),
            "environment": environment,
            "settings": rows._get_values("setting", environment),
            "addresses": rows._get_values("address", environment),
        }
        if account.allow_http or account.ca_file:
            values["options"] = TransportOptions(allow_http=account.allow_http, ca_bundle=account._get_ca_path())
        return values

    def _get_ca_path(self):
        if not self.ca_file:
            return ""
        try:
            return get_path(self.ca_file)
        except SecretUnavailable as exc:
            raise UserError(self.env._(UNAVAILABLE[exc.reason])) from exc

    def _get_services(self, environment, about=None):
        """Who records the exchanges, counts the calls and keeps the tokens: the same for all workers."""
        dbname = self.env.cr.dbname
        credentials = Credentials(**self.sudo().setting_ids._get_values("secret", environment))
        salt = self.env["ir.config_parameter"].sudo().get_param("database.secret") or dbname
        return {
            "hooks": Hooks(
                on_exchange=self.env["credit.insurance.exchange"]._make_recorder(self, about),
                limiter=self._get_limiter(environment, credentials, salt),
            ),
            "token_store": SharedTokenStore(dbname, self.id, credentials, salt),
        }

    def _get_limiter(self, environment, credentials, salt):
        """Keeps to the rates of the insurer, over all connections that are one customer to it; None without rates."""
        connector = CONNECTORS[self.connector]
        if not connector.rates:
            return None
        told = connector.customer(credentials, self.sudo().setting_ids._get_values("setting", environment))
        # A connection of which nothing is known shares with nobody.
        customer = get_customer_key(self.connector, environment.value, told or (f"account {self.id}",), salt)
        return SharedLimiter(self.env.cr.dbname, customer, self.connector, connector.rates)
