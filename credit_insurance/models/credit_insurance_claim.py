from datetime import date
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import clean_context, format_list

from odoo.addons.credit_insurance.rules.policy import IndemnityStep, compute_indemnity

from .claim_words import CAUSES, CLAIM_STATES, DEAD_STATES, INDEMNITY_STEPS, OPEN_PAYMENT_STATES
from .company_calendar import company_today

# All that people may write, and only in a draft. Everything else comes from the invoices or from the insurer.
DRAFT_FIELDS = frozenset({"policy_id", "buyer_id", "cause", "insolvency_date", "comment", "line_ids", "user_id"})


class CreditInsuranceClaim(models.Model):
    """The demand for indemnity on unpaid invoices of one buyer, and what the insurer says to it.

    It has its own reference before anything is sent. Once it is submitted its figures are frozen: what is claimed is
    what was sent. How it is sent stands in credit_insurance_claim_submission.py.
    """

    _name = "credit.insurance.claim"
    _description = "Credit Insurance Claim"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(string="Reference", readonly=True, copy=False, index=True)
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="restrict", check_company=True)
    buyer_id = fields.Many2one(
        "credit.insurance.buyer", required=True, ondelete="restrict", index=True, check_company=True
    )
    partner_id = fields.Many2one(related="buyer_id.partner_id", store=True, string="Buyer Name")
    company_id = fields.Many2one(related="policy_id.company_id", store=True)
    currency_id = fields.Many2one(related="policy_id.currency_id", store=True)
    insurer_id = fields.Many2one(related="policy_id.insurer_id", store=True)
    user_id = fields.Many2one("res.users", string="Responsible", default=lambda self: self.env.user, copy=False)
    state = fields.Selection(
        CLAIM_STATES, default="draft", required=True, readonly=True, copy=False, index=True, tracking=True
    )
    live = fields.Boolean(compute="_compute_live", store=True, help="Neither refused nor cancelled.")
    cause = fields.Selection(CAUSES, default="protracted_default", required=True, tracking=True)
    insolvency_date = fields.Date(help="The date of the court's decision: the date of loss of an insolvency.")
    comment = fields.Text(string="Comment for the Insurer")
    line_ids = fields.One2many("credit.insurance.claim.line", "claim_id", string="Invoices", copy=False)

    amount_open = fields.Monetary(string="Claimed", compute="_compute_amounts", store=True, tracking=True)
    amount_covered = fields.Monetary(string="Covered", compute="_compute_amounts", store=True)
    amount_insured = fields.Monetary(string="Insured", compute="_compute_amounts", store=True)
    date_of_loss = fields.Date(compute="_compute_amounts", store=True)
    claim_deadline = fields.Date(
        string="Last Day to Claim", compute="_compute_amounts", store=True, help="Of the invoice that ends first."
    )
    indemnity_estimate = fields.Monetary(
        compute="_compute_indemnity", store=True, help="What the policy's terms give. The insurer decides."
    )
    indemnity_steps = fields.Json(compute="_compute_indemnity", store=True)
    indemnity_text = fields.Text(string="How It Is Counted", compute="_compute_indemnity_text")
    warning_text = fields.Text(compute="_compute_warning_text")

    submitted_on = fields.Datetime(readonly=True, copy=False)
    submitted_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    acknowledged_on = fields.Datetime(readonly=True, copy=False, help="When the insurer received the claim.")
    insurer_reference = fields.Char(
        string="Insurer's Number", readonly=True, copy=False, tracking=True, index="trigram"
    )
    insurer_status_code = fields.Char(string="Insurer's Status", readonly=True, copy=False)
    insurer_words = fields.Text(readonly=True, copy=False, help="What the insurer says about it, as sent.")
    accepted_amount = fields.Monetary(readonly=True, copy=False, tracking=True)
    paid_amount = fields.Monetary(readonly=True, copy=False, tracking=True)
    status_changed_on = fields.Datetime(string="Insurer's Last Change", readonly=True, copy=False)
    status_checked_on = fields.Datetime(string="Last Asked", readonly=True, copy=False)
    error_message = fields.Text(string="What Went Wrong", readonly=True, copy=False)
    maybe_sent = fields.Boolean(
        readonly=True, copy=False, help="The insurer may have it although no answer was recorded: it is asked first."
    )

    _name_uniq = models.UniqueIndex("(name)", "This claim reference exists already.")

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_live(self):
        for claim in self:
            claim.live = claim.state not in DEAD_STATES

    @api.depends(
        "line_ids.policy_open",
        "line_ids.covered",
        "line_ids.insured",
        "line_ids.date_of_loss",
        "line_ids.claim_deadline",
    )
    def _compute_amounts(self):
        for claim in self:
            lines = claim.line_ids
            claim.amount_open = sum(lines.mapped("policy_open"))
            claim.amount_covered = sum(lines.mapped("covered"))
            claim.amount_insured = sum(lines.mapped("insured"))
            claim.date_of_loss = min(filter(None, lines.mapped("date_of_loss")), default=False)
            claim.claim_deadline = min(filter(None, lines.mapped("claim_deadline")), default=False)

    @api.depends("line_ids.policy_open", "line_ids.covered", "line_ids.insured_percentage")
    def _compute_indemnity(self):
        for claim in self:
            if not claim.line_ids or not claim.policy_id:
                claim.indemnity_estimate, claim.indemnity_steps = 0.0, []
                continue
            currency = claim.currency_id
            result = compute_indemnity(
                claim.policy_id._get_terms(),
                [line._get_loss() for line in claim.line_ids.sorted(lambda line: (line.due_date or date.max, line.id))],
                decimal_places=currency.decimal_places,
            )
            claim.indemnity_estimate = result.amount.amount
            claim.indemnity_steps = [
                [
                    line.code.value,
                    str(line.amount.amount),
                    str(line.applied.amount) if line.applied is not None else None,
                ]
                for line in result.lines
                if line.code is not IndemnityStep.INVOICE
            ]

    @api.depends("indemnity_steps")
    @api.depends_context("lang")
    def _compute_indemnity_text(self):
        """Each step of the estimate on a line of its own; steps for which the policy sets nothing are left out."""
        for claim in self:
            rows = []
            for code, amount, applied in claim.indemnity_steps or ():
                label = self.env._(INDEMNITY_STEPS[code])
                text = claim.currency_id.format(float(amount))
                if applied is not None and Decimal(applied):
                    rows.append(f"{label} ({claim.currency_id.format(float(applied))}): {text}")
                elif applied is None and code in ("insured_loss", "insured_percentage"):
                    rows.append(f"{label}: {text}")
            claim.indemnity_text = "\n".join(rows)

    @api.depends(
        "line_ids", "state", "date_of_loss", "claim_deadline", "cause", "insolvency_date", "policy_id", "buyer_id"
    )
    def _compute_warning_text(self):
        """What the insurer may object to, as long as something can still be done about it."""
        for claim in self:
            open_claim = claim.state in ("draft", "failed")
            claim.warning_text = "\n".join(claim._get_warnings()) if open_claim else False

    def _get_warnings(self):
        today = company_today(self.company_id or self.env.company)
        warnings = []
        early = self.line_ids.filtered(lambda line: line.date_of_loss and line.date_of_loss > today)
        late = self.line_ids.filtered(lambda line: line.claim_deadline and line.claim_deadline < today)
        bare = self.line_ids.filtered(lambda line: not line.covered)
        if early:
            warnings.append(
                self.env._("The date of loss is still to come: %s", format_list(self.env, early.mapped("number")))
            )
        if late:
            warnings.append(
                self.env._("The last day to claim is over: %s", format_list(self.env, late.mapped("number")))
            )
        if bare:
            warnings.append(self.env._("Nothing is covered of: %s", format_list(self.env, bare.mapped("number"))))
        if self.cause == "insolvency" and not self.insolvency_date:
            warnings.append(self.env._("The date of the insolvency is missing."))
        if self.policy_id and self.buyer_id and not self._get_insurer_buyer_id():
            warnings.append(self.env._("The insurer's number of this buyer is not known."))
        return warnings

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # Nor through defaults in the context, which comes from the client.
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        for vals in vals_list:
            self._check_editable(vals)
            vals["name"] = self.env["ir.sequence"].sudo().next_by_code("credit.insurance.claim")
        claims = super().create(vals_list)
        claims._refresh_figures()
        return claims

    def write(self, vals):
        self._check_editable(vals)
        if DRAFT_FIELDS & vals.keys() - {"user_id"} and not self.env.su:
            self._check_draft()
        result = super().write(vals)
        if {"policy_id", "buyer_id", "cause", "insolvency_date"} & vals.keys():
            self._refresh_figures()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        if any(claim.state != "draft" or claim.submitted_on for claim in self):
            raise UserError(self.env._("A claim that was submitted is kept. Cancel it instead."))

    def _check_editable(self, vals):
        """What comes from the insurer, and the state, is written by the addon alone, whatever a client sends."""
        if self.env.su:
            return
        # Core's own fields: followers, messages, activities.
        mixins = self.env["mail.thread"]._fields.keys() | self.env["mail.activity.mixin"]._fields.keys()
        refused = sorted(vals.keys() - DRAFT_FIELDS - mixins)
        if refused:
            raise AccessError(self.env._("These fields of a claim cannot be written: %s", ", ".join(refused)))

    def _check_draft(self):
        for claim in self:
            if claim.state != "draft":
                raise UserError(self.env._("Claim %s was submitted: its figures do not change any more.", claim.name))

    @api.constrains("policy_id", "buyer_id")
    def _check_one_company(self):
        for claim in self:
            if claim.policy_id.company_id != claim.buyer_id.company_id:
                raise ValidationError(self.env._("Policy and buyer of a claim belong to one company."))

    # === ACTIONS === #

    def action_refresh_figures(self):
        """Work the figures of drafts out anew, as of today."""
        self._check_draft()
        self._refresh_figures()

    def action_cancel(self):
        """Give up claims that the insurer cannot have."""
        self.check_access("write")
        for claim in self:
            if claim.state not in ("draft", "failed") or claim.maybe_sent:
                raise UserError(
                    self.env._("The insurer has claim %s, or may have it: it cannot be cancelled here.", claim.name)
                )
        self.sudo().write({"state": "cancelled"})

    def action_draft(self):
        """Take back to draft what the insurer certainly does not have, to correct it."""
        self.check_access("write")
        for claim in self:
            if claim.state not in ("failed", "cancelled") or claim.maybe_sent:
                raise UserError(self.env._("Claim %s cannot be changed any more.", claim.name))
        self.sudo().write({"state": "draft", "error_message": False})
        self._refresh_figures()

    def _get_form_action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Claim"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    @api.model
    def _create_from_invoices(self, moves):
        """A draft claim on these invoices.

        :raise UserError: they are not all open customer invoices of one buyer under one policy, or already claimed
        """
        self.check_access("create")
        moves.check_access("read")
        buyer, policy = self._get_claimable(moves.sudo())
        return self.create(
            {
                "buyer_id": buyer.id,
                "policy_id": policy.id,
                "line_ids": [fields.Command.create({"move_id": move.id}) for move in moves.sorted("invoice_date_due")],
            }
        )

    @api.model
    def _get_claimable(self, moves):
        """The one buyer and policy of these invoices."""
        partners = moves.commercial_partner_id
        if len(partners) > 1:
            raise UserError(
                self.env._(
                    "A claim concerns one buyer. These invoices belong to %s.",
                    format_list(self.env, partners.mapped("display_name")),
                )
            )
        self._check_unpaid(moves)
        self._check_not_claimed(moves)
        if len(moves.company_id.root_id) > 1:
            raise UserError(self.env._("A claim concerns one company: select the invoices of one company."))
        policies = moves.mapped("credit_insurance_policy_id")
        if not policies:
            raise UserError(self.env._("No credit insurance policy covers %s.", partners.display_name))
        if len(policies) > 1:
            raise UserError(
                self.env._(
                    "These invoices fall under several policies (%s): make one claim for each.",
                    format_list(self.env, policies.mapped("number")),
                )
            )
        buyer = self.env["credit.insurance.buyer"]._get_or_create(partners, moves.company_id.root_id)
        return buyer.sudo(False), policies.sudo(False)

    @api.model
    def _check_unpaid(self, moves):
        wrong = moves.filtered(
            lambda move: not move._credit_insurance_applies() or move.payment_state not in OPEN_PAYMENT_STATES
        )
        if wrong:
            raise UserError(
                self.env._(
                    "Only posted customer invoices that are not paid can be claimed. Leave out %s.",
                    format_list(self.env, wrong.mapped("display_name")),
                )
            )

    @api.model
    def _check_not_claimed(self, moves):
        claimed = moves.credit_insurance_claim_line_ids.filtered("live")
        if claimed:
            raise UserError(
                self.env._(
                    "Claimed already: %s.",
                    format_list(self.env, [f"{line.number} ({line.claim_id.name})" for line in claimed]),
                )
            )

    def _get_insurer_buyer_id(self):
        """The buyer's number at the insurer, or an empty text."""
        self.ensure_one()
        links = self.sudo().buyer_id.link_ids
        return links.filtered(lambda link: link.account_id == self.sudo().policy_id.account_id)[:1].external_id or ""

    def _refresh_figures(self):
        """Write the figures of draft claims from the invoices as they are now."""
        for claim in self.sudo().filtered(lambda claim: claim.state == "draft" and claim.line_ids):
            claim.line_ids._refresh_figures()
