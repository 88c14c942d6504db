"""Permutations by value: bijective, well mixed, the same everywhere and for ever."""

import numpy as np
import pytest
from scipy import stats

from kerasmith.data.index_permutation import key_of, permute

pytestmark = pytest.mark.host("orders numbers with NumPy")

SIZES = [1, 2, 3, 7, 64, 1000, 65_535, 65_536, 65_537, 100_003, 131_073]


@pytest.mark.parametrize("n", SIZES)
def test_every_value_once(n):
    values = permute(np.arange(n), n, key_of(3, "order", 5))
    assert values.dtype == np.int64
    np.testing.assert_array_equal(np.sort(values), np.arange(n))


@pytest.mark.parametrize("n", [1000, 100_003, 2**33 + 17, 2**40, 2**40 - 12_345, 2**61 + 1])
def test_a_value_depends_on_its_position_alone(n):
    positions = np.random.default_rng(0).integers(n, size=(20, 50))
    values = permute(positions, n, 11)
    assert values.shape == positions.shape
    assert values.min() >= 0
    assert values.max() < n
    np.testing.assert_array_equal(values.ravel()[::7], permute(positions.ravel()[::7], n, 11))
    assert int(permute(positions[3, 4], n, 11)) == values[3, 4]
    distinct = np.unique(positions).size
    assert np.unique(values).size == distinct


def test_the_order_is_written_in_stone():
    # A run must go on after an upgrade of NumPy, on another machine and backend.
    assert permute(np.arange(6), 6, 1).tolist() == ORDER_SMALL
    assert permute(np.arange(4), 100_000, 1).tolist() == ORDER_LARGE
    assert permute(np.arange(2), 2**40, 1).tolist() == ORDER_HUGE
    assert key_of(7, "order", 2) == KEY


ORDER_SMALL = [3, 4, 0, 2, 1, 5]
ORDER_LARGE = [28595, 38301, 91208, 23852]
ORDER_HUGE = [250007254055, 948778279396]
KEY = 10860207908274147891


def test_keys_differ():
    words = [(), (0,), (0, 0), (1,), (0, 1), (1, 0), (2**64,), (2**64 + 1,), (1, 1), ("order",), ("order", 0), ("offset", 0)]
    assert len({key_of(*each) for each in words}) == len(words)
    assert all(0 <= key_of(seed) < 2**64 for seed in (0, 1, 2**63, 2**200))


def p_values(tables, expected):
    """One chi-square p-value for each table of counts."""
    tables = np.asarray(tables, float)
    return stats.chi2.sf(((tables - expected) ** 2 / expected).sum(axis=1), tables.shape[1] - 1)


@pytest.mark.parametrize("n", [30, 70_000, 131_000, 2**40])
def test_order_and_pairs_are_uniform(n):
    """Over 4000 keys: where a position goes, and where two neighbours, or two a high bit apart, go together."""
    bins, keys = 6, 4000
    positions = np.array([0, 1, 2, 3, n // 2, n // 2 + 1, 8 if n < 100 else 4096, n - 1])
    values = np.array([permute(positions, n, key_of(9, key)) for key in range(keys)])
    cells = values * bins // n
    single = p_values([np.bincount(cells[:, i], minlength=bins) for i in range(len(positions))], keys / bins)
    sizes = np.bincount((np.arange(n) * bins // n) if n < 10**6 else np.zeros(1, int), minlength=bins)
    # Two positions never share a value: drawing without replacement shifts the diagonal of small n.
    share = sizes / n if n < 10**6 else np.full(bins, 1 / bins)
    joint = np.outer(share, share) * (n / (n - 1)) - np.diag(share) / (n - 1)
    pairs = [(0, 1), (1, 2), (0, 4), (0, 6), (2, 6), (3, 7), (4, 5), (0, 7)]
    double = p_values(
        [np.bincount(cells[:, i] * bins + cells[:, j], minlength=bins**2) for i, j in pairs], keys * joint.ravel()
    )
    assert min(single) > 1e-4, single
    assert min(double) > 1e-4, double


@pytest.mark.parametrize("n", [70_000, 1 << 17])
def test_one_permutation_has_no_structure(n):
    """Within one permutation: neighbours, parities and differences are as in a random one."""
    values = permute(np.arange(n), n, key_of(1, "order", 0))
    bins = 16
    cells = values * bins // n
    for step in (1, 2, 255, 256, 4096):
        table = np.bincount(cells[:-step] * bins + cells[step:], minlength=bins**2)
        assert p_values([table], (n - step) / bins**2)[0] > 1e-4
    differences = np.diff(values) % n
    assert p_values([np.bincount(differences * 64 // n, minlength=64)], (n - 1) / 64)[0] > 1e-4
    low = values % 16
    table = np.bincount(np.arange(n) % 16 * 16 + low, minlength=256)
    assert p_values([table], n / 256)[0] > 1e-4
    fixed = np.count_nonzero(values == np.arange(n))
    assert fixed < 10
