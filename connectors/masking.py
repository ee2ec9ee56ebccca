"""Values under secret names, taken out of texts whatever their notation, whole or broken: JSON members, elements and
attributes of XML, the pairs of forms and of queries, and what stands before the host in an address.

Insurers answer with documents that are cut off, wrongly closed, or packed into one another (XML in a JSON text, JSON in
a JSON text, escaped XML in XML). So nothing is parsed: a secret name is looked for, and from its value on everything is
hidden up to where the value certainly ends, at worst to the end of the text.

>>> masked('<a><wsse:Password Type="x">p</wsse:Password><b pin="1" token="t"/></a>')
'<a><wsse:Password>***</wsse:Password><b pin="1" token="***"/></a>'
>>> masked("grant_type=password&password=p%20q&x=1"), masked("https://me:pw@host/a?api_key=k")
('grant_type=password&password=***&x=1', 'https://***@host/a?api_key=***')
"""

import re
from collections.abc import Callable

HIDDEN = "***"
# "token_type" says "Bearer", and a page token is needed to read a recorded exchange: neither is a secret.
SECRET_NAMES = re.compile(
    r"(?:api|app|access|private)[-_]?key|authori[sz]ation|cookie|pass(?:word|wd|phrase)|pwd|secret"
    r"|(?<!page)(?<!page[-_])token(?![-_]?type)",
    re.IGNORECASE,
)
# One of these is in every secret name; looking for plain texts is many times quicker than for the pattern.
_STEMS = ("key", "authori", "cookie", "pass", "pwd", "secret", "token")
_AROUND = 16  # characters before and behind a stem in which the rest of its name lies
_USER_INFO = re.compile(r"""(?<=://)[^/?#\s"'<>]*@""")
_KEY = re.compile(r'(\\?)"([^"\\]+)\1"\s*:\s*')
_QUOTE = re.compile(r'(\\*)"')
_NESTING = re.compile(r'(\\*)"|[\[{]|[\]}]')
_BARE_MEMBER = re.compile(r"[^\s,\]}]*")
_TAG = re.compile(r"(<|&lt;)((?:[\w.-]+:)?([\w.-]+))")
_REST_OF_TAG = re.compile(r"""(?:[^<>"'&]|&(?!gt;)|"[^"]*(?:"|$)|'[^']*(?:'|$))*""")
_PAIR = re.compile(r"""(?<![\w.:%\[\]-])([\w.:%\[\]-]+?)(\s*=\s*|%3[Dd])(\\?"|\\?'|&quot;|&apos;|&\#3[49];)?""")
_BARE_PAIR = re.compile(r"""[^\s"'<>&]*""")


def masked(text: str) -> str:
    """``text`` without the values of what has a secret's name. Masking twice is masking once."""
    if "://" in text:
        text = _USER_INFO.sub(f"{HIDDEN}@", text)
    if not _has_secret_name(text):
        return text
    for pattern, mask in ((_KEY, _mask_member), (_TAG, _mask_element), (_PAIR, _mask_pair)):
        text = _replaced(text, pattern, mask)
    return text


def _has_secret_name(text: str) -> bool:
    """What ``SECRET_NAMES.search`` says, soon also of a long text."""
    folded = text.casefold()
    for stem in _STEMS:
        found = folded.find(stem)
        while found >= 0:
            if SECRET_NAMES.search(folded, max(0, found - _AROUND), found + len(stem) + _AROUND):
                return True
            found = folded.find(stem, found + 1)
    return False


Mask = Callable[[str, re.Match[str]], tuple[str, int] | None]


def _replaced(text: str, pattern: re.Pattern[str], mask: Mask) -> str:
    """``text`` with what ``mask`` makes of each place that begins with ``pattern``: the new text and where the old one
    ended, or ``None`` to leave the place as it is."""
    parts, done, start = [], 0, 0
    while found := pattern.search(text, start):
        start = found.end()
        hidden = mask(text, found)
        if hidden:
            replacement, start = hidden
            parts += [text[done : found.start()], replacement]
            done = start
    return "".join([*parts, text[done:]])


# --- JSON -------------------------------------------------------------------------------------------------------


def _mask_member(text: str, found: re.Match[str]) -> tuple[str, int] | None:
    start = found.end()
    if not SECRET_NAMES.search(found[2]) or text.startswith("null", start):
        return None
    escape = found[1]
    if text.startswith(f'{escape}"', start):
        end = _end_of_text(text, start + len(escape) + 1, bool(escape))
    elif text.startswith(("[", "{"), start):
        end = _end_of_nested(text, start, bool(escape))
    else:
        bare = _BARE_MEMBER.match(text, start)
        end = bare.end() if bare else start
    return f'{found[0]}{escape}"{HIDDEN}{escape}"', end


def _end_of_text(text: str, start: int, packed: bool) -> int:
    """Where the JSON text ends that begins at ``start``. One that is ``packed`` lies within another."""
    ends = (found for found in _QUOTE.finditer(text, start) if _is_closing(len(found[1]), packed))
    return next((found.end() for found in ends), len(text))


def _is_closing(backslashes: int, packed: bool) -> bool:
    """Whether a quotation mark after so many backslashes ends a text, or the one in which it is packed."""
    return backslashes % 2 == 0 or packed and backslashes % 4 == 1


def _end_of_nested(text: str, start: int, packed: bool) -> int:
    depth, position = 0, start
    while found := _NESTING.search(text, position):
        position = found.end()
        if found[1] is not None:
            position = _end_of_text(text, position, packed)
            continue
        depth += 1 if found[0] in "[{" else -1
        if depth == 0:
            return position
    return len(text)


# --- XML --------------------------------------------------------------------------------------------------------


def _mask_element(text: str, found: re.Match[str]) -> tuple[str, int] | None:
    """A secret's element loses its attributes and all that is in it."""
    opening, name = found[1], found[2]
    if not SECRET_NAMES.search(found[3]):
        return None
    closing = "&gt;" if opening == "&lt;" else ">"
    rest = _REST_OF_TAG.match(text, found.end())
    end = rest.end() if rest else found.end()
    told = text[found.end() : end].rstrip()
    whole = text.startswith(closing, end)
    if whole and told == "/":
        return None
    end += len(closing) if whole else 0
    if not whole or not told.endswith("/"):
        end = _end_of_element(text, end, opening, name)
    return f"{opening}{name}{closing}{HIDDEN}{opening}/{name}{closing}", end


def _end_of_element(text: str, start: int, opening: str, name: str) -> int:
    """After the tag that closes the element; the end of the text where it is never closed."""
    closing = "&gt;" if opening == "&lt;" else ">"
    tag = re.compile(
        rf"<!\[CDATA\[.*?(?:\]\]>|$)|<!--.*?(?:-->|$)|{opening}(/?){re.escape(name)}(?![\w.:-])(.*?)(?:{closing}|$)",
        re.DOTALL,
    )
    depth = 1
    for found in tag.finditer(text, start):
        if found[1] is None or not found[1] and found[2].rstrip().endswith("/"):
            continue
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return len(text)


# --- Attributes, forms, queries ---------------------------------------------------------------------------------


def _mask_pair(text: str, found: re.Match[str]) -> tuple[str, int] | None:
    name, equals, quote = found.groups()
    if not SECRET_NAMES.search(name):
        return None
    if quote:
        end = text.find(quote, found.end())
        return f"{name}{equals}{quote}{HIDDEN}{quote}", len(text) if end < 0 else end + len(quote)
    bare = _BARE_PAIR.match(text, found.end())
    return (f"{name}{equals}{HIDDEN}", bare.end()) if bare and bare[0] else None
