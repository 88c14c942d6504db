"""The region family against float64 NumPy: value and closed-form gradient, over options, weights, labels and dimensions."""

import itertools

import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from tests.losses.battery import batch
from tests.oracles import region_closed_form
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

MEMBERS = [
    (losses.Dice, {}),
    (losses.Jaccard, {}),
    (losses.Tversky, {"alpha": 0.9, "beta": 0.4}),
    (losses.FocalTversky, {"alpha": 0.7, "beta": 0.3, "gamma": 0.75}),
    (losses.FocalTversky, {"alpha": 0.2, "beta": 0.6, "gamma": 1.7}),
    (losses.GeneralizedDice, {}),
    (losses.LogCoshDice, {}),
    (losses.DiceIoU, {"dice_weight": 0.3}),
]
OPTIONS = [
    {},
    {"smooth": 1.0},
    {"scope": "batch"},
    {"scope": "batch", "sample_weight": True},
    {"sample_weight": True},
    {"weight": True},
    {"weight": True, "sample_weight": True, "class_weights": [0.5, 2.0, 1.0]},
    {"include_background": False},
    {"absent": "skip"},
    {"volume": True},
]
ROWS = list(itertools.product(MEMBERS, OPTIONS, (1, 3)))


@pytest.mark.thinned("each row compiles anew", by=lambda member, options, channels: [(member, channels), (options, channels)])
@pytest.mark.parametrize(("member", "options", "channels"), ROWS, ids=[f"{m[0].__name__}{m[1]}{o}{c}" for m, o, c in ROWS])
def test_value_and_gradient(member, options, channels):
    loss, config = member
    options = dict(options)
    size = (2, 5, 4, 3) if options.pop("volume", False) else (4, 6, 5)
    data, rng = batch(channels, size=size), np.random.default_rng(1)
    ids = data.ids.copy()
    if "absent" in options:
        ids[0][ids[0] == max(channels, 2) - 1] = 0
    truth = (ids[..., None] if channels == 1 else np.eye(channels)[ids]).astype("float64")
    if channels == 1 and "class_weights" in options:
        options["class_weights"] = [1.0]
    weight = rng.random(size).astype("float32") if options.pop("weight", False) else None
    outer = rng.random(size[0]).astype("float32") if options.pop("sample_weight", False) else None
    flat = size[0], -1, channels
    oracle = {**config, **options}
    expected, slope = region_closed_form.value_and_grad(
        loss.__name__,
        truth.reshape(flat),
        data.y_pred.astype("float64").reshape(flat),
        weight=None if weight is None else weight.astype("float64").reshape(size[0], -1),
        sample_weight=None if outer is None else outer.astype("float64"),
        **oracle,
    )
    ours = loss(**config, **options)
    unreduced = loss(**config, **options, reduction="none")

    def function(p):
        if weight is None or outer is None:
            return ours(ids, p, weight if outer is None else outer)
        # A call takes one kind of weight; the sample weights are applied by hand.
        return ops.sum(unreduced(ids, p, weight) * ops.convert_to_tensor(outer)) / size[0]

    got, other = value_and_grad(function, data.y_pred)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_allclose(other, slope.reshape(data.y_pred.shape), rtol=0, atol=1e-6 * np.abs(slope).max())
