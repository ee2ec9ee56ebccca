"""Where cover requests and overdue notices are begun: buyers, invoices, deadlines and the tasks of rules."""

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from .alert_kinds import USER_GROUP
from .claim_words import OPEN_PAYMENT_STATES

COVER_KINDS = {"request_cover": "increase", "reduce_cover": "reduce"}


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    cover_request_ids = fields.One2many("credit.insurance.cover.request", "buyer_id", string="Cover Requests")
    overdue_notice_ids = fields.One2many("credit.insurance.overdue.notice", "buyer_id", string="Overdue Notices")
    open_request_count = fields.Integer(compute="_compute_open_request_count", string="Open Cover Requests")

    def _compute_open_request_count(self):
        groups = self.env["credit.insurance.cover.request"]._read_group(
            [("buyer_id", "in", self.ids), ("live", "=", True)], ["buyer_id"], ["__count"]
        )
        counts = {buyer.id: count for buyer, count in groups}
        for buyer in self:
            buyer.open_request_count = counts.get(buyer.id, 0)

    def action_ask_insurer(self):
        """Ask the insurer for cover: opens the request that is open, or a new one with what is known filled in."""
        self.ensure_one()
        kind = "increase" if self.cover_amount else "new"
        return self._open_cover_request(kind)

    def action_give_cover_back(self):
        """Ask the insurer for less cover, or none."""
        self.ensure_one()
        return self._open_cover_request("reduce")

    def action_open_cover_requests(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_cover_request_action")
        return {**action, "domain": [("buyer_id", "=", self.id)], "context": {"default_buyer_id": self.id}}

    def action_report_overdue(self):
        """Drafts on all overdue insured invoices of the buyer that were not reported yet."""
        self.ensure_one()
        moves = self.env["account.move"].search(self._get_unreported_domain())
        insured = moves.filtered("credit_insurance_policy_id")
        if not insured:
            raise UserError(
                self.env._("No insured invoice of %s is overdue and not reported yet.", self.partner_id.display_name)
            )
        return insured.action_credit_insurance_report_overdue()

    def _get_unreported_domain(self):
        today = self.company_id._credit_today()
        return Domain(
            [
                ("commercial_partner_id", "=", self.partner_id.id),
                ("company_id", "child_of", self.company_id.id),
                ("move_type", "in", ("out_invoice", "out_receipt")),
                ("state", "=", "posted"),
                ("payment_state", "in", OPEN_PAYMENT_STATES),
                ("invoice_date_due", "<", today),
                ("credit_insurance_overdue_line_ids", "not any", [("live", "=", True), ("kind", "=", "notice")]),
            ]
        )

    def _open_cover_request(self, kind):
        requests = self.env["credit.insurance.cover.request"]
        requests.check_access("create")
        found = requests.search([("buyer_id", "=", self.id), ("kind", "=", kind), ("live", "=", True)], limit=1)
        if found:
            return found._get_form_action()
        values = self._prepare_cover_request(kind)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ask the Insurer"),
            "res_model": requests._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {f"default_{name}": value for name, value in values.items()},
        }

    def _prepare_cover_request(self, kind):
        """What a request of this kind would ask today: room for what is owed and on order; for more, what waits too.

        Where that is no more, or no less, than the cover in force, whoever asks says how much.
        """
        policy = self._get_asked_policy()
        if not policy:
            raise UserError(self.env._("No credit insurance policy of %s is in force.", self.company_id.name))
        company, today, currency = self.company_id, self.company_id._credit_today(), policy.currency_id
        needed = max(self.exposure, 0.0) + (0.0 if kind == "reduce" else self._get_held_amount(today))
        amount = self.currency_id._convert(needed, currency, company, today)
        cover = self.current_cover_id.filtered(lambda cover: cover.policy_id == policy)
        standing = cover.currency_id._convert(cover._get_amount_on(today), currency, company, today) if cover else 0.0
        change = currency.compare_amounts(amount, standing)
        if (kind == "increase" and change <= 0) or (kind == "reduce" and change >= 0):
            amount = 0.0
        return {"buyer_id": self.id, "policy_id": policy.id, "kind": kind, "amount": amount}

    def _get_held_amount(self, today):
        """The orders that wait for credit, in the buyer's currency."""
        holds = self.env["credit.insurance.hold"].sudo()
        domain = [("partner_id", "=", self.partner_id.id), ("company_id", "=", self.company_id.id)]
        return sum(
            hold.order_currency_id._convert(hold.order_amount, self.currency_id, self.company_id, today)
            for hold in holds.search([*domain, ("state", "=", "open"), ("order_id", "!=", False)])
        )

    def _get_asked_policy(self):
        """The policy of the cover in force, else the one the company took out last."""
        today = self.company_id._credit_today()
        policies = self.env["credit.insurance.policy"]._get_in_force(self.company_id, today, today)
        current = self.current_cover_id.policy_id
        return current if current in policies else policies[:1]


class AccountMove(models.Model):
    _inherit = "account.move"

    credit_insurance_overdue_line_ids = fields.One2many(
        "credit.insurance.overdue.line",
        "move_id",
        string="Reported to the Insurer",
        groups="account.group_account_invoice,credit_insurance.credit_insurance_group_user",
    )

    def action_credit_insurance_report_overdue(self):
        """Draft overdue notices on these invoices, one for each buyer, and open them."""
        return self._credit_insurance_report("notice")

    def action_credit_insurance_ask_extension(self):
        """A draft that asks the insurer for more time for each of these invoices."""
        return self._credit_insurance_report("extension")

    def action_credit_insurance_report_plan(self):
        """A draft repayment plan over these invoices of one buyer."""
        return self._credit_insurance_report("plan")

    def _credit_insurance_report(self, kind):
        if not self:
            raise UserError(self.env._("Select the invoices to report."))
        return self.env["credit.insurance.overdue.notice"]._create_from_invoices(self, kind)._get_open_action()


class CreditInsuranceDeadline(models.Model):
    _inherit = "credit.insurance.deadline"

    def action_report_overdue(self):
        """Draft overdue notices on the invoices of these duties to notify."""
        duties = self.filtered(lambda row: row.kind == "notification" and row.state in ("pending", "missed"))
        if not duties:
            raise UserError(self.env._("Select duties to notify the insurer that are not done yet."))
        return duties.move_id.action_credit_insurance_report_overdue()


class CreditInsuranceOverdueNotice(models.Model):
    _inherit = "credit.insurance.overdue.notice"

    def _get_open_action(self):
        """The form of one notice, the list of several."""
        if len(self) == 1:
            return self._get_form_action()
        xmlid = "credit_insurance.credit_insurance_overdue_notice_action"
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return {**action, "domain": [("id", "in", self.ids)], "context": {}}


class CreditInsuranceActionTask(models.Model):
    _inherit = "credit.insurance.action.task"

    def action_open_submission(self):
        """The request or notice that this task asks for: the one already made of it, or a new draft."""
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group(USER_GROUP):
            raise AccessError(self.env._("Only credit officers finish what a rule prepared."))
        if self.state != "todo":
            raise UserError(self.env._("This has been answered already."))
        if self.key in COVER_KINDS:
            return self._open_cover_request()
        if self.key == "prepare_notification":
            return self._open_notice()
        raise UserError(self.env._("Nothing is sent to the insurer for this."))

    def _open_cover_request(self):
        requests = self.env["credit.insurance.cover.request"]
        buyer = self.buyer_id
        kind = COVER_KINDS[self.key]
        if kind == "increase" and not buyer.cover_amount:
            kind = "new"
        found = requests.search([("buyer_id", "=", buyer.id), ("kind", "=", kind), ("live", "=", True)], limit=1)
        request = found or requests.create(buyer._prepare_cover_request(kind))
        request.sudo().task_id = request.task_id or self
        return request._get_form_action()

    def _open_notice(self):
        notices = self.env["credit.insurance.overdue.notice"]
        if made := notices.search([("task_id", "=", self.id), ("live", "=", True)]):
            return made._get_open_action()
        items = self.env["credit.insurance.action"].sudo()._get_notified_items(self.sudo())[self]
        lines = self.env["credit.insurance.overdue.line"].sudo()
        reported = lines.search([("move_id", "in", items.move_id.ids), ("live", "=", True), ("kind", "=", "notice")])
        moves = (items.move_id - reported.move_id).filtered("credit_insurance_policy_id").sudo(False)
        if not moves:
            if reported:
                return reported.notice_id.sudo(False)._get_open_action()
            raise UserError(self.env._("No insured invoice of %s is overdue.", self.partner_id.display_name))
        notice = notices._create_from_invoices(moves)
        notice.sudo().task_id = self
        return notice._get_open_action()

    def _finish_submitted(self):
        """What this task asked for is at the insurer."""
        todo = self.filtered(lambda task: task.state == "todo")
        if todo:
            todo._settle("done")
