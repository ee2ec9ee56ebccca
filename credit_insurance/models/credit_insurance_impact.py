"""What a change that worsens cover means for our own documents: worked out once, when it becomes known.

history row -> impact (one statement a page) -> job: figures and documents frozen, people told
                                                 |
                                      shown beside the figures of today
"""

from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .credit_insurance_cover import COVER_STATUSES

KINDS = [
    ("withdrawn", "Withdrawn"),
    ("refused", "Refused"),
    ("expired", "Expired"),
    ("reduced", "Reduced"),
    ("percentage", "Insured percentage lowered"),
    ("currency", "Changed to another currency"),
    ("announced", "Announced"),
    ("expiring", "Given a last day"),
]
BLOCK = 100


class CreditInsuranceImpact(models.Model):
    """One change for the worse of one cover. Written by flows only; the figures are those of the day it was known."""

    _name = "credit.insurance.impact"
    _description = "Impact of a Change of Cover"
    _inherit = ["credit.insurance.buyer.thread", "mail.activity.mixin"]
    _mail_post_access = "read"
    _order = "known_on desc, id desc"
    _rec_name = "buyer_id"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True, readonly=True)
    partner_id = fields.Many2one(related="buyer_id.partner_id", string="Customer", related_sudo=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="restrict", readonly=True)
    cover_id = fields.Many2one(
        "credit.insurance.cover", string="New Answer", required=True, ondelete="restrict", index=True, readonly=True
    )
    previous_cover_id = fields.Many2one(
        "credit.insurance.cover", string="Answer Before", ondelete="restrict", readonly=True
    )
    layer = fields.Selection([("permanent", "Permanent"), ("temporary", "Temporary")], required=True, readonly=True)
    kind = fields.Selection(KINDS, string="Change", required=True, readonly=True)
    announced_status = fields.Selection(COVER_STATUSES, string="Announced Change", readonly=True)
    known_on = fields.Date(required=True, readonly=True, help="The day on which the insurer's answer was received.")
    effective_from = fields.Date(required=True, readonly=True)
    keeps_until = fields.Date(
        string="Earlier Cover Until",
        compute="_compute_keeps_until",
        help="What is delivered until this day keeps the earlier cover.",
    )
    cover_currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    amount_before = fields.Monetary(string="Cover Before", currency_field="cover_currency_id", readonly=True)
    amount_after = fields.Monetary(string="Cover After", currency_field="cover_currency_id", readonly=True)
    percentage_before = fields.Float(string="Insured % Before", digits=(5, 2), readonly=True)
    percentage_after = fields.Float(string="Insured % After", digits=(5, 2), readonly=True)
    restored_on = fields.Date(readonly=True, help="The cover came back, or what was announced was taken back.")
    state = fields.Selection(
        [("new", "Being worked out"), ("ready", "Worked out")], default="new", required=True, readonly=True
    )
    told_user_ids = fields.Many2many("res.users", string="Told", readonly=True)
    told_at = fields.Datetime(string="Told On", readonly=True)

    _new_idx = models.Index("(id) WHERE state = 'new'")

    # === COMPUTE METHODS === #

    @api.depends("effective_from")
    def _compute_keeps_until(self):
        for impact in self:
            impact.keeps_until = impact.effective_from and impact.effective_from - timedelta(days=1)

    @api.depends("partner_id", "kind", "effective_from")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for impact in self:
            name = impact.sudo().partner_id.display_name  # who was told of a change may know whose it is
            day = format_date(self.env, impact.effective_from)
            impact.display_name = f"{name}: {kinds.get(impact.kind, '')}, {day}"

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("What a change meant stays on record."))

    # === BUSINESS METHODS === #

    def _enqueue(self):
        """Have what is new worked out by a job; one that waits already does these, too."""
        if self:
            # Never at once, whatever the caller's context says: the context comes from the client.
            model = self.browse().with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
            model.with_delay(
                identity_key="credit_insurance.impact", description="Work out whom changes of cover affect"
            )._job_work_out()

    @api.model
    def _job_work_out(self):
        """Work out some of what is new and leave the rest to the next job."""
        domain = [("state", "=", "new")]
        impacts = self.search(domain, order="id", limit=BLOCK).try_lock_for_update()
        for company, of_company in impacts.grouped("company_id").items():
            of_company.with_company(company)._work_out()
        self.env.flush_all()
        self.search(domain, limit=1)._enqueue()

    def _work_out(self):
        """Freeze figures and documents, and tell whom they concern."""
        self._freeze()
        self.write({"state": "ready"})
        self.filtered(lambda impact: not impact.restored_on)._tell()

    def _take_back(self):
        """The cover is back: nobody has to do anything about its loss."""
        self._close_activities()


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    impact_count = fields.Integer(string="Changes of Cover", compute="_compute_impact_count")

    def _compute_impact_count(self):
        groups = self.env["credit.insurance.impact"]._read_group(
            [("buyer_id", "in", self.ids)], ["buyer_id"], ["__count"]
        )
        counts = {buyer.id: count for buyer, count in groups}
        for buyer in self:
            buyer.impact_count = counts.get(buyer.id, 0)

    def action_open_impacts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_impact_action")
        return action | {"domain": [("buyer_id", "=", self.id)], "context": {"create": False}}
