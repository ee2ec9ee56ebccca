"""What a client may not set is set by no default of its context either."""


def without_fields(records, vals_list, names):
    """``(records, vals_list)`` in which neither the values nor the context's defaults set any of ``names``."""
    defaults = {f"default_{name}" for name in names}
    if defaults & records.env.context.keys():
        context = {key: value for key, value in records.env.context.items() if key not in defaults}
        records = records.with_context(context)  # pylint: disable=context-overridden
    return records, [{name: value for name, value in vals.items() if name not in names} for vals in vals_list]
