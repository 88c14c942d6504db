"""Every loss and metric where Keras infers shapes: unknown sizes, no values, any order, inside layers, graph nodes."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses, metrics
from kerasmith.base import Metric
from kerasmith.keras_internals import compiled, tensors
from tests.losses.battery import OTHER_ROWS
from tests.losses.battery import ROWS as LOSSES
from tests.metrics.battery import ROWS as METRICS

BACKEND = keras.backend.backend()
ROWS = [(str(row), row.build, row.batch) for row in [*LOSSES, *OTHER_ROWS]]
ROWS += [(name, row.make, lambda row=row: row.data(np.random.default_rng(0))) for name, row in METRICS.items()]
only_torch = pytest.mark.skipif(BACKEND != "torch", reason="only PyTorch has a device for tensors without values")


def placeholder(array, sizes_known):
    """A `KerasTensor` of an unknown batch, and of unknown sizes where the axis is neither the batch nor the channels."""
    array = np.asarray(array)
    inner = array.shape[1:]
    if not sizes_known and array.ndim > 2:
        is_channels = array.dtype.kind == "f" or array.shape[-1] == 2
        inner = (None,) * (array.ndim - 2) + (inner[-1:] if is_channels else (None,))
    return keras.KerasTensor((None, *inner), str(array.dtype))


def called(part):
    """A function of tensors: the loss, or the result of the metric after one update."""
    if not isinstance(part, Metric):
        return part

    def count(*batch):
        part.update_state(*batch)
        return part.result()

    return count


@pytest.mark.heavy("traces every part of the library", on=("tensorflow",), seconds=6)
def test_shapes_are_inferred():
    failures, seen = {}, set()
    for name, make, batch in ROWS:
        part = make()
        if type(part) in seen:  # the options of a class change little here, and each row is traced for a tenth of a second
            continue
        seen.add(type(part))
        given = [placeholder(x, isinstance(part, losses.Pinball)) for x in batch()]
        try:
            spec = tensors.output_spec(called(part), *given, keras.KerasTensor((None,)))
            assert all(leaf.shape == () for leaf in keras.tree.flatten(spec))
        except Exception as problem:
            failures[name] = repr(problem)[:200]
    assert not failures


@only_torch
def test_nothing_needs_values():
    """Keras would try again on the CPU, where no part of Keras' survives the state that the first try left."""
    failures = {}
    for name, make, batch in ROWS:
        given = [np.asarray(x) for x in batch()]
        try:
            with keras.device("meta"), keras.StatelessScope():
                called(make())(*(ops.ones(x.shape, str(x.dtype)) for x in given))
        except Exception as problem:
            failures[name] = repr(problem)[:200]
    assert not failures


class NeedsValues(keras.metrics.Metric):
    """A metric of somebody else that PyTorch can run on values only."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        if ops.convert_to_numpy(y_pred).sum() < 0:
            raise ValueError("negative")

    def result(self):
        return ops.zeros(())


class TensorSums(keras.metrics.Metric):
    """A metric of somebody else that adds up tensors, which Keras does not bring to one device."""

    def __init__(self):
        super().__init__(name="sums")
        self.sums = self.add_weight(shape=(2,), initializer="zeros", name="sums")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.sums.assign(self.sums.value + ops.stack([ops.sum(y_true), ops.sum(y_pred)]))

    def result(self):
        return self.sums[0] - self.sums[1]


def of_masks():
    """Metrics of binary masks: on the host, of limbs, of Keras, of somebody else."""
    of_keras = [keras.metrics.BinaryAccuracy(), "mse"]
    host = [metrics.SurfaceDistance(), metrics.LesionDetection(), metrics.PanopticQuality(), metrics.FROC(bins=8)]
    counts = [metrics.DiceScore(), metrics.ConfusionMatrix(2), metrics.AUC(bins=8), metrics.Brier()]
    return [*host, *counts], of_keras


def model_of(metrics):
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, keras.layers.Activation("sigmoid")(inputs))
    model.compile(loss=losses.CrossEntropy(), metrics=metrics)
    return model


@pytest.mark.parametrize("order", [1, -1])
def test_metrics_are_built_in_any_order(order):
    ours, keras_own = of_masks()
    batch = np.zeros((2, 8, 8, 1), "float32"), np.ones((2, 8, 8, 1), "float32")
    lists = {"with Keras'": [*keras_own, *ours][::order]}
    if BACKEND == "torch":  # elsewhere nobody can ask for values
        lists["before one that needs values"] = [*of_masks()[0][::order], NeedsValues()]
    for given in lists.values():
        model = model_of(given)
        compiled.build_on(model, batch)
        assert compiled.is_built(model)
        assert len(model.metrics[1].metrics) == len(given)


@only_torch
def test_what_is_wrong_is_said_behind_other_metrics():
    model = model_of([keras.metrics.BinaryAccuracy(), TensorSums(), metrics.DiceScore(), metrics.IoU(3)])
    with pytest.raises(ValueError, match=r"num_classes=3.*1 channel\."):
        compiled.build_on(model, (np.zeros((2, 8, 8, 1), "float32"), np.ones((2, 8, 8, 1), "float32")))


class Penalty(keras.layers.Layer):
    """Adds a loss of what goes through."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def call(self, x):
        self.add_loss(self.loss(ops.ones_like(x), x))
        return x


@pytest.mark.parametrize("loss", [losses.Dice(), losses.CrossEntropy(top_k=0.5), losses.SSIM(window=3), losses.Boundary()])
def test_loss_inside_a_layer_of_a_functional_model(loss):
    x = np.random.default_rng(0).random((3, 6, 5, 1)).astype("float32")
    for shape in ((6, 5, 1), (None, None, 1)):
        inputs = keras.Input(shape)
        model = keras.Model(inputs, Penalty(loss)(inputs))
        model(x)
        assert float(model.losses[0]) == pytest.approx(float(loss(np.ones_like(x), x)), rel=1e-6)


def test_loss_is_a_node_of_a_functional_model(tmp_path):
    rng = np.random.default_rng(0)
    y, x, weight = (rng.random(shape).astype("float32") for shape in ((3, 6, 5, 1), (3, 6, 5, 1), (3,)))
    inputs = [keras.Input((6, 5, 1)), keras.Input((6, 5, 1)), keras.Input(())]
    made = [losses.Dice(), losses.Boundary(reduction="none"), 0.5 * losses.CrossEntropy() + losses.SSIM(window=3)]
    model = keras.Model(inputs, [*(loss(*inputs) for loss in made), losses.dice(*inputs[:2], sample_weight=inputs[2])])
    expected = [*(loss(y, x, weight) for loss in made), losses.dice(y, x, sample_weight=weight)]
    model.save(tmp_path / "model.keras")
    for one in (model, keras.saving.load_model(tmp_path / "model.keras")):
        for got, value in zip(one([y, x, weight]), expected, strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(value), rtol=2e-6)


def test_metric_of_a_placeholder_is_refused():
    with pytest.raises(ValueError, match=r"KerasTensor.*compile\(metrics=\[AUC"):
        metrics.AUC()(keras.Input((1,)), keras.Input((1,)))
