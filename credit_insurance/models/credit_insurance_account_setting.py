"""What a connector has to be told, a row each: settings, secrets by environment, corrected addresses by environment.

The rows follow the connector's own list (``Insurer.settings``, ``endpoints``); people fill them in and add none. A
secret is never read again once it is in: there is no field that holds it for anybody but the server itself.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import LazyTranslate

from odoo.addons.credit_insurance.connectors import CONNECTORS, Environment

from .guarded_fields import without_fields
from .secret_sources import FILE_NAME, VARIABLE, SecretUnavailable, read_file, read_variable

_lt = LazyTranslate(__name__)

MAX_LENGTH = 16_000
EDITABLE = {"value", "source", "secret", "variable", "file_name"}
BAD_NAME = _lt("This is not the name of a file below the directory for secrets.")
UNAVAILABLE = {
    "no_directory": _lt("odoo.conf names no directory for secrets ([credit_insurance] secrets_directory)."),
    "bad_name": BAD_NAME,
    "missing": _lt("There is no such file, or the server may not read it."),
    "not_regular": _lt("This is no ordinary file."),
    "too_large": _lt("The file is too large for a secret."),
    "not_text": _lt("The file is empty, or is no text in UTF-8."),
}


class CreditInsuranceAccountSetting(models.Model):
    _name = "credit.insurance.account.setting"
    _description = "Setting of an Insurer Connection"
    _order = "account_id, kind, sequence, environment desc, id"
    _rec_name = "label"

    account_id = fields.Many2one(
        "credit.insurance.account", string="Connection", required=True, ondelete="cascade", index=True, readonly=True
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    kind = fields.Selection(
        [("setting", "Setting"), ("secret", "Secret"), ("address", "Address")], required=True, readonly=True
    )
    environment = fields.Selection(
        [("both", "Test and Production"), ("test", "Test"), ("production", "Production")],
        default="both",
        required=True,
        readonly=True,
    )
    name = fields.Char(string="Technical Name", required=True, readonly=True)
    sequence = fields.Integer(readonly=True)
    label = fields.Char(string="Name", compute="_compute_description")
    help = fields.Char(string="Explanation", compute="_compute_description")
    required = fields.Boolean(compute="_compute_description")
    default = fields.Char(string="Unless Entered", compute="_compute_description")
    value = fields.Char(help="Empty: what stands under “Unless Entered”.")
    source = fields.Selection(
        [("database", "Database"), ("variable", "Environment Variable"), ("file", "File")],
        string="Kept In",
        default="database",
        required=True,
        help="Where the server finds the secret.",
    )
    secret = fields.Char(
        compute="_compute_secret",
        inverse="_inverse_secret",
        groups="base.group_system",
        copy=False,
        exportable=False,
        help="Can be set and replaced, and never read again.",
    )
    stored_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    variable = fields.Char(
        groups="base.group_system",
        help="Variable of the server's environment. Its name begins with CREDIT_INSURANCE_.",
    )
    file_name = fields.Char(
        string="File",
        groups="base.group_system",
        help="Below the directory that odoo.conf names: [credit_insurance] secrets_directory.",
    )
    present = fields.Boolean(compute="_compute_present", compute_sudo=True)

    _name_uniq = models.UniqueIndex("(account_id, kind, environment, name)", "This setting exists already.")

    # === COMPUTE METHODS === #

    @api.depends("account_id.connector", "kind", "name", "environment")
    def _compute_description(self):
        for row in self:
            connector = CONNECTORS.get(row.account_id.connector)
            row.label, row.help, row.required, row.default = row.name, False, False, False
            if row.kind == "address":
                endpoint = getattr(connector, "endpoints", {}).get(row.name)
                if endpoint:
                    row.help = False if endpoint.verified else self.env._("Not shown in the insurer's public pages.")
                    row.default = getattr(endpoint, row.environment) or endpoint.path
                continue
            setting = next((each for each in getattr(connector, "settings", ()) if each.name == row.name), None)
            if setting:
                row.label, row.help, row.required = setting.label, setting.help, setting.required
                row.default = False if setting.secret else setting.default

    def _compute_secret(self):
        self.secret = False

    def _inverse_secret(self):
        for row in self.filtered("secret"):
            if row.kind != "secret":
                raise UserError(self.env._("“%s” is no secret: enter it as a value.", row.label))
            row.sudo().write({"stored_secret": row.secret.strip(), "source": "database"})

    @api.depends("stored_secret", "source", "variable", "file_name", "value", "default", "kind")
    def _compute_present(self):
        for row in self:
            row.present = bool(row._read_quietly() if row.kind == "secret" else row.value or row.default)

    # === CONSTRAINTS === #

    @api.constrains("variable", "file_name", "source")
    def _check_source(self):
        for row in self.sudo():
            if row.variable and not VARIABLE.fullmatch(row.variable):
                raise ValidationError(
                    self.env._("The variable's name begins with CREDIT_INSURANCE_ and holds capitals, digits and _.")
                )
            if row.file_name and not FILE_NAME.fullmatch(row.file_name):
                raise ValidationError(self.env._(BAD_NAME))

    @api.constrains("value", "stored_secret", "kind")
    def _check_value(self):
        for row in self.sudo():
            if row.kind == "secret" and row.value:
                raise ValidationError(self.env._("“%s” is a secret: enter it as such.", row.label))
            if max(len(row.value or ""), len(row.stored_secret or "")) > MAX_LENGTH:
                raise ValidationError(self.env._("“%s” is too long.", row.label))
            if any(ord(char) < 32 and char not in "\t\r\n" for char in (row.value or "") + (row.stored_secret or "")):
                raise ValidationError(self.env._("“%s” holds control characters.", row.label))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, ["stored_secret"])
        return super().create(vals_list)

    def write(self, vals):
        """People fill rows in; which rows there are is the connector's business. What changed is noted, not to what."""
        if not self.env.su and (other := set(vals) - EDITABLE):
            raise UserError(self.env._("These cannot be changed here: %s", ", ".join(sorted(other))))
        result = super().write(vals)
        if not self.env.su and EDITABLE & set(vals):
            self._note_change()
        return result

    def _note_change(self):
        """Say in the connection's chatter whose settings changed, without what they were or are."""
        for account, rows in self.grouped("account_id").items():
            environments = dict(self._fields["environment"]._description_selection(self.env))
            names = ", ".join(f"{row.label} ({environments[row.environment]})" for row in rows)
            account._message_log(body=self.env._("Changed: %s", names))

    # === READING === #

    def _read_secret(self):
        """The secret from where it is kept. The caller has made sure of the rights.

        :raise UserError: its file cannot be read
        """
        self.ensure_one()
        row = self.sudo()
        if row.source == "variable":
            return read_variable(row.variable)
        if row.source == "database":
            return row.stored_secret or ""
        try:
            return read_file(row.file_name)
        except SecretUnavailable as exc:
            reason = self.env._(UNAVAILABLE[exc.reason])
            raise UserError(self.env._("%(name)s: %(reason)s", name=row.label, reason=reason)) from exc

    def _read_quietly(self):
        try:
            return self._read_secret()
        except UserError:
            return ""

    def _get_values(self, kind, environment):
        """``{name: value}`` of what is entered for one environment, of what the connector knows."""
        rows = self.sudo().filtered(lambda row: row.kind == kind and row.environment in ("both", environment.value))
        read = type(self)._read_secret if kind == "secret" else (lambda row: row.value)
        return {row.name: value.strip() for row in rows if (value := read(row))}

    @api.model
    def _get_wanted(self, code):
        """The rows a connector asks for: ``{(kind, environment, name): sequence}``."""
        connector = CONNECTORS.get(code)
        environments = [environment.value for environment in Environment]
        wanted = {}
        for setting in getattr(connector, "settings", ()):
            for environment in environments if setting.secret else ["both"]:
                wanted["secret" if setting.secret else "setting", environment, setting.name] = len(wanted)
        for name in getattr(connector, "endpoints", {}):
            for environment in environments:
                wanted["address", environment, name] = len(wanted)
        return wanted
