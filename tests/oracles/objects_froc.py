"""Free-response ROC by plain loops over candidates and thresholds."""

import itertools
import math

from tests.oracles.objects import components


def candidates(probability, threshold, axes_at_once, min_size=0):
    """[(score, pixels)] of one image."""
    found = [o for o in components(probability > threshold, axes_at_once) if len(o) >= min_size]
    return [(max(float(probability[pixel]) for pixel in pixels), pixels) for pixels in found]


def hits(candidate, target, probability, hit, iou_threshold=0.0):
    """Whether a candidate's pixels hit a true object."""
    if hit == "overlap":
        return bool(candidate & target)
    if hit == "iou":
        return len(candidate & target) / len(candidate | target) > iou_threshold
    if hit == "peak":
        return min(candidate, key=lambda pixel: (-probability[pixel], pixel)) in target
    center = tuple(math.floor(sum(axis) / len(candidate) + 0.5) for axis in zip(*candidate))
    return center in target


def scores(truths, probabilities, threshold, axes_at_once, hit, iou_threshold=0.0, min_size=0):
    """(best score of each true object, 0 if missed; scores of candidates that hit none) of several images."""
    best, false = [], []
    for truth, probability in zip(truths, probabilities):
        targets = [o for o in components(truth, axes_at_once) if len(o) >= min_size]
        found = [0.0] * len(targets)
        for score, pixels in candidates(probability, threshold, axes_at_once, min_size):
            struck = [k for k, target in enumerate(targets) if hits(pixels, target, probability, hit, iou_threshold)]
            for k in struck:
                found[k] = max(found[k], score)
            if not struck:
                false.append(score)
        best += found
    return best, false


def sensitivities(best, false, images, rates):
    """The sensitivity at each rate, on the line through the points of all thresholds."""
    thresholds = sorted({*false, *(score for score in best if score > 0)}, reverse=True)
    alarms = [sum(score >= threshold for score in false) / images for threshold in thresholds]
    found = [sum(score >= threshold for score in best) / len(best) for threshold in thresholds]
    points = [(0.0, 0.0), *zip(alarms, found)]
    return [_on_line(points, rate) for rate in rates]


def _on_line(points, x):
    for (x0, y0), (x1, y1) in reversed(list(itertools.pairwise(points))):
        if x0 <= x < x1:
            return y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    return max(y for a, y in points if a <= x)
