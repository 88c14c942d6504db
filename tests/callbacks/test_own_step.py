"""Callbacks beside a model that trains by a step of its own, with optimizers in attributes, lists, dicts, sub-models."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.callbacks import (
    FindLR,
    GradientHealth,
    NumericsGuard,
    ReduceOnPlateau,
    Resume,
    RunReport,
    ScheduleLR,
    WeightAveraging,
)
from kerasmith.checkpoints import variables
from kerasmith.keras_internals.owned import owned
from kerasmith.schedules import CosineRestarts
from tests.callbacks.own_step import KINDS, InADict, InAList, InASubmodel, InAttributes, X, fit, gan


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


class InAFunction(InAttributes):
    def keep(self, d_optimizer, g_optimizer):
        self.kept = lambda: (d_optimizer, g_optimizer)


@pytest.mark.parametrize("make", [lambda where: Resume(where, verbose=0), lambda where: NumericsGuard(verbose=0)])
def test_an_optimizer_that_the_model_does_not_keep_is_told(make, undisturbed, tmp_path):
    model, before = gan(InAFunction), keras.optimizers.Adam()
    before.build(model.discriminator.trainable_variables)  # of another training, still alive
    with pytest.warns(
        UserWarning, match="the optimizer Adam, which trains .* kept nowhere in the model.*my_optimizer"
    ) as told:
        history = fit(model, [make(tmp_path)], epochs=2)
    assert history == undisturbed[0]
    assert sum("kept nowhere" in str(one.message) for one in told) == 1


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


def test_schedule_lr_says_which_optimizers_there_are_and_drives_the_chosen_one(undisturbed):
    schedule = CosineRestarts(T_0=8, eta_max=0.1)
    with pytest.raises(ValueError, match=r"has 3: 'optimizer' .*'d_optimizer' .*'g_optimizer'.*optimizer=\"d_optimizer\""):
        fit(gan(), [ScheduleLR(schedule)])
    with pytest.raises(RuntimeError, match=r"'optimizer', which makes no step .* has 'd_optimizer' "):
        fit(gan(), [ScheduleLR(schedule, optimizer="optimizer")])
    with pytest.raises(ValueError, match=r"no optimizer 'adam'\. It has 'optimizer'"):
        fit(gan(), [ScheduleLR(schedule, optimizer="adam")])
    history = fit(gan(InADict), [ScheduleLR(schedule, optimizer=KINDS[InADict][0])], epochs=1)
    assert history["learning_rate"] == pytest.approx([float(schedule(1))])
    assert history["d_loss"] != undisturbed[0]["d_loss"][:1]
    both = fit(gan(InAList), [ScheduleLR(schedule, optimizer=["optimizers[0]", "optimizers[1]"])], epochs=1)
    assert both["learning_rate_optimizers[0]"] == both["learning_rate_optimizers[1]"] == pytest.approx([float(schedule(1))])


def test_reduce_on_plateau_lowers_all_rates_and_the_report_shows_them(tmp_path, capsys):
    model, report = gan(InASubmodel), RunReport(tmp_path, keep=True)
    plateau = ReduceOnPlateau("d_loss", factor=0.5, patience=1, mode="min", min_delta=100.0)
    history = fit(model, [plateau, report], epochs=3)
    assert (
        "lowers the learning rates of optimizer, discriminator.optimizer, generator.helper.optimizer"
        in capsys.readouterr().out
    )
    for place, first in zip(KINDS[InASubmodel], (0.01, 0.02)):
        column = f"learning_rate_{place}"
        assert history[column] == pytest.approx([first, first, first / 2])
        assert [row[column] for row in report.rows] == history[column]
        assert float(owned(model).optimizers[place].learning_rate) == pytest.approx(first / 4)


def with_a_bad_gradient(kind):
    """A kind whose first update has a gradient that is not finite for a batch with a large number; the loss is finite."""

    class Kind(kind):
        def losses_of(self, x):
            d_loss, g_loss = super().losses_of(x)
            zero = ops.where(ops.max(x) > 50.0, 0.0, 1.0)
            return d_loss + ops.sqrt(zero + 0.0 * d_loss) - zero, g_loss

    return Kind


def finite(model):
    """Whether all weights and all moments are."""
    named = variables.values(model)
    return all(np.isfinite(v).all() for name, v in named.items() if name.startswith(("model:", "optimizer")))


@pytest.mark.parametrize("kind", [InAttributes, InADict])
def test_numerics_guard_names_the_update_and_puts_all_moments_back(kind):
    model, guard = gan(with_a_bad_gradient(kind)), NumericsGuard(every=2, verbose=0)
    x = X.copy()
    x[12, 1] = 60.0
    model.fit(x, batch_size=8, verbose=0, shuffle=False, callbacks=[guard])
    finding = guard.finding
    assert (finding.kind, finding.epoch, finding.batch) == ("weight", 0, 1)
    assert finding.where == model.discriminator.variables[0].path
    assert f"`{KINDS[kind][0]}` in the model's own `train_step`" in finding.detail
    # As after the first step.
    reference = gan(kind)
    reference.fit(X[:8], batch_size=8, verbose=0, shuffle=False)
    now, then = variables.values(model), variables.values(reference)
    names = [name for name in then if name.startswith(("model:", "optimizer"))]
    assert all(now[name].tobytes() == then[name].tobytes() for name in names)
    assert len(names) > 20


class Spoils(keras.callbacks.Callback):
    """Writes into a weight and a moment after a step."""

    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def on_train_batch_end(self, batch, logs=None):
        if batch == self.batch:
            for variable in (self.model.generator.variables[3], self.model.kept()[0].variables[-1]):
                variable.assign(variable * float("nan"))


def test_numerics_guard_names_what_another_callback_has_spoilt():
    model, guard = gan(), NumericsGuard(every=1, verbose=0)
    fit(model, [Spoils(1), guard], epochs=1)
    weight, slot = model.generator.variables[3].path, model.kept()[0].variables[-1].path
    assert (guard.finding.kind, guard.finding.where, guard.finding.batch) == ("weight", weight, 1)
    assert guard.finding.detail.endswith(f"Not finite now are the variables {weight} and the slots {slot}")
    assert finite(model)
    # A step has spread it: the first in the order of the graph.
    model, guard = gan(), NumericsGuard(every=1, verbose=0)
    fit(model, [Spoils(0), guard], epochs=1)
    assert guard.finding.where == model.discriminator.variables[0].path
    assert "another callback" in guard.finding.detail
    assert slot.rpartition("_")[2] in guard.finding.detail
    assert finite(model)


def multi():
    keras.utils.set_random_seed(4)
    inside = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.1), {".*bias": keras.optimizers.Adam(0.01)})
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.MultiOptimizer(inside), "mse", run_eagerly=True)
    return model


@pytest.mark.skipif(not hasattr(keras.optimizers, "MultiOptimizer"), reason="since Keras 3.15")
def test_several_optimizers_in_one():
    def train(model, *callbacks):
        return model.fit(X, X[:, :1], epochs=2, verbose=0, shuffle=False, callbacks=list(callbacks)).history

    schedule = CosineRestarts(T_0=8, eta_max=0.1)
    with pytest.raises(ValueError, match=r"a `MultiOptimizer`, has 2: 'optimizer\.optimizers"):
        train(multi(), ScheduleLR(schedule))
    rates = train(multi(), ScheduleLR(schedule, optimizer="optimizer.optimizers[1]"))["learning_rate"]
    assert rates == pytest.approx([float(schedule(0)), float(schedule(1))])
    model = multi()
    FindLR(steps=4, optimizer="optimizer").run(model, X, X[:, :1])
    assert train(model) == train(multi())


@pytest.mark.host("looks at the model before it trains")
def test_a_model_without_an_optimizer(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(None, "mse")
    callbacks = [ScheduleLR(CosineRestarts(T_0=8, eta_max=0.1)), ReduceOnPlateau("loss"), FindLR()]
    callbacks += [GradientHealth(), NumericsGuard(), Resume(tmp_path), WeightAveraging()]
    for callback in callbacks:
        with pytest.raises(ValueError, match=rf"{type(callback).__name__}.*model\.compile\(optimizer="):
            model.fit(X, X[:, :1], verbose=0, callbacks=[callback])
