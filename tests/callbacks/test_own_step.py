"""Callbacks beside a model that trains by a step of its own, with optimizers in attributes, lists, dicts, sub-models."""

import keras
import pytest

from kerasmith.callbacks import GradientHealth, Resume
from kerasmith.checkpoints import variables
from kerasmith.keras_internals.owned import owned
from tests.callbacks.own_step import KINDS, InAttributes, X, fit, gan


@pytest.fixture(scope="module")
def undisturbed():
    """(history, values) after two epochs without any callback; where the optimizers are kept makes no difference."""
    model = gan()
    return fit(model), variables.values(model)


def same(kind, values, expected):
    """Whether all values are bit for bit those of `InAttributes`."""
    places = dict(zip(KINDS[InAttributes], KINDS[kind]))
    for name, value in expected.items():
        group, _, rest = name.partition(":")
        place = group.removeprefix("optimizer ")
        name = f"optimizer {places[place]}:{rest}" if place in places else name
        if values[name].tobytes() != value.tobytes():
            return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_resume_keeps_the_state_of_every_optimizer(kind, undisturbed, tmp_path):
    assert {*owned(gan(kind)).optimizers} == {"optimizer", *KINDS[kind]}
    fit(gan(kind), [Resume(tmp_path, verbose=0)], epochs=1)
    model = gan(kind)
    history = fit(model, [Resume(tmp_path, verbose=0)], epochs=2)
    assert history == undisturbed[0]
    assert same(kind, variables.values(model), undisturbed[1])
    assert sum("d_optimizer:" in name for name in undisturbed[1]) == 2 + 2 * 4


class CountsItsSteps(keras.Sequential):
    def train_step(self, *args):
        self.steps = getattr(self, "steps", 0) + 1
        return super().train_step(*args)


def test_gradient_health_trains_no_step_twice(undisturbed, capsys):
    model, health = gan(), GradientHealth(every=1)
    assert fit(model, [health]) == undisturbed[0]
    assert same(InAttributes, variables.values(model), undisturbed[1])
    assert health.rows == []
    said = capsys.readouterr().out
    assert said.count("GradientHealth") == 1
    assert "more than one update with `model.optimizer` (it has d_optimizer, g_optimizer)" in said


def test_gradient_health_measures_an_own_step_that_makes_one_update():
    found = []
    for kind in (keras.Sequential, CountsItsSteps):
        keras.utils.set_random_seed(1)
        model = kind([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
        model.compile("adam", "mse", run_eagerly=True)
        health = GradientHealth(every=1, verbose=0)
        model.fit(X, X[:, :1], batch_size=8, verbose=0, shuffle=False, callbacks=[health])
        found.append([list(row["layers"].values()) for row in health.rows])
    assert len(found[0]) == 2
    assert found[0] == found[1]
    assert model.steps == 2
