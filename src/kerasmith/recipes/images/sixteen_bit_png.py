"""PNG files with 16 bits a channel in colour or with opacity, of which Pillow reads the upper 8 bits only."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

_HEADER = slice(16, 29)
"""Where width, height, depth, kind of colour ... are in a PNG file; their checksum follows."""
_GREY_WITH_OPACITY, _RGB_WITH_OPACITY = 4, 6
# What Pillow calls the file's layout -> the layout of which it takes the other byte of each number.
_LOWER_BYTE = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}


def depth_and_colour(data: bytes) -> tuple[int, int]:
    """Bits a channel (1 to 16) and the kind of colour (0 grey, 2 RGB, 3 palette, 4 and 6 with opacity) of a PNG file."""
    return data[24], data[25]


def sixteen_bit_colours(data: bytes) -> np.ndarray:
    """uint16 (H, W, C) of a PNG file of 16 bits in RGB, RGBA, or grey with opacity.

    Args:
        data: the whole file.
    """
    _, colour = depth_and_colour(data)
    if colour == _GREY_WITH_OPACITY:
        # Its four bytes a pixel are those of an RGBA image of 8 bits: grey high, grey low, opacity high, opacity low.
        width, height, _, _, *rest = struct.unpack(">IIBBBBB", data[_HEADER])
        header = struct.pack(">IIBBBBB", width, height, 8, _RGB_WITH_OPACITY, *rest)
        checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
        parts = np.asarray(Image.open(io.BytesIO(data[:16] + header + checksum + data[33:])))
        return np.ascontiguousarray(parts).view(">u2").astype(np.uint16)
    with Image.open(io.BytesIO(data)) as image:
        high = np.asarray(image)
    with Image.open(io.BytesIO(data)) as image:
        (tile,) = image.tile
        layout = tile[3] if isinstance(tile[3], str) else tile[3][0]
        image.tile = [
            tile._replace(args=_LOWER_BYTE[layout]) if hasattr(tile, "_replace") else (*tile[:3], _LOWER_BYTE[layout])
        ]
        low = np.asarray(image)
    return high.astype(np.uint16) << 8 | low
