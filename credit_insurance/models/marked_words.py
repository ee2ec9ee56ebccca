"""What the rules and the connectors say in English, in the reader's language: the template is translated and filled in
again."""

from odoo.addons.credit_insurance.connectors import words as of_connectors
from odoo.addons.credit_insurance.rules.risk import DEFAULT_CATALOGUE
from odoo.addons.credit_insurance.rules.risk import marking as of_rules
from odoo.addons.credit_insurance.rules.risk.packtexts import CARD_TEXTS, RULE_TEXTS

WORDS = (of_rules.Words, of_connectors.Words)
OF_RULES, OF_CARDS = frozenset(RULE_TEXTS), frozenset(CARD_TEXTS)
LABELS = frozenset(signal.label for signal in DEFAULT_CATALOGUE)


def tell(env, text):
    """A text of the rules or of the connectors for the reader; any other text as it is."""
    if not isinstance(text, WORDS):
        return text
    params = {name: tell(env, value) for name, value in text.params.items()}
    template = env._(text.template)
    return template % params if params else template


def tell_rule(env, text):
    """A text of a shipped rule for the reader. What somebody wrote is as it is, also where the addon says the same."""
    return env._(text) if text in OF_RULES else text


def tell_card(env, text):
    """The same of a shipped scorecard."""
    return env._(text) if text in OF_CARDS else text


def tell_label(env, label, key=None):
    """The stored label of a signal for the reader, unless somebody else than the addon defined the signal.

    :param key: the signal's, where it was stored with the label
    """
    return env._(label) if (label in LABELS if key is None else key in DEFAULT_CATALOGUE) else label


def tell_error(env, error):
    """What an exception of the connectors says, for the reader."""
    return tell(env, of_connectors.words_of(error))


def tell_problems(env, problems):
    """What is wrong with a file, ``connectors.files.Problem`` each, for the reader: sentences."""
    return [tell(env, problem.sentence) for problem in problems]


def words_to_json(text):
    """A text of the rules as it is stored, so that each reader is told in the own language."""
    if not isinstance(text, WORDS):
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
