"""TIFF files, read and written by tifffile: pictures, stacks, ImageJ and OME files with their spacing."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kerasmith.files.wheel_data import MissingDataPackage, wheel_file
from kerasmith.recipes.images.orientation import upright
from kerasmith.recipes.images.stored import MOST_CHANNELS, Stored

_PALETTE = 3
_UNNAMED = "QI"
"""Letters that tifffile gives to axes of which the file says nothing."""


def read(path: Path, *, mask: bool = False) -> Stored:
    """The first series of the file; a palette as its colours, of a mask as its indices."""
    return _read(path, mask=mask, pixels=True)


def size(path: Path) -> Stored:
    """The shape without the pixels."""
    return _read(path, mask=True, pixels=False)


def encode(array: np.ndarray, axes: str, spacing: tuple[float, ...] | None, unit: str | None) -> bytes:
    """A TIFF file.

    Args:
        array: integers or float32.
        axes: a letter of "CZYX" for each axis.
        spacing: of the spatial axes, or None. ImageJ's way of saying it, or OME's where ImageJ does not know the type.
        unit: of the spacing, such as "um".
    """
    tifffile = _tifffile(None)
    file = io.BytesIO()
    options: dict[str, Any] = {"photometric": "minisblack"}
    if spacing is None:
        tifffile.imwrite(file, array, metadata={"axes": axes}, compression="zlib", **options)
    elif array.dtype in (np.uint8, np.uint16, np.float32):
        # ImageJ keeps slices before channels.
        order = [axes.index(letter) for letter in "ZCYX" if letter in axes]
        metadata = {"axes": "".join(axes[i] for i in order), "unit": unit or "um"}
        if len(spacing) == 3:
            metadata["spacing"] = spacing[0]
        resolution = (1 / spacing[-1], 1 / spacing[-2])
        tifffile.imwrite(file, array.transpose(order), imagej=True, resolution=resolution, metadata=metadata)
    else:
        sizes = dict(zip("ZYX"[-len(spacing) :], spacing, strict=True))
        metadata = {"axes": axes}
        for letter, value in sizes.items():
            metadata |= {f"PhysicalSize{letter}": value, f"PhysicalSize{letter}Unit": _OME_UNITS.get(unit or "um", unit)}
        tifffile.imwrite(file, array, ome=True, metadata=metadata, compression="zlib", **options)
    return file.getvalue()


_OME_UNITS = {"um": "µm", "micron": "µm", "\\u00B5m": "µm"}


def _tifffile(path: Path | None) -> Any:
    try:
        wheel_file("tifffile", "__init__.py", extra="train")
    except MissingDataPackage:
        what = f"{path}: TIFF" if path else "TIFF"
        raise MissingDataPackage(
            f"{what} files are read and written by tifffile, which is not installed. Write: pip install tifffile"
        ) from None
    import tifffile  # comes with the train extra

    return tifffile


def _read(path: Path, *, mask: bool, pixels: bool) -> Stored:
    tifffile = _tifffile(path)
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        page = series.keyframe
        axes = series.axes.replace("S", "C")
        array = _pixels(path, series, page) if pixels else np.broadcast_to(np.uint8(0), series.shape)
        if page.photometric == _PALETTE and page.colormap is not None and not mask:
            array = (page.colormap[:, array] >> 8).astype(np.uint8)
            axes = "C" + axes
        orientation = page.tags.valueof(274, default=1)
        if orientation != 1 and axes in ("YX", "YXC"):
            array = upright(array, orientation)
        spacing, unit = _spacing(file, page, axes)
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(1 if mask else 255)
    pages = axes == "IYX" and array.shape[-1] > MOST_CHANNELS
    if set(axes) & set(_UNNAMED) and "C" not in axes[:-1] and not pages:
        return Stored(array, None, spacing, None, unit)
    # A stack over time, over files or over anything else is a stack.
    stacks = [i for i, letter in enumerate(axes) if letter not in "CYX" and array.shape[i] > 1]
    if len(stacks) > 1:
        raise ValueError(f"it has the axes {axes} of lengths {array.shape}; expected one stack: save one of them")
    axes = "".join(letter if letter in "CYX" else "Z" for letter in axes)
    return Stored(array, axes, spacing, None, unit)


def _pixels(path: Path, series: Any, page: Any) -> np.ndarray:
    try:
        return series.asarray()
    except ValueError as error:
        # tifffile needs another package for most compressions; Pillow has the common ones inside.
        if "imagecodecs" not in str(error):
            raise
        if page.bitspersample > 8 and page.samplesperpixel > 1:
            raise ValueError(f"{error}: install it, or save the file without compression") from None
    with Image.open(path) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image))
    array = np.stack(frames) if len(frames) > 1 else frames[0]
    if array.size != int(np.prod(series.shape)):
        raise ValueError("its compression needs the package imagecodecs: install it, or save the file without compression")
    return array.reshape(series.shape)


def _spacing(file: Any, page: Any, axes: str) -> tuple[tuple[float, ...] | None, str | None]:
    """The size of a pixel (depth, height, width) where ImageJ or OME says it; dots per inch say nothing about an object."""
    deep = "Z" in axes or any(letter not in "CYX" for letter in axes)
    if file.is_imagej and file.imagej_metadata:
        metadata = file.imagej_metadata
        unit = metadata.get("unit")
        plane = [page.tags.valueof(tag, default=(0, 1)) for tag in (283, 282)]
        if unit in (None, "", "pixel") or any(not count or not per for count, per in plane):
            return None, None
        sizes = tuple(per / count for count, per in plane)
        if not deep:
            return sizes, str(unit)
        return ((float(metadata["spacing"]), *sizes), str(unit)) if metadata.get("spacing") else (None, None)
    if file.is_ome:
        text = file.ome_metadata or ""
        sizes_of = {letter: re.search(rf'PhysicalSize{letter}="([^"]+)"', text) for letter in "ZYX"}
        sizes = [float(sizes_of[letter][1]) for letter in ("ZYX" if deep else "YX") if sizes_of[letter]]
        unit = re.search(r'PhysicalSizeXUnit="([^"]+)"', text)
        if len(sizes) == (3 if deep else 2) and min(sizes) > 0:
            return tuple(sizes), unit[1] if unit else "um"
    return None, None
