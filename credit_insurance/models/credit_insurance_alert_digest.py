"""What is new among risk alerts: one mail a day or a week for whoever asks for it, over all companies of that person.

A company switches digests on (off by default); each credit officer chooses daily or weekly in the own preferences.
"""

from datetime import timedelta

from odoo import api, fields, models

from .alert_kinds import USER_GROUP
from .company_calendar import day_begin

LISTED = 20
DAYS = {"daily": 1, "weekly": 7}


class ResUsers(models.Model):
    _inherit = "res.users"

    credit_digest = fields.Selection(
        [("daily", "Every day"), ("weekly", "Every week")],
        string="Digest of Risk Alerts",
        help="One mail about what is new, where a company of yours has switched digests on.",
    )
    credit_digest_sent_on = fields.Date(readonly=True, copy=False)

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "credit_digest"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, "credit_digest"]


class CreditInsuranceAlertDigest(models.AbstractModel):
    _name = "credit.insurance.alert.digest"
    _description = "Digest of Risk Alerts"

    @api.model
    def _cron_send(self):
        """Every hour: whose day has begun and who is due gets a mail, if there is anything to tell."""
        companies = self.env["res.company"].sudo().search([("credit_alert_digest", "=", True)]).root_id
        officers = self.env.ref(USER_GROUP).sudo().all_user_ids
        readers = officers.filtered(lambda user: user.active and not user.share and user.credit_digest and user.email)
        for user in readers:
            today = fields.Date.context_today(self.with_context(tz=user.tz or "UTC"))
            last = user.credit_digest_sent_on
            own = companies & user.company_ids
            if own and (not last or (today - last).days >= DAYS[user.credit_digest]):
                self._send(user, own, last or today - timedelta(days=DAYS[user.credit_digest]))
                user.credit_digest_sent_on = today

    @api.model
    def _send(self, user, companies, since):
        """Queue one mail to ``user`` about all ``companies``; none when nothing is new and nothing waits.

        :param since: the day, where the user is, from whose beginning on things are new
        """
        texts = self.with_context(lang=user.lang, tz=user.tz)
        start = day_begin(since, user.tz or "UTC")
        parts = [part for company in companies if (part := texts._get_part(company, start))]
        if not parts:
            return
        base_url = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        body = texts.env["ir.qweb"]._render(
            "credit_insurance.credit_insurance_alert_digest", {"parts": parts, "user": user, "base_url": base_url}
        )
        raised = sum(part["raised"] for part in parts)
        self.env["mail.mail"].sudo().create(
            {
                "subject": texts.env._("New risk alerts: %s", raised),
                "body_html": body,
                "email_to": user.email_formatted,
                "author_id": self.env.ref("base.partner_root").id,
                "auto_delete": True,
            }
        )

    @api.model
    def _get_part(self, company, start):
        """One company's figures since that moment; None when there is nothing to tell."""
        alerts = self.env["credit.insurance.alert"].sudo()
        told = [("company_id", "=", company.id), ("observe_only", "=", False)]
        new = [*told, ("first_seen", ">=", start), ("state", "=", "open")]
        part = {
            "company": company.name,
            "raised": alerts.search_count(new),
            "ended": alerts.search_count([*told, ("ended_on", ">=", start)]),
            "open": alerts.search_count([*told, ("state", "=", "open")]),
            "waiting": self.env["credit.insurance.action.task"]
            .sudo()
            .search_count([("company_id", "=", company.id), ("state", "in", ("waiting", "todo", "failed"))]),
        }
        if not part["raised"] and not part["ended"] and not part["waiting"]:
            return None
        listed = alerts.search(new, limit=LISTED)
        severities = dict(alerts._fields["severity"]._description_selection(self.env))
        part["alerts"] = [(alert.id, severities[alert.severity], alert.told) for alert in listed]
        part["more"] = part["raised"] - len(listed)
        return part
