"""Cover the policyholder grants itself under the policy, on evidence that is stored and frozen when it is granted."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from . import credit_insurance_limit_row  # noqa: F401 (has to be loaded first)
from .credit_insurance_payment_behaviour import Behaviour

EVIDENCE_FIELDS = ("evidence", "evidenced", "insured_percentage", "currency_id")


class CreditInsurancePolicy(models.Model):
    _inherit = "credit.insurance.policy"

    discretionary_maximum = fields.Monetary(
        string="Discretionary Limit Up To",
        tracking=True,
        help="What the policy lets us grant a buyer ourselves, at most. Zero: nothing.",
    )
    discretionary_percentage = fields.Float(
        string="Insured % of Discretionary Limits",
        digits=(5, 2),
        help="Zero: the policy's insured percentage.",
    )
    discretionary_payments = fields.Integer(
        string="Payments On Time",
        default=3,
        help="So many invoices paid on time are evidence. Zero: payments are no evidence under this policy.",
    )
    discretionary_months = fields.Integer(string="Within (months)", default=12)
    discretionary_report_months = fields.Integer(
        string="Report Not Older Than (months)",
        help="A credit report up to this age is evidence. Zero: reports are no evidence under this policy.",
    )

    _discretionary_range = models.Constraint(
        "CHECK(discretionary_maximum >= 0 AND discretionary_percentage BETWEEN 0 AND 100 "
        "AND discretionary_payments >= 0 AND discretionary_months >= 0 AND discretionary_report_months >= 0)",
        "The terms of discretionary limits are zero or more, the percentage at most 100.",
    )


class CreditInsuranceDiscretionaryLimit(models.Model):
    """A limit under a policy that we granted ourselves. It is not added to a named cover.

    It is void after a refusal or withdrawal by the insurer, and from the day on which adverse information is known.
    """

    _name = "credit.insurance.discretionary.limit"
    _description = "Discretionary Limit"
    _inherit = ["credit.insurance.limit.row"]
    _order = "buyer_id, date_from desc, id desc"
    _fixed = ("buyer_id", "policy_id", "report_date")
    _terms = ("amount", "date_from")

    policy_id = fields.Many2one(
        "credit.insurance.policy",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('company_id', '=', company_id), ('discretionary_maximum', '>', 0)]",
    )
    currency_id = fields.Many2one(default=False, readonly=True)
    insured_percentage = fields.Float(string="Insured %", digits=(5, 2), readonly=True)
    report_date = fields.Date(help="Date of the credit report that is attached, when that is the evidence.")
    evidence = fields.Json(readonly=True, copy=False)
    evidence_text = fields.Text(compute="_compute_evidence_text", string="Evidence")
    evidenced = fields.Boolean(
        readonly=True, copy=False, help="The policy's conditions were met when it was granted. Otherwise it is void."
    )
    replaces_id = fields.Many2one(
        "credit.insurance.discretionary.limit", string="Takes the Place Of", copy=False, index="btree_not_null"
    )

    _amount_positive = models.Constraint("CHECK(amount > 0)", "A discretionary limit is an amount above zero.")
    _dates_ordered = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "The limit ends before it starts."
    )

    @api.depends("evidence")
    @api.depends_context("lang")
    def _compute_evidence_text(self):
        for row in self:
            found = row.evidence or {}
            lines = []
            if found.get("payments_needed"):
                lines.append(
                    self.env._(
                        "%(count)s invoices paid on time between %(start)s and %(end)s, %(late)s paid late; "
                        "the policy asks for %(needed)s paid on time",
                        count=found["payments_on_time"],
                        late=found["payments_late"],
                        start=format_date(self.env, found["since"]),
                        end=format_date(self.env, found["until"]),
                        needed=found["payments_needed"],
                    )
                )
            if found.get("report_date"):
                lines.append(
                    self.env._(
                        "Credit report of %(date)s, %(count)s documents; the policy accepts reports since %(since)s",
                        date=format_date(self.env, found["report_date"]),
                        count=len(found["documents"]),
                        since=format_date(self.env, found["report_since"]) or "-",
                    )
                )
            row.evidence_text = "\n".join(lines)

    @api.constrains("amount", "policy_id", "buyer_id")
    def _check_policy(self):
        for row in self:
            policy = row.policy_id
            if policy.company_id != row.company_id:
                raise ValidationError(self.env._("Policy %s is another company's.", policy.number))
            if policy.currency_id.compare_amounts(row.amount, policy.discretionary_maximum) > 0:
                raise ValidationError(
                    self.env._(
                        "Policy %(policy)s lets us grant %(maximum)s at most.",
                        policy=policy.number,
                        maximum=policy.currency_id.format(policy.discretionary_maximum),
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """The currency and percentage are the policy's, and the evidence is gathered by the system."""
        prepared = []
        for vals in vals_list:
            policy = self.env["credit.insurance.policy"].browse(vals.get("policy_id"))
            own = {name: value for name, value in vals.items() if name not in EVIDENCE_FIELDS}
            share = policy.discretionary_percentage or policy.insured_percentage
            prepared.append({"currency_id": policy.currency_id.id, "insured_percentage": share} | own)
        rows = super().create(prepared)
        rows._freeze_evidence()
        return rows

    def write(self, vals):
        if not self.env.su and any(name in vals for name in EVIDENCE_FIELDS):
            raise UserError(self.env._("The evidence stays as it was when the limit was granted."))
        return super().write(vals)

    # === BUSINESS METHODS === #

    def _freeze_evidence(self):
        for policy, rows in self.grouped("policy_id").items():
            until = rows[:1]._today()
            since = until - relativedelta(months=policy.discretionary_months)
            payments = self.env["credit.insurance.payment.behaviour"]._get_payments(rows.buyer_id, since, until)
            for row in rows:
                paid = payments.get(row.buyer_id.id, Behaviour(0, 0, None))
                evidence = row._prepare_evidence(since, until, paid.on_time, paid.late)
                row.sudo().write({"evidence": evidence, "evidenced": row._is_evidenced(evidence)})

    def _prepare_evidence(self, since, until, on_time, late):
        """What is known now, as JSON; documents with their checksums, so that an exchanged one shows."""
        self.ensure_one()
        policy = self.policy_id
        months = policy.discretionary_report_months
        return {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "payments_on_time": on_time,
            "payments_late": late,
            "payments_needed": policy.discretionary_payments,
            "report_date": self.report_date.isoformat() if self.report_date else None,
            "report_since": (until - relativedelta(months=months)).isoformat() if months else None,
            "documents": [
                {"name": document.name, "checksum": document.checksum} for document in self.sudo().attachment_ids
            ],
        }

    @api.model
    def _is_evidenced(self, evidence):
        paid = 0 < evidence["payments_needed"] <= evidence["payments_on_time"]
        reported = (
            evidence["documents"]
            and evidence["report_since"]
            and evidence["report_date"]
            and evidence["report_since"] <= evidence["report_date"] <= evidence["until"]
        )
        return bool(paid or reported)
