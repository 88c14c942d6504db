"""Objects of masks and their matching by plain loops: flood fill, sets of pixels, all assignments."""

import itertools
from fractions import Fraction


def components(mask, axes_at_once):
    """Sets of pixels, in the order of their first pixel; neighbours differ by at most 1 along at most `axes_at_once` axes."""
    steps = [s for s in itertools.product((-1, 0, 1), repeat=mask.ndim) if 0 < sum(map(abs, s)) <= axes_at_once]
    open_pixels = [tuple(int(i) for i in pixel) for pixel in zip(*mask.nonzero())]
    left, found = set(open_pixels), []
    for start in open_pixels:
        if start not in left:
            continue
        left.discard(start)
        queue, pixels = [start], {start}
        while queue:
            here = queue.pop()
            for step in steps:
                there = tuple(a + b for a, b in zip(here, step))
                if there in left:
                    left.discard(there)
                    pixels.add(there)
                    queue.append(there)
        found.append(pixels)
    return found


def instances(labels):
    """Sets of pixels of one id, in the order of the ids."""
    found = {}
    for pixel in zip(*labels.nonzero()):
        found.setdefault(int(labels[pixel]), set()).add(pixel)
    return [found[key] for key in sorted(found)]


def pair_ious(objects_a, objects_b):
    """{(i, j): IoU} of the pairs that share a pixel, as exact fractions."""
    return {
        (i, j): Fraction(len(a & b), len(a | b))
        for i, a in enumerate(objects_a)
        for j, b in enumerate(objects_b)
        if len(a & b) > 0
    }


def greedy(ious, threshold):
    """The pairs that are chosen if the best pair of all is taken again and again, the first of equals."""
    left = {pair: iou for pair, iou in ious.items() if float(iou) > threshold}
    chosen = []
    while left:
        best = min(left, key=lambda pair: (-left[pair], pair))
        chosen.append(best)
        left = {pair: iou for pair, iou in left.items() if pair[0] != best[0] and pair[1] != best[1]}
    return sorted(chosen)


def best_assignment(ious, threshold):
    """(number of matches, sum of IoU) of the best choice, by trying all of them."""
    edges = [(pair, iou) for pair, iou in ious.items() if float(iou) > threshold]

    def best(k, used_a, used_b):
        if k == len(edges):
            return 0, Fraction(0)
        (i, j), iou = edges[k]
        result = best(k + 1, used_a, used_b)
        if i not in used_a and j not in used_b:
            number, total = best(k + 1, used_a | {i}, used_b | {j})
            result = max(result, (number + 1, total + iou))
        return result

    return best(0, frozenset(), frozenset())


def detection_counts(truth, prediction, threshold, axes_at_once, min_size=0):
    """[found, invented, missed] of one image with greedy matching."""
    objects = [[o for o in components(mask, axes_at_once) if len(o) >= min_size] for mask in (truth, prediction)]
    found = len(greedy(pair_ious(*objects), threshold))
    return [found, len(objects[1]) - found, len(objects[0]) - found]


def counts_by_size(truth, prediction, threshold, axes_at_once, edges, min_size=0):
    """For each group of sizes [found true, true, matched predicted, predicted] of one image with greedy matching."""
    true, predicted = ([o for o in components(mask, axes_at_once) if len(o) >= min_size] for mask in (truth, prediction))
    pairs = greedy(pair_ious(true, predicted), threshold)
    rows = []
    for low, high in zip([0, *edges], [*edges, float("inf")]):
        rows.append(
            [
                sum(low <= len(true[i]) < high for i, _ in pairs),
                sum(low <= len(o) < high for o in true),
                sum(low <= len(predicted[j]) < high for _, j in pairs),
                sum(low <= len(o) < high for o in predicted),
            ]
        )
    return rows
