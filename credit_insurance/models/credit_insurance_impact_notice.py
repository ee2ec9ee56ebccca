"""Telling whom a change of cover concerns: one activity per person and change, and one for all when there are many."""

from odoo import Command, fields, models
from odoo.tools import format_date

from .alert_kinds import SINGLE_A_DAY

ACTIVITY = "credit_insurance.mail_activity_type_impact"
SUMMARY = "credit_insurance.mail_activity_type_impact_summary"


class CreditInsuranceImpact(models.Model):
    _inherit = "credit.insurance.impact"

    def _tell(self):
        """Put each change that touches something before the people it concerns."""
        people = {impact: impact._get_people() for impact in self}
        told = self.filtered(lambda impact: people[impact])
        for impact in told:
            impact.write({"told_user_ids": [Command.set(people[impact].ids)], "told_at": fields.Datetime.now()})
        for user in self.env["res.users"].union(*people.values()):
            impacts = told.filtered(lambda impact, user=user: user in people[impact])
            if impacts._count_today(user) + len(impacts) > SINGLE_A_DAY:
                impacts._schedule_summary(user)
            else:
                self.env["mail.activity"].create([impact._prepare_activity(user) for impact in impacts])

    def _get_people(self):
        """The salespeople of the documents it touches and the credit responsible; nobody when it touches nothing."""
        self.ensure_one()
        sellers = self.line_ids.order_id.user_id
        people = sellers.browse()
        if self.line_ids or self.owed_amount > 0:
            people = sellers | self.company_id._get_credit_responsible()
        company = self.company_id
        return people.filtered(
            lambda user: user.active and not user.share and any(own.root_id == company for own in user.company_ids)
        )

    def _count_today(self, user):
        start = fields.Datetime.now().replace(hour=0, minute=0, second=0)
        kinds = [self.env.ref(ACTIVITY).id, self.env.ref(SUMMARY).id]
        domain = [("activity_type_id", "in", kinds), ("user_id", "=", user.id), ("create_date", ">=", start)]
        return self.env["mail.activity"].search_count(domain)

    def _prepare_activity(self, user):
        kinds = dict(self._fields["kind"]._description_selection(self.with_context(lang=user.lang).env))
        env = self.with_context(lang=user.lang).env
        summary = env._(
            "Cover of %(buyer)s: %(change)s from %(date)s",
            buyer=self.partner_id.display_name,
            change=kinds[self.kind],
            date=format_date(env, self.effective_from),
        )
        return {
            "activity_type_id": self.env.ref(ACTIVITY).id,
            "res_model_id": self.env["ir.model"]._get_id(self._name),
            "res_id": self.id,
            "summary": summary,
            "user_id": user.id,
            "automated": True,
            "date_deadline": fields.Date.context_today(self),
        }

    def _schedule_summary(self, user):
        """One activity that says how many changes wait; a further block of the day raises its number."""
        kind = self.env.ref(SUMMARY)
        known = self.env["mail.activity"].search(
            [("activity_type_id", "=", kind.id), ("user_id", "=", user.id), ("res_model", "=", self._name)], limit=1
        )
        told = [("told_user_ids", "in", user.ids), ("company_id", "=", self[0].company_id.id)]
        count = self.search_count([*told, ("restored_on", "=", False), ("known_on", "=", self[0].known_on)])
        summary = self.with_context(lang=user.lang).env._("%s changes of cover to look at", count)
        if known:
            known.summary = summary
            return
        largest = self.sorted(lambda impact: impact.undelivered_amount + impact.unbilled_amount)[-1]
        values = largest._prepare_activity(user) | {"activity_type_id": kind.id, "summary": summary}
        self.env["mail.activity"].create([values])

    def _close_activities(self):
        self.activity_unlink([ACTIVITY])
