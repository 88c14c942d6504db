"""What the checker says of modules of the zoo, asked in a process of its own."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def modules(folder, part=""):
    """The names of the zoo's modules in a folder whose names have `part` in them."""
    names = sorted(path.stem for path in (ROOT / "tests" / "zoo" / folder).glob("[a-z]*.py") if part in path.stem)
    return [f"tests.zoo.{folder}.{name}" for name in names]


def answers(names, backend, seconds=None):
    """What `tests.zoo.examine` says of each component of modules, on a backend."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-W", "ignore", "-m", "tests.zoo.examine", "--json", *names]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    return [json.loads(line) for line in run.stdout.splitlines()]
