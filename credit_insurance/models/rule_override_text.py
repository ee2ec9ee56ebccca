"""A company's override of a rule: some of the rule's top-level fields, as text, in place of the rule's own.

rule's text        override           what applies there
severity: warning  severity: high     severity: high
when: a > 10       when: a > 50       when: a > 50
message: …                            message: …            follows the rule, also after an update
"""

import re

FIELDS = ("severity", "priority", "message", "actions", "observe", "when", "table", "unless", "until", "valid_from")
OVERRIDABLE = frozenset((*FIELDS, "valid_to", "tests"))
_FIELD = re.compile(r"([A-Za-z_]\w*)\s*:")


def split_fields(text):
    """``{field: its lines}`` of a rule's text, in order; what stands before the first field is under ``""``."""
    fields, name = {"": []}, ""
    for line in (text or "").splitlines():
        if found := _FIELD.match(line):
            name = found[1]
            fields.setdefault(name, [])
        fields[name].append(line)
    return fields


def get_strangers(text):
    """What an override may not carry: other fields, and words before the first field."""
    fields = split_fields(text)
    loose = [line for line in fields.pop("") if line.strip() and not line.lstrip().startswith("#")]
    return [*loose, *sorted(fields.keys() - OVERRIDABLE)]


def merge_texts(text, override):
    """The rule's text with the fields of the override in the place of its own.

    Another condition has other examples: the rule's tests hold only where the override leaves its conditions alone.
    """
    fields, other = split_fields(text), split_fields(override)
    other.pop("")
    if {"when", "table", "unless", "until", "valid_from", "valid_to"} & other.keys():
        fields.pop("tests", None)
    # A table takes the place of a condition, and the other way round.
    swapped = {"when": "table", "table": "when"}
    merged = {}
    for name, lines in fields.items():
        new = name if name in other else swapped.get(name) if swapped.get(name) in other else name
        merged[new] = other.pop(new, lines)
    return "\n".join(line for lines in (merged | other).values() for line in lines) + "\n"
