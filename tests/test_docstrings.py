"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pathlib

import pytest

import kerasmith

SOURCE = pathlib.Path(kerasmith.__file__).parent
# A module without an example is not worth a test.
MODULES = sorted(
    ".".join(file.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
    for file in SOURCE.rglob("*.py")
    if ">>> " in file.read_text()
)


def examples(name):
    return [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]


def test_there_are_examples():
    assert sum(len(examples(name)) for name in MODULES) > 100


@pytest.mark.heavy("each example compiles its operations anew", on=("jax", "tensorflow"), seconds=0.3)
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, capsys):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in examples(name):
        runner.run(test)
    assert runner.failures == 0, capsys.readouterr().out
