"""What every method that a client may call has to keep to."""

import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2] / "credit_insurance"
ACTIONS = [
    pytest.param(node, id=f"{path.stem}-{node.name}")
    for path in sorted(ADDON.rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("action_")
]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_answers_with_something_that_xml_rpc_can_tell(action):
    """XML-RPC has no word for None: the client would get an error for what was done."""
    returns = [node for node in ast.walk(action) if isinstance(node, ast.Return)]
    assert returns and all(node.value is not None for node in returns)
    assert isinstance(action.body[-1], ast.Return | ast.Raise | ast.If | ast.With)
