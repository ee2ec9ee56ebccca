"""What was sent before belongs where its connection leads now: nothing else is known of it."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    accounts = env["credit.insurance.account"].with_context(active_test=False).search([("state", "!=", "disabled")])
    for account in accounts:
        for name in env["credit.insurance.submission"]._get_submission_models():
            cr.execute(
                SQL(
                    """
                    UPDATE %s s SET sent_to = %s
                      FROM credit_insurance_policy p
                     WHERE p.id = s.policy_id AND p.account_id = %s AND s.sent_to IS NULL
                       AND s.submitted_on IS NOT NULL AND s.by_hand IS NOT TRUE
                       AND s.state NOT IN ('draft', 'ready', 'cancelled')
                    """,
                    SQL.identifier(env[name]._table),
                    account._get_place(),
                    account.id,
                )
            )
