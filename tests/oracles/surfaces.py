"""Surface distances by the libraries that people quote, each with its own definitions, and by plain loops."""

import itertools
import warnings

import numpy as np

KEYS = ("hd", "hd95", "assd", "nsd")


def monai(truth, prediction, spacing, tolerance):
    """{key: value} by MONAI."""
    import torch
    from monai import metrics

    y, y_pred = (torch.tensor(x)[None, None] for x in (truth, prediction))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"include_background": True, "spacing": spacing}
        values = (
            metrics.compute_hausdorff_distance(y_pred, y, **options),
            metrics.compute_hausdorff_distance(y_pred, y, percentile=95, **options),
            metrics.compute_average_surface_distance(y_pred, y, symmetric=True, **options),
            metrics.compute_surface_dice(y_pred, y, [tolerance], **options),
        )
    return dict(zip(KEYS, map(float, values)))


def medpy(truth, prediction, spacing, tolerance):
    """{key: value} by MedPy, which has no surface Dice."""
    from medpy.metric import binary

    functions = {"hd": binary.hd, "hd95": binary.hd95, "assd": binary.assd}
    return {key: float(function(prediction, truth, spacing)) for key, function in functions.items()}


def medpy_both_ways(truth, prediction, spacing, tolerance):
    """{"assd": the mean of MedPy's two directed averages}."""
    from medpy.metric import binary

    return {"assd": float(binary.asd(prediction, truth, spacing) + binary.asd(truth, prediction, spacing)) / 2}


def surface_distance(truth, prediction, spacing, tolerance):
    """{key: value} by surface-distance; assd is the mean of the two averages that it gives."""
    import surface_distance as library

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = library.compute_surface_distances(truth, prediction, spacing)
    return {
        "hd": float(library.compute_robust_hausdorff(found, 100)),
        "hd95": float(library.compute_robust_hausdorff(found, 95)),
        "assd": float(np.mean(library.compute_average_surface_distance(found))),
        "nsd": float(library.compute_surface_dice_at_tolerance(found, tolerance)),
    }


def monai_directed(source, target, spacing, tolerance):
    """{key: value} of the distances from the first surface to the second, by MONAI; it has no directed surface Dice."""
    import torch
    from monai import metrics

    y_pred, y = (torch.tensor(x)[None, None] for x in (source, target))
    options = {"include_background": True, "spacing": spacing}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "hd": float(metrics.compute_hausdorff_distance(y_pred, y, directed=True, **options)),
            "hd95": float(metrics.compute_hausdorff_distance(y_pred, y, directed=True, percentile=95, **options)),
            "assd": float(metrics.compute_average_surface_distance(y_pred, y, symmetric=False, **options)),
        }


def surface_distance_directed(source, target, spacing, tolerance):
    """{key: value} of the distances from the first surface to the second, by surface-distance."""
    import surface_distance as library

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        distances = library.compute_surface_distances(source, target, spacing)
    return {
        "assd": float(library.compute_average_surface_distance(distances)[0]),
        "nsd": float(library.compute_surface_overlap_at_tolerance(distances, tolerance)[0]),
    }


def border(mask):
    """The border voxels by a loop over voxels, as a list of indices."""
    found = []
    for index in zip(*mask.nonzero()):
        for axis, step in itertools.product(range(mask.ndim), (-1, 1)):
            near = list(index)
            near[axis] += step
            if not 0 <= near[axis] < mask.shape[axis] or not mask[tuple(near)]:
                found.append(index)
                break
    return found


def loops(truth, prediction, spacing, tolerance):
    """hd, assd and nsd over border voxels, all distances compared."""
    first, second = (np.array(border(mask)) * spacing for mask in (truth, prediction))
    distances = np.linalg.norm(first[:, None] - second[None], axis=-1)
    directed = distances.min(1), distances.min(0)
    every = np.concatenate(directed)
    return {"hd": every.max(), "assd": every.mean(), "nsd": (every <= tolerance + 1e-6).mean()}


def from_border(source, target, spacing):
    """The distance from each border voxel of the first mask to the nearest of the second, all distances compared."""
    first, second = (np.array(border(mask)) * spacing for mask in (source, target))
    return np.linalg.norm(first[:, None] - second[None], axis=-1).min(1)
