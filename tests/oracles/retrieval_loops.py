"""Recall@k and R-precision by scikit-learn's neighbours and plain loops."""

import numpy as np
from sklearn.neighbors import NearestNeighbors


def neighbours(x, metric):
    """For each row all other rows, the nearest first."""
    order = NearestNeighbors(n_neighbors=len(x), algorithm="brute", metric=metric).fit(x).kneighbors(x, return_distance=False)
    return [[j for j in row if j != i] for i, row in enumerate(order)]


def recall(x, labels, k, metric="cosine", definition="any", absent="skip", weight=None):
    found, weights = [], []
    for i, row in enumerate(neighbours(x, metric)):
        same = [labels[j] == labels[i] for j in row]
        if sum(same) == 0 and absent == "skip":
            continue
        hits = sum(same[:k])
        found.append(float(hits > 0) if definition == "any" else hits / max(sum(same), 1))
        weights.append(1.0 if weight is None else weight[i])
    return np.average(found, weights=weights)


def r_precision(x, labels, metric="cosine", absent="skip"):
    found = []
    for i, row in enumerate(neighbours(x, metric)):
        same = [labels[j] == labels[i] for j in row]
        if sum(same) == 0 and absent == "skip":
            continue
        found.append(sum(same[: sum(same)]) / max(sum(same), 1))
    return np.mean(found)
