"""What overrides say, where a rule applies, whether it holds orders and what its actions need is part of versions."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE credit_insurance_rule_version v
           SET holds_orders = r.holds_orders, role = r.role, needs_approval = r.needs_approval,
               payment_term_id = r.payment_term_id, limit_percent = r.limit_percent, webhook_id = r.webhook_id
          FROM credit_insurance_rule r WHERE r.id = v.rule_id
        """
    )
    cr.execute(
        """
        INSERT INTO credit_insurance_rule_version_res_company_rel (credit_insurance_rule_version_id, res_company_id)
        SELECT v.id, r.res_company_id
          FROM credit_insurance_rule_version v
          JOIN credit_insurance_rule_res_company_rel r ON r.credit_insurance_rule_id = v.rule_id
            ON CONFLICT DO NOTHING
        """
    )
    cr.execute(
        """
        SELECT count(*) FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = 'credit_insurance_rule_override'
           AND column_name IN ('document', 'switched_off', 'reason')
        """
    )
    if cr.fetchone()[0] != 3:
        return
    cr.execute(
        """
        WITH kept AS (
            INSERT INTO credit_insurance_rule_override_version
                   (override_id, company_id, version, state, document, switched_off, reason,
                    activated_by_id, activated_on, create_uid, create_date, write_uid, write_date)
            SELECT id, company_id, 1, 'active', document, switched_off, reason,
                   write_uid, write_date, COALESCE(write_uid, create_uid), write_date, write_uid, write_date
              FROM credit_insurance_rule_override WHERE version_id IS NULL
         RETURNING id, override_id)
        UPDATE credit_insurance_rule_override o SET version_id = kept.id FROM kept WHERE kept.override_id = o.id
        """
    )
    cr.execute(
        """
        UPDATE credit_insurance_alert a SET override_version_id = o.version_id
          FROM credit_insurance_rule_override o
          JOIN credit_insurance_rule_override_version v ON v.id = o.version_id
         WHERE o.rule_id = a.rule_id AND o.company_id = a.company_id AND a.override_document = v.document
        """
    )
    cr.execute(
        """
        ALTER TABLE credit_insurance_rule_override
         DROP COLUMN document, DROP COLUMN switched_off, DROP COLUMN reason
        """
    )
