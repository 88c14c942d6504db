"""Dice, F-beta and IoU of hard masks by plain loops over images, classes and pixels."""

import math

KEPT = {
    "score": lambda entry: True,
    "skip": lambda entry: entry[2] > 0,
    "skip_both": lambda entry: entry[1] + entry[2] > 0,
}


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


def f2(both, predicted, actual):
    return 5 * both / (4 * actual + predicted) if predicted + actual else 1.0


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
    if average == "weighted" and per == "image":
        kept = [(w, row) for w, row in zip(sample_weight, table) if KEPT[absent](tuple(sum(values) for values in zip(*row)))]
        total = sum(w for w, _ in kept)
        return sum(w * weighted(formula, row) for w, row in kept) / total if total else math.nan
    results, shares = [], []
    for c in range(len(table[0]) if table else 0):
        column = [row[c] for row in table]
        if per == "dataset":
            sums = [sum(w * entry[i] for w, entry in zip(sample_weight, column)) for i in range(3)]
            left_out = not (sums[1] + sums[2]) or not KEPT[absent](sums)
            results.append(math.nan if left_out else formula(*sums))
            shares.append(sums)
            continue
        kept = [(w, formula(*entry)) for w, entry in zip(sample_weight, column) if KEPT[absent](entry)]
        total = sum(w for w, _ in kept)
        results.append(sum(w * s for w, s in kept) / total if total else math.nan)
    if average is None:
        return results
    if average == "weighted":
        return weighted(formula, shares) if any(s[1] + s[2] and KEPT[absent](s) for s in shares) else math.nan
    known = [r for r in results if not math.isnan(r)]
    return sum(known) / len(known) if known else math.nan


def weighted(formula, row):
    """The mean over (intersection, predicted, actual) of each class, weighed by `actual`."""
    total = sum(actual for _, _, actual in row)
    if not total:
        return 0.0 if sum(predicted for _, predicted, _ in row) else 1.0
    return sum(entry[2] * formula(*entry) for entry in row) / total
