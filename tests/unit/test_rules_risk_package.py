"""The package as a whole: its exports, its examples, its shipped rules; and the parent never loads the engine."""

import ast
import doctest
import importlib
import sys
from pathlib import Path

import pytest

import rules.risk
from rules.risk import DEFAULT_ACTIONS, DEFAULT_CATALOGUE, Pack, Scope, check, load

FOLDER = Path(rules.risk.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
PACKS = sorted((FOLDER / "packs").glob("*.yaml"))


def test_all_lists_what_is_imported():
    tree = ast.parse((FOLDER / "__init__.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert sorted(rules.risk.__all__) == sorted(imported) == list(rules.risk.__all__)
    assert all(hasattr(rules.risk, name) for name in rules.risk.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(f"rules.risk.{name}")).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_only_the_worker_names_the_engine(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert (name == "worker") == ("durable_rules_engine" in words | names)


def test_the_parent_never_loads_the_engine():
    assert not {"durable_rules_engine", "durable", "durable.engine"} & set(sys.modules)


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_shipped_rules_pass_the_checker_and_say_why_they_exist(path):
    pack = load(path.read_text(encoding="utf-8"))
    assert check(pack, DEFAULT_CATALOGUE) == ()
    assert path.stem == pack.key
    for rule in pack.rules:
        assert rule.reason and rule.message and rule.actions and rule.tests, rule.key


def test_all_shipped_packs_can_be_switched_on_together():
    loaded = [load(path.read_text(encoding="utf-8")) for path in PACKS]
    signals = tuple(signal for pack in loaded for signal in pack.signals)
    together = Pack("all", tuple(rule for pack in loaded for rule in pack.rules), signals=signals)
    assert check(together, DEFAULT_CATALOGUE) == ()


def test_every_signal_explains_itself():
    assert all(signal.label and signal.help and signal.example for signal in DEFAULT_CATALOGUE)
    assert all(action.help and action.scopes for action in DEFAULT_ACTIONS.values())
    assert {signal.scope for signal in DEFAULT_CATALOGUE} == set(Scope)
