"""Runs pytest on files of its own in a fresh process, and reads what came of each test."""

import os
import subprocess
import sys
import xml.etree.ElementTree as etree
from typing import NamedTuple

import keras
import pytest

# A dozen processes with a small file of tests each: how pytest collects and what it prints.
on_one_backend = pytest.mark.host("pytest collects and prints the same on every backend; test_component_tests runs on all")
# A loss that is right, one that gives a number for the whole batch, a metric that needs an argument.
PARTS = """
import keras
from keras import ops


class Right(keras.losses.Loss):
    def call(self, y_true, y_pred):
        error = ops.square(y_pred - ops.cast(y_true, y_pred.dtype))
        return ops.mean(ops.reshape(error, (ops.shape(error)[0], -1)), axis=-1)


class Whole(Right):
    def call(self, y_true, y_pred):
        return ops.mean(super().call(y_true, y_pred))
"""


class Run(NamedTuple):
    """What a run of pytest said.

    Attributes:
        status: exit status.
        text: standard output.
        tests: {name: (outcome, text)} with outcomes "passed", "failed", "skipped", "error".
    """

    status: int
    text: str
    tests: dict


def run(folder, *arguments, plugins=("kerasmith.testing.plugin",), **files):
    """Writes `name.py` for each of `files` and runs `pytest *arguments` in the folder."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    environment = {
        **os.environ,
        "KERAS_BACKEND": keras.config.backend(),
        "PYTHONPATH": os.path.abspath("src"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }
    named = [word for plugin in plugins for word in ("-p", plugin)]
    process = subprocess.run(
        [sys.executable, "-m", "pytest", *named, "--junitxml=answers.xml", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    tests = {}
    answers = folder / "answers.xml"
    if answers.exists():
        tests = {case.get("name"): _outcome(case) for case in etree.parse(answers).iter("testcase")}
        answers.unlink()
    return Run(process.returncode, process.stdout + process.stderr, tests)


def _outcome(case):
    for tag, outcome in (("failure", "failed"), ("skipped", "skipped"), ("error", "error")):
        found = case.find(tag)
        if found is not None:
            return outcome, f"{found.get('message')}\n{found.text}"
    return "passed", ""
