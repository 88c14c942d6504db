"""A fluorescence image of cell nuclei with true outlines, split in space."""

import dataclasses
import pathlib

import numpy as np

from kerasmith.data import wheel_file

BORDER = 352
"""First held-out column: training sees columns 0 to 351 of 512."""


@dataclasses.dataclass(frozen=True)
class ImageSplit:
    """One of the parts that the image is split into.

    Attributes:
        image: (H, W) float32, normalised.
        labels: (H, W) int32, one number per nucleus, background 0.
    """

    image: np.ndarray
    labels: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) booleans: the nuclei."""
        return self.labels > 0


def files() -> tuple[pathlib.Path, ...]:
    """The files of the image and of its labels, from the wheel of stardist (BSD-3, Schmidt et al. 2018).

    Raises:
        data.MissingDataPackage: when stardist or tifffile, which reads them, is not installed.
    """
    wheel_file("tifffile", "__init__.py")
    return tuple(wheel_file("stardist", f"data/images/{name}2d.tif") for name in ("img", "mask"))


def load() -> tuple[np.ndarray, np.ndarray]:
    """The whole image and its labels, (512, 512) each."""
    image, labels = files()
    import tifffile  # comes with the demo extra

    return tifffile.imread(image).astype(np.float32), tifffile.imread(labels).astype(np.int32)


def split(image: np.ndarray, labels: np.ndarray, border: int = BORDER) -> tuple[ImageSplit, ImageSplit]:
    """The training part, left of column `border`, and the held-out part.

    Nothing of the held-out part reaches the training part, not even the statistics of the normalisation: both parts are

        (v - mean(v)) / std(v),   v = log(1 + (image - low) / (median - low)),   low = 1st percentile,

    all four taken from the training part. The logarithm brings nuclei in division, ten times as bright, near the others.

    A nucleus that the border cuts is an object of either part, as if the image ended there.
    """
    seen = image[:, :border]
    low, median = np.percentile(seen, [1, 50])

    def compress(values):
        return np.log1p(np.maximum(values - low, 0) / max(median - low, 1e-6))

    mean, deviation = compress(seen).mean(), compress(seen).std()
    return tuple(
        ImageSplit(((compress(image[:, columns]) - mean) / deviation).astype(np.float32), labels[:, columns])
        for columns in (slice(None, border), slice(border, None))
    )


def tiles(array: np.ndarray, count: int = 4) -> np.ndarray:
    """An (H, W) array cut across into float32 (count, H / count, W, 1)."""
    height, width = array.shape
    return array.reshape(count, height // count, width, 1).astype(np.float32)
