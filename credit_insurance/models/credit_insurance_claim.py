from dataclasses import replace
from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from odoo.addons.credit_insurance.rules.policy import IndemnityStep, compute_indemnity

from . import credit_insurance_submission_buyer  # noqa: F401 (has to be loaded first)
from .amounts import to_decimal
from .claim_words import CAUSES, CLAIM_STATES, DEAD_STATES, INDEMNITY_STEPS, LATE_NOTIFICATION
from .company_calendar import company_today


class CreditInsuranceClaim(models.Model):
    """The demand for indemnity on unpaid invoices of one buyer, and what the insurer says to it.

    Once it is submitted its figures are frozen: what is claimed is what was sent. It is sent as every submission is
    (credit_insurance_submission.py); what is its own there stands in credit_insurance_claim_submission.py.
    """

    _name = "credit.insurance.claim"
    _description = "Credit Insurance Claim"
    _inherit = ["credit.insurance.submission.buyer"]
    _order = "id desc"
    _check_company_auto = True

    _draft_fields = frozenset({"policy_id", "buyer_id", "cause", "insolvency_date", "comment", "line_ids", "user_id"})
    _figure_fields = frozenset({"policy_id", "buyer_id", "cause", "insolvency_date"})
    _sender_groups = ("account.group_account_invoice",)
    _activity_type = "credit_insurance.mail_activity_type_claim"

    state = fields.Selection(CLAIM_STATES)
    live = fields.Boolean(compute="_compute_live", store=True, help="Neither refused nor cancelled.")
    cause = fields.Selection(CAUSES, default="protracted_default", required=True, tracking=True)
    insolvency_date = fields.Date(help="The date of the court's decision: the date of loss of an insolvency.")
    line_ids = fields.One2many("credit.insurance.claim.line", "claim_id", string="Invoices", copy=False)

    amount_open = fields.Monetary(string="Claimed", compute="_compute_amounts", store=True, tracking=True)
    amount_covered = fields.Monetary(string="Covered", compute="_compute_amounts", store=True)
    amount_insured = fields.Monetary(string="Insured", compute="_compute_amounts", store=True)
    date_of_loss = fields.Date(string="Date of Loss", compute="_compute_amounts", store=True)
    claim_deadline = fields.Date(
        string="Last Day to Claim", compute="_compute_amounts", store=True, help="Of the invoice that ends first."
    )
    indemnity_estimate = fields.Monetary(
        compute="_compute_indemnity", store=True, help="What the policy's terms give. The insurer decides."
    )
    indemnity_steps = fields.Json(compute="_compute_indemnity", store=True)
    indemnity_text = fields.Text(string="How It Is Counted", compute="_compute_indemnity_text")
    warning_text = fields.Text(compute="_compute_warning_text")

    accepted_amount = fields.Monetary(readonly=True, copy=False, tracking=True)
    paid_amount = fields.Monetary(readonly=True, copy=False, tracking=True)

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

    @api.depends(
        *("line_ids.policy_open", "line_ids.covered", "line_ids.insured_percentage", "line_ids.notified_late"),
        "date_of_loss",
    )
    def _compute_indemnity(self):
        for claim in self:
            if not claim.line_ids or not claim.policy_id:
                claim.indemnity_estimate, claim.indemnity_steps = 0.0, []
                continue
            currency = claim.currency_id
            result = compute_indemnity(
                claim._get_terms_left(),
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

    def _get_terms_left(self):
        """The policy's terms, with what the other claims of its insurance year leave of its yearly amounts."""
        terms, claims = self.policy_id._get_terms(), self._get_claims_of_year()
        borne = sum((claim._get_first_loss_borne() for claim in claims), Decimal(0))
        paid = sum((to_decimal(claim._get_indemnity(), claim.currency_id) for claim in claims), Decimal(0))
        most = terms.maximum_liability_left
        return replace(
            terms,
            aggregate_first_loss_left=max(terms.aggregate_first_loss_left - borne, Decimal(0)),
            maximum_liability_left=None if most is None else max(most - paid, Decimal(0)),
        )

    def _get_claims_of_year(self):
        """The policy's other claims that were submitted, with a date of loss in the same insurance year."""
        claims = self.sudo().browse()
        if not self.date_of_loss:
            return claims
        start = self.policy_id.date_start
        years = relativedelta(self.date_of_loss, start).years
        return claims.search(
            [
                ("policy_id", "=", self.policy_id.id),
                ("id", "not in", self._origin.ids),
                ("live", "=", True),
                ("submitted_on", "!=", False),
                ("date_of_loss", ">=", start + relativedelta(years=years)),
                ("date_of_loss", "<", start + relativedelta(years=years + 1)),
            ]
        )

    def _get_first_loss_borne(self):
        """What this claim takes of the aggregate first loss."""
        left = {code: Decimal(amount) for code, amount, _applied in self.indemnity_steps or ()}
        return left.get("each_and_every_first_loss", Decimal(0)) - left.get("aggregate_first_loss", Decimal(0))

    def _get_indemnity(self):
        """What the insurer pays: as it said, else as we count it."""
        return self.paid_amount or self.accepted_amount or self.indemnity_estimate

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
        *("line_ids.counted_open", "counted_elsewhere", "state", "date_of_loss", "claim_deadline", "cause"),
        *("insolvency_date", "policy_id", "buyer_id"),
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
        untold = self.line_ids.filtered(lambda line: line._is_notified_late(today))
        bare = self.line_ids.filtered(lambda line: not line.covered)
        if early:
            warnings.append(
                self.env._("The date of loss is still to come: %s", format_list(self.env, early.mapped("number")))
            )
        if late:
            warnings.append(
                self.env._("The last day to claim is over: %s", format_list(self.env, late.mapped("number")))
            )
        if untold:
            missed = self.policy_id.missed_notification or "warning"
            template = self.env._(LATE_NOTIFICATION[missed])
            warnings.append(template % format_list(self.env, untold.mapped("number")))
        if bare:
            warnings.append(self.env._("Nothing is covered of: %s", format_list(self.env, bare.mapped("number"))))
        if self.cause == "insolvency" and not self.insolvency_date:
            warnings.append(self.env._("The date of the insolvency is missing."))
        if self.policy_id and self.buyer_id and not self._get_insurer_buyer_id():
            warnings.append(self.env._("The insurer's number of this buyer is not known."))
        return warnings

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
    def _check_not_claimed(self, moves):
        claimed = moves.credit_insurance_claim_line_ids.filtered("live")
        if claimed:
            raise UserError(
                self.env._(
                    "Claimed already: %s.",
                    format_list(self.env, [f"{line.number} ({line.claim_id.name})" for line in claimed]),
                )
            )

    def _refresh_figures(self):
        """Write the figures of draft claims from the invoices as they are now."""
        for claim in self.sudo().filtered(lambda claim: claim.state == "draft" and claim.line_ids):
            claim.line_ids._refresh_figures()
