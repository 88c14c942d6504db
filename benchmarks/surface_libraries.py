"""HD, HD95, ASSD and NSD of one pair of masks, by the libraries that have them.

All give the same numbers where they mean the same by them: MONAI and MedPy on border voxels, surface-distance on the dual
grid.
"""

import keras
import numpy as np

from kerasmith.objects import surface_distances as surfaces

TOLERANCE = 2.0


def pair(size):
    """Two overlapping ellipsoids in a volume, as an organ and its segmentation."""
    z, y, x = (axis / size - 0.5 for axis in np.ogrid[:size, :size, :size])
    truth = (z / 0.30) ** 2 + (y / 0.22) ** 2 + (x / 0.25) ** 2 < 1
    prediction = ((z - 0.02) / 0.29) ** 2 + ((y + 0.01) / 0.23) ** 2 + (x / 0.25) ** 2 < 1
    return truth, prediction


def calls(truth, prediction):
    """{library: call}, each of which returns (hd, hd95, assd, nsd)."""

    def ours(surface, hd95, assd):
        def call():
            both = surfaces.surface_distances(truth, prediction, surface=surface)
            percentile, average = surfaces.hausdorff_percentile(both, hd95), surfaces.average_distance(both, assd)
            return np.array([surfaces.hausdorff(both), percentile, average, surfaces.surface_dice(both, TOLERANCE)])

        return call

    found = {
        "kerasmith": ours("voxels", "max_of_directed", "pooled"),
        "kerasmith, dual grid": ours("dual_grid", "area_weighted", "area_weighted"),
        "surface-distance": lambda: _surface_distance(truth, prediction),
        "MedPy": lambda: _medpy(truth, prediction),
    }
    if keras.backend.backend() == "torch":
        found["MONAI"] = lambda: _monai(truth, prediction)
    return found


def _monai(truth, prediction):
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

    t, p = (torch.from_numpy(mask[None, None]) for mask in (truth, prediction))
    kept = {"include_background": True}
    hd = compute_hausdorff_distance(p, t, **kept)
    hd95 = compute_hausdorff_distance(p, t, percentile=95, **kept)
    assd = compute_average_surface_distance(p, t, symmetric=True, **kept)
    nsd = compute_surface_dice(p, t, [TOLERANCE], **kept)
    return np.array([float(x) for x in (hd, hd95, assd, nsd)])


def _medpy(truth, prediction):
    from medpy.metric import binary

    # Its hd95 pools both directions, so only the first is comparable; it has no surface Dice.
    return np.array([binary.hd(prediction, truth), binary.hd95(prediction, truth), binary.assd(prediction, truth)])[:1]


def _surface_distance(truth, prediction):
    import surface_distance

    found = surface_distance.compute_surface_distances(truth, prediction, (1.0, 1.0, 1.0))
    hd = surface_distance.compute_robust_hausdorff(found, 100)
    hd95 = surface_distance.compute_robust_hausdorff(found, 95)
    assd = np.mean(surface_distance.compute_average_surface_distance(found))
    return np.array([hd, hd95, assd, surface_distance.compute_surface_dice_at_tolerance(found, TOLERANCE)])
