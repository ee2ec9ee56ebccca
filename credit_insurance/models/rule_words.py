"""What the rules say in English, in the reader's language: the template is translated and filled in again."""

from odoo.addons.credit_insurance.rules.risk.marking import Words


def tell(env, text):
    """A text of ``rules.risk`` for the reader; any other text as it is."""
    if not isinstance(text, Words):
        return text
    params = {name: tell(env, value) for name, value in text.params.items()}
    template = env._(text.template)
    return template % params if params else template


def words_to_json(text):
    """A text of ``rules.risk`` as it is stored, so that each reader is told in the own language."""
    if not isinstance(text, Words):
        return text
    params = {
        name: words_to_json(value) if isinstance(value, str) else str(value) for name, value in text.params.items()
    }
    return {"template": text.template, "params": params}


def tell_json(env, stored):
    """What :func:`words_to_json` stored."""
    if not isinstance(stored, dict):
        return stored
    params = {name: tell_json(env, value) for name, value in stored["params"].items()}
    template = env._(stored["template"])
    return template % params if params else template
