"""What is known of the images and masks of a training, in numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import cc3d
import numpy as np

from kerasmith.recipes.training.cases import VOID, Case, Files

_PIXELS_ASKED = 20_000  # of each image, for its quantiles
_FILES_ASKED = 64  # for objects and quantiles


def digest(train: Sequence[Case], held_out: Sequence[Case]) -> str:
    """A short text that is another one as soon as a file, or its part, is."""
    parts = [
        f"{part}:{case.name}:{case.digest}" for part, cases in (("train", train), ("held out", held_out)) for case in cases
    ]
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]


def fingerprint(
    cases: Sequence[Case],
    files: Files,
    ids: Mapping[int, int] | None,
    names: Sequence[str],
    void: int | None,
    spacing: Sequence[float] | None,
) -> dict[str, Any]:
    """Plain data about training cases.

    Args:
        cases: those that are trained on.
        files: reads them.
        ids: {id of the masks: class}, None where masks hold ids of objects.
        names: of the classes.
        void: the id that counts for nothing.
        spacing: of the pixels of all cases, or None.

    Returns:
        {"files", "axes", "channels", "dtype", "smallest", "median", "largest" (shapes), "pixels", "spacing", "intensity"
        ({"low", "median", "high", "mean", "std", "least", "most"}), "class_shares" ({name: share of the pixels that count}),
        "void_share", "objects" ({"number", "diameter"})}.
    """
    shapes = np.array([case.shape for case in cases])
    asked = list(cases[:: max(1, len(cases) // _FILES_ASKED)])[:_FILES_ASKED]
    counts = _class_counts(cases, ids, len(names), void)
    total, stored = sum(int(np.prod(case.shape)) for case in cases), sum(sum(case.ids.values()) for case in cases)
    return {
        "files": len(cases),
        "axes": shapes.shape[1],
        "channels": cases[0].channels,
        "dtype": ", ".join(sorted({case.dtype for case in cases})),
        "smallest": [int(size) for size in shapes.min(0)],
        "median": [int(size) for size in np.median(shapes, axis=0)],
        "largest": [int(size) for size in shapes.max(0)],
        "pixels": total,
        "spacing": None if spacing is None else list(spacing),
        "intensity": _intensity(asked, files),
        "class_shares": {name: float(count / max(counts.sum(), 1)) for name, count in zip(names, counts, strict=True)},
        "void_share": float(1 - counts.sum() / stored),
        "objects": _objects(asked, files, ids is None),
    }


def _class_counts(cases, ids, classes, void):
    counts = np.zeros(classes, np.int64)
    for case in cases:
        for number, count in case.ids.items():
            if number != void:
                counts[int(number != 0) if ids is None else ids[number]] += count
    return counts


def _intensity(cases, files):
    rng = np.random.default_rng(0)
    values = []
    for case in cases:
        flat = files.image(case).reshape(-1)
        values.append(flat if flat.size <= _PIXELS_ASKED else flat[rng.integers(0, flat.size, _PIXELS_ASKED)])
    values = np.concatenate(values).astype(np.float64)
    low, median, high = np.percentile(values, [0.5, 50, 99.5])
    return {
        "low": float(low),
        "median": float(median),
        "high": float(high),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "least": float(values.min()),
        "most": float(values.max()),
    }


def _objects(cases, files, instances):
    """How many objects there are, and the median diameter of a disk or ball of their size."""
    sizes = []
    for case in cases:
        labels = files.labels(case)
        if instances:
            result = np.unique(labels[labels > 0], return_counts=True)[1]
        else:
            inside = np.ascontiguousarray((labels > 0) & (labels != VOID))
            pieces = cc3d.connected_components(inside, connectivity=8 if inside.ndim == 2 else 26)
            result = np.bincount(pieces.reshape(-1))[1:]
        sizes.append(result)
    sizes = np.concatenate(sizes)
    if not sizes.size:
        return {"number": 0, "diameter": 0.0}
    axes = len(cases[0].shape)
    typical = float(np.median(sizes))
    diameter = 2 * (typical / np.pi) ** 0.5 if axes == 2 else 2 * (3 * typical / (4 * np.pi)) ** (1 / 3)
    return {"number": int(sizes.size), "diameter": round(diameter, 1)}
