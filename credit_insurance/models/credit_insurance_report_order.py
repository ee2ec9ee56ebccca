from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.credit_insurance.connectors import Operation, ReportFile, ReportOrder, ReportStatus

from . import credit_insurance_submission_buyer  # noqa: F401 (has to be loaded first)
from .amounts import is_amount
from .company_calendar import company_day
from .credit_insurance_evidence import safe_file_name, sha256
from .credit_insurance_submission_job import naive_utc

REPORT_STATES = [
    ("draft", "Draft"),
    ("ready", "To hand in"),
    ("queued", "Being sent"),
    ("failed", "Could not be sent"),
    ("uncertain", "To be checked at the insurer"),
    ("sent", "Sent by hand"),
    ("acknowledged", "Ordered"),
    ("accepted", "Delivered"),
    ("refused", "Declined"),
    ("cancelled", "Cancelled"),
]
STATES = {
    ReportStatus.ORDERED: "acknowledged",
    ReportStatus.DELIVERED: "accepted",
    ReportStatus.REFUSED: "refused",
}


class CreditInsuranceReportOrder(models.Model):
    """A credit report on a buyer. What the insurer delivers is stored as it came, and never exchanged: it is evidence.

    One order is open per buyer, policy and product: a report may cost.
    """

    _name = "credit.insurance.report.order"
    _description = "Credit Report"
    _inherit = ["credit.insurance.submission.buyer"]
    _order = "id desc"
    _check_company_auto = True

    _draft_fields = frozenset({"policy_id", "buyer_id", "comment", "user_id", "product"})
    _sender_groups = ("credit_insurance.credit_insurance_group_user",)
    _asked_states = ("sent", "acknowledged")
    _waiting_states = ("failed", "uncertain", "sent", "acknowledged")
    _answer_states = ("acknowledged", "refused")
    _sheet_report = "credit_insurance.action_report_report_order"

    state = fields.Selection(REPORT_STATES)
    product = fields.Char(string="Report", help="The insurer's name of the report. Empty: its usual one.")
    live = fields.Boolean(compute="_compute_live", store=True, help="Ordered, or about to be, and not delivered.")
    issued_on = fields.Date(readonly=True, copy=False, tracking=True)
    grade = fields.Char(readonly=True, copy=False, help="As the report gives it.")
    recommended_amount = fields.Monetary(readonly=True, copy=False, currency_field="recommended_currency_id")
    recommended_currency_id = fields.Many2one("res.currency", readonly=True, copy=False)
    report_id = fields.Many2one("ir.attachment", string="File", readonly=True, copy=False, ondelete="restrict")
    report_name = fields.Char(related="report_id.name", string="File Name")
    sha256 = fields.Char(string="SHA-256", readonly=True, copy=False, help="Of the file as it was delivered.")
    source = fields.Char(readonly=True, copy=False, tracking=True, help="Who issued the report.")
    uploaded_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, help="Who attached it. Empty: the connection."
    )
    intact = fields.Boolean(compute="_compute_intact", help="The file still has the checksum it was delivered with.")
    warning_text = fields.Text(compute="_compute_warning_text")

    _name_uniq = models.UniqueIndex("(name)", "This reference exists already.")
    _live_uniq = models.UniqueIndex(
        "(buyer_id, policy_id, COALESCE(product, '')) WHERE live", "This report is ordered for this buyer already."
    )

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_live(self):
        for order in self:
            order.live = order.state not in ("accepted", "refused", "cancelled")

    def _compute_intact(self):
        for order in self:
            file = order.sudo().report_id
            order.intact = bool(file) and sha256(file.raw or b"") == order.sha256

    @api.depends("buyer_id", "policy_id", "product", "state")
    def _compute_warning_text(self):
        for order in self:
            still = order.state in ("draft", "failed") and order.buyer_id and order.policy_id
            order.warning_text = "\n".join(order._get_warnings()) if still else False

    def _get_warnings(self):
        warnings = []
        known = self.buyer_id.report_order_ids.filtered(lambda order: order.state == "accepted")
        if known:
            last = max(known, key=lambda order: (order._get_day(), order.id))
            day = format_date(self.env, last._get_day())
            warnings.append(self.env._("%(name)s of %(day)s is there already.", name=last.name, day=day))
        if not self.route_note and not self._get_insurer_buyer_id():
            warnings.append(self.env._("The insurer's number of this buyer is not known."))
        return warnings

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_none_open(vals.get("buyer_id"), vals.get("policy_id"), vals.get("product"))
        return super().create(vals_list)

    @api.model
    def _check_none_open(self, buyer_id, policy_id, product):
        """The unique index sees to it in any case; here the other one is named to those who may read it."""
        self.env["credit.insurance.buyer"].browse(buyer_id).check_access("read")
        domain = [("buyer_id", "=", buyer_id), ("policy_id", "=", policy_id), ("live", "=", True)]
        same = self.sudo().search(domain).filtered(lambda order: (order.product or "") == (product or ""))
        if same:
            names = self._get_readable_names(same)
            named = names and self.env._("%s asks for this report already.", names[0])
            raise UserError(named or self.env._("This report is ordered for this buyer already."))

    # === ACTIONS === #

    def action_attach_report(self):
        """Attach a report that came by mail or from the insurer's portal."""
        self.ensure_one()
        self._check_may_attach()
        return self._get_answer_action(self.env._("Attach the Report"), "report")

    def action_download(self):
        self.ensure_one()
        self.check_access("read")
        if not self.report_id:
            raise UserError(self.env._("The report was not delivered yet."))
        return self.sudo().report_id._get_download_action()

    def action_grant_discretionary(self):
        """A discretionary limit on the strength of this report, to be filled in."""
        self.ensure_one()
        self.check_access("read")
        limits = self.env["credit.insurance.discretionary.limit"]
        limits.check_access("create")
        if not self.intact:
            raise UserError(self.env._("The report was not delivered, or is not as it was delivered."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Discretionary Limit"),
            "res_model": limits._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {
                "default_buyer_id": self.buyer_id.id,
                "default_policy_id": self.policy_id.id,
                "default_report_date": self._get_day(),
                "default_attachment_ids": [fields.Command.link(self.report_id.id)],
            },
        }

    def _get_day(self):
        """The day the report is from; the one it came on where it tells none."""
        return self.issued_on or company_day(self.company_id, self.acknowledged_on)

    # === MESSAGES === #

    def _get_operation(self):
        return Operation.ORDER_REPORT

    def _get_status_operation(self):
        return Operation.REPORT_STATE

    def _get_message(self):
        return ReportOrder(
            reference=self.name,
            buyer_id=self._get_message_buyer_id(),
            policy_number=self.policy_id.number,
            product=self.product or "",
            currency=self.currency_id.name,
        )

    # === ANSWERS === #

    def _prepare_receipt_vals(self, receipt):
        vals = self._prepare_status_vals(receipt)
        if vals["state"] in ("queued", "failed"):  # a code we do not know: the insurer has it in any case
            vals["state"] = "acknowledged"
        return {**vals, "acknowledged_on": naive_utc(receipt.ordered_at)}

    def _prepare_status_vals(self, status):
        state = STATES.get(status.status, self.state)
        if state == "accepted" and not status.report:
            state = "acknowledged"  # it is asked for again until it comes
        currency = self.env["res.currency"]._credit_get(status.currency)
        changed = status.raw_code != self.insurer_status_code
        return {
            "state": state,
            "insurer_reference": status.order_id or self.insurer_reference,
            "insurer_status_code": status.raw_code,
            "insurer_words": status.words or False,
            "issued_on": status.issued_on,
            "grade": status.grade or False,
            "recommended_amount": float(status.recommended_amount or 0),
            "recommended_currency_id": (currency[:1] or self.currency_id).id,
            "status_changed_on": fields.Datetime.now() if changed else self.status_changed_on,
            **self._prepare_report_vals(status.report),
        }

    def _prepare_report_vals(self, report):
        """The file, stored byte by byte; the first one delivered stays."""
        if report is None or self.report_id:
            return {}
        vals = {"name": safe_file_name(report.name), "raw": report.content, "res_model": self._name, "res_id": self.id}
        file = self.env["ir.attachment"].create(vals)
        return {"report_id": file.id, "sha256": sha256(report.content), "source": self.insurer_id.name}

    def _record_report(self, name, content, *, issued_on, source="", grade="", amount=0.0):
        """A report that a person received: from now on it is evidence as one that was fetched.

        :raise UserError: it is empty, or of no day or one to come; or none is awaited
        """
        self._check_may_attach()
        self._lock_for_user()
        self._check_may_attach()
        if not content:
            raise UserError(self.env._("The file is empty."))
        if not issued_on or issued_on > self.company_id._credit_today():
            raise UserError(self.env._("Enter the day the report is from: a limit rests on reports that are not old."))
        if amount and (amount < 0 or not is_amount(amount)):
            raise UserError(self.env._("This is no amount."))
        record = self.sudo()
        record.write(
            {
                **record._prepare_report_vals(ReportFile(name, "", content)),
                "source": source.strip() or record.insurer_id.name,
                "uploaded_by_id": self.env.uid,
                "issued_on": issued_on,
                "grade": grade.strip() or False,
                "recommended_currency_id": record.currency_id.id,
                "recommended_amount": amount or 0.0,
                "state": "accepted",
                "acknowledged_on": record.acknowledged_on or fields.Datetime.now(),
                "status_changed_on": fields.Datetime.now(),
                "error_message": False,
                "maybe_sent": False,
            }
        )
        record.activity_unlink([self._activity_type])
        self.message_post(body=self.env._("The report was attached by hand. SHA-256: %s", record.sha256))

    def _check_may_attach(self):
        self._check_sender()
        if self.state not in ("draft", "ready", *self._waiting_states):
            raise UserError(self.env._("No report is awaited for %s.", self.name))

    def _get_status_answers(self, answers):
        return answers.report_states

    def _on_changed(self, before):
        if self.state == "accepted":
            summary = self.env._("The report on %s is there", self.partner_id.display_name)
            self._tell_responsible(summary, self.insurer_words or "")
        if self.state == "refused":
            words = self.insurer_words or self.insurer_status_code or ""
            self._tell_responsible(self.env._("%s was refused", self.name), words)

    # === COVER SHEET === #

    def _get_sheet_rows(self):
        return [
            *super()._get_sheet_rows(),
            (self.env._("Buyer"), self.sudo().partner_id.display_name),
            (self.env._("Buyer's number"), self.sudo()._get_message_buyer_id()),
            (self.env._("Report"), self.product or self.env._("The usual one")),
            *([(self.env._("Comment for the Insurer"), self.comment)] if self.comment else []),
        ]


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    report_order_ids = fields.One2many("credit.insurance.report.order", "buyer_id", string="Credit Reports")
    report_order_count = fields.Integer(compute="_compute_report_order_count", string="Number of Credit Reports")

    def _compute_report_order_count(self):
        groups = self.env["credit.insurance.report.order"]._read_group(
            [("buyer_id", "in", self.ids)], ["buyer_id"], ["__count"]
        )
        counts = {buyer.id: count for buyer, count in groups}
        for buyer in self:
            buyer.report_order_count = counts.get(buyer.id, 0)

    def action_order_report(self):
        """The order that is open, or a new one to be filled in."""
        self.ensure_one()
        orders = self.env["credit.insurance.report.order"]
        orders.check_access("create")
        found = orders.search([("buyer_id", "=", self.id), ("live", "=", True)], limit=1)
        if found:
            return found._get_form_action()
        policy = self._get_asked_policy()
        if not policy:
            raise UserError(self.env._("No credit insurance policy of %s is in force.", self.company_id.name))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Order a Credit Report"),
            "res_model": orders._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {"default_buyer_id": self.id, "default_policy_id": policy.id},
        }

    def action_open_report_orders(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_report_order_action")
        return {**action, "domain": [("buyer_id", "=", self.id)], "context": {"default_buyer_id": self.id}}
