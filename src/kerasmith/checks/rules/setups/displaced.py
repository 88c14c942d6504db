"""Masks that are not where their images are."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import leaves_of
from kerasmith.checks.rules.setups.case import SetupCase

_SAMPLES = 16
# A correlation of edges that chance does not give, and how far above that of the pair as it is.
_CLEAR, _ABOVE = 0.25, 0.15


@check("T169", "setup", "warning", since="0.2.0")
def masks_lie_on_their_images(case: SetupCase) -> None:
    """Masks do not lie on their images: turned over, shifted, or those of another sample, they fit better.

    An augmentation that draws for images and masks on its own turns some of them differently; two sorted lists of files of
    which one misses an entry pair each image with the next mask. Edges of both are compared as they are, flipped, turned,
    shifted and across samples. It is an error where a large share fits elsewhere.

    Fix: augment image and mask with one draw: `kerasmith.data` does, and in `RandomFlip` the same `seed` for both layers;
    or stack them, augment, and split. Pair files by name: `image.stem == mask.stem`.
    """
    images, masks = _pair(case)
    count = len(images)
    edges = [_normal(_edges(image)) for image in images]
    lines = [_normal(_edges(mask)) for mask in masks]
    use = [k for k in range(count) if lines[k] is not None and edges[k] is not None]
    if len(use) < 4:
        raise Inconclusive("fewer than four masks with an edge")
    as_is = np.array([_score(edges[k], lines[k]) for k in use])
    best, names = as_is.copy(), np.array(["as it is"] * len(use), dtype=object)
    for name, turned in _turns(edges[0].shape):
        scores = np.array(
            [_score(edges[k], turned(lines[k])) if edges[k].shape == turned(lines[k]).shape else -1 for k in use]
        )
        names = np.where(scores > best, name, names)
        best = np.maximum(best, scores)
    for place, k in enumerate(use):
        shift, score = _best_shift(edges[k], lines[k])
        if score > best[place] and max(map(abs, shift)) >= 2:
            best[place], names[place] = score, "shifted"
        others = [_score(edges[k], lines[j]) for j in use if j != k]
        if max(others) > best[place]:
            best[place], names[place] = max(others), "of another sample"
    is_turned = np.array([name.startswith(("flipped", "turned", "transposed")) for name in names])
    wrong = (best > _CLEAR) & (best - as_is > _ABOVE) & (as_is < np.where(is_turned, 0.85, 0.6) * best)
    if wrong.sum() < max(2, 0.2 * len(use)):
        return
    kinds, counts = np.unique(names[wrong].astype(str), return_counts=True)
    raise Failed(
        "masks whose edges lie on those of their images",
        f"{int(wrong.sum())} of {len(use)} fit better elsewhere ("
        + ", ".join(f"{count} {kind}" for kind, count in zip(kinds, counts))
        + f"): a correlation of {best[wrong].mean():.2f} against {as_is[wrong].mean():.2f} as they are",
        ["import matplotlib.pyplot as plt", "plt.imshow(x[0]); plt.imshow(y[0, ..., 0], alpha=0.4); plt.show()"],
        severity="error" if wrong.mean() >= 0.3 and wrong.sum() >= 4 and best[wrong].mean() > 0.35 else None,
        place=case.place("fit"),
    )


def _pair(case: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    x, y = leaves_of(case.x), leaves_of(case.y)
    if len(x) != 1 or len(y) != 1 or x[0].ndim != 4 or y[0].ndim not in (3, 4):
        raise NotApplicable("no pairs of one image and one mask")
    images, masks = x[0][:_SAMPLES].astype("float32"), y[0][:_SAMPLES]
    if images.shape[1:3] != masks.shape[1:3]:
        raise NotApplicable("images and masks have other sizes")
    if min(images.shape[1:3]) < 8 or len(np.unique(masks[:4])) > 40:
        raise NotApplicable("the labels are no masks")
    if masks.ndim == 4 and masks.shape[-1] > 1:
        masks = np.argmax(masks, axis=-1)
    masks = masks.reshape(masks.shape[:3]).astype("float32")
    return list(images.mean(axis=-1)), list(masks)


def _edges(image: np.ndarray) -> np.ndarray:
    down, across = np.zeros_like(image), np.zeros_like(image)
    down[1:-1] = image[2:] - image[:-2]
    across[:, 1:-1] = image[:, 2:] - image[:, :-2]
    size = np.hypot(down, across)
    # A pixel to each side is forgiven.
    padded = np.pad(size, 1)
    return sum(padded[i : i + size.shape[0], j : j + size.shape[1]] for i in range(3) for j in range(3)) / 9


def _normal(edges: np.ndarray) -> np.ndarray | None:
    spread = edges.std()
    return None if spread < 1e-9 else (edges - edges.mean()) / spread


def _score(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(a * b))


def _turns(shape):
    found = [
        ("flipped left to right", lambda m: m[:, ::-1]),
        ("flipped upside down", lambda m: m[::-1]),
        ("turned by 180 degrees", lambda m: m[::-1, ::-1]),
    ]
    if shape[0] == shape[1]:
        found += [("turned by 90 degrees", lambda m: np.rot90(m)), ("turned by 270 degrees", lambda m: np.rot90(m, 3))]
        found += [("transposed", lambda m: m.T)]
    return found


def _best_shift(a: np.ndarray, b: np.ndarray) -> tuple[tuple[int, int], float]:
    """The circular shift of b that correlates most with a, and how much."""
    product = np.fft.ifft2(np.fft.fft2(a) * np.conj(np.fft.fft2(b))).real / a.size
    place = np.unravel_index(int(np.argmax(product)), product.shape)
    shift = tuple(int(p if p <= n // 2 else p - n) for p, n in zip(place, product.shape))
    return shift, float(product.max())
