"""PNG and JPEG files."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kerasmith.recipes.images.orientation import TAG, TURNED, upright
from kerasmith.recipes.images.sixteen_bit_png import depth_and_colour, sixteen_bit_colours
from kerasmith.recipes.images.stored import Stored

_ORIENTATIONS = (b"eXIf", b"exif", b"com.adobe.xmp")
"""What stands in a PNG file that may say how the camera was held."""


def read(path: Path, *, mask: bool = False) -> Stored:
    """The picture upright, as its camera says; values as stored, a palette as its colours.

    Args:
        path: the file.
        mask: a palette as its indices; grey values of 1, 2 and 4 bits as numbers from 0, not stretched to 255.

    Raises:
        ValueError: a mask that is a JPEG file; a file that is no picture.
    """
    data = path.read_bytes()
    with _opened(data) as image:
        if mask and image.format in ("JPEG", "MPO"):
            raise ValueError(
                "it is a JPEG picture, which blurs the ids at each edge; save masks as PNG, a binary one with `Image.open("
                f"{str(path)!r}).convert('L').point(lambda v: 255 * (v > 127)).save({str(path.with_suffix('.png'))!r})`"
            )
        depth, colour = depth_and_colour(data) if image.format == "PNG" else (8, 0)
        if depth == 16 and colour not in (0, 3):
            array = sixteen_bit_colours(data)
            array = upright(array, image.getexif().get(TAG, 1))
        else:
            array = _values(image, depth, mask=mask)
    return Stored(array, "YXC" if array.ndim == 3 else "YX")


def size(path: Path) -> Stored:
    """The height and width without the pixels."""
    data = path.read_bytes()
    with _opened(data) as image:
        width, height = image.size
        # Pillow decodes all of a PNG file to find what may follow the pixels.
        silent = image.format == "PNG" and not any(sign in data for sign in _ORIENTATIONS)
        if not silent and image.getexif().get(TAG, 1) in TURNED:
            width, height = height, width
    return Stored(np.broadcast_to(np.uint8(0), (height, width)), "YX")


def encode(array: np.ndarray) -> bytes:
    """A PNG file of uint8 (H, W), (H, W, 3) or (H, W, 4), or uint16 (H, W)."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        what = f"its {len(data)} bytes are no picture, whatever its name ends in" if data else "it is empty"
        raise ValueError(what) from None  # Pillow's words name an object in memory


def _values(image: Image.Image, depth: int, *, mask: bool) -> np.ndarray:
    # The file's own mode counts: turning an image by its orientation gives back a plain copy.
    mode = image.mode
    image = ImageOps.exif_transpose(image)
    if mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(1 if mask else 255)
    if mode in ("P", "PA") and not mask:
        image = image.convert("RGBA" if mode == "PA" or "transparency" in image.info else "RGB")
    elif mode not in ("L", "LA", "RGB", "RGBA", "P", "I", "F") and not mode.startswith("I;16"):
        image = image.convert("RGB")
    array = np.asarray(image)
    if mask and mode == "L" and depth in (2, 4):
        array = array // (255 // (2**depth - 1))
    return array.astype(array.dtype.newbyteorder("="))
