"""`python -m tests.distribution.table --engine torch`: what several processes differ from one by, as a table of Markdown.

Each row is a training of `torch_training.py`, `jax_training.py` or `tensorflow_training.py`; `nox -s replicas` makes all.
"""

import argparse
import pathlib
import tempfile

import numpy as np

from tests.distribution.several_processes import alone_and_launched

CASES = {
    "torch": (("torch", "even", 12), ("torch", "uneven", 13), ("ray", "uneven", 13)),
    "jax": (("jax", "even", 12), ("jax", "uneven", 14)),
    "tensorflow": (("tensorflow", "even", 12), ("tensorflow", "uneven", 13)),
}
HEAD = "| engine | samples | training | weights | history | evaluation |\n|---|---|---|--:|--:|--:|"


def rows(backend, launcher, case, samples):
    """[(engine, case, training, differences of weights, history and evaluation)] of the process that differs most."""
    with tempfile.TemporaryDirectory() as folder:
        _, one, several = alone_and_launched(
            pathlib.Path(folder), backend, f"{backend}_training.py", samples, launcher=launcher, XLA_FLAGS=_FLAGS[backend]
        )
    for name, expected in one.items():
        if isinstance(expected, dict) and "weights" in expected:
            found = [_differences(other[name], expected) for other in several]
            yield launcher, f"{case}, {samples}", name, *np.max(found, axis=0)


# Two devices in each process of JAX.
_FLAGS = {"torch": "", "jax": "--xla_force_host_platform_device_count=2", "tensorflow": ""}


def _differences(found, expected):
    moved = np.max(np.abs(np.subtract(found["weights"], expected["weights"])))
    columns = (_relative(found.get(kind, {}), expected.get(kind, {})) for kind in ("history", "evaluated"))
    return moved, *columns


def _relative(found, expected):
    """The largest difference of a column, as a part of its value or of 1e-3."""
    pairs = ((np.asarray(found[name], float), np.asarray(values, float)) for name, values in expected.items())
    return max((np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-3)) for a, b in pairs), default=0.0)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.distribution.table", description=__doc__)
    parser.add_argument("--engine", choices=[*CASES, "ray"], required=True)
    parser.add_argument("--case", choices=["even", "uneven"], help="default: both")
    options = parser.parse_args()
    backend = "torch" if options.engine == "ray" else options.engine
    print(HEAD)
    for launcher, case, samples in CASES[backend]:
        if launcher == options.engine and options.case in (None, case):
            for *names, weights, history, evaluation in rows(backend, launcher, case, samples):
                print(f"| {' | '.join(names)} | {weights:.0e} | {history:.0e} | {evaluation:.0e} |", flush=True)


if __name__ == "__main__":
    main()
