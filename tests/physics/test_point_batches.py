"""PointBatches: `fit` sees all points of an epoch, and others once they were set."""

import keras
import numpy as np
import pytest

from kerasmith.physics import Box, PointBatches, Points


@pytest.mark.host("asks the data, no model")
def test_order_state_and_mistakes():
    box = Box([0, 0], [1, 1], names="xt")
    data = PointBatches(box.uniform(10), batch_size=4, seed=1)
    assert [len(data[i][0]) for i in range(len(data))] == [4, 4, 2]
    first = np.concatenate([data[i][0] for i in range(3)])
    assert sorted(map(tuple, first)) == sorted(map(tuple, data.points.x))
    data.epoch = 1
    assert (np.concatenate([data[i][0] for i in range(3)]) != first).any()
    data.set_points(box.uniform(10, seed=8))
    state = data.state_dict()
    again = PointBatches(box.uniform(10), batch_size=4, seed=1)
    for _ in range(2):
        again.load_state_dict(state)
    np.testing.assert_array_equal(again[2][0], data[2][0])
    assert again.points.domain is box
    assert len(PointBatches([[0.0], [1.0]])) == 1
    with pytest.raises(ValueError, match="10 points of 2 axes"):
        data.set_points(box.uniform(9))
    with pytest.raises(ValueError, match="other batches"):
        PointBatches(box.uniform(10), batch_size=5, seed=1).load_state_dict(state)
    with pytest.raises(ValueError, match="batch_size"):
        PointBatches(box.uniform(10), batch_size=0)


@pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=4)
def test_fit_reads_points_and_those_that_were_set():
    box = Box([0, 0], [1, 1], names="xt")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])

    class Sum(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="sum")
            self.total = self.add_weight(shape=(), initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(keras.ops.sum(y_pred))

        def result(self):
            return self.total + 0.0

        def reset_state(self):
            self.total.assign(0.0)

    total = Sum()

    class Model(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.sum(y_pred)

    model = Model(model.inputs, model.outputs)
    model.compile(keras.optimizers.SGD(0.0), metrics=[total])
    points, others = box.uniform(12), box.uniform(12, seed=5)
    data = PointBatches(points, batch_size=6)
    anew = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: data.set_points(others))
    history = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: history.append(float(total.result())))
    for workers in (1, 3):
        data = PointBatches(points, batch_size=6, workers=workers)
        history.clear()
        reset = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: total.reset_state())
        model.fit(data, epochs=2, verbose=0, callbacks=[reset, keep, anew])
        np.testing.assert_allclose(history, [points.x.sum(), others.x.sum()], rtol=1e-5)
    model.fit(Points(points.x), batch_size=6, epochs=1, verbose=0)
    np.testing.assert_allclose(model.predict(points, verbose=0)[:, 0], points.x.sum(axis=1), rtol=1e-6)
