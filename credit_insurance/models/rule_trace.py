"""The trace of a rule as rows that are stored with an alert and shown on it.

A row is a group ("all", "any", "not", "unless", "also") or a comparison, with its depth in ``level``. Numbers are kept
as exact texts; amounts get their currency when they are shown.
"""

from datetime import date
from decimal import Decimal, InvalidOperation

from odoo.tools import format_date, formatLang

from odoo.addons.credit_insurance.rules.risk import ComparisonTrace, SignalRef, SignalType
from odoo.addons.credit_insurance.rules.risk.messages import placeholders

from .marked_words import tell_label, tell_rule, words_to_json


def to_json(value):
    """A fact as JSON keeps it: exact numbers as texts in one form, so that equal values are equal texts."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def trace_rows(outcome, catalogue):
    """The condition of an outcome, and its exclusion behind a row "unless", as a list of JSON objects."""
    rows = list(_rows(outcome.trace, catalogue, 0))
    if outcome.exclusion:
        rows.append({"kind": "unless", "level": 0, "answer": outcome.exclusion.answer.value})
        rows += _rows(outcome.exclusion, catalogue, 1)
    return rows


def _also_rows(outcome, catalogue):
    """Another row of a decision table that fired, behind a row "also" that names it by its ``number``."""
    number = outcome.rule.key.removeprefix(f"{outcome.rule.origin}__")
    head = {"kind": "also", "level": 0, "answer": outcome.trace.answer.value, "number": number}
    return [head, *_rows(outcome.trace, catalogue, 1)]


def table_rows(outcomes, catalogue):
    """The first of these outcomes, which fired, and behind it the others: rows of one decision table."""
    rows = trace_rows(outcomes[0], catalogue)
    return rows + [row for outcome in outcomes[1:] for row in _also_rows(outcome, catalogue)]


def _rows(trace, catalogue, level):
    if isinstance(trace, ComparisonTrace):
        yield _comparison_row(trace, catalogue, level)
        return
    yield {"kind": trace.kind, "level": level, "answer": trace.answer.value}
    for part in trace.parts:
        yield from _rows(part, catalogue, level + 1)


def _comparison_row(trace, catalogue, level):
    row = {
        "kind": "comparison",
        "level": level,
        "answer": trace.answer.value,
        "key": trace.signal.key,
        "label": trace.signal.label,
        "type": trace.signal.type.value,
        "unit": trace.signal.unit,
        "operator": trace.comparison.operator.value,
        "value": to_json(trace.value),
        "note": words_to_json(trace.note),
    }
    operand = trace.comparison.operand
    if isinstance(operand, SignalRef):
        row |= {"factor": to_json(operand.factor), "other": catalogue[operand.key].label}
    if isinstance(trace.operand_value, tuple):
        row["needed"] = [to_json(item) for item in trace.operand_value]
    elif operand is not None:
        row["needed"] = to_json(trace.operand_value)
    return row


def format_fact(env, value, signal_type, currency, unit=""):
    """A stored value for reading: amounts with their currency, numbers as the reader's language writes them."""
    if value is None or value is False and signal_type != SignalType.FLAG:
        return env._("unknown")
    if isinstance(value, list):
        return ", ".join(format_fact(env, item, signal_type, currency, unit) for item in value)
    if isinstance(value, bool):
        return env._("yes") if value else env._("no")
    found = _read_number(value) if SignalType(signal_type).is_numeric else value
    if isinstance(found, str):
        return found
    if isinstance(found, date):
        return format_date(env, found)
    if signal_type == SignalType.MONEY:
        return currency.format(float(found))
    text = formatLang(env, float(found), digits=0 if found == found.to_integral_value() else 2)
    return f"{text} {env._(unit) if unit else ''}".rstrip()


def tell_message(record, rule, day, values):
    """The message of an alert, or of what a dry run found, for the reader.

    It is translated where somebody did, and has amounts with their currency.

    :param day: when the rule was evaluated
    :param values: stored values by key of their signal
    """
    if not record.message_template:
        return record.message
    words = {
        "buyer": record.partner_id.name,
        "document": record.document_name,
        "company": record.company_id.name,
        "rule": rule.sudo().display_name,
        "today": format_date(record.env, day),
    }
    return fill_message(record.env, record.message_template, words, values, record.currency_id) or record.message


def fill_message(env, template, words, values, currency):
    """A rule's message for the reader, with the words that belong to it and the stored values of signals in it."""
    told, words = tell_rule(env, template), dict(words)
    catalogue = env["credit.insurance.signals"]._get_catalogue()
    for key in set(placeholders(told)) - words.keys():
        signal = catalogue.get(key)
        words[key] = signal and format_fact(env, (values or {}).get(key), signal.type.value, currency)
    return told.format_map({name: word or "" for name, word in words.items()}).strip()


def format_needed(env, row, currency):
    """The right-hand side of a comparison for reading."""
    if "needed" not in row:
        return row["operator"]
    text = format_fact(env, row["needed"], row["type"], currency, row["unit"])
    if "other" in row:
        factor = "" if row["factor"] == "1" else f"{row['factor']} × "
        other = row["other"]
        text = f"{factor}{tell_label(env, other)} = {text}"
    return f"{row['operator']} {text}"


def from_json(signal, value):
    """The fact that :func:`to_json` wrote for this signal; a day stays the number of days or becomes a date."""
    return _read_number(value) if signal.type.is_numeric and isinstance(value, str) else value


def _read_number(text):
    """The number or day that was stored; the text itself when its signal, which people define, was of another type."""
    try:
        found = date.fromisoformat(text) if text.count("-") == 2 else Decimal(text)
    except (ValueError, InvalidOperation):
        return text
    return found if isinstance(found, date) or found.is_finite() else text
