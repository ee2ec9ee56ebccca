"""What an alert and its actions say becomes a template with its parameters; what was said so far stays as it is."""

from odoo.tools import SQL

NOTES = [
    ("credit_insurance_action_task", "note", "note_words"),
    ("credit_insurance_action_task", "ended_note", "ended_words"),
    ("credit_insurance_alert", "closing_note", "closing_words"),
]


def migrate(cr, version):
    for table, note, words in NOTES:
        names = SQL.identifier(table), SQL.identifier(note), SQL.identifier(words)
        cr.execute(SQL("ALTER TABLE %s ALTER COLUMN %s TYPE jsonb USING to_jsonb(%s)", names[0], names[1], names[1]))
        cr.execute(SQL("ALTER TABLE %s RENAME COLUMN %s TO %s", *names))
