"""Telling another system about an alert: a signed JSON body, sent by a job from the task that says what is sent.

The receiver checks ``X-Credit-Signature: sha256=<hex>``, the HMAC of ``<X-Credit-Timestamp>.<body>`` under the shared
secret, and tells repetitions by ``X-Credit-Delivery``, which is the same for every try of one task.
"""

import hashlib
import hmac
import json
import logging
import time

import requests

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.credit_insurance.connectors.deadline import Deadline
from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt
from odoo.addons.queue_job.exception import RetryableJobError

from .webhook_address import AllowedInside, InternalAddress, PublicAddresses, shorten_address, split_address

_logger = logging.getLogger(__name__)

CONNECT_SECONDS, READ_SECONDS = 5, 15  # to connect, and between two bytes of the answer
TOTAL_SECONDS = 30  # a receiver that trickles does not keep the worker
MAX_TRIES = 6
ALLOWED_PARAMETER = "credit_insurance.webhook_hosts_inside"


class CreditInsuranceWebhook(models.Model):
    """An address outside that is told about alerts."""

    _name = "credit.insurance.webhook"
    _description = "Webhook of Risk Alerts"
    _order = "name"

    name = fields.Char(required=True)
    url = fields.Char(string="Address", required=True, groups="base.group_system")
    secret = fields.Char(required=True, copy=False, groups="base.group_system", help="Signs what is sent.")
    company_id = fields.Many2one("res.company", domain="[('parent_id', '=', False)]", help="Empty: every company.")
    active = fields.Boolean(default=True)

    @api.constrains("url")
    def _check_url(self):
        for hook in self.sudo():
            if not (where := split_address(hook.url)):
                raise ValidationError(
                    self.env._(
                        "“%s” is not an address that a webhook can call: it begins with https://, names a host and "
                        "holds no password.",
                        shorten_address(hook.url) or hook.name,
                    )
                )
            try:
                self._get_allowed().check_name(*where)
            except InternalAddress as error:
                raise ValidationError(self._describe_inside(where[0], error)) from error

    def write(self, vals):
        """:raise UserError: rules that are reviewed call it, and it would lead elsewhere without a review"""
        leading = {name: vals[name] for name in ("url", "company_id") if name in vals}
        moved = self.filtered(lambda hook: any(hook[name] != hook.new(leading)[name] for name in leading))
        if moved and (rule := moved._find_reviewed_rules()[:1]):
            text = self.env._(
                "“%s” calls this webhook and is reviewed: make another webhook and propose it on the rule.",
                rule.display_name,
            )
            raise UserError(text)
        return super().write(vals)

    def _find_reviewed_rules(self):
        """The rules that need a review and call these webhooks in a version that counts or was looked at."""
        domain = [("webhook_id", "in", self.ids), ("state", "in", ("review", "approved", "active"))]
        versions = self.env["credit.insurance.rule.version"].sudo().search(domain)
        return versions.rule_id.filtered("review_needed")

    @api.model
    def _get_allowed(self):
        return AllowedInside(self.env["ir.config_parameter"].sudo().get_param(ALLOWED_PARAMETER))

    @api.model
    def _describe_inside(self, host, address):
        return self.env._(
            "“%(host)s” leads inside, to %(address)s: webhooks call public addresses only. If this is meant, a system "
            "administrator allows the host in the settings.",
            host=host,
            address=address,
        )

    def _get_refusal(self, company):
        """Why nothing is sent, or None."""
        self.ensure_one()
        if not self.active:
            return self.env._("The webhook is switched off.")
        if self.company_id and self.company_id != company:
            return self.env._("The webhook belongs to another company.")
        if self.env["ir.config_parameter"].sudo().get_param("database.is_neutralized"):
            return self.env._("This is a copy of the database: nothing leaves it.")
        return None

    def _post(self, delivery, payload):
        """Send once; returns the HTTP status.

        :raise requests.RequestException: no answer
        :raise InternalAddress: the address leads inside and is not allowed
        """
        hook, allowed = self.sudo(), self._get_allowed()
        allowed.check_name(*split_address(hook.url))
        body = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
        timestamp = str(int(time.time()))
        signature = hmac.new(hook.secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "X-Credit-Timestamp": timestamp,
            "X-Credit-Signature": f"sha256={signature.hexdigest()}",
            "X-Credit-Delivery": delivery,
        }
        with requests.Session() as session:
            session.mount("https://", self._make_adapter(allowed))
            # Whoever answers for the address may not send the figures elsewhere.
            answer = session.post(
                hook.url.strip(), data=body, headers=headers, timeout=READ_SECONDS, allow_redirects=False, stream=True
            )
            answer.close()
            return answer.status_code

    @api.model
    def _make_adapter(self, allowed):
        deadline = Deadline(time.monotonic)
        deadline.at = time.monotonic() + TOTAL_SECONDS
        return PublicAddresses(allowed, CONNECT_SECONDS, deadline)


class CreditInsuranceAction(models.AbstractModel):
    _inherit = "credit.insurance.action"

    @api.model
    def _action_webhook(self, tasks):
        for task in tasks:
            hook = task.rule_id.webhook_id
            refusal = hook._get_refusal(task.company_id) if hook else _lt("Choose a webhook on the rule.")
            if refusal:
                task._set_state("failed", refusal)
                continue
            task._set_state("queued", _lt("To be sent to %(webhook)s.", webhook=hook.name))
            task._enqueue_call()


class CreditInsuranceActionTask(models.Model):
    _inherit = "credit.insurance.action.task"

    def _enqueue_call(self):
        # Never at once, whatever the caller's context says: the context comes from the client.
        task = self.with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        task.with_delay(
            identity_key=f"credit_insurance_webhook-{self.id}",
            description=f"Webhook for risk alert {self.alert_id.id}",
            max_retries=MAX_TRIES,
        )._job_call()

    def _job_call(self):
        """Send the task's alert to the webhook of its rule."""
        self.ensure_one()
        if not self.try_lock_for_update():
            raise RetryableJobError("The task is being worked on", seconds=10, ignore_retry=True)
        if self.state != "queued":
            return f"{self.state}: nothing to send"
        hook = self.rule_id.webhook_id
        if refusal := hook._get_refusal(self.company_id) if hook else _lt("Choose a webhook on the rule."):
            return self._record_call("failed", refusal)
        try:
            status = hook._post(f"alert-{self.alert_id.id}-task-{self.id}", self._prepare_payload())
        except InternalAddress as exc:
            return self._record_call("failed", hook._describe_inside(hook.name, exc))
        except (requests.ConnectionError, requests.Timeout) as exc:
            raise RetryableJobError(f"No answer: {type(exc).__name__}") from exc
        except requests.RequestException as exc:
            return self._record_call("failed", _lt("It cannot be called: %(error)s", error=type(exc).__name__))
        if status == 429 or status >= 500:
            raise RetryableJobError(f"The webhook answered {status}")
        if 200 <= status < 300:
            return self._record_call("done", _lt("Sent to %(webhook)s.", webhook=hook.name))
        return self._record_call("failed", _lt("The webhook answered %(status)s.", status=status))

    def _record_call(self, state, note):
        self._set_state(state, note, done_on=fields.Datetime.now())
        return note

    def _on_call_failed(self, exc_info, exc_name, exc_message):
        """The job gave up after all its tries."""
        for task in self.filtered(lambda task: task.state == "queued"):
            task._record_call("failed", exc_message or exc_name)

    def _prepare_payload(self):
        """What is sent; amounts are exact numbers as texts, in the company's currency."""
        alert, partner = self.alert_id, self.partner_id
        return {
            "event": "risk_alert",
            "alert": alert.id,
            "state": alert.state,
            "rule": alert.rule_id.key,
            "severity": alert.severity,
            "message": alert.message,
            "first_seen": f"{alert.first_seen.isoformat()}Z",
            "company": alert.company_id.name,
            "currency": alert.currency_id.name,
            "buyer": {
                "id": partner.id,
                "name": partner.name,
                "registration_number": partner.company_registry or None,
                "country": partner.country_id.code or None,
            },
            "document": {"model": alert.res_model, "id": alert.res_id, "name": alert.document_name}
            if alert.res_model
            else None,
            "values": alert.values_now,
        }
