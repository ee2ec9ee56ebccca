"""The statements that bring a page of covers into the history: one each, however many rows it has."""

INCOMING_COVERS = """
       jsonb_to_recordset(%s::jsonb) AS i(
           reference text, layer text, buyer text, status text, raw_code text, amount numeric, requested_amount numeric,
           currency_id int, insured_percentage numeric, told_from date, first_from date, changed_from date,
           effective_to date, announced_status text, announced_code text, announced_from date,
           announced_amount numeric, decided_on date, conditions text, own_reference text, grade text, fingerprint text)
"""
# Which of the answers differ from the last one under the same reference, or are about nobody we know: few, as a rule,
# so that the rest need not be looked at any further.
NEWS = """
    SELECT i.reference
      FROM unnest(%(references)s::text[], %(buyers)s::text[], %(fingerprints)s::text[])
           AS i(reference, buyer, fingerprint)
      LEFT JOIN credit_insurance_buyer_link l ON l.account_id = %(account)s AND l.external_id = i.buyer
      LEFT JOIN LATERAL (SELECT c.fingerprint FROM credit_insurance_cover c
                          WHERE c.policy_id = %(policy)s AND c.external_id = i.reference AND c.buyer_id = l.buyer_id
                            AND c.layer = 'permanent' AND c.derived IS NOT TRUE
                          ORDER BY c.id DESC LIMIT 1) last ON TRUE
     WHERE last.fingerprint IS DISTINCT FROM i.fingerprint
"""
# A changed amount, percentage or status whose first day was not moved acts from the decision on, never on what was
# delivered before it.
INSERT_CHANGED = """
    INSERT INTO credit_insurance_cover
           (buyer_id, policy_id, company_id, pull_id, active, layer, status, raw_code, amount, requested_amount,
            currency_id, insured_percentage, effective_from, told_effective_from, effective_to,
            announced_status, announced_code, announced_from, announced_amount, decided_on, conditions,
            ends_cover, external_id, fingerprint, grade, fetched_at, create_uid, create_date, write_uid, write_date)
    SELECT b.id, %(policy)s, b.company_id, %(pull)s, TRUE, i.layer, i.status, i.raw_code, i.amount,
           i.requested_amount, i.currency_id, COALESCE(i.insured_percentage, %(percentage)s), start.day,
           i.told_from, i.effective_to,
           i.announced_status, i.announced_code, i.announced_from, i.announced_amount, i.decided_on,
           i.conditions, i.status = 'refused' AND last.status IN ('approved', 'partial', 'reduced'),
           i.reference, i.fingerprint, i.grade, %(told)s, %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM %(incoming)s
      JOIN credit_insurance_buyer_link l ON l.account_id = %(account)s AND l.external_id = i.buyer
      JOIN credit_insurance_buyer b ON b.id = l.buyer_id
      LEFT JOIN LATERAL (SELECT * FROM credit_insurance_cover c
                          WHERE c.policy_id = %(policy)s AND c.external_id = i.reference AND c.buyer_id = b.id
                            AND c.layer = i.layer AND c.derived IS NOT TRUE
                          ORDER BY c.id DESC LIMIT 1) last ON TRUE
     CROSS JOIN LATERAL (
           SELECT LEAST(i.effective_to, CASE
                       WHEN last.id IS NULL OR i.told_from IS DISTINCT FROM last.told_effective_from
                       THEN i.first_from
                       WHEN (i.status, i.amount, i.insured_percentage, i.currency_id, i.grade)
                            IS NOT DISTINCT FROM
                            (last.status, last.amount, last.insured_percentage, last.currency_id, last.grade)
                       THEN last.effective_from
                       ELSE GREATEST(i.changed_from, last.effective_from) END) AS day) start
     WHERE last.fingerprint IS DISTINCT FROM i.fingerprint
     ORDER BY i.reference, i.layer
    RETURNING id
"""
# A temporary amount that the insurer tells no more is no more, even before its last day.
END_TEMPORARY = """
    INSERT INTO credit_insurance_cover
           (buyer_id, policy_id, company_id, pull_id, active, layer, status, amount, currency_id, insured_percentage,
            effective_from, external_id, fetched_at, create_uid, create_date, write_uid, write_date)
    SELECT t.buyer_id, t.policy_id, t.company_id, %(pull)s, TRUE, t.layer, 'expired', 0, t.currency_id,
           t.insured_percentage, GREATEST(%(today)s, t.effective_from), t.external_id,
           %(told)s, %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM (SELECT DISTINCT ON (c.external_id, c.buyer_id) c.*
              FROM credit_insurance_cover c
             WHERE c.policy_id = %(policy)s AND c.layer = 'temporary' AND c.external_id = ANY(%(permanent)s)
             ORDER BY c.external_id, c.buyer_id, c.id DESC) t
     WHERE t.status IN ('approved', 'partial', 'reduced') AND (t.effective_to IS NULL OR t.effective_to >= %(today)s)
    RETURNING id
"""
# Rows that begin after a later answer under the same reference were corrected by it and no longer count.
MARK_CORRECTED = """
    UPDATE credit_insurance_cover c
       SET active = FALSE
      FROM credit_insurance_cover n
     WHERE n.id = ANY(%s) AND c.policy_id = n.policy_id AND c.external_id = n.external_id
       AND c.buyer_id = n.buyer_id AND c.layer = n.layer AND c.id < n.id AND c.active
       AND c.effective_from > n.effective_from
"""
REPORT_UNLINKED = """
    INSERT INTO credit_insurance_unlinked_buyer AS u
           (account_id, company_id, policy_id, external_id, own_reference, reference, status, amount, currency_id,
            create_uid, create_date, write_uid, write_date)
    SELECT DISTINCT ON (i.buyer) %(account)s, %(company)s, %(policy)s, i.buyer, i.own_reference, i.reference,
           i.status, i.amount, i.currency_id, %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM %(incoming)s
     WHERE i.layer = 'permanent'
       AND NOT EXISTS (SELECT 1 FROM credit_insurance_buyer_link l
                        WHERE l.account_id = %(account)s AND l.external_id = i.buyer)
     ORDER BY i.buyer, i.amount DESC, i.reference
        ON CONFLICT (account_id, policy_id, external_id) DO UPDATE
       SET own_reference = excluded.own_reference, reference = excluded.reference, status = excluded.status,
           amount = excluded.amount, currency_id = excluded.currency_id, write_date = excluded.write_date
     WHERE (u.own_reference, u.reference, u.status, u.amount, u.currency_id)
           IS DISTINCT FROM
           (excluded.own_reference, excluded.reference, excluded.status, excluded.amount, excluded.currency_id)
"""
