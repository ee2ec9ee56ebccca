"""The package keeps the promises of its front page."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import connectors
import connectors.simulator
from connectors import CONNECTORS, Connection, Credentials, Insurer, NotSupported, Operation, connect, errors

MODULES = [module.name for module in pkgutil.iter_modules(connectors.__path__) if not module.ispkg]


@pytest.mark.parametrize("package", [connectors, connectors.simulator])
def test_all_lists_what_the_package_imports_and_defines(package):
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    own = {
        name.asname or name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level and package is connectors
        for name in node.names
    }
    own |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    own |= {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id != "__all__"
    }
    assert set(package.__all__) == own
    assert package.__all__ == sorted(package.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))


def test_front_page_names_every_module_it_draws():
    drawn = set(re.findall(r"(\w+)\.py", connectors.__doc__))
    assert drawn <= set(MODULES)
    assert {"base", "messages", "transport", "errors", "registry", "sandbox"} <= drawn


@pytest.mark.parametrize("module", ["connectors", "connectors.jsondoc", "connectors.xmldoc", "connectors.registry"])
def test_examples_run(module):
    outcome = doctest.testmod(importlib.import_module(module))
    assert outcome.attempted and not outcome.failed


def test_simulator_does_not_use_the_connectors():
    for path in Path(connectors.simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level < 2 and not (node.module or "").startswith("connectors"), path.name


def test_error_tree_in_the_docstring_is_the_tree_of_classes():
    def drawn_below(parent):
        below = []
        for child in parent.__subclasses__():
            below += [child.__name__, *drawn_below(child)]
        return below

    in_docstring = re.findall(r"^ *(?:[│├└─ ]*)([A-Z]\w+)  ", errors.__doc__, re.MULTILINE)
    assert sorted(in_docstring) == sorted(["ConnectorError", *drawn_below(errors.ConnectorError)])


def test_operations_are_methods_of_every_insurer():
    for operation in Operation:
        assert inspect.isfunction(getattr(Insurer, operation.value)), operation


def test_registry_knows_the_connectors_by_their_code():
    assert {code: connector.code for code, connector in CONNECTORS.items()} == {code: code for code in CONNECTORS}
    assert all(connector.label for connector in CONNECTORS.values())


def test_unknown_connector_is_named_with_those_that_exist():
    with pytest.raises(errors.ConfigurationError, match="there is no connector 'sandbx'; there are: .*sandbox"):
        connect("sandbx", base_url="http://127.0.0.1", credentials=Credentials(api_key="k"))


class Silent(Insurer):
    """An insurer without an interface."""

    code = "silent"
    label = "Silent"

    def __init__(self, connection: Connection) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize("operation", Operation)
def test_what_is_not_implemented_is_not_supported(operation):
    silent = Silent(Connection("http://127.0.0.1", Credentials()))
    assert operation not in Silent.capabilities()
    with pytest.raises(NotSupported) as caught:
        method = getattr(silent, operation.value)
        method(
            *[
                "anything"
                for parameter in inspect.signature(method).parameters.values()
                if parameter.default is inspect.Parameter.empty
            ]
        )
    assert caught.value.operation == operation.value
    assert not caught.value.retryable and not caught.value.may_have_acted


def test_sandbox_is_complete():
    assert CONNECTORS["sandbox"].capabilities() == frozenset(Operation)


def test_source_stays_small():
    for path in Path(connectors.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") < 400, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                assert node.end_lineno - first.lineno < 30, f"{path.name}: {node.name}"
