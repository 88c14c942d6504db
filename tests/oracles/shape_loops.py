"""Shape losses as plain loops over images, classes and pixels, in float64, with SciPy's distance transform."""

import numpy as np
import scipy.ndimage


def lovasz(errors, truth, weight):
    """Value and slope by the error of each pixel of one row, from the definition by sets; weight 0 is left out."""
    slope = np.zeros(len(errors))
    order = sorted((i for i in range(len(errors)) if weight[i] > 0), key=lambda i: -errors[i])
    wrong, before = set(), 0.0
    for i in order:
        wrong.add(i)
        missed = sum(weight[j] * truth[j] for j in wrong)
        invented = sum(weight[j] * (1 - truth[j]) for j in wrong)
        positives = sum(weight[j] * truth[j] for j in order)
        jaccard = 1 - (positives - missed) / (positives + invented)
        slope[i], before = jaccard - before, jaccard
    return float(np.dot(slope, errors)), slope


def border_distance(mask, spacing=None):
    """Distance of each pixel to the nearest one of the other kind; 0 where there is none."""
    if mask.all() or not mask.any():
        return np.zeros(mask.shape)
    inside = scipy.ndimage.distance_transform_edt(mask, sampling=spacing)
    return inside + scipy.ndimage.distance_transform_edt(~mask, sampling=spacing)


def signed_distance(mask, spacing=None):
    """Negative inside."""
    return border_distance(mask, spacing) * np.where(mask, -1, 1)


def boundary(y_true, y_pred, weight, classes, spacing=None):
    """Value of each image and slope of their mean, for one-hot labels (B, *spatial, C) without ignored pixels."""
    values, slope = np.zeros(len(y_pred)), np.zeros(y_pred.shape)
    for n in range(len(y_pred)):
        for c in classes:
            by_p = weight[n] * signed_distance(y_true[n, ..., c] > 0.5, spacing) / weight[n].size / len(classes)
            values[n] += (by_p * y_pred[n, ..., c]).sum()
            slope[n, ..., c] = by_p / len(y_pred)
    return values, slope


def hausdorff(y_true, y_pred, weight, classes, alpha, spacing=None):
    """Value of each image and slope of their mean, for one-hot labels (B, *spatial, C) without ignored pixels."""
    values, slope = np.zeros(len(y_pred)), np.zeros(y_pred.shape)
    for n in range(len(y_pred)):
        for c in classes:
            y, p = y_true[n, ..., c], y_pred[n, ..., c].astype("float64")
            far = border_distance(y > 0.5, spacing) ** alpha + border_distance(p > 0.5, spacing) ** alpha
            share = weight[n] * far / y.size / len(classes)
            values[n] += (share * (p - y) ** 2).sum()
            slope[n, ..., c] = 2 * share * (p - y) / len(y_pred)
    return values, slope
