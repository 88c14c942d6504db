"""Arrays of numbers as the pixels of a picture, and pictures as PNG files."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image


def as_pixels(image: ArrayLike, name: str = "image") -> np.ndarray:
    """A picture as uint8.

    Args:
        image: (H, W) or (H, W, 1 | 3 | 4); uint8, booleans, or floats within [0, 1].
        name: how an error calls it.

    Raises:
        ValueError: for another shape, type or range.

    >>> as_pixels([[False, True]]).tolist(), as_pixels([[0.0, 0.5]]).tolist()
    ([[0, 255]], [[0, 128]])
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[-1] not in (1, 3, 4)) or 0 in image.shape:
        raise ValueError(
            f"A picture has the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). Received: {name!r} of shape {image.shape}"
        )
    if image.dtype == np.uint8:
        return image
    if image.dtype == bool:
        return image.astype(np.uint8) * np.uint8(255)
    # bfloat16 and its kind are no floats for NumPy.
    low, high = float(np.min(image)), float(np.max(image))
    if image.dtype.kind in "iu" or not (low >= 0 and high <= 1):
        raise ValueError(
            "A picture takes uint8, booleans, or floats within [0, 1]: write `report.stretched(image)` to show other values. "
            f"Received: {name!r}, {image.dtype} from {low:.3g} to {high:.3g}"
        )
    return np.floor(255 * image.astype(float) + 0.5).astype(np.uint8)


def stretched(image: ArrayLike, percentiles: tuple[float, float] = (0.5, 99.5), like: ArrayLike | None = None) -> np.ndarray:
    """Any numbers as uint8, from the lower percentile (black) to the upper one (white); what is not finite is black.

    Args:
        image: array.
        percentiles: of the finite values.
        like: array whose percentiles count, `image` itself by default; pictures stretched alike can be compared.

    >>> stretched([-1.0, 0.0, 1.0], percentiles=(0, 100)).tolist()
    [0, 128, 255]
    """
    image = np.asarray(image).astype(float)
    source = image if like is None else np.asarray(like).astype(float)
    finite = source[np.isfinite(source)]
    low, high = np.percentile(finite, percentiles) if finite.size else (0.0, 1.0)
    if high <= low:
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    scaled = (np.where(np.isfinite(image), image, low) - low) / (high - low if high > low else 1.0)
    return (255 * np.clip(scaled, 0, 1)).round().astype(np.uint8)


def enlarged(image: np.ndarray, scale: int) -> np.ndarray:
    """Each pixel becomes scale x scale pixels."""
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture in another size, by the nearest pixel."""
    rows = ((np.arange(height) + 0.5) * image.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * image.shape[1] / width).astype(int)
    return image[rows][:, columns]


def rgb(image: ArrayLike) -> np.ndarray:
    """(H, W, 3) of a grey, RGB or RGBA uint8 picture; opacity over black."""
    image = np.asarray(image)
    image = image[..., None] if image.ndim == 2 else image
    if image.shape[-1] == 4:
        return (image[..., :3] * (image[..., 3:] / 255)).round().astype(np.uint8)
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image


def beside(pictures: Sequence[np.ndarray], gap: int = 4, ground: int = 255) -> np.ndarray:
    """Pictures of one height in a row, (H, W, 3)."""
    height = max(picture.shape[0] for picture in pictures)
    parts = []
    for picture in map(rgb, pictures):
        below = np.full((height - picture.shape[0], picture.shape[1], 3), ground, np.uint8)
        parts += [np.concatenate([picture, below]), np.full((height, gap, 3), ground, np.uint8)]
    return np.concatenate(parts[:-1], axis=1)


def sheet(pictures: Sequence[np.ndarray], columns: int = 4, gap: int = 8, ground: int = 255) -> np.ndarray:
    """Pictures in rows of `columns`, (H, W, 3)."""
    rows = [beside(pictures[i : i + columns], gap, ground) for i in range(0, len(pictures), columns)]
    width = max(row.shape[1] for row in rows)
    parts = []
    for row in rows:
        right = np.full((row.shape[0], width - row.shape[1], 3), ground, np.uint8)
        parts += [np.concatenate([row, right], axis=1), np.full((gap, width, 3), ground, np.uint8)]
    return np.concatenate(parts[:-1])


def encode_png(image: ArrayLike) -> bytes:
    """The bytes of an 8-bit PNG file.

    Args:
        image: uint8 array of shape (H, W) or (H, W, 1) for grey, (H, W, 3) for RGB, (H, W, 4) for RGB and opacity.

    Raises:
        ValueError: for another type or shape, or an empty image.

    Example:

    >>> encode_png(np.zeros((2, 3), "uint8"))[:4]
    b'\\x89PNG'
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        raise ValueError(
            "A PNG takes uint8 values from 0 to 255: scale the image first, for probabilities "
            f"`(255 * p).round().astype('uint8')`. Received: dtype={pixels.dtype}"
        )
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[-1] not in (1, 3, 4)) or 0 in pixels.shape:
        raise ValueError(f"Expected an image (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). Received: shape={pixels.shape}")
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 and pixels.ndim == 3 else pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def data_uri(image: ArrayLike) -> str:
    """The image as a `data:` address, for `<img src=...>` inside a page that must stand alone."""
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode("ascii")
