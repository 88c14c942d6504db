"""One-to-one matching of true and predicted objects by their IoU. NumPy in, NumPy out."""

import heapq
from collections import defaultdict

import numpy as np

from kerasmith.objects.components import connectivity_order, label_objects, overlaps, renumber_objects


def match(pairs, threshold, how="greedy"):
    """Chooses pairs with IoU > threshold so that each object is used at most once.

    Args:
        pairs: `components.Overlaps`.
        threshold: the IoU that a match must exceed. From 0.5 on, all pairs above it can be kept: two of them that share an
            object would cover more of it than there is.
        how: "greedy": the largest IoU first, ties in the order of the objects; "optimal": as many matches as possible, and
            among those choices the largest sum of IoU.

    Returns:
        Indices into `pairs`, ascending.

    Raises:
        ValueError: for another `how`.

    Example:

    >>> pairs = overlaps(np.array([1, 1, 1, 2, 2, 2]), np.array([0, 1, 1, 1, 1, 2]))
    >>> match(pairs, 0.2).tolist(), match(pairs, 0.2, "optimal").tolist()
    ([0, 2], [0, 2])
    """
    if how not in ("greedy", "optimal"):
        raise ValueError(f"`how` must be 'greedy' or 'optimal'. Received: how={how!r}")
    above = np.flatnonzero(pairs.iou > threshold)
    if threshold >= 0.5:
        return above
    edges = [(int(pairs.first[k]), int(pairs.second[k]), float(pairs.iou[k]), int(k)) for k in above]
    chosen = _greedy(edges) if how == "greedy" else _optimal(edges)
    return np.array(sorted(chosen), "int64")


def detection_counts(truth, prediction, threshold, how="greedy", *, connectivity=None, min_size=0, truth_is_labels=False):
    """Found, invented and missed objects (true positives, false positives, false negatives) of each image.

    Args:
        truth, prediction: boolean masks (B, *spatial) of one shape, 1-D to 3-D images.
        threshold, how: see `match`.
        connectivity, min_size: see `components.label_objects`.
        truth_is_labels: `truth` holds integer instance labels instead, so true objects may touch.

    Returns:
        int64 (B, 3).

    Raises:
        ValueError: if the shapes differ, for a connectivity that the images do not have, or labels that are none.

    Example:

    >>> detection_counts(np.array([[1, 1, 0, 1]]), np.array([[1, 1, 0, 0]]), 0.5).tolist()
    [[1, 0, 1]]
    """
    counts = object_counts(
        truth, prediction, threshold, how, connectivity=connectivity, min_size=min_size, truth_is_labels=truth_is_labels
    )
    found, actual, _, predicted = counts[:, 0].T
    return np.stack([found, predicted - found, actual - found], axis=-1)


def object_counts(
    truth,
    prediction,
    threshold,
    how="greedy",
    *,
    connectivity=None,
    min_size=0,
    truth_is_labels=False,
    prediction_is_labels=False,
    size_edges=(),
):
    """How many objects of each size there are in an image, and how many of them have a partner.

    Args:
        truth, prediction, threshold, how, connectivity, min_size, truth_is_labels: see `detection_counts`.
        prediction_is_labels: `prediction` holds integer instance labels too.
        size_edges: n ascending numbers of pixels, which separate n + 1 groups; an object as large as an edge is above it.

    Returns:
        int64 (B, n + 1, 4): true objects that were found and all true objects, grouped by their own size; predicted objects
        that are matched and all predicted objects, grouped by theirs.

    Raises:
        ValueError: see `detection_counts`.

    Example:

    >>> object_counts(np.array([[1, 1, 0, 1]]), np.array([[1, 1, 0, 0]]), 0.5, size_edges=(2,)).tolist()
    [[[0, 1, 0, 0], [1, 1, 1, 1]]]
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"Expected masks of one shape (B, *spatial). Received: shapes {truth.shape} and {prediction.shape}")
    connectivity_order(connectivity, truth.ndim - 1)
    counts = np.zeros((len(truth), len(size_edges) + 1, 4), "int64")
    for row, one_truth, one_prediction in zip(counts, truth, prediction):
        if truth_is_labels:
            labels_a, actual = renumber_objects(one_truth, min_size)
        else:
            labels_a, actual = label_objects(one_truth, connectivity, min_size)
        if prediction_is_labels:
            labels_b, predicted = renumber_objects(one_prediction, min_size)
        else:
            labels_b, predicted = label_objects(one_prediction, connectivity, min_size)
        pairs, found = None, ()
        if actual and predicted:
            pairs = overlaps(labels_a, labels_b)
            found = match(pairs, threshold, how)
        if not size_edges:
            row[0] = len(found), actual, len(found), predicted
            continue
        for labels, column in ((labels_a, 0), (labels_b, 2)):
            group = np.digitize(np.bincount(labels.ravel())[1:], size_edges)
            row[:, column + 1] = np.bincount(group, minlength=len(row))
            if len(found):
                partners = pairs.first if column == 0 else pairs.second
                row[:, column] = np.bincount(group[partners[found]], minlength=len(row))
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
    """The Hungarian method on the pairs that exist: first objects join one by one along the cheapest chain of changes.

    Each first object may also stay alone (with second object -1 - first), at a cost above that of any chain of changes, so
    that matches come before IoU.
    """
    edge_of = {(first, second): k for first, second, _, k in edges}
    partners = {first: [] for first, *_ in edges}
    for first in partners:
        partners[first].append((-1 - first, len(partners) + 1.0))
    for first, second, iou, _ in edges:
        partners[first].append((second, 1.0 - iou))
    match_of_first, match_of_second = {}, {}
    # Prices keep cost - price_first - price_second >= 0, with 0 for matched pairs, so that Dijkstra's search applies.
    price_first, price_second = defaultdict(float), defaultdict(float)
    for start in partners:
        first, so_far = start, 0.0
        heap, came_from, reached_first, reached_second = [], {}, {start: 0.0}, {}
        while True:
            for second, cost in partners[first]:
                if second not in reached_second:
                    heapq.heappush(heap, (so_far + cost - price_first[first] - price_second[second], second, first))
            so_far, second, by = heapq.heappop(heap)
            while second in reached_second:
                so_far, second, by = heapq.heappop(heap)
            reached_second[second], came_from[second] = so_far, by
            if second not in match_of_second:
                break
            first = match_of_second[second]
            reached_first[first] = so_far
        for first, distance in reached_first.items():
            price_first[first] += so_far - distance
        for reached, distance in reached_second.items():
            price_second[reached] -= so_far - distance
        while second is not None:
            first = came_from[second]
            match_of_second[second] = first
            match_of_first[first], second = second, match_of_first.get(first)
    return [edge_of[pair] for pair in match_of_first.items() if pair in edge_of]
