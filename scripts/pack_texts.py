"""Write ``rules/risk/packtexts.py``: the texts of the shipped packs, where Odoo's exporter of terms finds them.

Run it after a change of a pack: ``python3 scripts/pack_texts.py``. A test says when it was forgotten.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rules.risk import Pack, load  # noqa: E402

FOLDER = ROOT / "rules" / "risk"
HEAD = '''"""The texts of the shipped rules, for translators only; ``scripts/pack_texts.py`` writes them."""

from .marking import _

# fmt: off
TEXTS = (
'''


def texts_of(pack: Pack) -> list[str]:
    """What a shipped pack's rules say to people: names, messages and reasons."""
    rules = pack.rules
    rows = [row for rule in rules if rule.table for row in rule.table.rows]
    found = [text for rule in rules for text in (rule.name, rule.message, rule.reason)] + [row.message for row in rows]
    return [text for text in found if text]


def pack_texts() -> list[str]:
    """The texts of all shipped packs, each once, in the order of the packs."""
    packs = [load(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / "packs").glob("*.yaml"))]
    return list(dict.fromkeys(text for pack in packs for text in texts_of(pack)))


def render() -> str:
    lines = (f"    _({json.dumps(text, ensure_ascii=False)})," for text in pack_texts())
    return HEAD + "".join(f"{line}{'  # noqa: E501' if len(line) > 120 else ''}\n" for line in lines) + ")\n"


if __name__ == "__main__":
    (FOLDER / "packtexts.py").write_text(render(), encoding="utf-8")
