"""The limit in force of a buyer on any date, row by row: counted or not, why, how old."""

from odoo import api, fields, models

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_buyer_credit import LIMIT_STATES, limit_state
from odoo.addons.credit_insurance.rules.policy import LineCode

LINE_CODES = [
    (LineCode.COUNTED.value, "Counts"),
    (LineCode.COUNTED_STALE.value, "Counts, although its data are old"),
    (LineCode.NOT_YET.value, "Has not begun"),
    (LineCode.EXPIRED.value, "Expired"),
    (LineCode.SUPERSEDED.value, "Replaced by a later row"),
    (LineCode.CANCELLED.value, "Taken back before it began"),
    (LineCode.NEVER_ASKED.value, "The insurer was never asked"),
    (LineCode.REQUESTED.value, "Asked, no answer yet"),
    (LineCode.REFUSED.value, "Refused by the insurer"),
    (LineCode.WITHDRAWN.value, "Withdrawn by the insurer"),
    (LineCode.UNREADABLE.value, "The insurer's answer could not be read"),
    (LineCode.STALE.value, "Older than your company accepts"),
    (LineCode.NAMED_COVER.value, "Not added to the insurer's cover"),
    (LineCode.VOID_REFUSED.value, "Void: the insurer refused cover"),
    (LineCode.VOID_WITHDRAWN.value, "Void: the insurer withdrew cover"),
    (LineCode.VOID_ADVERSE_INFORMATION.value, "Void: adverse information is known"),
    (LineCode.NO_EVIDENCE.value, "Void: the policy's conditions were not met"),
    (LineCode.LESSER.value, "Not counted: your company takes the larger of insured and own limit"),
]
SOURCE_KINDS = [
    ("credit.insurance.own.limit", "Own limit"),
    ("credit.insurance.guarantee", "Guarantee"),
    ("credit.insurance.discretionary.limit", "Discretionary limit"),
    ("credit.insurance.cover", "Insurer's cover"),
]
# What tells rows without a policy apart.
NAMES = {"credit.insurance.own.limit": "note", "credit.insurance.guarantee": "reference"}


class CreditInsuranceLimitExplanation(models.TransientModel):
    _name = "credit.insurance.limit.explanation"
    _description = "Limit on a Date"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="buyer_id.currency_id", related_sudo=False)
    date = fields.Date(required=True, default=fields.Date.context_today)
    limit_state = fields.Selection(LIMIT_STATES, compute="_compute_limit", string="State")
    limit_amount = fields.Monetary(
        compute="_compute_limit", string="Limit in Force", help="Compared with what is owed, tax included."
    )
    insured_limit = fields.Monetary(compute="_compute_limit")
    own_limit = fields.Monetary(compute="_compute_limit")
    guaranteed = fields.Monetary(compute="_compute_limit", string="Guarantees")
    insured_until = fields.Date(compute="_compute_limit", help="Last day on which the insured part is known to stand.")
    combination = fields.Selection(related="buyer_id.company_id.credit_limit_combination", string="Company Takes")
    line_ids = fields.One2many("credit.insurance.limit.explanation.line", "explanation_id", compute="_compute_limit")

    @api.depends("buyer_id", "date")
    def _compute_limit(self):
        for page in self:
            buyer = page.buyer_id
            buyer.check_access("read")
            if not buyer:
                page.limit_state = page.insured_until = page.line_ids = False
                page.limit_amount = page.insured_limit = page.own_limit = page.guaranteed = 0.0
                continue
            today = buyer.company_id._credit_today()
            pair = (buyer.partner_id.id, buyer.company_id.id)
            found = self.env["credit.insurance.limit"]._get_limits([pair], today, on=page.date or today)[pair]
            limit = found.limit
            page.limit_state = limit_state(limit)
            page.limit_amount = float(limit.amount.amount) if limit.amount is not None else 0.0
            page.insured_limit = float(limit.insured.amount)
            page.own_limit = float(limit.own.amount)
            page.guaranteed = float(limit.guaranteed.amount)
            page.insured_until = limit.insured_until
            lines = zip(found.sources, limit.lines, strict=True)
            page.line_ids = [
                fields.Command.clear(),
                *(fields.Command.create(self._prepare_line_vals(*item)) for item in lines),
            ]

    def _prepare_line_vals(self, source, line):
        model, record_id = source
        record = self.env[model].browse(record_id)
        policy = record.policy_id if "policy_id" in record._fields else None
        return {
            "currency_id": self.buyer_id.currency_id.id,
            "source_kind": model,
            "source_id": record_id,
            "name": policy.number if policy else record[NAMES[model]],
            "row_amount": float(line.row.amount.amount) if line.row.amount is not None else 0.0,
            "row_currency_id": record.currency_id.id,
            "has_amount": line.row.amount is not None,
            "date_from": line.row.first_day,
            "date_to": line.row.last_day,
            "code": line.code.value,
            "basis": record.basis if "basis" in record._fields else False,
            "counted": line.counted,
            "counted_amount": float(line.amount.amount) if line.counted and line.amount is not None else 0.0,
            "age_days": line.age_days or 0,
            "has_age": line.age_days is not None,
        }


class CreditInsuranceLimitExplanationLine(models.TransientModel):
    _name = "credit.insurance.limit.explanation.line"
    _description = "Row of a Limit on a Date"

    explanation_id = fields.Many2one("credit.insurance.limit.explanation", ondelete="cascade")
    currency_id = fields.Many2one("res.currency")
    source_kind = fields.Selection(SOURCE_KINDS, string="Kind")
    source_id = fields.Many2oneReference(model_field="source_kind", string="Record")
    name = fields.Char(string="Policy or Reference")
    row_currency_id = fields.Many2one("res.currency")
    row_amount = fields.Monetary(string="Amount", currency_field="row_currency_id")
    has_amount = fields.Boolean()
    date_from = fields.Date(string="From")
    date_to = fields.Date(string="Until")
    code = fields.Selection(LINE_CODES, string="Why")
    basis = fields.Char(help="What the amount follows from, or what is missing to know it.")
    counted = fields.Boolean()
    counted_amount = fields.Monetary(string="Counted")
    age_days = fields.Integer(string="Age (days)")
    has_age = fields.Boolean()
