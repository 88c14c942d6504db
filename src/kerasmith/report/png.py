"""A small PNG encoder, so that a report needs no imaging library."""

import base64
import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}


def encode_png(image):
    """The bytes of an 8-bit PNG file (W3C, "Portable Network Graphics", 2nd edition).

    Args:
        image: uint8 array of shape (H, W) or (H, W, 1) for grey, (H, W, 3) for RGB, (H, W, 4) for RGB and opacity.

    Raises:
        ValueError: for another type or shape, or an empty image.

    Example:

    >>> encode_png(np.zeros((2, 3), "uint8"))[:4]
    b'\\x89PNG'
    """
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise ValueError(
            "A PNG takes uint8 values from 0 to 255: scale the image first, for probabilities "
            f"`(255 * p).round().astype('uint8')`. Received: dtype={image.dtype}"
        )
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in _COLOUR_TYPES or 0 in image.shape:
        raise ValueError(f"Expected an image (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). Received: shape={image.shape}")
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = image.reshape(height, width * channels)
    # Differences to the row above (filter 2) suit smooth pictures, plain rows (filter 0) suit flat ones: keep the smaller.
    above = rows - np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    packed = min((zlib.compress(_filtered(kind, data), 9) for kind, data in ((0, rows), (2, above))), key=len)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def data_uri(image):
    """The image as a `data:` address, for `<img src=...>` inside a page that must stand alone."""
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode("ascii")


def _filtered(kind, rows):
    return np.hstack([np.full((len(rows), 1), kind, np.uint8), rows]).tobytes()


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
