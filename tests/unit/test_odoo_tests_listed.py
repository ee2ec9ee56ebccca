"""Odoo's own runner finds a test only where the package names it; pytest finds every one."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_odoo_test_is_named_by_the_package():
    tree = ast.parse((TESTS / "__init__.py").read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {path.stem for path in TESTS.glob("test_*.py")} <= named
