"""Intensities as a network takes them."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

KINDS = ("zscore", "percentile", "unit", "none")
PERCENTILES = (0.5, 99.5)
_SAMPLE = 100_000
"""Pixels of an image that the percentiles are asked of."""


@dataclasses.dataclass(frozen=True)
class Normalization:
    """What is done to the intensities of an image before a network sees them.

        zscore:      (x - mean) / std
        percentile:  (clip(x, low, high) - low) / (high - low)
        unit:        (x - low) / (high - low), low = 0 and high the largest number of the type for integers
        none:        x

    Without numbers, each image is normalised by its own; `fit` takes them from a data set. A constant channel becomes 0.

    Args:
        kind: see above.
        mean, std, low, high: a number for each channel, or None.

    Example:

    >>> a = Normalization("zscore").fit([np.array([[[1.0], [3.0]]])])
    >>> a.mean, a.std, a(np.array([[[5.0]]])).item()
    ((2.0,), (1.0,), 3.0)
    """

    kind: str = "zscore"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(KINDS)}. Received: kind={self.kind!r}")
        for name in ("mean", "std", "low", "high"):
            value = getattr(self, name)
            if value is not None:
                numbers = tuple(float(number) for number in np.atleast_1d(value))
                if not np.all(np.isfinite(numbers)):
                    raise ValueError(f"`{name}` must be finite. Received: {name}={value}")
                object.__setattr__(self, name, numbers)

    def fit(self, arrays: Iterable[np.ndarray]) -> "Normalization":
        """The same kind with the numbers of a data set.

        Args:
            arrays: (.., C) each, with one C; looked at once, one after the other.

        Raises:
            ValueError: without arrays, or where their channels differ in number.
        """
        if self.kind == "none":
            return self
        count, channels, moments, samples, tops = 0, None, (), [], []
        for array in arrays:
            pixels = np.asarray(array).reshape(-1, np.shape(array)[-1])
            if channels not in (None, pixels.shape[1]):
                raise ValueError(f"Expected images of {channels} channels. Received: {pixels.shape[1]} channels")
            channels = pixels.shape[1]
            if self.kind == "zscore":
                # Deviations from the mean of each image: sums of squares of large numbers would lose the small differences.
                pixels = pixels.astype(np.float64)
                mean = pixels.mean(axis=0)
                squares = np.square(pixels - mean).sum(axis=0)
                moments = _joined(moments, (len(pixels), mean, squares)) if count else (len(pixels), mean, squares)
            else:
                samples.append(pixels[:: max(1, len(pixels) // _SAMPLE)])
                tops.append(_range(pixels))
            count += len(pixels)
        if not count:
            raise ValueError("There is no image to take the intensities from")
        if self.kind == "zscore":
            return Normalization("zscore", mean=tuple(moments[1]), std=tuple(np.sqrt(moments[2] / moments[0])))
        if self.kind == "unit":
            low, high = np.min([low for low, _ in tops], axis=0), np.max([high for _, high in tops], axis=0)
        else:
            low, high = np.percentile(np.concatenate(samples).astype(np.float64), PERCENTILES, axis=0)
        return Normalization(self.kind, low=tuple(low), high=tuple(high))

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """float32 in the shape of `array` (.., C).

        Raises:
            ValueError: for another number of channels than the data set had.
        """
        array = np.asarray(array)
        own = self if self.kind == "none" or (self.mean or self.low) is not None else self.fit([array])
        first, second = (own.mean, own.std) if self.kind == "zscore" else (own.low, own.high)
        if self.kind == "none":
            return array.astype(np.float32)
        if len(first) not in (1, array.shape[-1]):
            raise ValueError(
                f"The normalisation is of {len(first)} channels. Received: an image of {array.shape[-1]} channels"
            )
        values, first, second = array.astype(np.float64), np.array(first), np.array(second)
        if self.kind == "percentile":
            values = np.clip(values, first, second)
        scale = second if self.kind == "zscore" else second - first
        return ((values - first) / np.where(scale > 0, scale, 1)).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` takes: plain lists and numbers."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Normalization":
        """The normalisation that `to_dict` was asked of.

        Raises:
            ValueError: for unknown keys.
        """
        unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise ValueError(f"A normalisation has no {', '.join(map(repr, sorted(unknown)))}. Received: {values}")
        return cls(**values)


def _joined(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    """Count, mean and sum of squared deviations of two sets together (Chan et al., 1979)."""
    n, m = first[0], second[0]
    shift = second[1] - first[1]
    return n + m, first[1] + shift * (m / (n + m)), first[2] + second[2] + shift**2 * (n * m / (n + m))


def _range(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    channels = pixels.shape[1]
    if pixels.dtype.kind == "u":
        return np.zeros(channels), np.full(channels, float(np.iinfo(pixels.dtype).max))
    return np.minimum(pixels.min(axis=0), 0).astype(float), pixels.max(axis=0).astype(float)
