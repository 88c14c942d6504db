"""A step of the user's own that keeps its state in what is not Keras': Resume goes on with it, or refuses."""

import collections

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.callbacks import NumericsGuard, Resume, ScheduleLR
from kerasmith.keras_internals.owned import owned
from kerasmith.schedules import CosineRestarts
from tests.callbacks.interruption import InterruptAt, Interrupted
from tests.callbacks.own_step import gradients, with_state_in_variables

BACKEND = keras.backend.backend()
RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 3)).astype("float32")
Y = RNG.normal(size=(24, 1)).astype("float32")
Slots = collections.namedtuple("Slots", ["count", "speed", "nothing"])


class Counted:
    """An object of the user's own."""

    def __init__(self):
        self.steps, self.seen = 0, {"losses": [0.0]}


class OwnState(keras.Model):
    """Momentum in a named tuple of arrays, noise from a generator, a rate that falls with a counter."""

    def __init__(self, slots=True):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.dense.build((None, 3))
        self.built = True
        self.slots = Slots(0, ops.zeros((3, 1)), None) if slots else None
        self.noise = np.random.default_rng(5)
        self.counted = Counted()
        self.average = np.zeros((3, 1), "float32")
        self.by_backend()

    def by_backend(self):
        if BACKEND == "torch":
            import torch

            self.adam = {"bias": torch.optim.Adam([self.dense.bias.value], lr=0.1)}
            self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.adam["bias"], 0.9)
            self.norm = torch.nn.BatchNorm1d(3)
            self.generator = torch.Generator().manual_seed(3)
        elif BACKEND == "tensorflow":
            import tensorflow as tf

            self.total = tf.Variable(0.0)
            self.generator = tf.random.Generator.from_seed(3)

    def call(self, x):
        return self.dense(x)

    def backend_step(self, x, slope):
        if BACKEND == "torch":
            import torch

            x = self.norm(x) + 0.01 * torch.randn(3, generator=self.generator)
            self.adam["bias"].zero_grad()
            self.dense.bias.value.grad = slope.detach() + 0.1 * x.detach().mean()
            self.adam["bias"].step()
            self.scheduler.step()
        elif BACKEND == "tensorflow":
            self.total.assign_add(1.0)
            self.dense.bias.assign(self.dense.bias - 0.1 * self.total * slope - 0.01 * self.generator.normal((1,)))
        else:
            self.dense.bias.assign(self.dense.bias - 0.1 * slope)

    def train_step(self, *args):
        return with_state_in_variables(self, self._train, *args)

    def _train(self, batch):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        x = ops.convert_to_tensor(x)
        kernel = self.dense.kernel

        def loss():
            return self.compute_loss(x=x, y=y, y_pred=self(x), sample_weight=sample_weight)

        slope, of_bias = gradients(loss, [kernel, self.dense.bias])
        count, speed, _ = self.slots or Slots(0, ops.zeros((3, 1)), None)
        speed = 0.9 * speed + slope
        self.slots = Slots(count + 1, speed, None)
        rate = 0.1 / (1 + self.counted.steps)
        noise = ops.convert_to_tensor(self.noise.normal(size=(3, 1)), "float32")
        kernel.assign(kernel - rate * speed - 0.01 * noise)
        self.backend_step(x, of_bias)
        self.counted.steps += 1
        self.counted.seen["losses"][0] = float(ops.convert_to_numpy(loss()))
        self.average += 0.1 * (np.array(ops.convert_to_numpy(kernel)) - self.average)
        self._loss_tracker.update_state(loss())
        return {"loss": self._loss_tracker.result()}


def train(directory, *others, epochs=3, make=OwnState, every=2, x=X):
    keras.utils.set_random_seed(4)
    model = make()
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    resume = [] if directory is None else [Resume(directory, every=every, verbose=0)]
    try:
        history = model.fit(x, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0, callbacks=[*others, *resume])
    finally:
        for one in resume:
            one.wait()
    return history.history["loss"], model


def test_resume_goes_on_with_all_of_it(tmp_path):
    whole, one = train(None)
    assert train(tmp_path / "whole")[0] == whole
    with pytest.raises(Interrupted):
        train(tmp_path / "cut", InterruptAt(1, 2))
    again, other = train(tmp_path / "cut")
    assert again == whole
    assert [a.tobytes() for a in one.get_weights()] == [b.tobytes() for b in other.get_weights()]
    assert (other.counted.steps, other.counted.seen, other.slots.count) == (9, one.counted.seen, 9)
    np.testing.assert_array_equal(other.average, one.average)
    # Over: nothing is trained, all of it is there.
    _, over = train(tmp_path / "cut")
    assert over.counted.steps == 9
    if BACKEND == "torch":
        same = (over.norm.module if hasattr(over.norm, "module") else over.norm).running_mean
        assert same.tolist() == (one.norm.module if hasattr(one.norm, "module") else one.norm).running_mean.tolist()
        assert over.adam["bias"].param_groups[0]["lr"] == pytest.approx(0.1 * 0.9**9)
    if BACKEND == "tensorflow":
        assert float(over.total) == 9
    # What the script no longer has, or has in another form, is refused.
    with pytest.raises(ValueError, match=r"`model.slots` changed while .* give it one before `fit`"):
        train(tmp_path / "cut", make=lambda: OwnState(slots=False), epochs=4)

    def without():
        model = OwnState()
        model.noise = None
        return model

    with pytest.raises(ValueError, match=r"`model.noise` is a numpy.Generator in the checkpoint and not there here: make it"):
        train(tmp_path / "cut", make=without, epochs=4)


def test_numerics_guard_puts_it_back():
    """It repeats steps to find the fault, and ends with the state from before it."""

    class Spoilt(OwnState):
        def _train(self, batch):
            logs = super()._train(batch)
            if float(ops.convert_to_numpy(ops.max(batch[0]))) > 100:
                self.dense.kernel.assign(self.dense.kernel * float("nan"))
            return logs

    guard = NumericsGuard(verbose=0, every=8)
    _, model = train(None, guard, make=Spoilt, x=np.where(np.arange(24)[:, None] == 20, 1000, X))
    assert guard.finding is not None
    assert np.isfinite(model.get_weights()[0]).all()
    if BACKEND == "torch":
        # After two steps, and no more though they were made again.
        assert model.adam["bias"].state[model.dense.bias.value]["step"] == 2
    if BACKEND == "tensorflow":
        assert float(model.total) == 2


def test_what_is_plain_and_what_is_foreign():
    model = OwnState()
    model.compile("adam", "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=12, verbose=0)
    found = owned(model)
    assert {"slots", "average", "counted.steps", "counted.seen['losses'][0]"} == set(found.plain)
    names = {
        "torch": {"noise", "adam['bias']", "scheduler", "norm.module", "generator"},
        "tensorflow": {"noise", "total", "generator"},
        "jax": {"noise"},
    }
    assert set(found.foreign) == names[BACKEND]


def test_schedules_say_whose_the_optimizer_is():
    if BACKEND != "torch":
        pytest.skip("optimizers of PyTorch")
    model = OwnState()
    model.compile(optimizer=None, loss="mse")
    schedule = ScheduleLR(CosineRestarts(T_0=2, eta_max=0.1, steps_per_epoch=2))
    with pytest.raises(ValueError, match=r"`model.adam\['bias'\]` is one of PyTorch. Step one of `torch.optim.lr_scheduler`"):
        model.fit(X, Y, verbose=0, callbacks=[schedule])


def test_what_keras_sets_in_fit_evaluate_and_predict_is_no_state_of_the_user():
    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    model = Plain()
    model.compile("sgd", "mse")
    model.fit(X, Y, validation_data=(X, Y), epochs=1, verbose=0)
    model.predict(X, verbose=0)
    found = owned(model)
    assert not found.plain
    assert not found.foreign
