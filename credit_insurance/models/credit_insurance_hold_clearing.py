"""Holds that clear by themselves, and holds that lapse."""

import logging
from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import html2plaintext

from odoo.addons.credit_insurance.rules.policy import Outcome

from .errors import CONCURRENCY_ERRORS, describe_error

_logger = logging.getLogger(__name__)

BATCH = 500
LARGEST_RANK = 1_000_000


class CreditInsuranceHold(models.Model):
    _inherit = "credit.insurance.hold"

    rank = fields.Integer(
        string="Sales Rank",
        readonly=True,
        default=0,
        help="In which order held orders of a buyer get headroom that becomes free: 1 first. Zero: after the ranked "
        "ones, oldest first. Set by sales team leaders.",
    )

    # === ACTIONS === #

    def action_set_rank(self, rank):
        """Rank open holds; for those who lead the sales team.

        :raise AccessError: the user leads no sales team
        """
        self.check_access("read")
        leads = ("sales_team.group_sale_salesman_all_leads", "credit_insurance.credit_insurance_group_manager")
        if not any(self.env.user.has_group(group) for group in leads):
            raise AccessError(self.env._("Sales team leaders rank held orders."))
        if not isinstance(rank, int) or not 0 <= rank <= LARGEST_RANK:
            raise UserError(self.env._("A rank is a whole number from 1, or 0 for none."))
        self.sudo().filtered(lambda hold: hold.state == "open").rank = rank
        return True

    def action_rank_first(self):
        """Put these, in the order given, before the other open holds of their buyers.

        :raise AccessError: the user leads no sales team
        """
        self.check_access("read")
        self.action_set_rank(0)
        for hold in reversed(self.filtered(lambda hold: hold.state == "open")):
            others = self.sudo().search(
                [
                    ("state", "=", "open"),
                    ("partner_id", "=", hold.partner_id.id),
                    ("company_id", "=", hold.company_id.id),
                    ("rank", ">", 0),
                    ("id", "!=", hold.id),
                ]
            )
            for place, other in enumerate(others._sort_by_rank(), start=2):
                other.rank = place
            hold.sudo().rank = 1
        return True

    # === BUSINESS METHODS === #

    def _sort_by_rank(self):
        """Ranked ones first, then the oldest document first."""
        return self.sorted(
            lambda hold: (hold.rank == 0, hold.rank, hold.order_id.create_date or hold.create_date, hold.id)
        )

    @api.model
    def _cron_redecide(self):
        """Decide open holds again, as the sales team ranked them: what passes now is ready, or confirmed by itself.

        Payments, credit notes, new limits and covers change the answer, and so does a confirmation that was running
        at the same moment and ended; two statements read the figures of all holds.
        """
        self.env["credit.insurance.reservation"]._gc_ended()
        self._lapse_old()
        holds = self.search([("state", "=", "open"), ("order_id.state", "in", ("draft", "sent"))])
        gate = self.env["credit.insurance.gate"]
        ready = self.browse()
        for hold, case, decision in holds._judge_together("_judge_by_rank"):
            if decision.outcome is Outcome.PASS:
                ready |= hold
            elif hold.exposure_reserved:
                # Its figures rest on something that has ended: keep the true ones.
                hold.decision_id = gate._log(case, decision, "recheck")
        ready._become_ready()
        self._redecide_others()

    @api.model
    def _redecide_others(self):
        """Deliveries, invoices and wanted changes of confirmed orders: what passes now is cleared, and its people told.

        They are let through when somebody validates, posts or saves them again.
        """
        holds = self.search([("state", "=", "open")]).filtered(
            lambda hold: hold.order_id.state not in ("draft", "sent") and hold._get_document()
        )
        for hold, _case, decision in holds._judge_together("_judge_others"):
            if decision.outcome is Outcome.PASS:
                with hold._alone():
                    hold._clear()

    def _judge_together(self, name):
        """What the method ``name`` says of these holds: ``[(hold, Case, Decision)]``.

        Where it raises, those for which it does so by themselves are told and left out: the others are not to wait.
        """
        if not self:
            return []
        try:
            with self.env.cr.savepoint():
                return getattr(self, name)()
        except CONCURRENCY_ERRORS:
            raise
        except Exception:
            _logger.info("Credit holds are looked at one by one, as one of them cannot be decided again")
        able = self.browse()
        for hold in self:
            with hold._alone():
                getattr(hold, name)()
                able |= hold
        return getattr(able, name)() if able else []

    def _judge_others(self):
        """What the gate would say now of what is held after confirmation."""
        gate = self.env["credit.insurance.gate"]
        by_document = {hold._get_decided(): hold for hold in self}
        grown = self.filtered(lambda hold: not (hold.picking_id or hold.move_id) and hold.order_id.state == "sale")
        amounts = self.env["credit.insurance.exposure"]._get_open_order_amounts(grown.order_id) if grown else {}
        decided = []
        # Orders are owed as they are: each wanted change finds the other orders in what is owed.
        for order, hold in by_document.items():
            if hold in grown:
                wanted = amounts.get(hold.order_id.id, 0.0) + hold.order_amount - hold.order_id.amount_total
                decided += gate._judge_again(order, "growth", {order.id: wanted})
        pickings = self.picking_id.filtered(lambda picking: picking.state not in ("done", "cancel"))
        decided += gate._decide_deliveries(pickings, gate._judge_again)
        decided += gate._judge_again(self.move_id.filtered(lambda move: move.state == "draft"), "invoice")
        return [(by_document[case.subject], case, decision) for case, decision in decided]

    def _judge_by_rank(self):
        """What the gate would say now, one after the other as the sales team ranked them, sharing the headroom."""
        gate = self.env["credit.insurance.gate"]
        by_order = {hold.order_id: hold for hold in self}
        places = {hold.order_id: place for place, hold in enumerate(self._sort_by_rank())}
        cases = gate._prepare_cases(self.order_id, "confirmation")
        cases.sort(key=lambda case: places[case.subject])
        return [
            (by_order[case.subject], case, decision)
            for case, decision in gate._judge(cases, gate._get_figures(cases), None)
        ]

    def _become_ready(self):
        """These pass now: confirm them where the company wants that, else tell the rep."""
        for hold in self._sort_by_rank():
            with hold._alone():
                if not (hold.company_id.credit_confirm_cleared and hold._confirm_by_itself()):
                    hold._clear()

    def _clear(self):
        self._close("cleared")
        self._tell_ready()

    @contextmanager
    def _alone(self):
        """Whatever fails for this hold is undone and told; the other ones are not to wait for it."""
        try:
            with self.env.cr.savepoint():
                yield
        except CONCURRENCY_ERRORS:
            # The whole run is tried again in a minute.
            raise
        except Exception as error:
            _logger.warning("Credit hold %s could not be decided again", self.name, exc_info=True)
            self._tell_failed(error)

    def _tell_failed(self, error):
        """Say to who decides why it stays held: once a day, as it is tried every minute."""
        words = self.with_context(lang=self.decider_id.lang).env._(
            "It stays held, as it could not be decided again by itself."
        )
        told = f"{words} {describe_error(error)}"
        since = fields.Datetime.now() - timedelta(days=1)
        recent = self.message_ids.filtered(lambda message: message.date > since)
        if not any(words in html2plaintext(message.body or "") for message in recent):
            self.message_post(body=told, partner_ids=self.decider_id.partner_id.ids)

    def _confirm_by_itself(self):
        """Confirm the order as core does when a customer accepts it, with the mail. One that fails stops no other."""
        self.ensure_one()
        order = self.order_id
        if self.company_id.credit_gate_mode != "on" or self._is_changed() or order._is_credit_outdated():
            return False
        try:
            with self.env.cr.savepoint():
                order.with_context(send_email=True).action_confirm()
                self.env.flush_all()
        except CONCURRENCY_ERRORS:
            raise
        except Exception as error:
            _logger.warning("Order %s cleared its credit hold and could not be confirmed", order.name, exc_info=True)
            order.message_post(body=self.env._("Cleared by credit, but not confirmed: %s", describe_error(error)))
            return False
        if order.state != "sale":
            # Decided once more under lock, it was held again: its hold stays open.
            return True
        texts = self._with_lang_of_salesperson().env
        self._tell_salesperson(
            "cleared", texts._("Credit hold %s has cleared: the order was confirmed by itself.", self.name)
        )
        return True

    def _is_changed(self):
        """Whether somebody has worked on the quotation since it was held: then nobody has asked to confirm this one."""
        self.ensure_one()
        if self._is_about_another():
            return True
        return bool(self.order_currency_id.compare_amounts(self.order_id.amount_total, self.order_amount))

    @api.model
    def _lapse_old(self):
        """Holds that nobody decided within the company's days lapse; the rep is told."""
        for company in self.env["res.company"].sudo().search([("credit_hold_lapse_days", ">", 0)]):
            days = company.credit_hold_lapse_days
            last = fields.Datetime.now() - timedelta(days=days)
            old = self.search(
                [("state", "=", "open"), ("company_id", "=", company.id), ("create_date", "<", last)], limit=BATCH
            )
            for hold in old:
                with hold._alone():
                    hold._close("lapsed")
                    hold._tell_lapsed(days)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _is_credit_outdated(self):
        """Whether the quotation's date has passed or its prices are not today's: then the rep looks at it first."""
        self.ensure_one()
        if self.validity_date and self.validity_date < self.company_id._credit_today():
            return True
        today = self.new({"date_order": fields.Datetime.now()}, origin=self)
        return any(line._is_credit_price_changed() for line in today.order_line)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _is_credit_price_changed(self):
        """Whether the price comes from the pricelist and that says something else by now; agreed prices stand."""
        line = self._origin
        if self.display_type or not self.product_id or self.is_downpayment or self.linked_line_id:
            return False
        if self.currency_id.compare_amounts(line.technical_price_unit, line.price_unit) or self._is_global_discount():
            return False
        price = self.product_id._get_tax_included_unit_price_from_price(
            self.with_company(self.company_id)._get_display_price(),
            product_taxes=self.product_id.taxes_id._filter_taxes_by_company(self.company_id),
            fiscal_position=self.order_id.fiscal_position_id,
        )
        return bool(self.currency_id.compare_amounts(price, line.price_unit))
