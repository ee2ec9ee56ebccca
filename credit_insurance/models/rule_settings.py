"""What a rule says: its text, and beside it whom it tells and what its actions need. All of it is one version."""

SETTINGS = ("holds_orders", "role", "needs_approval", "payment_term_id", "limit_percent", "webhook_id")
SAID = ("document", *SETTINGS)


def said_by(record, prefix=""):
    """``{name: value to write}`` of a rule or of one of its versions."""
    return {name: _to_write(record, prefix + name) for name in SAID}


def _to_write(record, name):
    return record._fields[name].convert_to_write(record[name], record)


def describe_setting(record, name):
    """A setting as people read it."""
    field, value = record._fields[name], record[name]
    if field.type == "boolean":
        return record.env._("yes") if value else record.env._("no")
    if field.type == "many2one":
        return value.sudo().display_name or ""
    return str(field.convert_to_export(value, record))
