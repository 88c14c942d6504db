"""Triplet mining on given distances against plain loops, with ties."""

import numpy as np
import pytest
from keras import ops

from kerasmith.numerics import triplets
from kerasmith.numerics.pairs import pairs
from tests.support.cover import each_value
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


def hard(distance, masks, margin):
    near, far = (
        ops.take_along_axis(distance, ops.expand_dims(index, -1), axis=-1)[:, 0] for index in triplets.hardest(distance, masks)
    )
    has_both = ops.any(masks.positive, axis=-1) & ops.any(masks.negative, axis=-1)
    return ops.where(has_both, ops.relu(near - far + margin), ops.zeros_like(near))


RULES = {"hard": hard, "semi_hard": triplets.semi_hard, "all": triplets.every, "active": triplets.active}


def loops(d, ids, margin, rule):
    """Losses of the anchors, and the slope of their sum."""
    losses, slope = np.zeros(len(d)), np.zeros(d.shape)
    for a in range(len(d)):
        own = [j for j in range(len(d)) if j != a and ids[j] == ids[a]]
        others = [j for j in range(len(d)) if ids[j] != ids[a]]
        chosen = []
        if own and others:
            if rule == "hard":
                chosen = [(max(own, key=lambda j: d[a, j]), min(others, key=lambda j: d[a, j]))]
            elif rule == "semi_hard":
                for p in own:
                    farther = [j for j in others if d[a, j] > d[a, p]]
                    n = min(farther, key=lambda j: d[a, j]) if farther else max(others, key=lambda j: d[a, j])
                    chosen.append((p, n))
            else:
                chosen = [(p, n) for p in own for n in others if rule == "all" or d[a, p] - d[a, n] + margin > 0]
        for p, n in chosen:
            cost = d[a, p] - d[a, n] + margin
            if cost > 0:
                losses[a] += cost / len(chosen)
                slope[a, p] += 1 / len(chosen)
                slope[a, n] -= 1 / len(chosen)
    return losses, slope


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("margin", [0.0, 0.3, 3.0])
def test_value_and_gradient(rule, seed, margin):
    rng = np.random.default_rng(seed)
    ids, d = rng.integers(0, 4, 15), rng.random((15, 15)).astype("float32")
    if margin == 0.0 and rule == "active":
        margin = 0.01
    expected, slope = loops(d, ids, margin, rule)
    masks = pairs(ops.convert_to_tensor(ids))
    got = ops.convert_to_numpy(RULES[rule](ops.convert_to_tensor(d), masks, margin))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    _, other = value_and_grad(lambda d: ops.sum(RULES[rule](d, masks, margin)), d)
    np.testing.assert_allclose(other, slope, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_ties(rule):
    # Distances on a coarse grid: many negatives are exactly as far away as a positive.
    rng = np.random.default_rng(5)
    ids, d = rng.integers(0, 3, 18), rng.integers(0, 4, (18, 18)).astype("float32")
    expected, _ = loops(d, ids, 1.5, rule)
    got = ops.convert_to_numpy(RULES[rule](ops.convert_to_tensor(d), pairs(ops.convert_to_tensor(ids)), 1.5))
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


def test_sums_stay_exact_where_lists_of_triplets_would_not_fit():
    # 600 samples of one class and 600 of another: 430 million triplets.
    rng = np.random.default_rng(0)
    ids, d = np.repeat([0, 1], 600), rng.random((1200, 1200)).astype("float32")
    got = ops.convert_to_numpy(triplets.every(ops.convert_to_tensor(d), pairs(ops.convert_to_tensor(ids)), 0.2))
    wide = d.astype("float64")
    for a in (0, 599, 600, 1199):
        own = (ids == ids[a]) & (np.arange(1200) != a)
        gaps = wide[a, own][:, None] - wide[a, ids != ids[a]][None] + 0.2
        assert got[a] == pytest.approx(np.maximum(gaps, 0).mean(), rel=1e-5)
