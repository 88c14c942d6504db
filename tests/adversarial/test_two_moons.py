"""The example in `examples/two_moons.py` finds both moons, and its score tells what a lost mode is."""

import importlib.util
import pathlib

import numpy as np
import pytest

PATH = pathlib.Path(__file__).parents[2] / "examples" / "two_moons.py"


def example():
    spec = importlib.util.spec_from_file_location("two_moons", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.heavy("trains for hundreds of steps", seconds=15)
def test_both_moons_are_covered(capsys):
    module = example()
    model, history = module.main(epochs=15)
    both, upper, lower = module.score(model)
    assert both > 0.6
    assert min(upper, lower) > 0.5
    assert set(history) == {"generator", "discriminator", "gradient_penalty"}
    before, after = (line for line in capsys.readouterr().out.splitlines() if line.startswith("coverage"))
    assert float(before.split()[2]) < 0.3
    assert f"coverage after: {both:.2f} (upper moon {upper:.2f}, lower {lower:.2f})" == after


@pytest.mark.host("a score of points, in NumPy")
def test_coverage_sees_a_lost_mode():
    module = example()
    real, fresh = module.data(400, seed=0), module.data(400, seed=1)
    assert module.coverage(real, fresh) > 0.95
    one_moon = fresh[fresh[:, 1] > 0.3]
    assert 0.2 < module.coverage(real, one_moon) < 0.75
    assert module.coverage(real, np.repeat(fresh[:1], 400, axis=0)) < 0.05
