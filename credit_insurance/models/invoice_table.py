from odoo.tools import format_date


def get_invoice_table(lines):
    """Invoices as the table of a cover sheet, with a sum for each currency."""
    env = lines.env
    headings = [env._("Invoice"), env._("Issued"), env._("Originally due"), env._("Amount"), env._("Open")]
    rows = [
        [
            line.number,
            format_date(env, line.invoice_date),
            format_date(env, line.due_date),
            line.currency_id.format(line.amount_total),
            line.currency_id.format(line.amount_open),
        ]
        for line in lines
    ]
    sums = [
        [env._("Sum"), "", "", "", currency.format(sum(group.mapped("amount_open")))]
        for currency, group in lines.grouped("currency_id").items()
    ]
    return headings, [*rows, *sums], (3, 4)
