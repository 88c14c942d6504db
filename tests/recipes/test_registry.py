import importlib
import inspect
import os
import subprocess
import sys

import pytest

import kerasmith
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
    assert demo.description
    assert "\n" not in demo.description
    assert demo.extra == "demo"


def _environment():
    return {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(kerasmith.__file__))}
