"""Having buyers watched, where an insurer offers that: it calls when something about one of them changes.

daily ──> buyers with a number whom nobody watches, or not for much longer ──> a job per few of them ──> placed
"""

from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.credit_insurance.connectors import MonitoringOrder, Operation, RejectedByInsurer

RENEWED_DAYS = 14
WATCH_FIELDS = ("watch_reference", "watched_until", "watched_in", "watch_note")


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    watch_buyers = fields.Boolean(
        string="Have Buyers Watched",
        help="The insurer watches every buyer with a number, which may cost a fee for each, and calls when something "
        "changes.",
    )
    can_watch = fields.Boolean(compute="_compute_can_watch", help="Whether the insurer can be asked to watch buyers.")

    @api.depends("connector")
    def _compute_can_watch(self):
        for account in self:
            account.can_watch = Operation.MONITOR in account._get_capabilities()

    @api.model
    def _cron_watch(self):
        """Daily: have those watched who are not, or not for much longer."""
        for account in self.search([("watch_buyers", "=", True), ("state", "!=", "disabled")]):
            if account.can_watch and not account._get_refusal():
                self.env["credit.insurance.buyer.link"]._enqueue_watch(account)


class CreditInsuranceBuyerLink(models.Model):
    _inherit = "credit.insurance.buyer.link"

    watch_reference = fields.Char(string="Watched Under", readonly=True, copy=False, help="The insurer's number of it.")
    watched_until = fields.Date(readonly=True, copy=False, help="Empty: no end is known.")
    watched_in = fields.Char(readonly=True, copy=False, help="Where the connection led when it was asked for.")
    watch_note = fields.Text(string="Not Watched", readonly=True, copy=False, help="Why the insurer does not.")

    def write(self, vals):
        # Who is watched is the entity behind the number.
        moved = self.filtered(lambda link: vals.get("external_id", link.external_id) != link.external_id)
        result = super().write(vals)
        if moved:
            moved.sudo().write(dict.fromkeys(WATCH_FIELDS, False))
        return result

    @api.model
    def _enqueue_watch(self, account):
        self._enqueue("_job_watch", account, self.sudo().search(self._get_unwatched_domain(account), order="id").ids)

    @api.model
    def _get_unwatched_domain(self, account):
        soon = account.company_id._credit_today() + timedelta(days=RENEWED_DAYS)
        return [
            ("account_id", "=", account.id),
            ("buyer_id.active", "=", True),
            "|",
            ("watched_in", "!=", account._get_place()),
            ("watched_until", "<", soon),
        ]

    @api.model
    def _job_watch(self, account_id, link_ids):
        account = self.env["credit.insurance.account"].browse(account_id)
        if not account.watch_buyers or account._get_refusal():
            return
        with account._job_errors(), account._connect() as insurer:
            # Another job may have had them watched meanwhile.
            for link in self.search([("id", "in", link_ids), *self._get_unwatched_domain(account)], order="id"):
                link._watch(insurer)

    def _watch(self, insurer):
        """Place it. The reference is the same for every try, and another one for another number and after its end."""
        self.ensure_one()
        number = f"{self.watched_until:%Y%m%d}" if self.watched_until else "1"
        order = MonitoringOrder(
            reference=f"WATCH-{self.id}-{self.external_id}-{number}",
            buyer_id=self.external_id,
            starts_on=self.company_id._credit_today(),
            callback_url=self.account_id.sudo().webhook_url or "",
        )
        try:
            placed = insurer.monitor(order)
        except RejectedByInsurer as exc:
            self.watch_note = self.account_id._explain(exc)
            return
        self.write(
            {
                "watch_reference": placed.monitoring_id,
                "watched_until": placed.ends_on,
                "watched_in": self.account_id._get_place(),
                "watch_note": False,
            }
        )
