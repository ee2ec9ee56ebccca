"""Who is told what about a hold: activities, notes in the chatter, and mails where the company wants them.

Everybody is told in their own language.
"""

import logging

from odoo import SUPERUSER_ID, models
from odoo.tools import plaintext2html

from .credit_insurance_hold_decision import ACTIVITY
from .errors import CONCURRENCY_ERRORS

_logger = logging.getLogger(__name__)

MAILS = {
    "open": "credit_insurance.mail_template_hold_opened",
    "released": "credit_insurance.mail_template_hold_decided",
    "rejected": "credit_insurance.mail_template_hold_decided",
    "cleared": "credit_insurance.mail_template_hold_ready",
    "lapsed": "credit_insurance.mail_template_hold_decided",
}


class CreditInsuranceHold(models.Model):
    _inherit = "credit.insurance.hold"

    def _tell_opened(self):
        """A new hold: somebody with authority gets an activity, and a mail where the company wants one."""
        for hold in self:
            hold.decider_id = self.env["credit.insurance.authority"]._choose_decider(hold._make_ask())
            hold._schedule_decision()
            hold._send_mail("open", hold.decider_id)

    def _tell_changed(self):
        """Held again with other figures: the activity says these, and moves on to somebody who may decide them."""
        authority = self.env["credit.insurance.authority"]
        for hold in self:
            activities = hold.with_context(mail_activity_quick_update=True).activity_search([ACTIVITY])
            ask = hold._make_ask()
            if hold.decider_id not in authority._find_deciders(ask):
                hold.decider_id = activities.user_id = authority._choose_decider(ask)
                hold._send_mail("open", hold.decider_id)
            for activity in activities:
                activity.summary = hold.with_context(lang=activity.user_id.lang)._get_activity_summary()

    def _schedule_decision(self, note=None, user=None):
        """The activity of whoever decides, in their language."""
        for hold in self:
            decider = user or hold.decider_id or hold._get_decider() or self.env.user
            told = hold.with_context(lang=decider.lang)
            # By the system: an activity of the rep's own could be deleted by the rep. Without core's mail about it:
            # whether mails are wanted is a setting of the company.
            told.with_user(SUPERUSER_ID).with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY,
                summary=told._get_activity_summary(),
                note=plaintext2html(note) if note else False,
                user_id=decider.id,
            )

    def _get_activity_summary(self):
        self.ensure_one()
        if self.shortfall:
            return self.env._(
                "%(order)s is held: short %(amount)s", order=self.order_name, amount=self._format(self.shortfall)
            )
        return self.env._("%s is held by the credit gate", self.order_name)

    def _tell_decided(self):
        """Note on the document and to its salesperson: what was decided, by whom."""
        for hold in self:
            told = hold._with_lang_of_salesperson()
            state = dict(told._fields["state"]._description_selection(told.env))[hold.state]
            text = told.env._(
                "Credit hold %(hold)s: %(state)s by %(user)s. %(note)s",
                hold=hold.name,
                state=state,
                user=self.env.user.name,
                note=hold.note or "",
            )
            hold._tell_salesperson(hold.state, text)

    def _tell_ready(self):
        for hold in self:
            told = hold._with_lang_of_salesperson()
            hold._tell_salesperson("cleared", told._get_ready_text())

    def _get_ready_text(self):
        self.ensure_one()
        if self.picking_id:
            return self.env._("Credit hold %s has cleared: the delivery can be validated now.", self.name)
        if self.move_id:
            return self.env._("Credit hold %s has cleared: the invoice can be posted now.", self.name)
        if self.order_id.state == "sale":
            return self.env._("Credit hold %s has cleared: the change of the order can be saved now.", self.name)
        return self.env._("Credit hold %s has cleared: the order can be confirmed now.", self.name)

    def _tell_lapsed(self, days):
        for hold in self:
            told = hold._with_lang_of_salesperson()
            text = told.env._(
                "Credit hold %(hold)s lapsed: nobody decided it within %(days)s days. Confirm again to ask anew.",
                hold=hold.name,
                days=days,
            )
            hold._tell_salesperson("lapsed", text)

    def _with_lang_of_salesperson(self):
        return self.with_context(lang=self.salesperson_id.lang or self.env.user.lang)

    def _tell_salesperson(self, occasion, text):
        """A mail, where the company wants mails, and a note on the document, which tells who got none."""
        self.ensure_one()
        mailed = self._send_mail(occasion, self.salesperson_id)
        if document := self.sudo()._get_document():
            document.message_post(body=text, partner_ids=(self.salesperson_id - mailed).partner_id.ids)

    def _send_mail(self, occasion, users):
        """Queue a mail to ``users``, where the company wants mails; it leaves after the transaction has ended well.

        A template that somebody edited and broke keeps nobody from confirming or deciding.

        :return: those who get one
        """
        self.ensure_one()
        hold, mailed = self.sudo(), users.browse()
        template = self.env.ref(MAILS[occasion], raise_if_not_found=False)
        if not template or not hold.company_id.credit_hold_mail:
            return mailed
        # On the hold a mail that has not left would be read by everybody who reads the hold.
        values = {"email_from": self.env.user.email_formatted, "recipient_ids": [], "model": False, "res_id": False}
        for user in users.filtered("email"):
            try:
                with self.env.cr.savepoint():
                    # Rendered for who gets it: the credit team reads more than a rep. A template without a language
                    # takes that of the record's customer, but for the one that a preview of it asks for.
                    context = {"template_preview_lang": user.lang, "lang": user.lang, "credit_hold_reader": user.name}
                    told = template.with_user(user).sudo().with_context(**context)
                    told.send_mail(hold.id, email_values={**values, "email_to": user.email_formatted})
                mailed |= user
            except CONCURRENCY_ERRORS:
                raise
            except Exception:
                _logger.warning("No mail about credit hold %s to %s", hold.name, user.login, exc_info=True)
        return mailed
