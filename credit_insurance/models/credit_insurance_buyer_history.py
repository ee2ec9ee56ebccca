from odoo import api, fields, models
from odoo.exceptions import UserError

from .guarded_fields import without_fields


class CreditInsuranceBuyerHistory(models.AbstractModel):
    """Rows about a buyer that are added and never changed: what was known on a day stays provable."""

    _name = "credit.insurance.buyer.history"
    _description = "History of a Buyer"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    fetched_at = fields.Datetime(string="Received On", required=True, default=fields.Datetime.now)
    pull_id = fields.Many2one(
        "credit.insurance.pull",
        string="Received By Pull",
        ondelete="set null",
        readonly=True,
        index="btree_not_null",
        help="Empty: entered by hand.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            # Nobody enters a row by hand and makes it look like the insurer's answer; the company is the buyer's.
            self, vals_list = without_fields(self, vals_list, ("pull_id", "company_id"))
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("This is history and stays as it is. Add a new row instead."))

    def _load_records_write(self, values):
        """Loading a data file again leaves the history as it is."""

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("This is history and cannot be deleted."))
