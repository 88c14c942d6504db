"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import kerasmith

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(kerasmith.__path__, "kerasmith.") if "__main__" not in module.name
)


def examples(name):
    return [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]


def test_there_are_examples():
    assert sum(len(examples(name)) for name in MODULES) > 50


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, capsys):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in examples(name):
        runner.run(test)
    assert runner.failures == 0, capsys.readouterr().out
