"""Metrics that work on the host in steps that TensorFlow's XLA compiles, beside their eager values."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses, metrics
from kerasmith.base import AdditiveMetric
from kerasmith.base.host import call_on_host
from kerasmith.keras_internals import xla_steps
from kerasmith.keras_internals.device_state import TrainingState
from tests.support.blobs import fields
from tests.support.metric_runs import assert_equal, read, run

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the others reach the host while compiled")
TRUTH, LOGITS = fields(3, (10, 16, 16))
Y, P = TRUTH[..., None].astype("float32"), (1 / (1 + np.exp(-LOGITS)))[..., None].astype("float32")
W = (np.arange(10) % 3).astype("float32")


def made():
    return [
        metrics.SurfaceDistance(),
        metrics.FROC(bins=16),
        metrics.PanopticQuality(),
        metrics.LesionDetection(iou_threshold=0.2),
        metrics.Bootstrap(metrics.SurfaceDistance(num_classes=1, definitions=["hd"], name="b"), n=20),
        metrics.DiceScore(),
    ]


def expected(*batch):
    found = {}
    for metric in made():
        found |= run(metric, batch)
    return found


def identity(given, **arguments):
    inputs = keras.Input((16, 16, 1))
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.0), losses.Dice(), jit_compile=True, **given, **arguments)
    return model


@pytest.mark.heavy("compiles steps of six metrics with XLA", on=("tensorflow",), seconds=30)
def test_fit_and_evaluate_give_the_eager_values():
    model = identity({"metrics": made()}, steps_per_execution=2)
    seen = keras.callbacks.LambdaCallback(on_test_batch_end=lambda batch, logs: running.append(float(logs["surface_hd"])))
    running = []
    found = model.evaluate(P, Y, batch_size=4, verbose=0, return_dict=True, callbacks=[seen])
    whole = expected(Y, P)
    assert np.isnan(running).all()  # never a number that lacks a batch
    assert_equal({key: found[key] for key in whole}, whole)
    history = model.fit(
        P, Y, batch_size=4, epochs=2, verbose=0, validation_data=(P[:7], Y[:7]), validation_batch_size=3
    ).history
    part = expected(Y[:7], P[:7])
    for epoch in range(2):
        assert_equal({key: history[key][epoch] for key in whole}, whole)
        assert_equal({key: history[f"val_{key}"][epoch] for key in part}, part)


class Brightest(AdditiveMetric):
    """A user's own."""

    works_on_host = True

    def statistics(self, y_true, y_pred, weights):
        return {
            "sum": call_on_host(lambda array: array.max((1, 2, 3)), [y_pred], (None,)),
            "cases": ops.ones_like(y_true[:, 0, 0, 0]),
        }

    def combine(self, totals):
        return totals["sum"] / totals["cases"]


def test_weights_metrics_of_ones_own_and_state_between_steps():
    given = [metrics.SurfaceDistance(definitions=["hd"]), Brightest()]
    model = identity({"weighted_metrics": given})
    state = None

    def look(batch, logs):
        nonlocal state
        if batch == 1:  # a checkpoint in the middle holds all batches until then
            state = [variable.numpy() for variable in model.metrics_variables]

    found = model.evaluate(
        P,
        Y,
        sample_weight=W,
        batch_size=4,
        verbose=0,
        return_dict=True,
        callbacks=[keras.callbacks.LambdaCallback(on_test_batch_end=look)],
    )
    assert found["surface_hd"] == pytest.approx(run(metrics.SurfaceDistance(), (Y, P, W))["surface_hd"], rel=1e-5)
    assert found["brightest"] == pytest.approx(np.average(P.max((1, 2, 3)), weights=W), rel=1e-5)
    for variable, value in zip(model.metrics_variables, state, strict=True):
        variable.assign(value)
    assert read(given[0])["surface_hd"] == pytest.approx(
        run(metrics.SurfaceDistance(), (Y[:8], P[:8], W[:8]))["surface_hd"], rel=1e-5
    )
    # A step that is made and taken back leaves nothing.
    before = TrainingState(model)
    copy = before.copy()
    model.evaluate(P[:4], Y[:4], batch_size=4, verbose=0)
    before.assign(copy)
    assert read(given[0])["surface_hd"] == pytest.approx(
        run(metrics.SurfaceDistance(), (Y[:8], P[:8], W[:8]))["surface_hd"], rel=1e-5
    )
    # Two steps without one in between that could read: an error, not a metric that lacks a batch.
    given[0].reset_state()
    for _ in range(2):
        model.test_function([tuple(ops.convert_to_tensor(x[:4]) for x in (P, Y, W))])
    with pytest.raises(RuntimeError, match=r"jit_compile=False.*test_on_batch"):
        given[0].result()


def test_without_a_loop_around_the_step_it_is_refused():
    model = identity({"metrics": [metrics.SurfaceDistance()]})
    with pytest.raises(RuntimeError, match=r"fit.*jit_compile=False"):
        model.train_on_batch(P, Y)
    assert "jit_compile=False" in xla_steps.ONE_STEP_AFTER_THE_OTHER
