"""A large image in windows that overlap, blended into one prediction."""

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np


def predict_windows(
    predict_fn: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    *,
    window: Sequence[int],
    overlap: float = 0.5,
    batch_size: int = 4,
    flips: bool = False,
    divisor: int = 1,
    whole_window: bool = False,
    on_window: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """The prediction for an image of any size by a function of small ones.

    Windows lie `(1 - overlap) * window` apart. Where they overlap, Gaussian weights blend them; a quarter of the overlap at
    each inner edge of a window, where the network sees the least, has no weight. So the result equals that of the whole image
    for networks that look no further than that.

    Args:
        predict_fn: (B, *window, C) to (B, *window, K), a constant B.
        image: (*spatial, C).
        window: size along each spatial axis.
        overlap: in [0, 1), share of the window.
        batch_size: windows at a time.
        flips: the mean over the image and its mirrored copies along each spatial axis, 4 in 2-D and 8 in 3-D.
        divisor: sizes and places of windows are multiples of it: what a network halves and doubles n times needs 2 ** n. An
            image of another size is continued by reflection, and the surplus is cut from the result.
        whole_window: smaller images are continued up to a whole window too, for networks of one fixed size.
        on_window: told (windows done, windows in all) after each batch.

    Returns:
        float32 (*spatial, K).

    Raises:
        ValueError: for sizes that do not fit together.

    Example:

    >>> image = np.random.default_rng(0).normal(size=(50, 70, 1)).astype("float32")
    >>> bool(np.allclose(predict_windows(lambda x: x, image, window=(32, 32)), image, atol=1e-6))
    True
    """
    image = np.asarray(image, np.float32)
    size = image.shape[:-1]
    _check(size, window, overlap, batch_size, divisor)
    wanted = [-(-n // divisor) * divisor for n in size]
    window = tuple(w if whole_window else min(w, n) for w, n in zip(window, wanted))
    padded = [max(n, w) for n, w in zip(wanted, window)]
    image = np.pad(image, [*((0, new - old) for old, new in zip(size, padded)), (0, 0)], mode="reflect")
    axes = [_windows_of_axis(n, w, overlap, divisor) for n, w in zip(padded, window)]
    places = list(itertools.product(*axes))
    batch_size = min(batch_size, len(places))
    mirrors = _mirrors(len(size)) if flips else [()]
    total, done = None, 0
    for start in range(0, len(places), batch_size):
        batch = places[start : start + batch_size]
        crops = [image[tuple(slice(begin, begin + w) for (begin, _), w in zip(place, window))] for place in batch]
        # Always as many: a compiled function is compiled for each size of its batch.
        crops += [crops[-1]] * (batch_size - len(crops))
        result = _predict(predict_fn, np.stack(crops), mirrors)
        if total is None:
            total = np.zeros((*padded, result.shape[-1]), np.float32)
        for place, values in zip(batch, result):
            for axis, (_, weights) in enumerate(place):
                values = values * weights.reshape((-1,) + (1,) * (len(size) - axis))
            total[tuple(slice(begin, begin + w) for (begin, _), w in zip(place, window))] += values
        done += len(batch)
        if on_window:
            on_window(done, len(places))
    return total[tuple(slice(n) for n in size)]


def _predict(
    predict_fn: Callable[[np.ndarray], np.ndarray], crops: np.ndarray, mirrors: Sequence[tuple[int, ...]]
) -> np.ndarray:
    mean = 0.0
    for axes in mirrors:
        result = np.asarray(predict_fn(np.ascontiguousarray(np.flip(crops, axes))), np.float32)
        if result.ndim != crops.ndim or result.shape[:-1] != crops.shape[:-1]:
            raise ValueError(f"Expected a prediction of shape {(*crops.shape[:-1], 'K')}. Received: shape {result.shape}")
        mean = mean + np.flip(result, axes) / len(mirrors)
    return mean


def _mirrors(dimensions: int) -> list[tuple[int, ...]]:
    """The sets of spatial axes of a batch."""
    axes = range(1, dimensions + 1)
    return [chosen for count in range(dimensions + 1) for chosen in itertools.combinations(axes, count)]


def _windows_of_axis(size: int, window: int, overlap: float, divisor: int) -> list[tuple[int, np.ndarray]]:
    """[(start, weights)] along one axis; at each pixel the weights of all windows add up to 1."""
    step = max(divisor, int(window * (1 - overlap)) // divisor * divisor)
    starts = [*range(0, size - window, step), size - window]
    place = np.arange(window)
    bell = np.exp(-0.5 * ((place - (window - 1) / 2) / (window / 8)) ** 2)
    weights = np.zeros((len(starts), size))
    for index, start in enumerate(starts):
        before = (starts[index - 1] + window - start) // 4 if index else 0
        after = (start + window - starts[index + 1]) // 4 if index + 1 < len(starts) else 0
        weights[index, start : start + window] = np.where((place >= before) & (place < window - after), bell, 0)
    weights /= weights.sum(axis=0)
    return [(start, row[start : start + window].astype(np.float32)) for start, row in zip(starts, weights)]


def _check(size: Iterable[int], window: Sequence[int], overlap: float, batch_size: int, divisor: int) -> None:
    size = tuple(size)
    if len(window) != len(size) or 0 in size:
        raise ValueError(
            f"`window` needs a size for each spatial axis. Received: window={tuple(window)}, an image of size {size}"
        )
    if not 0 <= overlap < 1:
        raise ValueError(f"`overlap` must be in [0, 1), the share of a window. Received: overlap={overlap}")
    if int(batch_size) != batch_size or batch_size < 1:
        raise ValueError(f"`batch_size` must be a whole number >= 1. Received: batch_size={batch_size}")
    for width in window:
        if int(width) != width or width < 1 or width % divisor:
            raise ValueError(f"`window` must hold multiples of divisor={divisor}. Received: window={tuple(window)}")
