"""One-to-one matching of true and predicted objects by their IoU. NumPy in, NumPy out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasmith.objects.components import Overlaps, connectivity_order, label_objects, overlaps, renumber_objects


def match(pairs: Overlaps, threshold: float, how: str = "greedy") -> np.ndarray:
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
        ImportError: for "optimal" below 0.5 without SciPy.

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
    return _greedy(pairs, above) if how == "greedy" else _optimal(pairs, above)


def detection_counts(
    truth: Any,
    prediction: Any,
    threshold: float,
    how: str = "greedy",
    *,
    connectivity: int | None = None,
    min_size: int = 0,
    truth_is_labels: bool = False,
) -> np.ndarray:
    """True positives, false positives and false negatives of each image: objects found, invented and missed.

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
    true_positives, actual, _, predicted = counts[:, 0].T
    return np.stack([true_positives, predicted - true_positives, actual - true_positives], axis=-1)


def object_counts(
    truth: Any,
    prediction: Any,
    threshold: float,
    how: str = "greedy",
    *,
    connectivity: int | None = None,
    min_size: int = 0,
    truth_is_labels: bool = False,
    prediction_is_labels: bool = False,
    size_edges: Sequence[int] = (),
) -> np.ndarray:
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
        pairs, matched = None, ()
        if actual and predicted:
            pairs = overlaps(labels_a, labels_b)
            matched = match(pairs, threshold, how)
        if not size_edges:
            row[0] = len(matched), actual, len(matched), predicted
            continue
        for labels, column in ((labels_a, 0), (labels_b, 2)):
            group = np.digitize(np.bincount(labels.ravel())[1:], size_edges)
            row[:, column + 1] = np.bincount(group, minlength=len(row))
            if len(matched):
                partners = pairs.first if column == 0 else pairs.second
                row[:, column] = np.bincount(group[partners[matched]], minlength=len(row))
    return counts


def _greedy(pairs, above):
    used_first, used_second, chosen = set(), set(), []
    for k in above[np.lexsort((pairs.second[above], pairs.first[above], -pairs.iou[above]))]:
        first, second = pairs.first[k], pairs.second[k]
        if first not in used_first and second not in used_second:
            used_first.add(first)
            used_second.add(second)
            chosen.append(k)
    return np.array(sorted(chosen), "int64")


def assignment_solver() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """SciPy's solver of sparse assignment problems, imported where it is needed.

    Raises:
        ImportError: without SciPy.
    """
    try:
        from scipy.sparse import csgraph, csr_matrix
    except ImportError as problem:
        raise ImportError(
            "Optimal matching below an IoU of 0.5 needs SciPy. Write `pip install scipy`, or `matching='greedy'`."
        ) from problem
    return lambda costs, pairs, shape: csgraph.min_weight_full_bipartite_matching(csr_matrix((costs, pairs), shape=shape))


def _optimal(pairs, above):
    """Which of the pairs `above` are chosen: as many as possible, and among those the largest sum of IoU.

    Each first object may also stay alone, matched to a second object of its own, at a cost above that of any chain of changes.
    """
    if not len(above):
        return above
    firsts, first = np.unique(pairs.first[above], return_inverse=True)
    seconds, second = np.unique(pairs.second[above], return_inverse=True)
    alone = np.arange(len(firsts))
    costs = np.append(2 - pairs.iou[above], np.full(len(firsts), len(firsts) + 2.0))  # 0 would be no edge
    rows, columns = np.append(first, alone), np.append(second, len(seconds) + alone)
    chosen = assignment_solver()(costs, (rows, columns), (len(firsts), len(seconds) + len(firsts)))
    partner = np.empty(len(firsts), "int64")
    partner[chosen[0]] = chosen[1]
    return above[partner[first] == second]
