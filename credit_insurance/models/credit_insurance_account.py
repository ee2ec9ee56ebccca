from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import LazyTranslate, plaintext2html

from odoo.addons.credit_insurance.connectors import (
    CONNECTORS,
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    NotSupported,
    Operation,
    RateLimited,
    RejectedByInsurer,
    TransportError,
    UnexpectedResponse,
    connect,
)
from odoo.addons.credit_insurance.connectors.files import Envelope, FileError, Reading, read
from odoo.addons.queue_job.exception import RetryableJobError

from .guarded_fields import without_fields
from .marked_words import tell_error

_lt = LazyTranslate(__name__)

# Set by what happens, never by a client.
FLOW_FIELDS = ("last_success", "last_error", "last_error_at", "covers_pulled_at", "grades_pulled_at")
EXPLANATIONS = {
    ConfigurationError: _lt("The connection is not set up correctly: %(detail)s."),
    NotSupported: _lt("This insurer's interface does not offer that."),
    AuthenticationError: _lt("The insurer does not accept our key, or our right to ask this: %(detail)s."),
    RejectedByInsurer: _lt("The insurer refused, in its own words: “%(words)s” (%(code)s)"),
    UnexpectedResponse: _lt("The insurer's answer could not be read: %(detail)s."),
    RateLimited: _lt("The insurer accepts no more calls for the moment. It will be asked again later."),
    TransportError: _lt("The insurer could not be reached: %(detail)s."),
    ConnectorError: _lt("The exchange with the insurer failed: %(detail)s."),
}


class CreditInsuranceAccount(models.Model):
    """A company's connection to one insurer: which connector, which environment; its settings are rows of their own."""

    _name = "credit.insurance.account"
    _description = "Insurer Connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "company_id, name"
    _check_company_auto = True

    name = fields.Char(required=True)
    insurer_id = fields.Many2one("credit.insurance.insurer", required=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company.root_id)
    connector = fields.Selection(
        "_selection_connector", required=True, default=lambda self: next(iter(CONNECTORS)), tracking=True
    )
    state = fields.Selection(
        [("disabled", "Disabled"), ("test", "Test"), ("enabled", "Production")],
        string="Environment",
        default="disabled",
        required=True,
        tracking=True,
        copy=False,
        help="Test: the insurer's test environment, with the secrets for tests. Production is switched on by a system "
        "administrator and refused on copies of the database.",
    )
    responsible_id = fields.Many2one(
        "res.users", help="Gets the activity when a pull fails. Empty: the company's credit responsible."
    )
    last_success = fields.Datetime(readonly=True, copy=False)
    last_error = fields.Text(readonly=True, copy=False)
    last_error_at = fields.Datetime(string="Last Error On", readonly=True, copy=False)
    covers_pulled_at = fields.Datetime(
        string="Covers As Of", readonly=True, copy=False, help="When the last complete list of covers was asked for."
    )
    grades_pulled_at = fields.Datetime(string="Grades As Of", readonly=True, copy=False)
    policy_ids = fields.One2many("credit.insurance.policy", "account_id", string="Policies")
    link_ids = fields.One2many("credit.insurance.buyer.link", "account_id", string="Buyers")
    pull_ids = fields.One2many("credit.insurance.pull", "account_id", string="Pulls")
    unlinked_ids = fields.One2many("credit.insurance.unlinked.buyer", "account_id", string="Buyers Not Linked")
    link_count = fields.Integer(compute="_compute_counts")
    unlinked_count = fields.Integer(compute="_compute_counts")
    active = fields.Boolean(default=True)
    edifact_sender = fields.Char(
        string="EDIFACT Sender",
        tracking=True,
        help="Our identification in EDIFACT files as agreed with the insurer, with its qualifier behind a colon where "
        "there is one: 5412345000013:14.",
    )
    edifact_recipient = fields.Char(string="EDIFACT Recipient", tracking=True, help="The insurer's, likewise.")

    # === COMPUTE METHODS === #

    def _compute_counts(self):
        links = dict(
            self.env["credit.insurance.buyer.link"]._read_group(
                [("account_id", "in", self.ids)], ["account_id"], ["__count"]
            )
        )
        unlinked = dict(
            self.env["credit.insurance.unlinked.buyer"]._read_group(
                [("account_id", "in", self.ids)], ["account_id"], ["__count"]
            )
        )
        for account in self:
            account.link_count = links.get(account, 0)
            account.unlinked_count = unlinked.get(account, 0)

    # === SELECTIONS AND CONSTRAINTS === #

    @api.model
    def _selection_connector(self):
        return [(code, connector.label) for code, connector in CONNECTORS.items()]

    @api.constrains("company_id")
    def _check_root_company(self):
        for account in self:
            if account.company_id.parent_id:
                raise ValidationError(
                    self.env._("The connection belongs to %s, not to its branch.", account.company_id.root_id.name)
                )

    @api.constrains("edifact_sender", "edifact_recipient")
    def _check_edifact(self):
        for account in self:
            try:
                Envelope(account.edifact_sender or "SENDER", account.edifact_recipient or "RECIPIENT")
            except ValueError as exc:
                raise ValidationError(
                    self.env._(
                        "Sender and recipient in EDIFACT have up to 35 characters, with a qualifier of up to four "
                        "behind a colon, such as 5412345000013:14."
                    )
                ) from exc

    @api.constrains("insurer_id")
    def _check_one_insurer(self):
        self.sudo().policy_ids._check_one_insurer()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, FLOW_FIELDS)
        accounts = super().create(vals_list)
        accounts._check_switch("enabled" if "enabled" in accounts.mapped("state") else "")
        accounts._sync_settings()
        return accounts

    def write(self, vals):
        if not self.env.su:
            vals = {name: value for name, value in vals.items() if name not in FLOW_FIELDS}
        if any(account.state != "enabled" for account in self):
            self._check_switch(vals.get("state"))
        moved = self.filtered(lambda account: vals.get("connector", account.connector) != account.connector)
        if "enabled" in moved.mapped("state"):
            raise UserError(self.env._("In production the connector stays: switch the connection to tests first."))
        # What one insurer was told is nothing for another.
        moved.sudo().setting_ids.unlink()
        result = super().write(vals)
        moved._sync_settings()
        return result

    def _check_switch(self, state):
        """Production is begun by ``credit.insurance.account.enable`` only."""
        if state == "enabled" and not self.env.su:
            raise UserError(self.env._("Production is switched on by “Switch to Production”, which asks first."))

    # === ACTIONS === #

    def action_use_for_tests(self):
        self._check_role("credit_insurance.credit_insurance_group_admin")
        self.write({"state": "test"})
        return True

    def action_disable(self):
        self._check_role("credit_insurance.credit_insurance_group_admin")
        self.write({"state": "disabled"})
        return True

    def action_pull(self):
        """Pull now: grades and covers of all buyers, in the background."""
        self._check_role("credit_insurance.credit_insurance_group_manager")
        self.check_access("read")
        for account in self:
            refusal = account._get_refusal()
            if refusal:
                raise UserError(refusal)
            if not account.can_pull:
                raise UserError(self.env._("“%s” tells nothing by itself: read its files.", account.name))
            self.env["credit.insurance.pull"]._start(account)
        return self._notify("info", self.env._("The insurer is being asked. The answers appear on the buyers."))

    def action_match_buyers(self):
        """Look for the insurer's numbers of all buyers without one, in the background; where it cannot be asked, the
        file that asks it."""
        self.ensure_one()
        self._check_role("credit_insurance.credit_insurance_group_manager")
        self.check_access("read")
        if refusal := self._get_refusal():
            raise UserError(refusal)
        if Operation.FIND_BUYER not in self._get_capabilities():
            return self._download_lookups()
        self.env["credit.insurance.buyer.link"]._start_matching(self)
        return self._notify("info", self.env._("The insurer is being asked for the numbers of buyers without one."))

    def action_open_links(self):
        return self._open("credit_insurance.credit_insurance_buyer_link_action")

    def action_open_unlinked(self):
        return self._open("credit_insurance.credit_insurance_unlinked_buyer_action")

    def action_open_pulls(self):
        return self._open("credit_insurance.credit_insurance_pull_action")

    # === CONNECTION === #

    def _connect(self, about=None):
        """An open connection to the insurer, to be used in a ``with`` statement.

        :param about: the record the calls are about: the exchanges are listed under it. In a job it is the job's.
        :raise UserError: the connection may not be used (see ``_get_refusal``)
        :raise ConnectorError: it cannot work as it is set up; say it to people with ``_explain``
        """
        self.ensure_one()
        if refusal := self._get_refusal():
            raise UserError(refusal)
        environment = self._get_environment()
        return connect(
            self.connector, **self._get_connection_values(environment), **self._get_services(environment, about)
        )

    @contextmanager
    def _job_errors(self):
        """Around calls in a job: what another try may mend is tried again, the rest is said in plain words."""
        try:
            yield
        except ConnectorError as exc:
            message = self._explain(exc)
            if exc.retryable:
                raise RetryableJobError(message) from exc
            raise UserError(message) from exc

    def _get_reading(self):
        """How files are to be read that come back over this connection, or over none."""
        values = self.sudo().setting_ids._get_values("setting", self._get_environment()) if self else {}
        try:
            return Reading.from_settings(values)
        except ValueError as exc:
            error = ConfigurationError(tell_error(self.env, exc), insurer=self.connector)
            raise UserError(self._explain(error)) from exc

    def _read_answers(self, content, filename):
        """What a file of the insurer says, ``connectors.files.FileAnswers``; of none, for a policy without connection.

        :param content: bytes
        :raise UserError: it cannot be read
        """
        try:
            return read(content, filename or "", self._get_reading())
        except FileError as exc:
            raise UserError(self.env._("The file could not be read: %s", tell_error(self.env, exc))) from exc

    def _get_refusal(self):
        """Why this connection may not be used, in the user's language; empty when it may."""
        self.ensure_one()
        if refusal := self._get_disabled_refusal():
            return refusal
        if self.state == "enabled" and self._is_neutralized():
            return self.env._(
                "This is a neutralized copy of the database: the connection “%s” may only be used for tests.", self.name
            )
        return ""

    def _get_disabled_refusal(self):
        """Of what ``_get_refusal`` says, what holds for files too, which people carry."""
        if not self.active or self.state == "disabled":
            return self.env._("The connection “%s” is disabled.", self.name)
        return ""

    @api.model
    def _is_neutralized(self):
        return bool(self.env["ir.config_parameter"].sudo().get_param("database.is_neutralized"))

    def _explain(self, error):
        """What a ``ConnectorError`` means, in the user's language."""
        text = next(EXPLANATIONS[kind] for kind in type(error).__mro__ if kind in EXPLANATIONS)
        values = {
            "detail": error.message.rstrip("."),
            "words": getattr(error, "words", ""),
            "code": getattr(error, "code", "") or getattr(error, "status", None) or "-",
        }
        template = self.env._(text)
        return template % values

    # === BUSINESS METHODS === #

    def _get_pulled_policies(self):
        """The policies whose covers are asked for, in the order of their ids."""
        today = self.company_id._credit_today()
        policies = self.policy_ids.filtered(lambda policy: not policy.date_end or policy.date_end >= today)
        return policies.sorted("id")

    def _record_success(self):
        now = fields.Datetime.now()
        self.sudo().write({"last_success": now, "last_error": False, "last_error_at": False})
        self.activity_unlink(["mail.mail_activity_data_warning"])

    def _record_failure(self, message):
        """Keep the error, and tell the responsible once, however often it happens before it is put right."""
        self.sudo().write({"last_error": message, "last_error_at": fields.Datetime.now()})
        for account in self:
            user = account._get_responsible()
            if user and not account.activity_search(["mail.mail_activity_data_warning"]):
                account.activity_schedule(
                    "mail.mail_activity_data_warning",
                    user_id=user.id,
                    summary=self.env._("Insurer data could not be pulled"),
                    note=plaintext2html(message or ""),
                )

    def _get_responsible(self):
        if user := self.responsible_id or self.company_id.credit_responsible_id:
            return user
        administrators = self.env.ref("credit_insurance.credit_insurance_group_admin").all_user_ids
        return administrators.filtered(lambda user: self.company_id in user.company_ids)[:1]

    def _check_role(self, group):
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(self.env._("This is for the credit managers and administrators."))

    def _open(self, xmlid):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return {**action, "domain": [("account_id", "=", self.id)], "context": {"default_account_id": self.id}}

    def _notify(self, kind, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "sticky": kind in ("warning", "danger"),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
