"""A connection's key becomes one of its secrets, in the environment the connection is used in."""


def migrate(cr, version):
    cr.execute(
        """
        SELECT count(*) FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = 'credit_insurance_account'
           AND column_name IN ('stored_api_key', 'api_key_variable')
        """
    )
    if cr.fetchone()[0] != 2:
        return
    cr.execute(
        """
        INSERT INTO credit_insurance_account_setting
               (account_id, company_id, kind, environment, name, sequence, source, stored_secret, variable,
                create_uid, create_date, write_uid, write_date)
        SELECT id, company_id, 'secret', CASE WHEN state = 'enabled' THEN 'production' ELSE 'test' END, 'api_key', 0,
               CASE WHEN api_key_variable <> '' THEN 'variable' ELSE 'database' END,
               NULLIF(stored_api_key, ''), NULLIF(api_key_variable, ''), 1, now() AT TIME ZONE 'UTC', 1,
               now() AT TIME ZONE 'UTC'
          FROM credit_insurance_account
         WHERE stored_api_key <> '' OR api_key_variable <> ''
            ON CONFLICT (account_id, kind, environment, name)
            DO UPDATE SET source = EXCLUDED.source, stored_secret = EXCLUDED.stored_secret, variable = EXCLUDED.variable
        """
    )
    # Each environment has its own address: production's is not the one for tests.
    cr.execute(
        """
        UPDATE credit_insurance_account SET production_base_url = base_url, base_url = NULL
         WHERE state = 'enabled' AND production_base_url IS NULL
        """
    )
    cr.execute("UPDATE credit_insurance_account SET stored_api_key = NULL")
