"""What was sent belongs where it was sent: it is asked about and repeated there, and nowhere else."""

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.connectors import Environment

from . import credit_insurance_submission  # noqa: F401 (has to be loaded first)
from .company_calendar import company_day
from .credit_insurance_account_place import FOR_TESTS, SHOWN_OF_EACH

# Has left, or is about to, and is not over.
UNDER_WAY = ("queued", "failed", "uncertain")


class CreditInsuranceSubmission(models.AbstractModel):
    _inherit = "credit.insurance.submission"

    sent_to = fields.Char(readonly=True, copy=False, help="Where it was sent, as a key of the connection.")
    elsewhere_text = fields.Text(compute="_compute_elsewhere", compute_sudo=True, string="Sent Elsewhere")
    can_be_set_aside = fields.Boolean(compute="_compute_elsewhere", compute_sudo=True)

    # === COMPUTE METHODS === #

    @api.depends("sent_to", "state", "policy_id.account_id.state", "policy_id.account_id.connector")
    @api.depends_context("lang")
    def _compute_elsewhere(self):
        for record in self:
            account = record.policy_id.account_id
            shown = record.sent_to and record._is_elsewhere() and record.filtered_domain(self._get_open_domain())
            record.can_be_set_aside = bool(shown) and record.sent_to.startswith(FOR_TESTS)
            record.elsewhere_text = record._describe_elsewhere(account) if shown else False

    def _describe_elsewhere(self, account):
        now = account._describe_place(account._get_place())
        text = self.env._(
            "It was sent to: %(then)s. The connection leads to: %(now)s. It is neither asked about nor sent again "
            "there: enter the insurer's answer by hand.",
            then=account._describe_place(self.sent_to),
            now=now,
        )
        if self.can_be_set_aside:
            text += " " + self.env._("What was a test only is set aside; then it can be sent anew.")
        return text

    # === ACTIONS === #

    def action_set_aside(self):
        """Give up what only went to an insurer's test environment: in earnest nothing was sent."""
        self._check_sender()
        self._lock_for_user()
        for record in self:
            if not record.can_be_set_aside:
                raise UserError(
                    self.env._("Only what went to another, a test environment is set aside: not %s.", record.name)
                )
        for record in self.sudo():
            record._get_duties()._reopen(company_day(record.company_id, record.submitted_on))
            self.env["credit.insurance.attempt"]._forget(record)
            record.write({"state": "cancelled", "maybe_sent": False, "error_message": False})
        self.activity_unlink([self._activity_type])
        for record in self:
            record.message_post(body=self.env._("Set aside: it went to the insurer's test environment only."))
        return True

    # === BUSINESS METHODS === #

    def _is_elsewhere(self):
        """Whether the connection leads elsewhere than where this went. A person hands in to the real insurer."""
        self.ensure_one()
        account = self.sudo().policy_id.account_id
        if not account or account.state == "disabled":
            return False
        place = self.sent_to or (self.by_hand and account._get_place(Environment.PRODUCTION))
        return bool(place) and place != account._get_place()

    @api.model
    def _get_submission_models(self):
        """The names of the models of what is sent to insurers."""
        names = self.env.registry.descendants(["credit.insurance.submission"], "_inherit")
        return sorted(name for name in names if not self.env[name]._abstract)

    @api.model
    def _get_open_domain(self):
        """What may still be waited for; and everything that stands of a test, as it would stand in the way."""
        states = [*UNDER_WAY, *self._asked_states]
        return ["|", ("state", "in", states), "&", ("live", "=", True), ("sent_to", "=like", f"{FOR_TESTS}%")]

    @api.model
    def _list_elsewhere(self, account):
        """HTML that names what is open where ``account`` led before, empty when nothing is."""
        domain = [("policy_id.account_id", "=", account.id), ("sent_to", "not in", (False, account._get_place()))]
        domain += self._get_open_domain()
        found = self.search(domain, limit=SHOWN_OF_EACH)
        if not found:
            return Markup()
        links = Markup(", ").join(record._get_html_link() for record in found)
        return Markup("<p><strong>{}</strong> ({}): {}</p>").format(
            self.env["ir.model"]._get(self._name).sudo().name, self.search_count(domain), links
        )

    def _record_elsewhere(self):
        """The connection was switched before this left, or before its answer came: nothing leaves on the new one."""
        account = self.policy_id.account_id
        text = self.env._(
            "It was to be sent to: %(then)s. The connection leads to: %(now)s.",
            then=account._describe_place(self.sent_to),
            now=account._describe_place(account._get_place()),
        )
        if self.maybe_sent or self.env["credit.insurance.attempt"]._exists(self):
            return self._record_uncertain(text)
        return self._record_failure(text)
