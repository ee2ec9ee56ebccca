"""What the validator of the XML schema says, in words that can be told in another language.

>>> said = told("Element 'amount': [facet 'minInclusive'] The value '-1' is less than the minimum value allowed ('0').")
>>> said.params["value"], said.params["least"]
('-1', '0')

What it says otherwise, which a file hardly brings about, stays as it is.
"""

import re

from ..words import Words, _, filled

MOST = 300  # characters
# The first that fits counts.
SAYINGS = (
    _("Element '%(element)s': '%(value)s' is not a valid value of the atomic type '%(type)s'."),
    _("Element '%(element)s': '%(value)s' is not a valid value of the union type '%(type)s'."),
    _("Element '%(element)s': This element is not expected."),
    _("Element '%(element)s': This element is not expected. Expected is one of %(names)s"),
    _("Element '%(element)s': This element is not expected. Expected is %(names)s"),
    _("Element '%(element)s': Missing child element(s). Expected is one of %(names)s"),
    _("Element '%(element)s': Missing child element(s). Expected is %(names)s"),
    _(
        "Element '%(element)s': [facet 'minLength'] The value has a length of '%(length)s'; this underruns the "
        "allowed minimum length of '%(least)s'."
    ),
    _(
        "Element '%(element)s': [facet 'maxLength'] The value has a length of '%(length)s'; this exceeds the "
        "allowed maximum length of '%(most)s'."
    ),
    _(
        "Element '%(element)s': [facet 'minInclusive'] The value '%(value)s' is less than the minimum value "
        "allowed ('%(least)s')."
    ),
    _(
        "Element '%(element)s': [facet 'maxInclusive'] The value '%(value)s' is greater than the maximum value "
        "allowed ('%(most)s')."
    ),
    _(
        "Element '%(element)s': [facet 'totalDigits'] The value '%(value)s' has more digits than are allowed "
        "('%(most)s')."
    ),
    _(
        "Element '%(element)s': [facet 'fractionDigits'] The value '%(value)s' has more fractional digits than are "
        "allowed ('%(most)s')."
    ),
    _("Element '%(element)s': [facet 'enumeration'] The value '%(value)s' is not an element of the set {%(values)s}."),
    _("Element '%(element)s': [facet 'pattern'] The value '%(value)s' is not accepted by the pattern '%(pattern)s'."),
    _(
        "Element '%(element)s': Character content other than whitespace is not allowed because the content type is "
        "'element-only'."
    ),
    _("Element '%(element)s': Element content is not allowed, because the type definition is simple."),
    _("Element '%(element)s', attribute '%(attribute)s': The attribute '%(name)s' is not allowed."),
)


def _shape(saying: str) -> re.Pattern[str]:
    pieces = re.split(r"%\((\w+)\)s", saying)
    shapes = [f"(?P<{piece}>.*?)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)]
    return re.compile("".join(shapes), re.DOTALL)


_SHAPES = {saying: _shape(saying) for saying in SAYINGS}


def told(message: str) -> Words:
    """``message`` of the validator, cut to a bearable length."""
    words = message if len(message) <= MOST else f"{message[:MOST]}…"
    found = ((saying, shape.fullmatch(words)) for saying, shape in _SHAPES.items())
    return next((filled(saying, match.groupdict()) for saying, match in found if match), filled(words, {}))
