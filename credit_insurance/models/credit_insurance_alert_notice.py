"""Notifications about risk alerts: one each while they are few, then one that says how many there are."""

from odoo import api, fields, models
from odoo.tools import plaintext2html

from .alert_kinds import NOTICE, SINGLE_A_DAY
from .bulk_log import log_in_bulk

SHOWN = 10


class CreditInsuranceAlert(models.Model):
    _inherit = "credit.insurance.alert"

    def _notify_people(self):
        """Tell who looks after these alerts, and put a line in each buyer's chatter; returns ``{alert: name}``."""
        people = self._get_people()
        by_buyer = self.grouped("buyer_id")
        # Who looks after the buyer reads its chatter.
        bodies = {
            buyer.id: plaintext2html(alerts.with_context(lang=people[alerts[0]].lang)._get_lines())
            for buyer, alerts in by_buyer.items()
        }
        log_in_bulk(self.buyer_id, bodies)
        for (company, user), alerts in self.grouped(lambda alert: (alert.company_id, people[alert])).items():
            if user:
                alerts._notify(company, user)
        return {alert: user.name for alert, user in people.items()}

    def _notify(self, company, user):
        """Tell one person: each alert by itself, or all in one, and nothing more on a day that had many already."""
        seen = self._count_notified(user)
        alerts = self.with_context(lang=user.lang)
        records = alerts if alerts._may_read(user, company) else alerts.partner_id
        if seen + len(alerts) <= SINGLE_A_DAY:
            for record in records:
                own = alerts.filtered(lambda alert, record=record: record in (alert, alert.partner_id))
                self._send_notice(record, user, own)
        elif seen <= SINGLE_A_DAY:
            self._send_notice(records[0], user, alerts)

    @api.model
    def _send_notice(self, record, user, alerts):
        subject = alerts.env._("Risk alert: %s", alerts[0].display_name)
        if len(alerts) > 1:
            subject = alerts.env._("%s risk alerts", len(alerts))
        record.message_notify(
            partner_ids=user.partner_id.ids,
            subject=subject,
            body=plaintext2html(alerts._get_lines()),
            subtype_xmlid=NOTICE,
        )

    def _get_lines(self):
        """The messages of these alerts in the reader's language, a line each, the first of them only."""
        lines = [alert.told for alert in self[:SHOWN]]
        if len(self) > SHOWN:
            lines.append(self.env._("… and %s more", len(self) - SHOWN))
        return "\n".join(lines)

    @api.model
    def _count_notified(self, user):
        """How many notifications about alerts the user got today."""
        start = fields.Datetime.now().replace(hour=0, minute=0, second=0)
        return (
            self.env["mail.message"]
            .sudo()
            .search_count(
                [
                    ("model", "in", (self._name, "res.partner")),
                    ("message_type", "=", "user_notification"),
                    ("subtype_id", "=", self.env.ref(NOTICE).id),
                    ("partner_ids", "in", user.partner_id.ids),
                    ("date", ">=", start),
                ]
            )
        )
