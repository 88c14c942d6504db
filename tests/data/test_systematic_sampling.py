"""Systematic sampling: exact counts, exact sums, nothing drawn that may not be."""

import fractions

import numpy as np
import pytest

from kerasmith.data import systematic_sampling as systematic

pytestmark = pytest.mark.host("draws with NumPy")

RNG = np.random.default_rng(5)


def weights_of(kind, n):
    rng = np.random.default_rng(n)
    return {
        "even": lambda: np.full(n, 0.1),
        "uniform": lambda: rng.random(n),
        "heavy": lambda: rng.pareto(1.1, n) + 1e-3,
        "mostly zero": lambda: np.where(rng.random(n) < 0.9, 0.0, rng.random(n)) + np.eye(1, n, n // 2)[0],
        "zero at both ends": lambda: np.concatenate([np.zeros(n // 4), rng.random(n - 2 * (n // 4)) + 0.1, np.zeros(n // 4)]),
        "one": lambda: np.eye(1, n, n - 1)[0],
        "extreme": lambda: 10.0 ** rng.uniform(-120, 120, n),
    }[kind]()


KINDS = ["even", "uniform", "heavy", "mostly zero", "zero at both ends", "one", "extreme"]


def drawn_counts(counts, draws, offset):
    whole = systematic.whole_counts(counts, draws)
    samples = systematic.draw(np.cumsum(whole), draws, offset)
    assert samples.shape == (draws,)
    assert (np.diff(samples) >= 0).all()
    return np.bincount(samples, minlength=len(counts)), whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "draws"), [(1, 1), (4, 9), (50, 50), (1000, 333), (70_000, 100_000)])
def test_floor_or_ceil(kind, n, draws):
    weights = weights_of(kind, n)
    unit = 1 << systematic.fraction_bits(draws)
    counts = systematic.expected_counts(weights, draws)
    for offset in (0, 1, unit // 3, unit - 1):
        times, whole = drawn_counts(counts, draws, offset)
        assert int(whole.sum()) == draws * unit
        assert (whole >= 0).all()
        assert (times >= whole // unit).all()
        assert (times <= -(-whole // unit)).all()
        assert not times[weights == 0].any()
        # Rounded by a unit at most: as often as the weights say, in exact arithmetic.
        share = fractions.Fraction(0)
        if n <= 50:
            total = sum(fractions.Fraction(w) for w in weights)
            for w, count in zip(weights, times):
                share = draws * fractions.Fraction(w) / total
                assert abs(count - share) < 1 + fractions.Fraction(2, unit)


def test_average_over_all_offsets_is_the_expected_count():
    weights, draws = np.array([0.3, 0.0, 2.0, 1.0, 0.05]), 4
    bits, steps = systematic.fraction_bits(draws), 4096
    counts = systematic.expected_counts(weights, draws)
    mean = sum(drawn_counts(counts, draws, i << (bits - 12))[0] for i in range(steps)) / steps
    np.testing.assert_allclose(mean, draws * weights / weights.sum(), atol=1 / steps)


@pytest.mark.parametrize("n", [3, 7, 1000, 99_991])
def test_even_weights_draw_each_once(n):
    times, _ = drawn_counts(systematic.expected_counts(np.full(n, 0.1), n), n, 12_345)
    assert (times == 1).all()
    times, _ = drawn_counts(systematic.expected_counts(np.full(n, 1 / 3), 3 * n), 3 * n, 0)
    assert (times == 3).all()


def test_ten_million():
    n = 10_000_000
    weights = np.random.default_rng(0).random(n)
    weights[-1000:] = 0
    weights[::7] = 0
    counts = systematic.expected_counts(weights, n)
    unit = 1 << systematic.fraction_bits(n)
    for offset in (0, unit - 1):
        times, _ = drawn_counts(counts, n, offset)
        assert times.sum() == n
        assert not times[weights == 0].any()
        assert np.abs(times - counts).max() < 1 + 1e-8


@pytest.mark.parametrize("kind", ["even", "uniform", "heavy", "zero at both ends", "extreme"])
@pytest.mark.parametrize(("n", "draws"), [(1, 1), (9, 4), (50, 25), (1000, 333), (70_000, 30_000)])
def test_without_replacement(kind, n, draws):
    weights = weights_of(kind, n)
    chance = systematic.inclusion_probabilities(weights, draws)
    assert chance.max() <= 1.0
    assert chance.sum() == pytest.approx(draws, rel=1e-12)
    assert not chance[weights == 0].any()
    below = (chance < 1) & (chance > 1e-200)
    if below.any():  # c w_i, and the same c sends the others beyond 1
        ratio = chance[below] / weights[below]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
        assert (ratio[0] * weights[chance == 1] > 1 - 1e-9).all()
    unit = 1 << systematic.fraction_bits(draws)
    for offset in (0, unit // 3, unit - 1):
        times, _ = drawn_counts(chance, draws, offset)
        assert times.max() == 1
        assert (times[chance == 1] == 1).all()
        assert not times[weights == 0].any()


def test_as_many_weights_as_draws():
    weights = np.array([0.0, 5.0, 1e-3, 0.0, 2.0])
    assert systematic.inclusion_probabilities(weights, 3).tolist() == [0, 1, 1, 0, 1]
    assert systematic.inclusion_probabilities(np.full(7, 0.7), 7).tolist() == [1] * 7


def test_another_order_of_the_samples():
    weights, draws = RNG.random(100_000), 80_000
    whole = systematic.whole_counts(systematic.expected_counts(weights, draws), draws)
    layout = RNG.permutation(len(weights))
    times = np.bincount(systematic.draw(np.cumsum(whole[layout]), draws, 99, layout), minlength=len(weights))
    assert np.abs(times - draws * weights / weights.sum()).max() < 1 + 1e-8
