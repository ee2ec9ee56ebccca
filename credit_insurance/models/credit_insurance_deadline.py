from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import split_every

from odoo.addons.credit_insurance.rules.policy import InvoiceDates, invoice_deadlines

from .company_calendar import company_holidays, company_today
from .credit_insurance_policy import PERIOD_KINDS

# Days on which something happens by itself; nobody can be late for them.
EVENT_KINDS = ("end_of_mep", "date_of_loss")
SETTLED = ("paid", "in_payment", "reversed")
BATCH = 500


class CreditInsuranceDeadline(models.Model):
    """What is due when for an insured invoice, per original due date.

    Roles only read deadlines: posting an invoice writes them, settling it closes them, and ``action_mark_done``
    records that a duty was done.
    """

    _name = "credit.insurance.deadline"
    _description = "Credit Insurance Deadline"
    _order = "date, id"

    move_id = fields.Many2one("account.move", string="Invoice", required=True, ondelete="cascade", index=True)
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="restrict")
    partner_id = fields.Many2one(
        "res.partner", string="Buyer", related="move_id.commercial_partner_id", store=True, index=True
    )
    company_id = fields.Many2one(related="move_id.company_id", store=True)
    kind = fields.Selection(PERIOD_KINDS, string="What", required=True)
    due_date = fields.Date(
        string="Original Due Date", required=True, help="Of the instalment. An extension does not change it."
    )
    date = fields.Date(
        string="Last Day",
        index=True,
        help="The last day in time, as the policy counts. Empty while the day to count from is not known.",
    )
    done_on = fields.Date()
    done_by_id = fields.Many2one("res.users")
    passed = fields.Boolean(help="The day is over. Set by the daily job, by the company's calendar.")
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("done", "Done"),
            ("missed", "Missed"),
            ("reached", "Reached"),
            ("not_needed", "Not needed"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
        help="Reached: a date that comes by itself, such as the date of loss. Not needed: the invoice was settled.",
    )
    currency_id = fields.Many2one(related="move_id.currency_id")
    amount_residual = fields.Monetary(related="move_id.amount_residual", string="Open Amount")

    _kind_uniq = models.UniqueIndex("(move_id, due_date, kind)", "Each deadline of an invoice stands once.")

    # === COMPUTE METHODS === #

    @api.depends("done_on", "passed")
    def _compute_state(self):
        """Also recomputed when the payment state of the invoice is (see ``_recompute_states``)."""
        terms = self.move_id.line_ids.filtered(lambda line: line.display_type == "payment_term")
        taken = self.env["credit.insurance.exposure"]._get_taken(terms)
        for deadline in self:
            if deadline.done_on:
                deadline.state = "done"
            elif deadline._is_settled(taken):
                deadline.state = "not_needed"
            elif deadline.passed:
                deadline.state = "reached" if deadline.kind in EVENT_KINDS else "missed"
            else:
                deadline.state = "pending"

    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for deadline in self:
            deadline.display_name = f"{deadline.move_id.name}: {kinds.get(deadline.kind, '')}"

    def _is_settled(self, taken):
        """The invoice, or this instalment of it, is paid; or the invoice is not posted any more.

        :param taken: the items of which drafts took something: nothing pays that
        """
        move = self.move_id
        if move.state != "posted":
            return True
        terms = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        if move.payment_state in SETTLED and not any(line in taken for line in terms):
            return True
        due = terms.filtered(lambda line: line.credit_insurance_original_due_date == self.due_date)
        return bool(due) and all(line.reconciled and line not in taken for line in due)

    @api.model
    def _recompute_states(self, moves):
        """Called where what settles invoices with deadlines changes; others cost no query there."""
        deadlines = self.sudo().search([("move_id", "in", moves.ids)])
        self.env.add_to_compute(self._fields["state"], deadlines)

    # === ACTIONS === #

    def action_mark_done(self):
        """Record that these duties were done today."""
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_user"):
            raise AccessError(self.env._("Only credit officers record what was reported to the insurer."))
        self.check_access("read")
        self._mark_done()
        return True

    def action_open_invoice(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _mark_done(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        deadlines = self.sudo().filtered(
            lambda deadline: deadline.state in ("pending", "missed") and deadline.kind not in EVENT_KINDS
        )
        for company, group in deadlines.grouped("company_id").items():
            group.write({"done_on": company_today(company), "done_by_id": self.env.uid})
        for move, group in deadlines.grouped("move_id").items():
            done = ", ".join(kinds[deadline.kind] for deadline in group)
            move.message_post(body=self.env._("Done: %s", done), author_id=self.env.user.partner_id.id)
        deadlines._sync_notified()

    def _reopen(self, since):
        """What was done on or after the day ``since`` is still to be done: what counted as doing it does not."""
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        deadlines = self.sudo().filtered(lambda deadline: deadline.done_on and deadline.done_on >= since)
        deadlines.write({"done_on": False, "done_by_id": False})
        for move, group in deadlines.grouped("move_id").items():
            undone = ", ".join(kinds[deadline.kind] for deadline in group)
            move.message_post(body=self.env._("Not done: %s", undone), author_id=self.env.user.partner_id.id)
        deadlines._sync_notified()

    def _sync_notified(self):
        """Some policies count from the receipt of the notification."""
        notified = self.filtered(lambda deadline: deadline.kind == "notification").move_id
        if notified:
            self._sync_known(notified)

    @api.model
    def _sync(self, moves, policies):
        """Create or move the deadlines of posted invoices; what was done keeps its date.

        :param policies: ``{move: policy}``
        """
        known = {
            (row.move_id.id, row.due_date, row.kind): row for row in self.sudo().search([("move_id", "in", moves.ids)])
        }
        insolvencies, vals_list = self._get_insolvencies(moves), []
        for move in moves:
            for vals in self._prepare_vals(move, policies[move], known, insolvencies.get(move)):
                row = known.pop((move.id, vals["due_date"], vals["kind"]), None)
                if row is None:
                    vals_list.append(vals)
                elif not row.done_on and row.date != vals["date"]:
                    row.write({"date": vals["date"], "passed": vals["passed"]})
        # What is left belongs to due dates that a corrected draft no longer has.
        self.browse(row.id for row in known.values() if not row.done_on).sudo().unlink()
        self.sudo().create(vals_list)

    @api.model
    def _get_insolvencies(self, moves):
        """The day of the buyer's insolvency, for the invoices that were made before it: ``{move: date}``."""
        partners, companies = moves.commercial_partner_id, moves.company_id.root_id
        events = self.env["credit.insurance.event"].sudo()
        found = events._read_group(
            [
                ("kind", "=", "insolvency"),
                ("buyer_id.partner_id", "in", partners.ids),
                ("company_id", "in", companies.ids),
            ],
            ["buyer_id"],
            ["date:min"],
        )
        days = {(buyer.partner_id, buyer.company_id): day for buyer, day in found}
        known = {move: days.get((move.commercial_partner_id, move.company_id.root_id)) for move in moves}
        return {move: day for move, day in known.items() if day and (move.delivery_date or move.invoice_date) <= day}

    @api.model
    def _sync_buyers(self, buyers):
        """Bring the deadlines of what these buyers owe in line with what is known of them now."""
        for company, own in buyers.sudo().grouped("company_id").items():
            partners = [("commercial_partner_id", "in", own.partner_id.ids), ("company_id", "child_of", company.id)]
            self._sync_known(self._get_open_moves(partners))

    @api.model
    def _get_open_moves(self, domain):
        """The open invoices like these that have deadlines."""
        return (
            self.env["account.move"]
            .sudo()
            .search(
                Domain(domain)
                & Domain("state", "=", "posted")
                & Domain("payment_state", "not in", SETTLED)
                & Domain("credit_insurance_deadline_ids", "!=", False),
                order="id",
            )
        )

    @api.model
    def _sync_known(self, moves):
        """The same for invoices that have deadlines: they stay under their policy."""
        self._sync(moves, {move: move.credit_insurance_deadline_ids.policy_id[:1] for move in moves})

    @api.model
    def _enqueue_sync(self, policies):
        """Queue the deadlines of what is open under these policies, whose periods have changed."""
        deadlines = self.browse().with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        for policy in policies:
            moves = self._get_open_moves([("credit_insurance_deadline_ids.policy_id", "=", policy.id)])
            for ids in split_every(BATCH, moves.ids, list):
                key = f"credit_insurance_deadlines-{policy.id}-{ids[0]}-{ids[-1]}"
                deadlines.with_delay(identity_key=key, description=f"Deadlines under {policy.number}")._job_sync(ids)

    @api.model
    def _job_sync(self, move_ids):
        self._sync_known(self.env["account.move"].browse(move_ids).exists())

    @api.model
    def _prepare_vals(self, move, policy, known, insolvency=None):
        """The values of every deadline of an invoice, for each of its original due dates."""
        today, holidays, terms = company_today(move.company_id), company_holidays(move.company_id), policy._get_terms()
        kinds = set(policy.period_ids.mapped("kind"))
        result = []
        lines = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        for due_date, instalment in lines.grouped("credit_insurance_original_due_date").items():
            extended = min(instalment.mapped("date_maturity"))
            notice = known.get((move.id, due_date, "notification"))
            deadlines = invoice_deadlines(
                terms,
                InvoiceDates(move.invoice_date, due_date),
                extended_due_date=extended if extended != due_date else None,
                notification_received=notice.done_on or None if notice else None,
                insolvency_date=insolvency,
                holidays=holidays,
            )
            result += [
                {
                    "move_id": move.id,
                    "policy_id": policy.id,
                    "kind": deadline.kind.value,
                    "due_date": due_date,
                    "date": deadline.last_day,
                    "passed": deadline.missed(today),
                }
                for deadline in deadlines
                if deadline.kind.value in kinds
            ]
        return result

    # === SCHEDULED === #

    @api.model
    def _cron_update(self):
        """Once a day: mark what is over, and write deadlines that are missing because the cover came later."""
        for company in self.env["res.company"].sudo().search([]):  # pylint: disable=no-search-all
            over = self.sudo().search(
                [("company_id", "=", company.id), ("passed", "=", False), ("date", "<", company_today(company))]
            )
            over.passed = True
        missing = self.env["account.move"].sudo().search(self._get_missing_domain(), order="id")
        self.env["ir.cron"]._commit_progress(remaining=len(missing))
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            batch._credit_insurance_set_deadlines()
            if not self.env["ir.cron"]._commit_progress(len(batch)):
                break

    @api.model
    def _get_missing_domain(self):
        covers = self.env["credit.insurance.cover"].sudo().search([])  # pylint: disable=no-search-all
        granted = self.env["credit.insurance.discretionary.limit"].sudo().search([])  # pylint: disable=no-search-all
        buyers, policies = covers.buyer_id | granted.buyer_id, covers.policy_id | granted.policy_id
        return Domain(
            [
                ("move_type", "in", ("out_invoice", "out_receipt")),
                ("state", "=", "posted"),
                ("payment_state", "not in", SETTLED),
                ("credit_insurance_original_due_date", "=", False),
                ("commercial_partner_id", "in", buyers.partner_id.ids),
                ("invoice_date", ">=", min(policies.mapped("date_start"), default=fields.Date.today())),
            ]
        )
