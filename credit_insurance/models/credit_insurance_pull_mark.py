"""What came in a pull that is not over, so that in the end it is known what did not."""

from odoo import api, fields, models
from odoo.tools import SQL

KEPT_DAYS = 7


class CreditInsurancePullMark(models.Model):
    """A cover that came in a pull, each once, until the pull is done: known even when it changed nothing."""

    _name = "credit.insurance.pull.mark"
    _description = "Cover Seen in a Pull"
    _log_access = False
    _rec_name = "reference"

    pull_id = fields.Many2one("credit.insurance.pull", required=True, ondelete="cascade")
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="cascade")
    reference = fields.Char(required=True, help="The insurer's reference of the cover.")

    _reference_uniq = models.UniqueIndex("(pull_id, policy_id, reference)")


class CreditInsurancePull(models.Model):
    _inherit = "credit.insurance.pull"

    def _mark_seen(self, policy, references):
        """Note that these covers came; how many of them came for the first time in this pull."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO credit_insurance_pull_mark (pull_id, policy_id, reference)
                SELECT %s, %s, r.reference FROM unnest(%s::text[]) r(reference)
                    ON CONFLICT DO NOTHING
                """,
                self.id,
                policy.id,
                list(references),
            )
        )
        return self.env.cr.rowcount

    def _seen_sql(self):
        """The covers that came in this pull: policy_id, reference, each once."""
        return SQL("SELECT m.policy_id, m.reference FROM credit_insurance_pull_mark m WHERE m.pull_id = %s", self.id)

    def _count_seen(self, policy):
        query = SQL("SELECT count(*) FROM (%s) seen WHERE seen.policy_id = %s", self._seen_sql(), policy.id)
        return self.env.execute_query(query)[0][0]

    def _forget_marks(self):
        self.env.cr.execute(SQL("DELETE FROM credit_insurance_pull_mark WHERE pull_id = ANY(%s)", list(self.ids)))

    @api.autovacuum
    def _gc_marks(self):
        """Marks of failed pulls are kept while a person may run the failed job again."""
        day = fields.Datetime.subtract(fields.Datetime.now(), days=KEPT_DAYS)
        ended = [("state", "!=", "running"), ("finished_at", "<", day)]
        marked = SQL("SELECT DISTINCT pull_id FROM credit_insurance_pull_mark")
        self.search([*ended, ("id", "in", marked)])._forget_marks()
