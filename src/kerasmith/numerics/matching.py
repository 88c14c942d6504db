"""One-to-one matching of true and predicted objects by their IoU. NumPy in, NumPy out."""

import math

import numpy as np

from kerasmith.numerics.components import label_objects, overlaps


def match(pairs, threshold, how="greedy"):
    """Chooses pairs with IoU > threshold so that each object is used at most once.

    Args:
        pairs: `components.Overlaps`.
        threshold: the IoU that a match must exceed. From 0.5 on, all pairs above it can be kept.
        how: "greedy": the largest IoU first, ties in the order of the objects; "optimal": as many matches as possible, and
            among those choices the largest sum of IoU.

    Returns:
        Indices into `pairs`, ascending.
    """
    above = np.flatnonzero(pairs.iou > threshold)
    if threshold >= 0.5:
        return above
    edges = [(int(pairs.first[k]), int(pairs.second[k]), float(pairs.iou[k]), int(k)) for k in above]
    chosen = _greedy(edges) if how == "greedy" else _optimal(edges)
    return np.array(sorted(chosen), "int64")


def detection_counts(truth, prediction, threshold, how="greedy", *, connectivity=None, min_size=0):
    """Found, invented and missed objects of each image, (B, 3).

    Args:
        truth, prediction: boolean masks (B, *spatial).
        threshold, how: see `match`.
        connectivity, min_size: see `components.label_objects`.
    """
    counts = np.zeros((len(truth), 3), "int64")
    for row, one_truth, one_prediction in zip(counts, truth, prediction):
        labels_a, actual = label_objects(one_truth, connectivity, min_size)
        labels_b, predicted = label_objects(one_prediction, connectivity, min_size)
        found = len(match(overlaps(labels_a, labels_b), threshold, how)) if actual and predicted else 0
        row[:] = found, predicted - found, actual - found
    return counts


def _greedy(edges):
    used_first, used_second, chosen = set(), set(), []
    for first, second, _, k in sorted(edges, key=lambda edge: (-edge[2], edge[0], edge[1])):
        if first not in used_first and second not in used_second:
            used_first.add(first)
            used_second.add(second)
            chosen.append(k)
    return chosen


def _optimal(edges):
    """Augments along the cheapest alternating path until there is none; each step is optimal for its number of matches."""
    match_of_first, match_of_second = {}, {}
    edge_between = {(first, second): (iou, k) for first, second, iou, k in edges}
    while path := _cheapest_path(edges, edge_between, match_of_first, match_of_second):
        for first, second in path:
            match_of_first[first] = second
            match_of_second[second] = first
    return [edge_between[pair][1] for pair in match_of_first.items()]


def _cheapest_path(edges, edge_between, match_of_first, match_of_second):
    """The pairs to match along an alternating path between free objects that adds most IoU; [] if there is none."""
    cost_first = {first: 0.0 for first, *_ in edges if first not in match_of_first}
    cost_second, came_from = {}, {}
    changed = True
    while changed:  # Bellman-Ford: unmatched pairs lead forward, matched ones back
        changed = False
        for first, second, iou, _ in edges:
            cost = cost_first.get(first, math.inf) - iou
            if match_of_first.get(first) == second or cost >= cost_second.get(second, math.inf) - 1e-12:
                continue
            cost_second[second], came_from[second], changed = cost, first, True
            back = match_of_second.get(second)
            if back is not None:
                cost_first[back] = cost + edge_between[back, second][0]
    free = [second for second in cost_second if second not in match_of_second]
    if not free:
        return []
    second, path = min(free, key=lambda s: (cost_second[s], s)), []
    while second is not None:
        first = came_from[second]
        path.append((first, second))
        second = match_of_first.get(first)
    return path
