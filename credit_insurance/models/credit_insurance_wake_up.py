"""Insurers that call when something changed. A call says at most where to look; the truth is read from the insurer.

    POST /credit_insurance/webhook/<secret> -> a note of what to ask for -> job: notes put together -> narrow pull

So whoever has the secret can make us look, and nothing else. Calls beyond so many a minute are not looked at one by
one: a single note then says that everything is to be asked for.
"""

import hashlib
import hmac
import logging
import secrets
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from odoo.addons.credit_insurance.connectors import CONNECTORS, Operation
from odoo.addons.queue_job.exception import RetryableJobError

from . import credit_insurance_account  # noqa: F401 (has to be loaded first)

_logger = logging.getLogger(__name__)

CALLS_A_MINUTE = 20
IDS_AT_ONCE = 200  # more than so many numbers at once, and everything is asked for
SECONDS = 3  # calls often come in groups
FLOOD_SECONDS = 60
PATH = "/credit_insurance/webhook/"
# The lists of a pull; the other calls ask about one submission each.
LISTED = {Operation.COVER_PAGE, Operation.GRADES, Operation.GRADE_CHANGES, Operation.COVER_REQUEST_PAGE}


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    webhook_secret = fields.Char(
        readonly=True, copy=False, exportable=False, groups="base.group_system", help="The last part of the address."
    )
    webhook_digest = fields.Char(copy=False, exportable=False, groups=fields.NO_ACCESS, index="btree_not_null")
    webhook_url = fields.Char(
        string="Address for the Insurer's Calls", compute="_compute_webhook_url", groups="base.group_system"
    )
    webhook_signing_key = fields.Char(
        string="Signing Key",
        compute="_compute_webhook_signing_key",
        inverse="_inverse_webhook_signing_key",
        groups="base.group_system",
        copy=False,
        exportable=False,
        help="Where the insurer signs its calls: unsigned ones are ignored. Can be set and replaced, never read again.",
    )
    stored_webhook_signing_key = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    webhook_signature_header = fields.Char(
        string="Signature Header",
        groups="base.group_system",
        help="The header with the HMAC-SHA256 of the body in hexadecimal, with or without “sha256=” before it.",
    )

    # === COMPUTE METHODS === #

    @api.depends("webhook_secret")
    def _compute_webhook_url(self):
        for account in self:
            secret = account.webhook_secret
            account.webhook_url = secret and f"{account.get_base_url()}{PATH}{secret}"

    def _compute_webhook_signing_key(self):
        self.webhook_signing_key = False

    def _inverse_webhook_signing_key(self):
        for account in self.filtered("webhook_signing_key"):
            account.sudo().stored_webhook_signing_key = account.webhook_signing_key.strip()

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su:
            vals = {name: value for name, value in vals.items() if name not in ("webhook_secret", "webhook_digest")}
        return super().write(vals)

    # === ACTION METHODS === #

    def action_renew_webhook_secret(self):
        """Give the connection a new address for the insurer's calls; the old one is unknown from now on."""
        self.ensure_one()
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("This is for the system's administrators."))
        secret = secrets.token_urlsafe(32)
        self.sudo().write({"webhook_secret": secret, "webhook_digest": _digest(secret)})
        return True

    def action_remove_webhook_secret(self):
        """Take the address away: the insurer's calls reach nobody."""
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("This is for the system's administrators."))
        self.sudo().write({"webhook_secret": False, "webhook_digest": False})
        return True

    # === BUSINESS METHODS === #

    @api.model
    def _find_by_secret(self, secret):
        """The connection whose address ends in ``secret``, or none.

        It is looked up by its digest, of which a guess tells nothing, and compared in constant time.
        """
        account = self.sudo().search([("webhook_digest", "=", _digest(secret))], limit=1)
        known = account.webhook_secret or secrets.token_urlsafe(32)
        return account if hmac.compare_digest(known.encode(), secret.encode()) and account else account.browse()

    def _is_signed(self, headers, body):
        """Whether the call carries the signature that this connection asks for, if it asks for one."""
        key = self.sudo().stored_webhook_signing_key
        if not key:
            return True
        name = (self.sudo().webhook_signature_header or "x-signature-256").lower()
        given = headers.get(name, "").strip().removeprefix("sha256=").lower()
        wanted = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), given.encode())

    def _take_call(self, headers, body):
        """Note what a call of the insurer is about, and have it asked for. What cannot be used is passed over.

        :param headers: of the call, names in lower case
        """
        self.ensure_one()
        if self._get_refusal() or self._is_neutralized() or not self._is_signed(headers, body):
            return
        try:
            wake_up = CONNECTORS[self.connector].read_wake_up(headers, body)
        except Exception as exc:  # the call comes from outside: whatever is wrong with it, nothing must follow
            _logger.info("A call for connection %s could not be read: %s", self.id, type(exc).__name__)
            return
        if wake_up:
            self.env["credit.insurance.wake.up"].sudo()._note(self, wake_up)


class CreditInsuranceWakeUp(models.Model):
    """A call of an insurer, until it is followed up. Rows are only added, so that calls never wait for each other."""

    _name = "credit.insurance.wake.up"
    _description = "Call of an Insurer"
    _log_access = False
    _order = "id"
    _rec_name = "received_at"

    account_id = fields.Many2one("credit.insurance.account", required=True, ondelete="cascade", index=True)
    received_at = fields.Datetime(required=True, default=fields.Datetime.now)
    operations = fields.Json(help="The calls whose answers may have changed; empty: all of them.")
    buyer_ids = fields.Json()
    request_ids = fields.Json()
    done = fields.Boolean()

    # === INTAKE === #

    @api.model
    def _note(self, account, wake_up):
        """Add a note; once there are too many, one that stands for all further ones until it is followed up."""
        since = fields.Datetime.now() - timedelta(minutes=1)
        recent = [("account_id", "=", account.id), ("received_at", ">", since)]
        flood = self.search_count(recent, limit=CALLS_A_MINUTE) >= CALLS_A_MINUTE
        everything = [("account_id", "=", account.id), ("operations", "=", False), ("done", "=", False)]
        if flood and self.search_count(everything, limit=1):
            return
        buyers, requests = _cut(wake_up.buyer_ids), _cut(wake_up.request_ids)
        wide = flood or max(len(wake_up.buyer_ids), len(wake_up.request_ids)) > IDS_AT_ONCE
        self.create(
            {
                "account_id": account.id,
                "operations": False if wide else sorted(wake_up.operations),
                "buyer_ids": False if wide else buyers,
                "request_ids": False if wide else requests,
            }
        )
        self._enqueue(account, FLOOD_SECONDS if flood else SECONDS)

    @api.model
    def _enqueue(self, account, seconds):
        # Never at once, whatever the caller's context says.
        model = self.browse().with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        model.with_delay(
            eta=timedelta(seconds=seconds),
            identity_key=f"credit_insurance.wake-up-{account.id}",
            description=f"Follow up calls of {account.name}",
        )._job_follow_up(account.id)

    # === FOLLOWING UP === #

    @api.model
    def _job_follow_up(self, account_id):
        """Ask the insurer for what its calls were about."""
        account = self.env["credit.insurance.account"].browse(account_id).exists()
        notes = self.search([("account_id", "=", account_id), ("done", "=", False)])
        if not notes or not account or account._get_refusal():
            notes.write({"done": True})
            return
        running = self.env["credit.insurance.pull"]._get_running(account)
        if running and running._has_job():
            # It may have passed what has changed since.
            raise RetryableJobError("A pull is running", seconds=30, ignore_retry=True)
        notes = notes.try_lock_for_update()
        notes.write({"done": True})
        if notes:
            self._ask(account, *notes._put_together())

    def _put_together(self):
        """``(operations, numbers of buyers, numbers of requests)`` of these notes; operations are None for all, and
        no numbers stand for all numbers."""
        if any(not note.operations for note in self):
            return None, [], []
        operations = {name for note in self for name in note.operations}
        narrow = all(note.buyer_ids for note in self if LISTED & set(note.operations))
        named = all(note.request_ids for note in self if set(note.operations) - LISTED)
        buyers = {number for note in self for number in note.buyer_ids or ()} if narrow else ()
        requests = {number for note in self for number in note.request_ids or ()} if named else ()
        return operations, *(sorted(ids) if len(ids) <= IDS_AT_ONCE else [] for ids in (buyers, requests))

    @api.model
    def _ask(self, account, operations, buyers, requests):
        if operations is None or LISTED & operations:
            if not self.env["credit.insurance.pull"]._start(account, operations, buyers):
                raise RetryableJobError("A pull has just begun", seconds=30, ignore_retry=True)
        self._ask_submissions(account, operations, requests)

    @api.model
    def _ask_submissions(self, account, operations, requests):
        """Have asked how what we sent stands: what the calls named, or whatever is open."""
        for name in self.env["credit.insurance.submission"]._get_submission_models():
            model = self.env[name]
            if operations is not None and not model._get_status_operations() & operations:
                continue
            if not requests:
                model._enqueue_questions(account, IDS_AT_ONCE)
                continue
            named = model._get_asked_domain(account) & Domain("insurer_reference", "in", requests)
            for record in model.search(named, limit=IDS_AT_ONCE):
                if record._can_ask_status():
                    record._delayed("status")._job_status()

    @api.autovacuum
    def _gc_notes(self):
        day = fields.Datetime.now() - timedelta(days=1)
        self.search([("received_at", "<", day)]).unlink()


def _digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


def _cut(numbers):
    """Numbers as they may be kept: what comes from outside has limits."""
    return [number[:64] for number in numbers[:IDS_AT_ONCE]]
