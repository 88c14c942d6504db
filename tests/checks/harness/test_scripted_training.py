"""A training on paper looks to a callback like a real one."""

import keras
import numpy as np
import pytest

from kerasmith.checks.harness import tiny_model
from kerasmith.checks.harness.scenarios import Scenario
from kerasmith.checks.harness.scripted_training import STEPS, TEST_STEPS, Script
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.harness.trace import differences, same


class Diary(keras.callbacks.Callback):
    """Writes down what it is told."""

    def __init__(self):
        super().__init__()
        self.received = []


def _keeps(hook):
    def keep(self, *arguments, logs=None):
        numbers = [value for value in arguments if isinstance(value, int)]
        given = logs if logs is not None else next((value for value in arguments if isinstance(value, dict)), {})
        self.received.append((hook, numbers, sorted(given)))

    return keep


for _part in ("train", "epoch", "train_batch", "test", "test_batch"):
    for _when in ("begin", "end"):
        setattr(Diary, f"on_{_part}_{_when}", _keeps(f"on_{_part}_{_when}"))


@pytest.mark.parametrize("validation", [0, 1, 2])
def test_the_hooks_come_in_the_order_of_fit_with_the_same_keys(validation):
    on_paper, real = Diary(), Diary()
    with temporary_cwd() as printed:
        Script(Scenario([1.0, 0.5, 0.4], validation), printed, tiny_model.fresh()).run(on_paper)
        x, y = tiny_model.data()
        x, y = np.concatenate([x, x])[: 2 * STEPS], np.concatenate([y, y])[: 2 * STEPS]
        check = {"validation_data": (x[: 2 * TEST_STEPS], y[: 2 * TEST_STEPS]), "validation_batch_size": 2}
        options = {**check, "validation_freq": validation} if validation else {}
        tiny_model.fresh("fit").fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[real], **options)
    assert on_paper.received == real.received


class Stops(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.model.stop_training = True


def test_a_stop_in_a_step_ends_the_epoch_and_the_training():
    with temporary_cwd() as printed:
        trace = Script(Scenario([1.0, 0.5]), printed, tiny_model.fresh()).run(Stops())
    assert trace.stopped == 0
    assert len(trace.rates[0]) == 2
    assert trace.final is not None


class Meddles(keras.callbacks.Callback):
    """Leaves traces on the model."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.5
        self.model.layers[0].kernel.assign(np.ones((tiny_model.FEATURES, 1)))
        self.model.optimizer.momentum = 0.3


def test_the_next_training_begins_as_the_first():
    with temporary_cwd() as printed:
        before = Script(Scenario([1.0, 0.5]), printed, tiny_model.fresh()).run(keras.callbacks.Callback())
        meddled = Script(Scenario([1.0, 0.5]), printed, tiny_model.fresh()).run(Meddles())
        after = Script(Scenario([1.0, 0.5]), printed, tiny_model.fresh()).run(keras.callbacks.Callback())
    assert differences(before, meddled)
    assert not differences(before, after)
    assert tiny_model.rate(tiny_model.fresh()) == pytest.approx(tiny_model.RATE)


def test_same_compares_numbers_with_rounding_and_nan():
    assert same({"a": [1.0, float("nan")]}, {"a": [1.0 + 1e-8, float("nan")]})
    assert not same({"a": [1.0]}, {"a": [1.1]})
    assert not same([1.0], [1.0, 2.0])
    assert not same(None, 0.0)
