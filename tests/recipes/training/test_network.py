"""Networks that a function of the user's returns."""

from types import SimpleNamespace

import pytest

from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.network import make_network

pytestmark = pytest.mark.host("layers are put together, nothing is computed")

MODULE = """
import keras

def whole(shape, outputs):
    return keras.Sequential([keras.Input(shape), keras.layers.Conv2D(outputs, 3, padding="same")])

def without_input(shape, outputs):
    return keras.Sequential([keras.layers.Conv2D(outputs, 3, padding="same")])
"""


def made(tmp_path, monkeypatch, name):
    (tmp_path / "networks_of_a_user.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    plan = SimpleNamespace(
        values={"model": f"networks_of_a_user:{name}"}, config=SimpleNamespace(places={}, name="config.yaml"), instances=False,
        names=["background", "cell"], axes=2, channels=1,
    )  # fmt: skip
    return make_network(plan)


def test_a_sequential_model_is_taken(tmp_path, monkeypatch):
    model = made(tmp_path, monkeypatch, "whole")
    assert model.output.shape == (None, None, None, 1)


def test_one_without_known_inputs_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"begin with `keras\.Input`"):
        made(tmp_path, monkeypatch, "without_input")
