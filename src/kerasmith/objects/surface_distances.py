"""How far two surfaces are apart: Hausdorff distance, its 95th percentile, average distance, surface Dice. NumPy in, out."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from kerasmith.objects.nearest_element import distances_to_nearest
from kerasmith.objects.surface_elements import border_voxels, dual_codes, element_sizes

SURFACES = ("voxels", "dual_grid")
PERCENTILES = ("max_of_directed", "pooled", "area_weighted")
AVERAGES = ("pooled", "mean_of_directed", "area_weighted")
DIRECTIONS = ("symmetric", "truth_to_prediction", "prediction_to_truth")
_WORTH_A_THREAD = 2**14  # voxels; smaller images are done before threads have taken turns


class SurfaceDistances(NamedTuple):
    """The distance from each element of a surface to the nearest element of the other, and the size of the element.

    Without any element on the other side distances are infinite. `directions` says which of the two were measured; the
    distances of the other are left out.
    """

    from_truth: np.ndarray
    from_prediction: np.ndarray
    truth_sizes: np.ndarray
    prediction_sizes: np.ndarray
    directions: str = "symmetric"

    @property
    def directed(self) -> tuple[Any, ...]:
        """(distances, sizes) from the truth and the same from the prediction, as far as they were measured."""
        sides = ((self.from_truth, self.truth_sizes), (self.from_prediction, self.prediction_sizes))
        return {"symmetric": sides, "truth_to_prediction": sides[:1], "prediction_to_truth": sides[1:]}[self.directions]

    @property
    def empty(self) -> int:
        """How many of the two surfaces are empty: 0, 1 or 2."""
        return int(self.truth_sizes.size == 0) + int(self.prediction_sizes.size == 0)


def surface_distances(
    truth: np.ndarray,
    prediction: Any,
    spacing: Sequence[float] | None = None,
    surface: str = "voxels",
    threads: int = 1,
    directions: str = "symmetric",
) -> SurfaceDistances:
    """The distances between the surfaces of two binary images.

    Work and memory are those of the common bounding box of the two objects.

    Args:
        truth, prediction: boolean images of one shape, 2-D or 3-D.
        spacing: voxel size along each axis; None for 1.
        surface: "voxels" or "dual_grid", see `surface_elements`.
        threads: threads of the distance transforms.
        directions: "symmetric" measures from both surfaces, "truth_to_prediction" and "prediction_to_truth" from one.

    Returns:
        `SurfaceDistances`, in units of the spacing.
    """
    spacing = check_spacing(spacing, truth.ndim)
    box = common_box(truth, prediction)
    if box is None:
        return SurfaceDistances(*(np.zeros(0) for _ in range(4)), directions)
    surfaces, sizes = [], []
    for mask in (truth[box], prediction[box]):
        if surface == "voxels":
            elements = border_voxels(mask)
            sizes.append(np.ones(np.count_nonzero(elements)))
        else:
            codes = dual_codes(mask)
            table = element_sizes(spacing)
            elements = (codes != 0) & (codes != len(table) - 1)
            sizes.append(table[codes[elements]])
        surfaces.append(elements)
    from_truth = from_prediction = np.zeros(0)
    if directions != "prediction_to_truth":
        from_truth = distances_to_nearest(*surfaces, spacing, threads)
    if directions != "truth_to_prediction":
        from_prediction = distances_to_nearest(*surfaces[::-1], spacing, threads)
    return SurfaceDistances(from_truth, from_prediction, *sizes, directions)


def hausdorff(pair: SurfaceDistances) -> float:
    """The largest distance: max(max_t d(t, P), max_p d(p, T)); infinite if one surface is empty, NaN if both are."""
    return _unless_empty(pair, lambda: float(max(distances.max() for distances, _ in pair.directed)))


def hausdorff_percentile(pair: SurfaceDistances, definition: str = "max_of_directed", percent: float = 95) -> float:
    """The distance that `percent` of the surface keeps to; infinite if one surface is empty, NaN if both are.

    Args:
        pair: `SurfaceDistances`.
        definition: "max_of_directed": the larger of the two directed percentiles, interpolated (MONAI); "pooled": the
            percentile of all distances together, interpolated (MedPy); "area_weighted": the larger of the two distances
            that cover `percent` of the area (surface-distance).
        percent: 0 to 100.
    """

    def compute():
        if definition == "pooled":
            return float(np.percentile(np.concatenate([distances for distances, _ in pair.directed]), percent))
        if definition == "max_of_directed":
            return float(max(np.percentile(distances, percent) for distances, _ in pair.directed))
        return float(max(_covering_distance(*side, percent / 100) for side in pair.directed))

    return _unless_empty(pair, compute)


def average_distance(pair: SurfaceDistances, definition: str = "pooled") -> float:
    """The average symmetric surface distance; infinite if one surface is empty, NaN if both are.

    Args:
        pair: `SurfaceDistances`.
        definition: "pooled": mean over the elements of both surfaces (MONAI, MedPy); "mean_of_directed": mean of the two
            directed means; "area_weighted": mean of the two directed means over the area (surface-distance).
    """

    def compute():
        if definition == "pooled":
            total = sum(distances.sum() for distances, _ in pair.directed)
            return float(total / sum(distances.size for distances, _ in pair.directed))
        if definition == "mean_of_directed":
            return float(sum(distances.mean() for distances, _ in pair.directed) / len(pair.directed))
        return float(sum(np.average(distances, weights=sizes) for distances, sizes in pair.directed) / len(pair.directed))

    return _unless_empty(pair, compute)


def surface_dice(pair: SurfaceDistances, tolerance: float) -> float:
    """The share of both surfaces, by size, within `tolerance` of the other; 0 if one is empty, NaN if both are."""
    if pair.empty:
        return math.nan if pair.empty == 2 else 0.0
    # A distance that equals the tolerance counts, whichever way it was rounded.
    near = sum(sizes[distances <= tolerance * (1 + 1e-6)].sum() for distances, sizes in pair.directed)
    return float(near / sum(sizes.sum() for _, sizes in pair.directed))


def surface_quantities(
    truth: Any,
    prediction: Any,
    quantities: Any,
    spacing: Sequence[float] | None = None,
    surface: str = "voxels",
    threads: int = 1,
    directions: str = "symmetric",
) -> np.ndarray:
    """Quantities of each of several pairs of images, and which surfaces were empty.

    Args:
        truth, prediction: boolean (N, *spatial).
        quantities: functions of `SurfaceDistances`.
        spacing, surface, directions: see `surface_distances`.
        threads: images worked on at a time; a single image gets them for its distance transforms.

    Returns:
        (N, len(quantities) + 1) float64; the last column is `SurfaceDistances.empty`.

    Raises:
        ValueError: if the spacing does not fit the images.
    """

    def one(index, threads=1):
        pair = surface_distances(truth[index], prediction[index], spacing, surface, threads, directions)
        return [*(quantity(pair) for quantity in quantities), pair.empty]

    count = len(truth)
    if count < 2 or threads == 1 or truth[0].size < _WORTH_A_THREAD:
        rows = [one(index, threads) for index in range(count)]
    else:
        with ThreadPoolExecutor(min(threads, count)) as pool:
            rows = list(pool.map(one, range(count)))
    return np.array(rows, "float64").reshape(count, len(quantities) + 1)


def check_spacing(spacing: Sequence[float] | None, rank: int) -> tuple[float, ...]:
    """The voxel size along each of `rank` axes as a tuple; ValueError if they are not one number each."""
    if spacing is None:
        return (1.0,) * rank
    if len(spacing) != rank:
        raise ValueError(
            f"`spacing` needs one voxel size per axis of the images, {rank}. Received: spacing={spacing!r} of length "
            f"{len(spacing)}. Write the sizes in the order of the axes of the array."
        )
    return tuple(float(size) for size in spacing)


def common_box(truth: Any, prediction: Any) -> tuple[slice, ...] | None:
    """Slices of the smallest box that holds both objects; None if there is no object."""
    box = []
    either = truth | prediction
    for axis in range(either.ndim):
        occupied = np.flatnonzero(either.any(axis=tuple(i for i in range(either.ndim) if i != axis)))
        if not occupied.size:
            return None
        box.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
        either = either[(*(slice(None),) * axis, box[-1])]
    return tuple(box)


def _covering_distance(distances, sizes, share):
    """The smallest distance d so that elements within d make up `share` of the total size."""
    order = np.argsort(distances)
    covered = np.cumsum(sizes[order])
    index = np.searchsorted(covered / covered[-1], share)
    return distances[order[min(index, len(order) - 1)]]


def _unless_empty(pair, compute):
    return compute() if pair.empty == 0 else math.inf if pair.empty == 1 else math.nan
