from odoo import api, models


class CachedRecords(models.AbstractModel):
    """Records whose content is kept in memory (``ormcache``) until one of them changes."""

    _name = "credit.insurance.cached"
    _description = "Records Kept in Memory"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result
