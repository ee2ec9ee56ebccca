"""What changed since the last screening: the inputs of which buyers, within seconds and without their asking."""

import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models

from .change_triggers import buyers_sql, ensure_triggers

_logger = logging.getLogger(__name__)

# Fewer buyers than this are screened at once; more become jobs.
FEW = 500
AT_ONCE = 50_000
KEPT_DAYS = 7


class CreditInsuranceChange(models.Model):
    """A note that a document, a partner, a buyer or a group changed, written by triggers and removed when read."""

    _name = "credit.insurance.change"
    _description = "Change of a Buyer's Facts"
    _log_access = False
    _rec_name = "what"

    what = fields.Char(required=True, help="order, move, item, partner, buyer or group")
    res_id = fields.Integer(required=True)
    changed_at = fields.Datetime(required=True, default=fields.Datetime.now)

    @api.model
    def _ensure_triggers(self):
        """Called when the addon's data are loaded: every table is there by then."""
        ensure_triggers(self.env.cr)

    @api.model
    def _take(self):
        """The buyers whose facts changed since the last call; their notes are removed. Who owes gets a record."""
        changes = self.sudo()
        changes.env.flush_all()
        notes = changes.search([], order="id", limit=AT_ONCE)
        if not notes:
            return changes.env["credit.insurance.buyer"]
        found = changes.env.execute_query(buyers_sql(notes.ids))
        notes.unlink()
        buyers = changes.env["credit.insurance.buyer"].browse(sorted(buyer_id for buyer_id, _id in found if buyer_id))
        unknown = changes.env["res.partner"].browse(partner_id for _id, partner_id in found if partner_id)
        return buyers | buyers._take_up_debtors(unknown) if unknown else buyers

    @api.model
    def _cron_screen_changed(self):
        """Every minute: screen the buyers whose facts changed. What fails is taken up again a minute later."""
        buyers = self._take()
        buyers.fetch(["company_id"])
        self.env["credit.insurance.receivable.total"]._refresh(buyers.company_id)
        self._try(self.env["credit.insurance.deadline"]._update_quiet, buyers)
        screening = self.env["credit.insurance.screening"]
        # A job tries again, and shows what it fails of.
        if len(buyers) > FEW or (buyers and not self._try(screening._screen, buyers)):
            screening._enqueue(buyers, kind="incremental")

    @api.model
    def _try(self, method, buyers):
        """Whether the method succeeded: one buyer must not keep all later changes waiting."""
        try:
            with self.env.cr.savepoint():
                method(buyers)
        except OperationalError:
            raise
        except Exception:
            _logger.exception("What buyers changed was not worked out at once")
            return False
        return True

    @api.autovacuum
    def _gc_changes(self):
        """While nobody screens, notes are of no use after the next daily run."""
        self.search([("changed_at", "<", fields.Datetime.now() - timedelta(days=KEPT_DAYS))]).unlink()
