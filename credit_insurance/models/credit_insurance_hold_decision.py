"""What people decide about a hold: release, release a part, reject, hand over. Authority is checked here."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from .amounts import is_amount
from .company_calendar import company_day_bounds
from .credit_insurance_authority import Ask

ACTIVITY = "credit_insurance.mail_activity_type_hold"


class CreditInsuranceHold(models.Model):
    _inherit = "credit.insurance.hold"

    decider_id = fields.Many2one(
        "res.users",
        string="Decides",
        readonly=True,
        index="btree_not_null",
        tracking=True,
        help="Who is asked to decide. Anybody else with authority may do it as well.",
    )
    decided_by_id = fields.Many2one("res.users", readonly=True, tracking=True)
    decided_on = fields.Datetime(readonly=True)
    reason_id = fields.Many2one("credit.insurance.release.reason", readonly=True, tracking=True)
    note = fields.Text(string="Decision Note", readonly=True)
    release_amount = fields.Monetary(
        string="Released up to", currency_field="order_currency_id", readonly=True, tracking=True
    )
    release_valid_until = fields.Date(string="Released Until", readonly=True, tracking=True)
    authority_used = fields.Char(
        readonly=True, help="The row of the authority matrix, or the delegation, as it was when it was used."
    )
    self_approved = fields.Boolean(
        readonly=True,
        tracking=True,
        help="Decided by who asked for it, as nobody else had the authority. Somebody else is asked to look at it.",
    )
    rest_order_id = fields.Many2one(
        "sale.order", string="Rest", readonly=True, help="The second quotation, where only a part was released."
    )

    rest_order_name = fields.Char(related="rest_order_id.name", string="Second Quotation")

    # === ACTIONS === #

    def action_open_rest(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.sudo().rest_order_id.id,
            "view_mode": "form",
        }

    def action_release(self):
        """Open the wizard that records a release."""
        return self._get_decision_action("release", self.env._("Release"))

    def action_reject(self):
        """Open the wizard that records a rejection."""
        return self._get_decision_action("reject", self.env._("Reject"))

    def action_release_part(self):
        """Open the wizard that releases a part and shows what becomes of the rest."""
        return self._get_decision_action("partial", self.env._("Release a Part"))

    def action_hand_over(self):
        """Open the wizard that asks somebody else to decide."""
        return self._get_decision_action("hand_over", self.env._("Hand Over"))

    def _get_decision_action(self, decision, name):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "credit.insurance.hold.release",
            "view_mode": "form",
            "target": "new",
            "context": {"default_hold_id": self.id, "default_decision": decision},
        }

    # === AUTHORITY === #

    def _get_buyer(self):
        self.ensure_one()
        return self.env["credit.insurance.buyer"].sudo()._find(self.partner_id, self.company_id)

    def _make_ask(self) -> Ask:
        """What is to be decided as it was held: who may decide it is asked for the whole document."""
        self.ensure_one()
        hold, before = self.sudo(), self.sudo()._get_released_before()
        currency = hold.order_currency_id or hold.currency_id
        return self.env["credit.insurance.authority"]._make_ask(
            "release",
            hold.company_id,
            hold.order_amount + before,
            currency,
            hold._get_buyer(),
            hold.asker_ids,
            before,
        )

    def _get_released_before(self):
        """What was released of the same quotation's other parts, and today to the same buyer: many releases are one.

        A delivery brings goods of an order that passed: it is no new credit.
        """
        self.ensure_one()
        own, amounts = self.order_id or self.move_id, {}
        if not own:
            return 0.0
        today = self.company_id._credit_today()
        start, _end = company_day_bounds(self.company_id, today)
        same_buyer = self.search(
            [
                ("partner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("state", "=", "released"),
                ("decided_on", ">=", start),
            ]
        )
        family = (self.order_id._credit_get_split_family() - self.order_id).credit_hold_ids
        for hold in (same_buyer | family.filtered(lambda hold: hold.state == "released")).sorted("id"):
            document = hold.order_id or hold.move_id
            if not document or document == own or document.state == "cancel":
                continue
            # A later release of the same document takes the place of an earlier one.
            amounts[document] = hold.order_currency_id._convert(
                hold.release_amount, self.order_currency_id, self.company_id, today
            )
        return sum(amounts.values())

    def _get_actors(self):
        """Those of the askers who did something themselves; somebody only named as salesperson did not."""
        self.ensure_one()
        return self.asker_ids & (self._get_authors(self._get_document()) | self.create_uid | self.requested_by_id)

    def _get_decider(self):
        """Who is asked to decide; a deputy takes the place of somebody who is away."""
        self.ensure_one()
        return self.sudo().decider_id or self.env["credit.insurance.authority"]._choose_decider(self._make_ask())

    def _get_deputy(self):
        """Who decides when :meth:`_get_decider` does not: the named deputy, else the next one who is here."""
        self.ensure_one()
        authority, ask, decider = self.env["credit.insurance.authority"], self._make_ask(), self._get_decider()
        deciders = authority._find_deciders(ask)
        away = self.env["credit.insurance.delegation"]._get_active(ask.company).from_user_id
        return authority._get_deputy(decider, ask, deciders) or (deciders - decider - away)[:1]

    def _check_authority(self, amount, note=None, askers=None, before=0):
        """The row or delegation that lets the current user decide about ``amount`` and what was released ``before``.

        Both are in the document's currency.

        :raise AccessError: the user may not decide this
        :raise UserError: the hold is closed already
        """
        self.ensure_one()
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            raise AccessError(self.env._("Only a credit manager may decide hold %s.", self.name))
        self.check_access("read")
        if self.state != "open":
            raise UserError(self.env._("Hold %s is closed already.", self.name))
        hold = self.sudo()
        return self.env["credit.insurance.authority"]._check(
            "release",
            hold.company_id,
            amount + before,
            hold.order_currency_id or hold.currency_id,
            hold._get_buyer(),
            askers=hold.asker_ids if askers is None else askers,
            actors=hold._get_actors(),
            record=hold,
            note=note,
            before=before,
        )

    def _check_release(self, amount, note, valid_until):
        """The authority for releasing ``amount``, together with what was released before as part of the same.

        :raise AccessError: the user may not decide this hold
        :raise UserError: the hold is closed or about another order than there is by now, the amount is not positive,
            the date is past or too far away
        """
        hold = self.sudo()
        company = hold.company_id
        if not is_amount(amount) or amount <= 0 or not valid_until or valid_until < company._credit_today():
            raise UserError(self.env._("A release needs an amount above zero and a last day that is not past."))
        if valid_until > (last := company._get_credit_release_until()):
            day = format_date(self.env, last)
            raise UserError(
                self.env._("A release in %(company)s holds until %(day)s at most.", company=company.name, day=day)
            )
        used = self._check_authority(amount, note, before=hold._get_released_before())
        if not hold._get_document():
            raise UserError(self.env._("The document of hold %s does not exist any more.", self.name))
        if hold._is_about_another():
            raise UserError(
                self.env._(
                    "%s has another customer, company or currency by now: a release of this hold would not let it "
                    "pass. Confirm it again, and decide the hold it gets then.",
                    hold.order_id.name,
                )
            )
        return used

    def _is_about_another(self):
        """Whether the held quotation is not for the buyer, company or currency any more that it was held for."""
        self.ensure_one()
        order = self.order_id
        return order.state in ("draft", "sent") and (
            order._credit_buyer_partner() != self.partner_id
            or order._credit_company() != self.company_id
            or order.currency_id != self.order_currency_id
        )

    # === DECISIONS === #

    def _release(self, reason, note, amount, valid_until):
        """Let the document pass up to ``amount`` (its currency) until ``valid_until``; an order is confirmed at once.

        Raises as :meth:`_check_release` does.
        """
        used = self._check_release(amount, note, valid_until)
        self._let_pass(reason, note, used, amount, valid_until)

    def _let_pass(self, reason, note, used, amount, valid_until):
        self._decide("released", reason, note, used, release_amount=amount, release_valid_until=valid_until)
        if self.sudo().order_id:
            self.sudo().order_id._credit_confirm_released()

    def _release_part(self, reason, note, amount, valid_until):
        """Release up to ``amount`` and put the rest of the order into a second quotation, which is returned.

        :raise UserError: the order cannot be split that way; and as :meth:`_check_release` does
        """
        used = self._check_release(amount, note, valid_until)
        hold = self.sudo()
        if not hold.order_id:
            raise UserError(self.env._("Only a quotation can be released in part."))
        hold.rest_order_id = hold.order_id._credit_split(amount)
        hold.order_amount = hold.order_id.amount_total
        self._let_pass(reason, note, used, amount, valid_until)
        return hold.rest_order_id

    def _reject(self, reason, note):
        """:raise AccessError: the user decides no holds of this company at all"""
        used = self._check_authority(0.0, note, askers=self.env["res.users"])
        self._decide("rejected", reason, note, used)

    def _hand_over(self, user, note):
        """Ask ``user`` to decide instead; the activity moves there.

        :raise UserError: that person has no authority for it, or asked for it
        """
        self._check_authority(0.0, note, askers=self.env["res.users"])
        if user not in self.env["credit.insurance.authority"]._find_deciders(self._make_ask()):
            raise UserError(self.env._("%s may not decide this hold.", user.name))
        hold = self.sudo()
        hold.decider_id = user
        hold.activity_unlink([ACTIVITY])
        hold._schedule_decision(note, user)
        hold.message_post(
            body=self.env._(
                "%(giver)s hands this hold over to %(taker)s: %(note)s",
                giver=self.env.user.name,
                taker=user.name,
                note=note or "-",
            ),
            partner_ids=user.partner_id.ids,
        )

    def _decide(self, state, reason, note, used, **vals):
        hold = self.sudo()
        hold.write(
            {
                "state": state,
                "reason_id": reason.id,
                "note": note,
                "decided_by_id": self.env.uid,
                "decided_on": fields.Datetime.now(),
                "authority_used": self._describe_authority(used),
                **vals,
            }
        )
        hold.activity_feedback([ACTIVITY], feedback=note or reason.name)
        hold._tell_decided()

    @api.model
    def _describe_authority(self, used):
        """The authority in words that stay true when the matrix changes."""
        return used.sudo().name if used else self.env._("credit manager; the company has no authority matrix")
