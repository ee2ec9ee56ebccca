"""A contact with a credit record stays findable: it is not archived while it owes, and not deleted with its history."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# Models that name the contact itself and are kept for ever.
KEPT = ("credit.insurance.decision", "credit.insurance.hold", "credit.insurance.limit.request")


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        if "active" in vals and not vals["active"]:
            # The refusal names figures: first who may not write is turned away.
            self.check_access("write")
            buyers = self.env["credit.insurance.buyer"].sudo().search([("partner_id", "in", self.ids)])
            buyers._check_nothing_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_credit_record(self):
        """A deletion request is answered by erasing contact details, not by losing what was decided and why.

        A credit record in which nothing was ever entered goes with its contact.
        """
        buyers = (
            self.env["credit.insurance.buyer"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", self.ids)])
        )
        kept = buyers.filtered(lambda buyer: buyer._has_history()).partner_id
        for model in KEPT:
            kept |= self.env[model].sudo().search([("partner_id", "in", self.ids)], limit=1).partner_id
        if kept:
            raise UserError(
                self.env._(
                    "%(buyer)s has a credit record: limits, covers and decisions that have to be kept as evidence. "
                    "Archive the contact instead. To answer a deletion request, delete its contacts and erase address, "
                    "phone and e-mail here; name and credit history stay as long as the law asks for them.",
                    buyer=kept[:1].display_name,
                )
            )
        buyers.unlink()


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    def write(self, vals):
        if "active" in vals and not vals["active"] and not (self.env.su and vals.get("merged_into_id")):
            self.check_access("write")
            self._check_nothing_open()
            self._check_no_alert_holds()
        elif vals.get("active") and self.filtered("merged_into_id"):
            raise UserError(self.env._("This buyer was merged into another one and stays as history."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        if self.filtered(lambda buyer: buyer._has_history()):
            raise UserError(self.env._("This buyer has a history. Archive it instead."))

    def _check_nothing_open(self):
        """:raise UserError: a buyer owes something or has held orders; it would be out of sight

        Figures are told of the reader's companies, of others only that there is something.
        """
        exposures = self.env["credit.insurance.exposure"]._get_exposures(self) if self else {}
        owed = {buyer: float(sum(exposures[buyer].values())) for buyer in self}
        open_ones = self.filtered(
            lambda buyer: buyer.currency_id.compare_amounts(owed[buyer], 0) > 0 or buyer.hold_count
        )
        if not open_ones:
            return
        seen = open_ones.filtered(lambda buyer: buyer.company_id in self.env.user.company_ids.root_id)
        if not seen:
            raise UserError(
                self.env._(
                    "%s cannot be archived yet: there is exposure, or there are held orders, in companies that you do "
                    "not see. Their credit managers have to settle or cancel them first.",
                    open_ones[0].display_name,
                )
            )
        buyer = seen[0]
        told = self.env._(
            "%(buyer)s cannot be archived yet: %(exposure)s of exposure in %(company)s, held orders: "
            "%(holds)s. Settle or cancel them first; to stop new orders, set its credit status to blocked.",
            buyer=buyer.display_name,
            exposure=buyer.currency_id.format(owed[buyer]),
            company=buyer.company_id.name,
            holds=buyer.hold_count,
        )
        if open_ones - seen:
            told = f"{told} {self.env._('There is more in companies that you do not see.')}"
        raise UserError(told)

    def _check_no_alert_holds(self):
        """:raise UserError: alerts end with archiving, and one of them holds orders"""
        alert = self.env["credit.insurance.alert"].sudo().search(
            [
                ("buyer_id", "in", self.ids),
                ("ended_on", "=", False),
                ("state", "in", ("open", "acknowledged")),
                ("observe_only", "=", False),
                "|",
                ("rule_id.holds_orders", "=", True),
                ("holds", "!=", False),
            ],
            limit=1,
        )  # fmt: skip
        if alert:
            raise UserError(
                self.env._("An alert holds the orders of %s: decide it before archiving.", alert.buyer_id.display_name)
            )

    def _has_history(self):
        """Whether anything hangs on this credit record."""
        self.ensure_one()
        self.env.flush_all()
        wizard = self.env["base.partner.merge.automatic.wizard"]
        for table, column in wizard._get_fk_on(self._table):
            query = SQL("SELECT FROM %s WHERE %s = %s LIMIT 1", SQL.identifier(table), SQL.identifier(column), self.id)
            self.env.cr.execute(query)
            if self.env.cr.rowcount:
                return True
        return False
