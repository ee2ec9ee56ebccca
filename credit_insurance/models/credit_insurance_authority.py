"""Who may decide how much: the company's authority matrix, deputies, four eyes and the firm of two.

amount in company currency, risk class, who asked
  ──> a row of the matrix that names the user, else the row of somebody who is away and named the user as deputy
  ──> four eyes: from the company's amount on, whoever asked does not decide
  ──> firm of two: unless nobody else could, the company allows it, and a note says why
"""

import math
from dataclasses import dataclass, replace

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import plaintext2html

from .credit_insurance_grade_scale import RISK_CLASSES

KINDS = [("release", "Releases of held documents"), ("limit", "Own limits")]


@dataclass(frozen=True)
class Ask:
    """What is to be decided. ``amount`` is in the currency of ``company``, infinite where it cannot be converted.

    ``before`` is the part of it that was granted before.
    """

    kind: str
    company: object
    amount: float
    buyer: object
    askers: object
    before: float = 0.0

    @property
    def needs_four_eyes(self):
        return self.amount >= self.company.credit_four_eyes_amount


class CreditInsuranceAuthority(models.Model):
    """A row of the matrix. A company without a row of a kind lets every credit manager decide that kind."""

    _name = "credit.insurance.authority"
    _description = "Credit Authority"
    _inherit = ["mail.thread", "credit.insurance.amounts"]
    _order = "company_id, kind, unlimited, amount, id"

    name = fields.Char(compute="_compute_name", string="Authority")
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
        tracking=True,
    )
    kind = fields.Selection(KINDS, string="Decides", required=True, default="release", tracking=True)
    user_ids = fields.Many2many(
        "res.users",
        "credit_insurance_authority_user_rel",
        string="Who",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    unlimited = fields.Boolean(string="Any Amount", tracking=True)
    amount = fields.Monetary(string="Up to", tracking=True, help="In the company's currency. Zero is an amount.")
    worst_risk_class = fields.Selection(
        RISK_CLASSES, tracking=True, help="Down to this risk class of the buyer. Empty: any."
    )
    unrated_allowed = fields.Boolean(
        string="Also Without a Risk Class",
        tracking=True,
        help="A buyer without a risk class counts as the worst one, unless this is ticked.",
    )
    active = fields.Boolean(default=True, tracking=True)

    _amount_positive = models.Constraint("CHECK(amount >= 0)", "An authority cannot be below zero.")

    @api.depends_context("lang")
    @api.depends("kind", "unlimited", "amount", "worst_risk_class", "unrated_allowed", "currency_id")
    def _compute_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        classes = dict(self._fields["worst_risk_class"]._description_selection(self.env))
        for row in self:
            upto = self.env._("any amount")
            if not row.unlimited:
                upto = self.env._("up to %s", row.currency_id.format(row.amount))
            parts = [kinds.get(row.kind, ""), upto]
            if row.worst_risk_class:
                parts.append(self.env._("risk class %s or better", classes[row.worst_risk_class]))
            row.name = ", ".join(parts)

    @api.constrains("company_id")
    def _check_root_company(self):
        if self.company_id.parent_id:
            raise ValidationError(self.env._("Credit is granted by the root company, not by a branch."))

    @api.constrains("user_ids", "company_id")
    def _check_users(self):
        for row in self:
            strangers = row.user_ids - self._get_managers(row.company_id)
            if strangers and row.active:
                raise ValidationError(
                    self.env._(
                        "Only credit managers of %(company)s can have authority: %(users)s.",
                        company=row.company_id.name,
                        users=", ".join(strangers.mapped("name")),
                    )
                )

    # === BUSINESS METHODS === #

    @api.model
    def _check(
        self, kind, company, amount, currency, buyer, askers=None, record=None, note=None, actors=None, before=0
    ):
        """Return the row or delegation that lets the current user decide; empty when the company has no matrix.

        :param str kind: ``release`` or ``limit``
        :param amount: what is to be granted, in ``currency``; compared in company currency at today's rate
        :param before: the part of ``amount`` that was granted before
        :param buyer: ``credit.insurance.buyer``, may be empty; its risk class counts
        :param askers: ``res.users`` who asked for it in any way
        :param actors: those of ``askers`` who did something themselves (default: all of them); nobody rules a colleague
            out by naming him
        :param record: what is decided; a self-approval is marked on it (``self_approved``) and shown to a colleague
        :param note: why; a self-approval needs one
        :raise AccessError: the user may not decide this, in plain words
        :raise UserError: a self-approval without a note
        """
        user = self.env.user
        ask = self._make_ask(kind, company, amount, currency, buyer, askers, before)
        if user not in self._get_managers(ask.company):
            raise AccessError(self.env._("Only a credit manager of %s may decide this.", ask.company.name))
        allowed, used = self._find_authority(user, ask)
        if not allowed:
            raise AccessError(self._explain_refusal(user, ask))
        if user in ask.askers and ask.needs_four_eyes:
            self._check_self_approval(user, ask, note, actors)
            self._mark_self_approved(record, ask, note)
        return used.with_env(self.env)

    @api.model
    def _make_ask(self, kind, company, amount, currency, buyer, askers=None, before=0):
        company = company.root_id.sudo()
        known = currency == company.currency_id or self._has_rate(currency, company)

        def own(value):
            if not value or currency == company.currency_id:
                return value
            if not known:
                return math.inf
            return currency._convert(value, company.currency_id, company, company._credit_today())

        users = (askers if askers is not None else self.env["res.users"]).sudo()
        return Ask(kind, company, own(amount), buyer.sudo(), users, own(before))

    @api.model
    def _has_rate(self, currency, company):
        """Odoo takes 1 for a rate that nobody entered: with none on either side nothing can be compared."""
        return bool(
            self.env["res.currency.rate"]
            .sudo()
            .search_count(
                [
                    ("currency_id", "in", (currency | company.currency_id).ids),
                    ("company_id", "in", (False, company.id)),
                ],
                limit=1,
            )
        )

    @api.model
    def _get_managers(self, company):
        """Credit managers who work in this company now, whoever looks."""
        managers = self.env.ref("credit_insurance.credit_insurance_group_manager").sudo().all_user_ids
        return managers.filtered(lambda user: user.active and not user.share and company in user.company_ids)

    @api.model
    def _get_matrix(self, ask):
        return self.sudo().search([("kind", "=", ask.kind), ("company_id", "=", ask.company.id)])

    @api.model
    def _find_authority(self, user, ask, matrix=None):
        """Whether the matrix lets ``user`` decide, and by which row or delegation. Four eyes is another question."""
        matrix = self._get_matrix(ask) if matrix is None else matrix
        if not matrix:
            return True, self
        row = matrix._find_row(user, ask)
        if row:
            return True, row
        for delegation in self.env["credit.insurance.delegation"]._get_active(ask.company, to_user=user):
            if self._lends_authority(delegation, ask, matrix):
                return True, delegation
        return False, self

    def _find_row(self, user, ask):
        return self.filtered(lambda row: user in row.user_ids and row._covers(ask))[:1]

    def _covers(self, ask):
        self.ensure_one()
        if not self.unlimited and self.currency_id.compare_amounts(min(ask.amount, 1e15), self.amount) > 0:
            return False
        if not self.worst_risk_class:
            return True
        if not ask.buyer.risk_class:
            return self.unrated_allowed or self.worst_risk_class == RISK_CLASSES[-1][0]
        return ask.buyer.risk_class <= self.worst_risk_class

    @api.model
    def _lends_authority(self, delegation, ask, matrix):
        """A deputy decides what the absent one could: nothing either of them asked for, and no deputy's deputy."""
        absent, deputy = delegation.from_user_id, delegation.to_user_id
        return (
            deputy not in ask.askers
            and not (absent in ask.askers and ask.needs_four_eyes)
            and absent in self._get_managers(ask.company)
            and bool(matrix._find_row(absent, ask))
        )

    @api.model
    def _find_deciders(self, ask):
        """Everybody who may decide this, the smallest sufficient authority first, deputies last."""
        managers = self._get_managers(ask.company)
        if ask.needs_four_eyes:
            managers -= ask.askers
        matrix = self._get_matrix(ask)
        if not matrix:
            return managers
        named = matrix.filtered(lambda row: row._covers(ask)).user_ids & managers
        return named | (managers - named).filtered(lambda user: self._find_authority(user, ask, matrix)[0])

    @api.model
    def _choose_decider(self, ask):
        """Who gets the activity: the company's responsible if that is enough, else who has just enough authority.

        Somebody who is away today is replaced by the deputy. Nobody at all: the responsible, so that it is seen.
        """
        deciders = self._find_deciders(ask)
        responsible = ask.company._get_credit_responsible()
        chosen = responsible if responsible in deciders else deciders[:1]
        deputy = self._get_deputy(chosen, ask, deciders)
        return deputy or chosen or responsible

    @api.model
    def _get_deputy(self, user, ask, deciders=None):
        """The deputy of somebody who is away today, as far as the deputy may decide this."""
        deciders = self._find_deciders(ask) if deciders is None else deciders
        delegations = self.env["credit.insurance.delegation"]._get_active(ask.company, from_user=user)
        return (delegations.to_user_id & deciders)[:1] if user else user

    @api.model
    def _explain_refusal(self, user, ask):
        amount = (
            ask.company.currency_id.format(ask.amount) if math.isfinite(ask.amount) else self.env._("no known rate")
        )
        deciders = self._find_deciders(ask) - user
        told = self.env._("This is beyond your authority (%(amount)s).", amount=amount)
        if ask.before and math.isfinite(ask.before):
            before = ask.company.currency_id.format(ask.before)
            told += " " + self.env._("%s of it was released before: releases to a buyer on one day add up.", before)
        if not deciders:
            return told + " " + self.env._("Nobody in %s has authority for it.", ask.company.name)
        return told + " " + self.env._("These people may decide it: %s.", ", ".join(deciders.mapped("name")))

    # === FIRM OF TWO === #

    @api.model
    def _check_self_approval(self, user, ask, note, actors=None):
        others = self._find_deciders(replace(ask, askers=actors) if actors is not None else ask) - user
        if others or not ask.company.credit_self_approval:
            told = self.env._("You asked for this yourself: another credit manager has to decide it.")
            if ask.kind == "limit":
                told = self.env._(
                    "You asked for this limit or typed it yourself: another credit manager has to decide it. "
                    "Enter it under Limit Requests, and somebody else can grant it."
                )
            raise AccessError(told)
        if not (note or "").strip():
            raise UserError(self.env._("You decide your own request: say why in the note."))

    @api.model
    def _mark_self_approved(self, record, ask, note):
        """Put it on the record, and before the eyes of somebody else of the credit team."""
        if record is None:
            return
        record = record.sudo()
        if "self_approved" in record._fields:
            record.self_approved = True
        team = self.env.ref("credit_insurance.credit_insurance_group_user").sudo().all_user_ids - self.env.user
        team = team.filtered(lambda user: user.active and not user.share and ask.company in user.company_ids)
        if not team or not hasattr(record, "activity_schedule"):
            return
        colleague = team.sorted(lambda user: (user._is_system(), user.id))[0]
        record = record.with_context(lang=colleague.lang)
        record.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=record.env._("%s decided an own request: please look at it", self.env.user.name),
            note=plaintext2html(note or ""),
            user_id=colleague.id,
        )
