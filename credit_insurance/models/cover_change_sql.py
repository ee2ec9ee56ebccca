"""What a new answer about a cover changed: one statement for any number of answers."""

# What counted before: requests, unreadable answers and refused increases replace nothing. What the last answer had
# announced, or let run out by then, is no news when it comes. What is in force and what is to come are two changes.
# An amount by grade that has yet to begin did not count before.
CHANGES = """
    WITH answer AS (
        SELECT n.id, n.buyer_id, n.company_id, n.policy_id, n.external_id, n.layer, n.status, n.currency_id,
               n.insured_percentage, n.effective_from, n.effective_to, n.announced_status, n.announced_from,
               n.announced_amount, last.id AS previous_id, last.currency_id AS previous_currency_id,
               last.insured_percentage AS previous_percentage, last.effective_to AS previous_end,
               (n.announced_status, n.announced_from, n.announced_amount)
               IS DISTINCT FROM (last.announced_status, last.announced_from, last.announced_amount) AS announces,
               last.announced_from > %(today)s AS was_announced,
               CASE WHEN last.effective_to < %(today)s THEN 0
                    WHEN last.announced_status IN ('withdrawn', 'reduced') AND last.announced_from <= %(today)s
                    THEN CASE last.announced_status WHEN 'reduced' THEN COALESCE(last.announced_amount, 0) ELSE 0 END
                    WHEN last.status IN ('approved', 'partial', 'reduced') THEN last.amount
                    ELSE 0 END AS before,
               CASE WHEN n.status NOT IN ('approved', 'partial', 'reduced') OR n.effective_to < %(today)s THEN 0
                    ELSE n.amount END AS after
          FROM credit_insurance_cover n
          JOIN LATERAL (SELECT * FROM credit_insurance_cover c
                         WHERE c.policy_id = n.policy_id AND c.external_id = n.external_id
                           AND c.buyer_id = n.buyer_id AND c.layer = n.layer AND c.id < n.id
                           AND c.status NOT IN ('none', 'requested', 'unknown')
                           AND (c.status <> 'refused' OR c.ends_cover) AND c.begins_later IS NOT TRUE
                         ORDER BY c.id DESC LIMIT 1) last ON TRUE
         WHERE n.id = ANY(%(added)s) AND n.status NOT IN ('none', 'requested', 'unknown')
           AND (n.status <> 'refused' OR n.ends_cover)
    )
    SELECT a.*, k.kind, k.day, k.amount_before, k.amount_after
      FROM answer a
     CROSS JOIN LATERAL (VALUES (
           CASE WHEN a.after = 0 AND a.before > 0 AND a.status IN ('withdrawn', 'expired', 'refused') THEN a.status
                WHEN a.after > 0 AND a.before > 0 AND a.currency_id <> a.previous_currency_id THEN 'currency'
                WHEN a.after < a.before THEN 'reduced'
                WHEN a.after > 0 AND a.before = 0 THEN 'restored'
                WHEN a.after > a.before THEN 'raised'
                WHEN a.after > 0 AND a.insured_percentage < a.previous_percentage THEN 'percentage' END,
           a.effective_from, a.before, a.after), (
           CASE WHEN a.after = 0 THEN NULL
                WHEN a.announces AND a.announced_from > %(today)s THEN 'announced'
                WHEN a.was_announced AND a.announced_status IS NULL THEN 'restored' END,
           a.announced_from, a.after,
           CASE a.announced_status WHEN 'withdrawn' THEN 0 WHEN 'reduced' THEN COALESCE(a.announced_amount, 0) END), (
           CASE WHEN a.after > 0 AND (a.previous_end IS NULL OR a.effective_to < a.previous_end) AND a.before > 0
                     AND a.effective_to IS NOT NULL THEN 'expiring' END,
           a.effective_to + 1, a.after, 0)) k(kind, day, amount_before, amount_after)
     WHERE k.kind IS NOT NULL
"""
INSERT_IMPACTS = """
    INSERT INTO credit_insurance_impact
           (buyer_id, company_id, policy_id, cover_id, previous_cover_id, layer, kind, announced_status, known_on,
            effective_from, cover_currency_id, amount_before, amount_after, percentage_before, percentage_after,
            state, create_uid, create_date, write_uid, write_date)
    SELECT c.buyer_id, c.company_id, c.policy_id, c.id, c.previous_id, c.layer, c.kind,
           CASE WHEN c.kind = 'announced' THEN c.announced_status END, %(today)s,
           c.day, CASE WHEN c.kind = 'currency' THEN c.previous_currency_id ELSE c.currency_id END,
           c.amount_before, CASE WHEN c.kind <> 'currency' THEN c.amount_after END,
           c.previous_percentage, c.insured_percentage,
           'new', %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM (%(changes)s) c
     WHERE c.kind NOT IN ('restored', 'raised')
     ORDER BY c.id
    RETURNING id
"""
INSERT_EVENTS = """
    INSERT INTO credit_insurance_event
           (buyer_id, company_id, kind, date, known_on, source, reference, note, amount, origin, active,
            create_uid, create_date, write_uid, write_date)
    SELECT c.buyer_id, c.company_id,
           CASE WHEN c.kind IN ('restored', 'raised') THEN 'cover_restored'
                WHEN c.kind IN ('announced', 'expiring') THEN 'cover_announced'
                ELSE 'cover_cut' END,
           LEAST(c.day, %(today)s), %(today)s, %(source)s, c.external_id || '/' || c.id || '/' || c.kind,
           ROUND(c.amount_before::numeric, 2) || ' → ' || COALESCE(ROUND(c.amount_after::numeric, 2)::text, '?')
               || ' ' || x.name,
           ROUND(ABS(c.amount_before - c.amount_after) * r.rate, 2), 'insurer', TRUE,
           %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM (%(changes)s) c
      JOIN res_currency x ON x.id = c.currency_id
      JOIN jsonb_to_recordset(%(rates)s::jsonb) AS r(currency_id int, rate numeric) ON r.currency_id = c.currency_id
     ORDER BY c.id
"""
# A cover that came back, or whose announcement was taken back, ends what was told about its loss.
END_IMPACTS = """
    UPDATE credit_insurance_impact m
       SET restored_on = %(today)s
      FROM (%(changes)s) c
      JOIN credit_insurance_cover o ON o.policy_id = c.policy_id AND o.external_id = c.external_id
                                   AND o.buyer_id = c.buyer_id AND o.layer = c.layer
     WHERE c.kind = 'restored' AND m.cover_id = o.id AND m.cover_id < c.id AND m.restored_on IS NULL
    RETURNING m.id
"""
# A change for the worse is undone by an answer that grants again what stood before it.
UNDO_IMPACTS = """
    UPDATE credit_insurance_impact m
       SET restored_on = %(today)s
      FROM credit_insurance_cover n
      JOIN credit_insurance_cover o ON o.policy_id = n.policy_id AND o.external_id = n.external_id
                                   AND o.buyer_id = n.buyer_id AND o.layer = n.layer AND o.id < n.id
     WHERE n.id = ANY(%(added)s) AND m.cover_id = o.id AND m.restored_on IS NULL
       AND n.status IN ('approved', 'partial', 'reduced')
       AND (n.effective_to IS NULL OR n.effective_to >= %(today)s)
       AND CASE m.kind
                WHEN 'expiring' THEN n.effective_to IS NULL OR n.effective_to >= m.effective_from
                WHEN 'percentage' THEN n.insured_percentage >= m.percentage_before
                WHEN 'reduced' THEN n.amount >= m.amount_before AND n.currency_id = m.cover_currency_id
                WHEN 'currency' THEN n.amount >= m.amount_before AND n.currency_id = m.cover_currency_id
                ELSE FALSE END
    RETURNING m.id
"""
GRADE_EVENTS = """
    INSERT INTO credit_insurance_event
           (buyer_id, company_id, kind, date, known_on, source, reference, note, origin, active,
            create_uid, create_date, write_uid, write_date)
    SELECT g.buyer_id, g.company_id,
           CASE WHEN g.risk_class > last.risk_class THEN 'grade_worse' ELSE 'grade_better' END,
           LEAST(g.graded_on, %(today)s), %(today)s, %(source)s, 'grade/' || g.id,
           last.grade || ' → ' || g.grade || ' (' || last.risk_class || ' → ' || g.risk_class || ')', 'insurer', TRUE,
           %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM credit_insurance_grade g
      JOIN LATERAL (SELECT o.grade, o.risk_class FROM credit_insurance_grade o
                     WHERE o.buyer_id = g.buyer_id AND o.insurer_id = g.insurer_id AND o.id <> g.id
                       AND (o.graded_on, o.id) < (g.graded_on, g.id)
                     ORDER BY o.graded_on DESC, o.id DESC LIMIT 1) last ON TRUE
     WHERE g.id = ANY(%(added)s) AND g.risk_class <> last.risk_class
     ORDER BY g.id
"""
