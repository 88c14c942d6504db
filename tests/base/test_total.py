"""Totals count exactly where float32 and int32 stop, and add over replicas."""

import numpy as np
import pytest
from keras import ops

from kerasmith.base import Metric
from kerasmith.numerics import exact_sum


class Sum(Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_total("total", (2,))

    def update_state(self, x):
        self.total.add(x)

    def result(self):
        return self.total.value()[0]


def test_counts_past_int32():
    metric = Sum()
    step = ops.convert_to_tensor(np.array([2**30 - 1, 1], "int32"))
    for _ in range(9):
        metric.update_state(step)
    assert metric.total.exact().tolist() == [9 * (2**30 - 1), 9]
    one = ops.convert_to_tensor(np.array([1.0, 1.0], "float32"))
    for _ in range(5):
        metric.update_state(one)
    assert metric.total.exact().tolist() == [9 * (2**30 - 1) + 5, 14]
    assert float(ops.convert_to_numpy(metric.result())) == np.float32(9 * (2**30 - 1) + 5)
    metric.reset_state()
    assert metric.total.exact().tolist() == [0, 0]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_float_amounts_stay_exact(dtype):
    metric = Sum(dtype=dtype)
    rng = np.random.default_rng(0)
    amounts = np.concatenate([rng.random((300, 2)) * 1e6, rng.random((300, 2))]).astype("float32")
    for amount in amounts:
        metric.update_state(ops.convert_to_tensor(amount))
    np.testing.assert_allclose(metric.total.exact(), amounts.astype("float64").sum(0), rtol=1e-9)


def test_components_of_replicas_add_up():
    rng = np.random.default_rng(1)
    states, expected = [], np.zeros(3)
    for _ in range(16):
        state = ops.zeros((3, 3), "float32")
        for _ in range(50):
            amount = rng.integers(0, 2**30, 3)
            expected += amount
            state = exact_sum.add(state, exact_sum.split(ops.convert_to_tensor(amount.astype("int32"))))
        states.append(state)
    assert exact_sum.exact_value(sum(states)).tolist() == expected.tolist()


@pytest.mark.parametrize("kind", ["int32", "float32"])
def test_weighted_samples_add_up_exactly(kind):
    rng = np.random.default_rng(2)
    metric, expected = Sum(), np.zeros(2)
    for _ in range(20):
        amounts = rng.integers(0, 2**30 if kind == "int32" else 2**17, (7, 2)).astype(kind)
        weight = rng.integers(0, 9, 7).astype("float32")
        metric.total.add_samples(ops.convert_to_tensor(amounts), ops.convert_to_tensor(weight))
        metric.total.add_samples(ops.convert_to_tensor(amounts[:1]))
        expected += (weight[:, None] * amounts).sum(0) + amounts[0]
    assert metric.total.exact().tolist() == expected.tolist()


def test_a_weight_of_0_leaves_out_nan():
    metric = Sum()
    amounts = ops.convert_to_tensor(np.array([[np.nan, np.inf], [2.0, 3.5]], "float32"))
    metric.total.add_samples(amounts, ops.convert_to_tensor(np.array([0.0, 0.5], "float32")))
    assert metric.total.exact().tolist() == [1, 1.75]
