"""Dice and IoU of hard masks by plain loops over images, classes and pixels."""

import math


def counts(truth, decided, weight):
    """(intersection, predicted, actual) of one class of one image; nested lists of 0/1 and weights."""
    both = predicted = actual = 0.0
    for t, p, w in zip(truth.ravel(), decided.ravel(), weight.ravel()):
        both += w * t * p
        predicted += w * p
        actual += w * t
    return both, predicted, actual


def dice(both, predicted, actual):
    return 2 * both / (predicted + actual) if predicted + actual else 1.0


def iou(both, predicted, actual):
    return both / (predicted + actual - both) if predicted + actual else 1.0


def score(
    formula, truth, decided, *, weight=None, sample_weight=None, average="macro", per="image", absent="score", classes=None
):
    """The metric over (B, ..., C) hard masks; NaN without data. Returns a list for `average=None`."""
    import numpy as np

    batch, channels = truth.shape[0], truth.shape[-1]
    weight = np.ones(truth.shape[:-1]) if weight is None else weight
    sample_weight = [1.0] * batch if sample_weight is None else sample_weight
    classes = list(range(channels)) if classes is None else classes
    table = [[counts(truth[b, ..., c], decided[b, ..., c], weight[b]) for c in classes] for b in range(batch)]
    if average == "micro":
        table = [[tuple(sum(values) for values in zip(*row))] for row in table]
    results = []
    for c in range(len(table[0]) if table else 0):
        column = [row[c] for row in table]
        if per == "dataset":
            sums = [sum(w * entry[i] for w, entry in zip(sample_weight, column)) for i in range(3)]
            results.append(formula(*sums) if sums[1] + sums[2] else math.nan)
            continue
        kept = [(w, formula(*entry)) for w, entry in zip(sample_weight, column) if absent == "score" or entry[2] > 0]
        total = sum(w for w, _ in kept)
        results.append(sum(w * s for w, s in kept) / total if total else math.nan)
    if average is None:
        return results
    known = [r for r in results if not math.isnan(r)]
    return sum(known) / len(known) if known else math.nan
