"""Panoptic quality by plain loops over sets of pixels."""

import math
from fractions import Fraction


def segments(panoptic_map, things, stuffs):
    """([(category, pixels)], void pixels) of one image of (category, instance)."""
    found, void = {}, set()
    for pixel in _pixels(panoptic_map.shape[:-1]):
        category, instance = (int(x) for x in panoptic_map[pixel])
        if category in things:
            found.setdefault((category, instance), set()).add(pixel)
        elif category in stuffs:
            found.setdefault((category, 0), set()).add(pixel)
        else:
            void.add(pixel)
    return [(category, pixels) for (category, _), pixels in found.items()], void


def counts(true, predicted, void_true, void_predicted, threshold=Fraction(1, 2)):
    """{category: [sum of IoU, matched, invented, missed]} of one image.

    Below a threshold of 1/2 all ways to match are tried: as many matches as possible, then the largest sum of IoU.
    """
    result, used_true, used_predicted = {}, set(), set()

    def row(category):
        return result.setdefault(category, [Fraction(0), 0, 0, 0])

    pairs = []
    for i, (category, a) in enumerate(true):
        for j, (other, b) in enumerate(predicted):
            union = (a - void_predicted) | (b - void_true)
            if category == other and union and Fraction(len(a & b), len(union)) > threshold:
                pairs.append((Fraction(len(a & b), len(union)), i, j))
    for iou, i, j in _best(pairs):
        row(true[i][0])[0] += iou
        row(true[i][0])[1] += 1
        used_true.add(i)
        used_predicted.add(j)
    for j, (category, b) in enumerate(predicted):
        if j not in used_predicted and 2 * len(b & void_true) <= len(b):
            row(category)[2] += 1
    for i, (category, a) in enumerate(true):
        if i not in used_true and 2 * len(a & void_predicted) <= len(a):
            row(category)[3] += 1
    return result


def _best(pairs):
    """The pairs (IoU, i, j) of the best matching, by trying all: with the first pair and without it."""
    if not pairs:
        return []
    (_, i, j), rest = pairs[0], pairs[1:]
    free = [pair for pair in rest if pair[1] != i and pair[2] != j]
    if len(free) == len(rest):  # nothing competes with it
        return [pairs[0], *_best(rest)]
    return max([pairs[0], *_best(free)], _best(rest), key=lambda chosen: (len(chosen), sum(iou for iou, _, _ in chosen)))


def add(tables):
    """The sum of several `counts`."""
    total = {}
    for table in tables:
        for category, row in table.items():
            total[category] = [a + b for a, b in zip(total.get(category, [0, 0, 0, 0]), row)]
    return total


def qualities(row):
    """(pq, sq, rq) of one category."""
    iou, found, invented, missed = row
    weight = found + (invented + missed) / 2
    if weight == 0:
        return math.nan, math.nan, math.nan
    sq = float(iou / found) if found else 0.0
    return float(iou) / weight, sq, found / weight


def averages(table):
    """(pq, sq, rq), averaged over the categories that occur."""
    rows = [qualities(row) for row in table.values()]
    rows = [row for row in rows if not math.isnan(row[0])]
    return tuple(sum(column) / len(rows) for column in zip(*rows)) if rows else (math.nan,) * 3


def _pixels(shape):
    if not shape:
        return [()]
    return [(i, *rest) for i in range(shape[0]) for rest in _pixels(shape[1:])]
