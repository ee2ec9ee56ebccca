from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, format_date

from .amounts import is_amount
from .company_calendar import company_holidays
from .guarded_fields import without_fields

EVENT_KINDS = [
    ("insolvency_rumour", "Insolvency rumour"),
    ("insolvency", "Insolvency"),
    ("management_change", "Change of management"),
    ("sector_default", "Default in the sector"),
    ("deferral_request", "Request for deferral"),
    ("returned_payment", "Returned payment"),
    ("payment_promise", "Promise to pay"),
    ("dispute", "Dispute"),
    ("legal_action", "Legal action"),
    ("cover_cut", "Cover cut by the insurer"),
    ("cover_announced", "End or cut of cover announced"),
    ("cover_restored", "Cover restored or raised"),
    ("grade_worse", "Grade worse"),
    ("grade_better", "Grade better"),
    ("other", "Other"),
]
# Recorded from the insurer's data; nobody enters them.
INSURER_KINDS = ("cover_cut", "cover_announced", "cover_restored", "grade_worse", "grade_better")
# What the insurer wants to hear of within the policy's period.
ADVERSE_KINDS = ("insolvency_rumour", "insolvency", "deferral_request", "returned_payment", "legal_action")
ORIGINS = [
    ("entered", "Entered"),
    ("imported", "Imported"),
    ("ledger", "From the ledger"),
    ("insurer", "From the insurer's data"),
]
# The disputes that stand, of the invoice that whoever uses it adds.
DISPUTE = SQL("SELECT 1 FROM credit_insurance_event e WHERE e.kind = 'dispute' AND e.active")
# Set by the flows, never by whoever fills in a form.
SYSTEM_FIELDS = ("origin", "reported_by_id", "company_id")
FIXED = ("buyer_id", "kind", "date", "known_on", "source", "amount", "promised_on", "reference", "move_id")


class CreditInsuranceEvent(models.Model):
    """Something that happened to a buyer and that no document of ours tells.

    What was entered stays as it was entered: a wrong event is archived and entered again.
    """

    _name = "credit.insurance.event"
    _description = "Event About a Buyer"
    _inherit = ["credit.insurance.buyer.thread"]
    _order = "date desc, id desc"
    _mail_post_access = "read"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True)
    partner_id = fields.Many2one(related="buyer_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(EVENT_KINDS, required=True)
    date = fields.Date(required=True, default=lambda self: self._default_today(), help="The day it happened.")
    known_on = fields.Date(
        required=True, default=lambda self: self._default_today(), help="The day we knew; the insurer counts from it."
    )
    source = fields.Char(required=True, help="Person, register or agency it comes from.")
    reference = fields.Char(help="The source's own number: importing it again changes nothing.")
    note = fields.Text()
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        domain="[('move_type', '=', 'out_invoice'), ('company_id', 'child_of', company_id)]",
        index="btree_not_null",
        help="The invoice that is disputed. It is not insured until the dispute is settled; archive it then.",
    )
    amount = fields.Monetary(help="What it is about, in the company's currency; of a promise: what was promised.")
    promised_on = fields.Date(string="Promised For", help="Last day of the promise to pay.")
    origin = fields.Selection(ORIGINS, default="entered", required=True, readonly=True)
    adverse = fields.Boolean(compute="_compute_adverse")
    report_until = fields.Date(
        string="Last Day to Report",
        compute="_compute_report_until",
        compute_sudo=True,
        help="The earliest that a policy behind the buyer's cover asks for.",
    )
    reported_on = fields.Date(string="Reported to the Insurer", readonly=True, tracking=True)
    reported_by_id = fields.Many2one("res.users", readonly=True)
    active = fields.Boolean(default=True, tracking=True)

    _reference_uniq = models.UniqueIndex(
        "(buyer_id, source, reference) WHERE reference IS NOT NULL AND reference <> ''",
        "This event of this source is known already.",
    )
    _buyer_date_idx = models.Index("(buyer_id, date) WHERE active")

    @api.model
    def _default_today(self):
        return self.env.company.root_id._credit_today()

    @api.depends("kind")
    def _compute_adverse(self):
        for event in self:
            event.adverse = event.kind in ADVERSE_KINDS

    @api.depends("kind", "known_on", "buyer_id")
    def _compute_report_until(self):
        for event in self:
            day, insuring = event.known_on, event.buyer_id._get_insuring_policies()
            policies = insuring.filtered(lambda policy, day=day: policy._is_in_force(day)) if day else ()
            holidays = company_holidays(event.company_id) if policies else ()
            days = [policy._get_terms().adverse_information.last_day(day, holidays) for policy in policies]
            event.report_until = min(days, default=False) if event.adverse else False

    @api.depends("kind", "date", "partner_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for event in self:
            event.display_name = (
                f"{event.partner_id.name}: {kinds.get(event.kind, '')}, {format_date(self.env, event.date)}"
            )

    @api.constrains("date", "known_on", "kind", "promised_on", "amount", "move_id")
    def _check_event(self):
        for event in self:
            if not is_amount(event.amount):
                raise ValidationError(self.env._("This is no amount."))
            if event.known_on > event.company_id._credit_today() or event.date > event.known_on:
                raise ValidationError(self.env._("An event happened before it was known, and it is known today."))
            if event.kind == "payment_promise" and (not event.promised_on or event.promised_on < event.date):
                raise ValidationError(self.env._("A promise to pay needs the day it was promised for."))
            move = event.sudo().move_id
            if move and (move.commercial_partner_id != event.partner_id or move.company_id.root_id != event.company_id):
                raise ValidationError(self.env._("This is not an invoice of the buyer."))

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, (*SYSTEM_FIELDS, "reported_on"))
            origin = "imported" if self.env.context.get("import_file") else "entered"
            vals_list = [{**vals, "origin": origin} for vals in vals_list]
        events = super().create(vals_list)
        if not self.env.su and any(event.kind in INSURER_KINDS for event in events):
            raise UserError(self.env._("What the insurer changes is recorded from its data and not entered."))
        events._move_dates_of_loss()
        return events

    def write(self, vals):
        if not self.env.su:
            self, [vals] = without_fields(self, [vals], (*SYSTEM_FIELDS, "reported_on"))
            if any(self._changes(name, vals) for name in FIXED):
                raise UserError(self.env._("An event stays as it was entered. Archive it and enter the right one."))
        result = super().write(vals)
        if {"active", "kind", "date", "buyer_id"} & vals.keys():
            self._move_dates_of_loss()
        return result

    def _move_dates_of_loss(self):
        """An insolvency is the date of loss of what was owed already: claims are due earlier."""
        insolvent = self.filtered(lambda event: event.kind == "insolvency").buyer_id
        if insolvent:
            self.env["credit.insurance.deadline"]._sync_buyers(insolvent)

    def _changes(self, name, vals):
        if name not in vals:
            return False
        return any(event[name] != event.new(vals, origin=event)[name] for event in self)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("An event stays on record. Archive it."))

    def action_mark_reported(self):
        """Record that the insurer was told today; for credit officers."""
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_user"):
            raise AccessError(self.env._("Only credit officers record what was reported to the insurer."))
        self.check_access("write")
        for event in self.filtered(lambda event: event.adverse and not event.reported_on):
            event.sudo().write({"reported_on": event.company_id._credit_today(), "reported_by_id": self.env.uid})
        return True

    @api.model
    def _record_returned(self, payments):
        """A payment of a customer that the bank sent back is an event of its buyer, whom rules watch from now on."""
        buyers = self.env["credit.insurance.buyer"].sudo()
        received = [("partner_type", "=", "customer"), ("payment_type", "=", "inbound")]
        for payment in payments.sudo().filtered_domain(received):
            partner, company = payment.partner_id.commercial_partner_id, payment.company_id.root_id
            buyer = buyers._find(partner, company) or buyers._take_up_debtors(partner).filtered(
                lambda buyer, company=company: buyer.company_id == company
            )
            reference = payment.name or str(payment.id)
            known = [("buyer_id", "=", buyer.id), ("origin", "=", "ledger"), ("reference", "=", reference)]
            if not buyer or self.sudo().with_context(active_test=False).search_count(known):
                continue
            amount = payment.currency_id._convert(payment.amount, company.currency_id, company, payment.date)
            self.sudo().create(
                {
                    "buyer_id": buyer.id,
                    "kind": "returned_payment",
                    "date": company._credit_today(),
                    "known_on": company._credit_today(),
                    "source": self.env._("Payment"),
                    "reference": reference,
                    "amount": amount,
                    "origin": "ledger",
                }
            )


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def action_reject(self):
        result = super().action_reject()
        self.env["credit.insurance.event"]._record_returned(self)
        return result
