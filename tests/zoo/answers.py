"""What the checker says of modules of the zoo, asked in a process of its own."""

import json
import pathlib

import keras

from tests.support import fresh_process

ROOT = pathlib.Path(__file__).parents[2]
EXAMINE = """
import warnings
warnings.simplefilter("ignore")
from tests.zoo import examine
examine.main()
"""


def modules(folder, part=""):
    """The names of the zoo's modules in a folder whose names have `part` in them."""
    names = sorted(path.stem for path in (ROOT / "tests" / "zoo" / folder).glob("[a-z]*.py") if part in path.stem)
    return [f"tests.zoo.{folder}.{name}" for name in names]


def answers(names, backend, seconds=None):
    """What `tests.zoo.examine` says of each component of modules, on a backend."""
    run = fresh_process.run if backend == keras.config.backend() else fresh_process.bare
    return [json.loads(line) for line in run(EXAMINE, "--json", *names, timeout=seconds, KERAS_BACKEND=backend).splitlines()]
