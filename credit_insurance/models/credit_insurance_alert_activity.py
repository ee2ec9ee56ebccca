"""Whom risk alerts are put before: an activity each, or one for all when there are many at once.

A first pull or a new rule can raise thousands of alerts, block by block; nobody works through thousands of activities.
The rule, or else the company's setting for the severity, says which role is told.
"""

from odoo import SUPERUSER_ID, api, fields, models

from .alert_kinds import ACTIVITY, APPROVAL, ON_CUSTOMER, SINGLE_A_DAY, SUMMARY, TODO, TODO_SUMMARY, USER_GROUP

# What a summary of each kind counts.
SUMMARISED = {
    SUMMARY: [("state", "=", "open")],
    TODO_SUMMARY: [("task_ids.state", "=", "todo")],
    APPROVAL: [("task_ids.state", "=", "waiting")],
}
DOCUMENT_SALESPERSON = {"sale.order": "user_id", "account.move": "invoice_user_id"}


class CreditInsuranceAlert(models.Model):
    _inherit = "credit.insurance.alert"

    # === ROLES === #

    def _get_people(self):
        """Who looks after each alert: ``{alert: res.users}``, empty only where a company has nobody at all."""
        documents = {
            (model, record.id): record[DOCUMENT_SALESPERSON[model]]
            for model, alerts in self.grouped("res_model").items()
            if model in DOCUMENT_SALESPERSON
            for record in self.env[model].sudo().browse(alerts.mapped("res_id")).exists()
        }
        holders, result = {}, {}
        for alert in self.sudo():
            company = alert.company_id
            role = alert.rule_id.role or company[f"credit_role_{alert.severity}"]
            if (company, role) not in holders:
                holders[company, role] = company._get_credit_role(role)
            user = holders[company, role]
            if role == "salesperson":
                seller = documents.get((alert.res_model, alert.res_id)) or alert.partner_id.user_id
                user = seller if seller.active else user
            result[alert] = user
        return result

    def _get_responsible(self):
        self.ensure_one()
        return self._get_people()[self]

    @api.model
    def _may_read(self, user, company):
        return user.has_group(USER_GROUP) and company in user.company_ids

    # === ACTIVITIES === #

    def _schedule_activities(self):
        """Tell whoever looks after these alerts; returns who it is: ``{alert: res.users}``."""
        return self._schedule_each(ACTIVITY, SUMMARY)

    def _schedule_todo(self, tasks):
        """Tell them that a rule prepared something which they finish."""
        return self._schedule_each(TODO, TODO_SUMMARY, tasks.grouped("alert_id"))

    def _schedule_each(self, xmlid, summary_xmlid, tasks=None):
        """An activity for each alert, or one for all of the kind where a person has many of them already."""
        people = {alert: user or self.env.user for alert, user in self._get_people().items()}
        seen = self._count_today([xmlid, ON_CUSTOMER], self.env["res.users"].union(*people.values()))
        vals_list = []
        for (company, user), alerts in self.grouped(lambda alert: (alert.company_id, people[alert])).items():
            if seen.get(user.id, 0) + len(alerts) > SINGLE_A_DAY:
                alerts._schedule_summary(summary_xmlid, user)
                continue
            reader = alerts._may_read(user, company)
            for alert in alerts:
                told = (tasks[alert][0] if tasks else alert).with_context(lang=user.lang)
                text = told.note if tasks else told.told
                vals_list.append(alert._prepare_activity_vals(xmlid, user, reader, text.splitlines()[0][:200]))
        self.env["mail.activity"].create(vals_list)
        return people

    def _prepare_activity_vals(self, xmlid, user, reader, summary):
        self.ensure_one()
        record = self if reader else self.partner_id
        return {
            "activity_type_id": self.env.ref(xmlid if reader else ON_CUSTOMER).id,
            "res_model_id": self.env["ir.model"]._get_id(record._name),
            "res_id": record.id,
            "summary": summary,
            "user_id": user.id,
            "automated": True,
            "date_deadline": fields.Date.context_today(self),
            # By it the activity on a customer is found again when the alert ends.
            "credit_insurance_alert_id": self.id,
        }

    @api.model
    def _count_today(self, types, users):
        """How many activities of these kinds each of ``users`` got today: ``{user_id: number}``."""
        start = fields.Datetime.now().replace(hour=0, minute=0, second=0)
        groups = self.env["mail.activity"]._read_group(
            [
                ("activity_type_id", "in", [self.env.ref(xmlid).id for xmlid in types]),
                ("user_id", "in", users.ids),
                ("create_date", ">=", start),
            ],
            ["user_id"],
            ["__count"],
        )
        return {user.id: count for user, count in groups}

    def _schedule_summary(self, xmlid, user):
        """One activity that says how many there are of a kind, per company and person.

        A job counts them: blocks that are screened side by side would meet in that activity and undo one another.
        """
        alert = self[0].with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        company = alert.company_id
        key = f"credit_insurance.summary-{xmlid}-{company.id}-{user.id}"
        alert.with_delay(identity_key=key, description=f"Summary for {user.name}")._job_summary(xmlid, user.id)

    def _job_summary(self, xmlid, user_id):
        """Make the summary of one kind that a person has in this alert's company, or bring its number up to date."""
        user, company = self.env["res.users"].browse(user_id), self.company_id
        activities = self.env["mail.activity"].search(
            [
                ("activity_type_id", "in", [self.env.ref(xmlid).id, self.env.ref(ON_CUSTOMER).id]),
                ("user_id", "=", user.id),
                ("credit_insurance_alert_id.company_id", "=", company.id),
                ("credit_insurance_kind", "=", xmlid),
            ],
            order="id",
        )
        count = self.search_count([("company_id", "=", company.id), *SUMMARISED[xmlid]])
        summary = self._get_summary(xmlid, self.with_context(lang=user.lang).env, count, company)
        activities[1:].unlink()  # two jobs at the same instant may each have made one
        if activities:
            activities[0].summary = summary
        elif count:
            vals = self._prepare_activity_vals(xmlid, user, self._may_read(user, company), summary)
            vals["credit_insurance_kind"] = xmlid
            self.env["mail.activity"].with_context(mail_activity_quick_update=True).create([vals])

    @api.model
    def _get_summary(self, xmlid, env, count, company):
        if xmlid == TODO_SUMMARY:
            return env._("%(count)s actions that risk rules of %(company)s prepared", count=count, company=company.name)
        if xmlid == APPROVAL:
            return env._(
                "%(count)s actions of risk rules of %(company)s wait for approval", count=count, company=company.name
            )
        return env._("%(count)s risk alerts of %(company)s are open", count=count, company=company.name)

    def _unlink_activities(self, *xmlids):
        """Nobody is reminded of these alerts any more, nor of what they prepared on their customers."""
        types = [self.env.ref(xmlid).id for xmlid in (*xmlids, ON_CUSTOMER)]
        self.env["mail.activity"].search(
            [
                ("activity_type_id", "in", types),
                ("credit_insurance_alert_id", "in", self.ids),
                ("credit_insurance_kind", "=", False),
            ]
        ).unlink()


class MailActivity(models.Model):
    _inherit = "mail.activity"

    credit_insurance_alert_id = fields.Many2one(
        "credit.insurance.alert",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        groups=USER_GROUP,
        help="The risk alert behind an activity, which may stand on its customer.",
    )
    credit_insurance_kind = fields.Char(readonly=True, groups=USER_GROUP, help="Of a summary: what it counts.")
