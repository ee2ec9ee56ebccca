import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .uncovered_reasons import describe_uncovered

_logger = logging.getLogger(__name__)

ACCOUNTING_OR_CREDIT = (
    "account.group_account_invoice,account.group_account_readonly,credit_insurance.credit_insurance_group_user"
)

# The policy counts from them: kept once, moved by nobody.
KEPT_FIELDS = {"credit_insurance_original_due_date"}


class AccountMove(models.Model):
    """A customer invoice shows what is insured of it, under which policy, and what has to be done until when.

    The figures are worked out whenever they are looked at, from the covers and all open invoices of the buyer; only
    claims keep figures. Cover never stops an invoice from being posted.
    """

    _inherit = "account.move"

    credit_insurance_original_due_date = fields.Date(
        string="Original Due Date",
        readonly=True,
        copy=False,
        groups=ACCOUNTING_OR_CREDIT,
        help="The (first) due date when the invoice was first posted. What is owed to the insurer is counted from it; "
        "a later due date moves the dunning only.",
    )
    credit_insurance_deadline_ids = fields.One2many(
        "credit.insurance.deadline", "move_id", string="Credit Insurance Deadlines", groups=ACCOUNTING_OR_CREDIT
    )
    credit_insurance_claim_line_ids = fields.One2many(
        "credit.insurance.claim.line",
        "move_id",
        string="Credit Insurance Claim Lines",
        groups="credit_insurance.credit_insurance_group_user",
    )
    credit_insurance_policy_id = fields.Many2one(
        "credit.insurance.policy",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        groups=ACCOUNTING_OR_CREDIT,
    )
    credit_insurance_currency_id = fields.Many2one(
        "res.currency",
        string="Policy Currency",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        groups=ACCOUNTING_OR_CREDIT,
    )
    credit_insurance_open = fields.Monetary(
        string="Open in Policy Currency",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        currency_field="credit_insurance_currency_id",
        groups=ACCOUNTING_OR_CREDIT,
    )
    credit_insurance_covered = fields.Monetary(
        string="Covered",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        currency_field="credit_insurance_currency_id",
        groups=ACCOUNTING_OR_CREDIT,
        help="The part of the open amount that finds room in the cover in force on the day of delivery.",
    )
    credit_insurance_insured = fields.Monetary(
        string="Insured",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        currency_field="credit_insurance_currency_id",
        groups=ACCOUNTING_OR_CREDIT,
        help="The insured percentage of the covered amount.",
    )
    credit_insurance_own_share = fields.Monetary(
        string="Own Share",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        currency_field="credit_insurance_currency_id",
        groups=ACCOUNTING_OR_CREDIT,
    )
    credit_insurance_uninsured = fields.Monetary(
        string="Not Covered",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        currency_field="credit_insurance_currency_id",
        groups=ACCOUNTING_OR_CREDIT,
    )
    credit_insurance_state = fields.Selection(
        [("full", "Covered"), ("partial", "Partly covered"), ("none", "Not covered")],
        string="Credit Insurance",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        groups=ACCOUNTING_OR_CREDIT,
    )
    credit_insurance_reasons = fields.Text(
        string="Why Not Covered",
        compute="_compute_credit_insurance",
        compute_sudo=True,
        groups=ACCOUNTING_OR_CREDIT,
    )

    # === COMPUTE METHODS === #

    @api.depends("state", "amount_residual", "payment_state", "invoice_date", "delivery_date", "commercial_partner_id")
    @api.depends_context("lang")
    def _compute_credit_insurance(self):
        """Covered and insured amounts, for all invoices at once: a buyer's invoices share the room of its cover."""
        invoices = self.filtered(lambda move: isinstance(move.id, int) and move._credit_insurance_applies())
        splits = self.env["credit.insurance.split"]._get_splits(invoices)
        for move in self:
            split = splits.get(move.id)
            cover = split and split.cover
            policy = self.env["credit.insurance.policy"].browse(split.policy_id if split else False)
            move.credit_insurance_policy_id = policy
            move.credit_insurance_currency_id = policy.currency_id
            move.credit_insurance_open = cover.open.amount if cover else 0.0
            move.credit_insurance_covered = cover.covered.amount if cover else 0.0
            move.credit_insurance_insured = cover.insured.amount if cover else 0.0
            move.credit_insurance_own_share = cover.own_share.amount if cover else 0.0
            move.credit_insurance_uninsured = cover.uninsured.amount if cover else 0.0
            move.credit_insurance_state = self._get_credit_insurance_state(cover)
            move.credit_insurance_reasons = split and (
                split.problem or describe_uncovered(self.env, cover.reasons if cover else ())
            )

    @api.model
    def _get_credit_insurance_state(self, cover):
        """How much of the insurable amount is covered; what the policy leaves out by nature (tax) does not count."""
        if not cover:
            return False
        if not cover.covered.amount:
            return "none"
        return "full" if cover.covered == cover.base else "partial"

    def _compute_payment_state(self):
        """The deadlines follow whatever settles or reopens an invoice: payment, bounce, credit note, reset to draft."""
        result = super()._compute_payment_state()
        watched = self.filtered(lambda move: move.sudo().credit_insurance_original_due_date and move.id)
        if watched:
            self.env["credit.insurance.deadline"]._recompute_states(watched)
        return result

    # === CRUD METHODS === #

    def write(self, vals):
        self.env["credit.insurance.computed.fields"]._credit_refuse_computed([vals], KEPT_FIELDS)
        result = super().write(vals)
        if "invoice_date_due" in vals:
            self._credit_insurance_due_date_changed()
        if "state" in vals:
            self._credit_insurance_settling_changed()
        return result

    # === BUSINESS METHODS === #

    def _credit_insurance_applies(self):
        self.ensure_one()
        return self.state == "posted" and self.move_type in ("out_invoice", "out_receipt")

    def _credit_receivable_lines(self):
        """Their journal items on the customers' accounts."""
        return self.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _post(self, soft=True):
        posted = super()._post(soft)
        posted._credit_insurance_set_deadlines()
        return posted

    def _credit_insurance_set_deadlines(self):
        """Write the deadlines of insured invoices. A problem with it is logged, and the daily job tries again."""
        invoices = self.filtered(lambda move: move._credit_insurance_applies())
        buyers = self.env["credit.insurance.split"]._get_covered_buyers(invoices)
        if not buyers:
            return
        # Errors of what others left to be written are theirs to tell.
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                invoices.sudo()._credit_insurance_sync_deadlines(buyers)
        except OperationalError:
            # A concurrent change: the whole transaction is run again.
            raise
        except Exception:
            _logger.warning("The credit insurance deadlines of %s could not be set", invoices, exc_info=True)

    def _credit_insurance_sync_deadlines(self, buyers):
        """Bring the deadlines of these posted invoices in line with their policy and due dates."""
        policies = self._credit_insurance_get_policies(buyers)
        insured = self.filtered(lambda move: policies.get(move))
        if insured:
            insured._credit_insurance_keep_due_dates()
            self.env["credit.insurance.deadline"]._sync(insured, policies)

    def _credit_insurance_get_policies(self, buyers):
        """The policy each invoice falls under by its date: ``{move: policy}``, nothing when none was in force."""
        policies = {}
        by_partner = {(buyer.partner_id, buyer.company_id): buyer._get_insuring_policies() for buyer in buyers}
        for move in self:
            day = move.delivery_date or move.invoice_date
            candidates = by_partner.get((move.commercial_partner_id, move.company_id.root_id)) or []
            in_force = [policy for policy in candidates if policy._is_in_force(day)]
            if in_force:
                policies[move] = max(in_force, key=lambda policy: (policy.date_start, -policy.id))
        return policies

    def _credit_insurance_keep_due_dates(self):
        """Store the due dates of the first posting. Going back to draft can bring them forward, never back.

        Written in SQL: these columns are nobody else's, and journal items of a locked period take no other write.
        """
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                UPDATE account_move_line l
                   SET credit_insurance_original_due_date = CASE
                       -- The lines of a draft may have been made anew; the invoice remembers the first date.
                       WHEN l.id = f.id THEN LEAST(l.credit_insurance_original_due_date, l.date_maturity,
                                                   f.original)
                       ELSE LEAST(l.credit_insurance_original_due_date, l.date_maturity) END
                  FROM (SELECT DISTINCT ON (l.move_id) l.move_id, l.id,
                               m.credit_insurance_original_due_date AS original
                          FROM account_move_line l
                          JOIN account_move m ON m.id = l.move_id
                         WHERE l.move_id = ANY(%(moves)s) AND l.display_type = 'payment_term'
                         ORDER BY l.move_id, l.date_maturity, l.id) f
                 WHERE f.move_id = l.move_id AND l.display_type = 'payment_term'
                RETURNING l.id
                """,
                moves=self.ids,
            )
        )
        self.env.execute_query(
            SQL(
                """
                UPDATE account_move m SET credit_insurance_original_due_date = l.first
                  FROM (SELECT move_id, MIN(credit_insurance_original_due_date) AS first FROM account_move_line
                         WHERE move_id = ANY(%(moves)s) AND display_type = 'payment_term' GROUP BY 1) l
                 WHERE l.move_id = m.id
                RETURNING m.id
                """,
                moves=self.ids,
            )
        )
        self.invalidate_recordset(["credit_insurance_original_due_date"])
        self.line_ids.invalidate_recordset(["credit_insurance_original_due_date"])

    def _credit_insurance_settling_changed(self):
        """A draft settles nothing, although Odoo keeps it matched: deadlines of what it is matched with go on."""
        items = self.sudo().line_ids.filtered("matching_number")
        others = items.matched_debit_ids.debit_move_id | items.matched_credit_ids.credit_move_id
        watched = others.move_id.filtered("credit_insurance_original_due_date")
        if watched:
            self.env["credit.insurance.deadline"]._recompute_states(watched)

    def _credit_insurance_due_date_changed(self):
        """A later due date of a posted invoice is an extension: it moves reminder, dunning and escalation."""
        watched = self.sudo().filtered(lambda move: move.state == "posted" and move.credit_insurance_original_due_date)
        if watched:
            self.env["credit.insurance.deadline"]._sync_known(watched.filtered("credit_insurance_deadline_ids"))

    # === ACTIONS === #

    def action_credit_insurance_make_claim(self):
        """Make a draft claim from these invoices of one buyer, and open it."""
        if not self:
            raise UserError(self.env._("Select the overdue invoices of one buyer."))
        claim = self.env["credit.insurance.claim"]._create_from_invoices(self)
        return claim._get_form_action()


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    credit_insurance_original_due_date = fields.Date(
        string="Original Due Date", readonly=True, copy=False, groups=ACCOUNTING_OR_CREDIT
    )

    def write(self, vals):
        self.env["credit.insurance.computed.fields"]._credit_refuse_computed([vals], KEPT_FIELDS)
        result = super().write(vals)
        if "date_maturity" in vals:
            self.move_id._credit_insurance_due_date_changed()
        return result
