import dataclasses
import importlib
import inspect
import os
import pathlib
import subprocess
import sys
import tomllib

import pytest

import kerasmith
from kerasmith.cli import main
from kerasmith.cli.demo_list import entry
from kerasmith.recipes import DEMOS

pytestmark = pytest.mark.host("the list of demos")


def test_reading_the_registry_does_not_import_keras():
    code = "import sys; from kerasmith.recipes import DEMOS; sys.exit('keras' in sys.modules or not DEMOS)"
    assert subprocess.run([sys.executable, "-c", code], env=_environment(), check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(DEMOS))
def test_every_demo_can_be_run(name):
    demo = DEMOS[name]
    run = importlib.import_module(demo.module).run
    assert {"out", "epochs", "seed", "overwrite", "console"} <= set(inspect.signature(run).parameters)
    for field in dataclasses.fields(demo):
        text = getattr(demo, field.name)
        assert text, field.name
        assert "\n" not in text, field.name


def test_the_list_names_data_licence_time_and_figures_in_80_columns(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--list"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for name, demo in DEMOS.items():
        words = " ".join(entry(name, demo).split())
        assert entry(name, demo) in text
        for said in (demo.description, demo.data, demo.licence, demo.time, demo.to_beat, demo.reached, f"[{demo.extra}]"):
            assert said in words


@pytest.mark.parametrize("name", sorted(DEMOS))
def test_every_demo_has_an_extra(name):
    with open(pathlib.Path(__file__).parents[2] / "pyproject.toml", "rb") as file:
        assert DEMOS[name].extra in tomllib.load(file)["project"]["optional-dependencies"]


def _environment():
    return {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(kerasmith.__file__))}
