"""What was told of each invoice is kept from now on: of what was declared before, only the sums of the lines are known.

A line of several invoices is taken to have told what they say now.
"""


def migrate(cr, version):
    cr.execute("SELECT to_regclass('credit_insurance_declaration_line_move_rel')")
    if not cr.fetchone()[0]:
        return
    cr.execute(
        """
        INSERT INTO credit_insurance_declaration_sale
               (line_id, company_id, move_id, invoice_key, partner_id, number, day, currency_id, amount)
        SELECT d.id, d.company_id, m.id, m.id, CASE WHEN d.kind <> 'receipts' THEN m.commercial_partner_id END,
               COALESCE(d.number, m.name), COALESCE(d.day, m.invoice_date), d.currency_id,
               CASE WHEN d.invoice_count = 1 THEN d.amount
                    WHEN m.move_type = 'out_refund' THEN -m.amount_untaxed ELSE m.amount_untaxed END
          FROM credit_insurance_declaration_line_move_rel r
          JOIN credit_insurance_declaration_line d ON d.id = r.line_id
          JOIN account_move m ON m.id = r.move_id
         ORDER BY d.id, m.id
        """
    )
    cr.execute("DROP TABLE credit_insurance_declaration_line_move_rel")
