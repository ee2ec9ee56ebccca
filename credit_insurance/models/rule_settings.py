"""What a rule says: its text, and beside it where it applies, whom it tells and what its actions need.

All of it is one version. Companies are read and compared as a whole, also those that whoever works on the rule may not
see: nobody adds or drops one of those. An archived one may be dropped, as nobody sees it any more.
"""

from odoo import Command
from odoo.tools import SQL

SETTINGS = ("company_ids", "holds_orders", "role", "needs_approval", "payment_term_id", "limit_percent", "webhook_id")
SAID = ("document", *SETTINGS)


def all_companies(record):
    """The companies of a rule or of one of its versions, whoever asks."""
    companies = record.env["res.company"].sudo()
    if not isinstance(record.id, int):
        return companies.browse(record.company_ids.ids)
    field = record._fields["company_ids"]
    rows = record.env.execute_query(
        SQL(
            "SELECT %s FROM %s WHERE %s = %s ORDER BY 1",
            SQL.identifier(field.column2), SQL.identifier(field.relation), SQL.identifier(field.column1), record.id,
        )
    )  # fmt: skip
    return companies.browse(company_id for (company_id,) in rows)


def setting(record, name):
    return all_companies(record) if name == "company_ids" else record[name]


def said_by(record):
    """``{name: value to write}`` of a rule or of one of its versions."""
    return {name: record._fields[name].convert_to_write(setting(record, name), record) for name in SAID}


def said_with(said, typed):
    """What is said after ``typed`` was written over it."""
    result = said | {name: value for name, value in typed.items() if name in SAID}
    if "company_ids" in typed:
        result["company_ids"] = [Command.set(_apply(typed["company_ids"], said["company_ids"][0][2]))]
    return result


def check_companies(before, said, env):
    """:raise AccessError: a company that the user may not see would be added, or dropped before it is archived"""
    companies = env["res.company"]
    was, becomes = (companies.browse(vals["company_ids"][0][2]) for vals in (before, said))
    dropped = (was - becomes).sudo().filtered("active").sudo(False)
    (becomes - was | dropped).check_access("read")


def _apply(commands, ids):
    """The ids that the commands of a client leave, in order."""
    found, listed = set(ids), [item for item in commands or () if isinstance(item, int)]
    if listed or not commands:
        return sorted(listed)
    for code, company_id, company_ids in ((*command, 0, 0)[:3] for command in commands):
        if code == Command.LINK:
            found.add(company_id)
        elif code in (Command.UNLINK, Command.DELETE):
            found.discard(company_id)
        elif code in (Command.CLEAR, Command.SET):
            found = set(company_ids or ())
    return sorted(found)


def describe_setting(record, name):
    """A setting as people read it."""
    field, value = record._fields[name], setting(record, name)
    if field.type == "boolean":
        return record.env._("yes") if value else record.env._("no")
    if field.type == "many2many":
        return ", ".join(value.mapped("display_name")) or record.env._("every company")
    if name == "payment_term_id":
        return record.payment_term_text or value.sudo().display_name or ""
    if field.type == "many2one":
        return value.sudo().display_name or ""
    return str(field.convert_to_export(value, record))


def describe_payment_term(term):
    """A payment term as it is today: its name and what is due when."""
    lines = [
        term.env._(
            "%(share)s %(days)s %(kind)s",
            share=f"{line.value_amount:g} %" if line.value == "percent" else f"{line.value_amount:g}",
            days=line.nb_days,
            kind=dict(line._fields["delay_type"]._description_selection(term.env))[line.delay_type].lower(),
        )
        for line in term.line_ids
    ]
    return f"{term.name} ({'; '.join(lines)})" if lines else term.name
