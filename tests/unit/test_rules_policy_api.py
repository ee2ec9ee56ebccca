"""The package says what is public, its examples run, and it stands alone."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import rules.policy as policy

MODULES = [module.name for module in pkgutil.iter_modules(policy.__path__)]


def test_all_names_what_is_public():
    public = {name for name, value in vars(policy).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert sorted(policy.__all__) == sorted(public)


def test_all_is_sorted_and_without_doubles():
    assert policy.__all__ == sorted(set(policy.__all__))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(f"rules.policy.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name):
    assert importlib.import_module(f"rules.policy.{name}").__doc__


@pytest.mark.parametrize(
    "error",
    [value for value in vars(policy).values() if inspect.isclass(value) and issubclass(value, Exception)],
    ids=lambda error: error.__name__,
)
def test_every_error_is_a_policy_error(error):
    assert issubclass(error, policy.PolicyError)
