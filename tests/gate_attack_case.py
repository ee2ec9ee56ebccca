"""Helpers to try ways around the gate."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import CreditCommon


class AttackCase(CreditCommon):
    def _commit(self):
        """What the end of a request does: flush and run what waits for the commit."""
        self.env.cr.flush()

    def _refused(self, edit):
        """Whether an edit is refused when it is made or at the end of its request."""
        try:
            with self.env.cr.savepoint():
                edit()
                self._commit()
        except (UserError, AccessError):
            self.env.invalidate_all()
            return True
        self.env.invalidate_all()
        return False

    def _assert_refused_or_nothing_gained(self, edit, exposure, message=None):
        if not self._refused(edit):
            self.assertEqual(self._exposure()["total"], exposure, message)

    def _deliver(self, order, quantity=None):
        picking = order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))[:1]
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty if quantity is None else quantity
            move.picked = True
        picking._action_done()
        return picking

    def _invoice(self, order):
        invoice = order._create_invoices(final=True)
        invoice.action_post()
        return invoice

    def _second_manager(self):
        return new_test_user(
            self.env,
            login="credit_manager_2",
            groups="base.group_user,credit_insurance.credit_insurance_group_manager,"
            "sales_team.group_sale_salesman_all_leads",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def _release(self, hold, user, **values):
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        wizard = (
            self.env["credit.insurance.hold.release"]
            .with_user(user)
            .create({"hold_id": hold.id, "reason_id": reason.id, "note": "ok", **values})
        )
        return wizard.action_decide()
