"""Surface distances against MONAI, MedPy, surface-distance, scipy and plain loops."""

import math

import numpy as np
import pytest
from scipy import ndimage

from kerasmith.objects import surface_distances as sd
from kerasmith.objects.nearest_element import distances_to_nearest
from kerasmith.objects.surface_elements import border_voxels, dual_codes, element_sizes
from tests.oracles import surfaces

pytestmark = pytest.mark.host("distances on the host")

SHAPES = [((40, 33), None), ((31, 40), (0.7, 2.3)), ((16, 20, 18), None), ((12, 24, 20), (3.1, 0.8, 0.9))]
# (oracle, surface, hd95, assd)
LIBRARIES = [
    (surfaces.monai, "voxels", "max_of_directed", "pooled"),
    (surfaces.medpy, "voxels", "pooled", "pooled"),
    (surfaces.medpy_both_ways, "voxels", "pooled", "mean_of_directed"),
    (surfaces.surface_distance, "dual_grid", "area_weighted", "area_weighted"),
]


def blobs(shape, seed, sigma=2.0, shift=0.7):
    """A random mask that touches the rim, and a disturbed copy."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), sigma)
    other = field + shift * ndimage.gaussian_filter(rng.normal(size=shape), sigma)
    return field > field.std() / 2, other > field.std() / 2


def quantities(pair, tolerance, hd95="max_of_directed", assd="pooled"):
    return {
        "hd": sd.hausdorff(pair),
        "hd95": sd.hausdorff_percentile(pair, hd95),
        "assd": sd.average_distance(pair, assd),
        "nsd": sd.surface_dice(pair, tolerance),
    }


@pytest.mark.parametrize(("shape", "spacing"), SHAPES, ids=str)
@pytest.mark.parametrize(("oracle", "surface", "hd95", "assd"), LIBRARIES, ids=lambda x: getattr(x, "__name__", None))
def test_equals_the_library(oracle, surface, hd95, assd, shape, spacing):
    for seed, tolerance in ((0, 1.05), (1, 0.6), (2, 2.2)):
        truth, prediction = blobs(shape, seed)
        got = quantities(sd.surface_distances(truth, prediction, spacing, surface), tolerance, hd95, assd)
        for key, value in oracle(truth, prediction, spacing or (1.0,) * truth.ndim, tolerance).items():
            assert got[key] == pytest.approx(value, rel=1e-5), key  # MONAI interpolates in float32


@pytest.mark.parametrize(("shape", "spacing"), SHAPES, ids=str)
def test_equals_plain_loops(shape, spacing):
    truth, prediction = blobs(shape, 3)
    got = quantities(sd.surface_distances(truth, prediction, spacing), 2.0)
    for key, value in surfaces.loops(truth, prediction, spacing or (1.0,) * truth.ndim, 2.0).items():
        assert got[key] == pytest.approx(value, rel=1e-6), key


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.3, 2.0), (1.0, 1.0, 1.0), (0.4, 3.0, 1.7)], ids=str)
def test_areas_equal_the_tables_of_surface_distance(spacing):
    from surface_distance import lookup_tables

    rank = len(spacing)
    if rank == 2:
        kernel, create = (
            lookup_tables.ENCODE_NEIGHBOURHOOD_2D_KERNEL,
            lookup_tables.create_table_neighbour_code_to_contour_length,
        )
    else:
        kernel, create = (
            lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL,
            lookup_tables.create_table_neighbour_code_to_surface_area,
        )
    expected = create(spacing)
    sizes = element_sizes(spacing)
    assert len(sizes) == len(expected)
    for code, size in enumerate(sizes):
        inside = [[bit >> axis & 1 for axis in range(rank)] for bit in range(2**rank) if code >> bit & 1]
        assert size == pytest.approx(expected[sum(int(kernel[tuple(corner)]) for corner in inside)], rel=1e-12)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (1, 1), (1, 2, 1)])
def test_elements_where_loops_find_them(shape):
    mask = np.random.default_rng(0).random(shape) < 0.8
    assert sorted(zip(*border_voxels(mask).nonzero())) == sorted(surfaces.border(mask))
    codes = dual_codes(mask)
    assert codes.shape == tuple(size + 1 for size in shape)
    padded = np.pad(mask, 1)
    for index in np.ndindex(codes.shape):
        cell = padded[tuple(slice(i, i + 2) for i in index)]
        assert codes[index] == sum(2 ** sum(d << axis for axis, d in enumerate(corner)) for corner in zip(*cell.nonzero()))


def test_nearest_equals_the_distance_transform_of_scipy():
    rng = np.random.default_rng(1)
    for _ in range(60):
        shape = tuple(rng.integers(1, 25, rng.integers(2, 4)))
        spacing = tuple(rng.uniform(0.05, 8, len(shape)))
        elements, others = (rng.random(shape) < rng.choice([0.002, 0.05, 0.5]) for _ in range(2))
        got = distances_to_nearest(elements, others, spacing)
        if others.any():
            np.testing.assert_allclose(got, ndimage.distance_transform_edt(~others, sampling=spacing)[elements], rtol=1e-6)
        else:
            assert got.shape == (elements.sum(),)
            assert np.isinf(got).all()


@pytest.mark.parametrize("shape", [(400, 500), (20000, 3), (60, 60, 60)], ids=str)
def test_nearest_of_far_surfaces(shape):
    elements, others = np.zeros((2, *shape), bool)
    elements[..., 0], others[tuple(size - 1 for size in shape)] = True, True
    spacing = (0.5, 2.0, 1.0)[: len(shape)]
    expected = ndimage.distance_transform_edt(~others, sampling=spacing)[elements]
    np.testing.assert_allclose(distances_to_nearest(elements, others, spacing), expected, rtol=1e-6)


@pytest.mark.parametrize("surface", sd.SURFACES)
def test_empty_surfaces(surface):
    truth, _ = blobs((10, 11), 0)
    empty = np.zeros_like(truth)
    for pair, count, distance, dice in (
        (sd.surface_distances(truth, empty, None, surface), 1, math.inf, 0.0),
        (sd.surface_distances(empty, truth, None, surface), 1, math.inf, 0.0),
        (sd.surface_distances(empty, empty, None, surface), 2, math.nan, math.nan),
    ):
        assert pair.empty == count
        got = quantities(pair, 1.0)
        np.testing.assert_array_equal([got["hd"], got["hd95"], got["assd"], got["nsd"]], [distance] * 3 + [dice])


def test_a_distance_that_equals_the_tolerance_counts():
    truth, prediction = np.zeros((2, 4, 40), bool)
    truth[:, 1], prediction[:, 8] = True, True
    for size in (0.1, 0.3, 0.7, 1 / 3):
        assert sd.surface_dice(sd.surface_distances(truth, prediction, (1.0, size)), 7 * size) == 1
        assert sd.surface_dice(sd.surface_distances(truth, prediction, (1.0, size)), 6.99 * size) == 0


def test_surroundings_and_threads_do_not_matter(monkeypatch):
    monkeypatch.setattr(sd, "_WORTH_A_THREAD", 1)
    truth, prediction = np.stack([blobs((14, 13, 12), seed) for seed in range(3)], axis=1)
    functions = [sd.hausdorff, sd.average_distance]
    expected = sd.surface_quantities(truth, prediction, functions, (1.0, 2.0, 3.0))
    padding = [(0, 0), (5, 2), (0, 9), (3, 3)]
    padded = [np.pad(x, padding) for x in (truth, prediction)]
    np.testing.assert_array_equal(sd.surface_quantities(*padded, functions, (1.0, 2.0, 3.0), threads=3), expected)
    assert sd.surface_quantities(truth[:0], prediction[:0], functions).shape == (0, 3)


def test_spacing_must_fit():
    with pytest.raises(ValueError, match=r"one voxel size per axis of the images, 2.*length 3"):
        sd.surface_distances(*blobs((8, 8), 0), (1.0, 1.0, 1.0))
