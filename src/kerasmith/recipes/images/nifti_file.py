"""NIfTI files, read and written by nibabel."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.files.wheel_data import MissingDataPackage, wheel_file
from kerasmith.recipes.images.stored import Stored


def read(path: Path, dimensions: int | None) -> Stored:
    """The volume by its own axes (x, y, z, then channels), with the scale of its header, spacing and affine.

    Args:
        path: the file.
        dimensions: 3 keeps a single slice a volume.
    """
    image = _nibabel(path).load(path)
    return _stored(image, _array(image), dimensions)


def size(path: Path, dimensions: int | None) -> Stored:
    """The shape without the values."""
    image = _nibabel(path).load(path)
    return _stored(image, np.broadcast_to(np.uint8(0), image.shape), dimensions)


def encode(array: np.ndarray, affine: np.ndarray | None, header: Any, *, compressed: bool) -> bytes:
    """A NIfTI file: an array (x, y, z) or (x, y, z, channels) in the place that affine and header say.

    Args:
        array: integers of up to 32 bits or float32.
        affine: (4, 4), or None for the identity.
        header: of the file that this one lies beside, or None: its codes and units are kept.
        compressed: for `.nii.gz`.
    """
    nibabel = _nibabel(None)
    image = nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine, header, dtype=array.dtype)
    image.header.set_slope_inter(1, 0)
    image.header["cal_min"] = image.header["cal_max"] = 0
    data = image.to_bytes()
    return gzip.compress(data, 6, mtime=0) if compressed else data


def _nibabel(path: Path | None) -> Any:
    try:
        wheel_file("nibabel", "__init__.py", extra="train")
    except MissingDataPackage:
        what = f"{path}: NIfTI" if path else "NIfTI"
        raise MissingDataPackage(
            f"{what} files are read and written by nibabel, which is not installed. Write: pip install nibabel"
        ) from None
    import nibabel  # comes with the train extra

    return nibabel


def _array(image: Any) -> np.ndarray:
    array = np.asanyarray(image.dataobj)
    if array.dtype.names:  # RGB and RGBA are records
        array = np.stack([array[name] for name in array.dtype.names], axis=-1)
    return np.asarray(array)


def _stored(image: Any, array: np.ndarray, dimensions: int | None) -> Stored:
    shape = array.shape
    if array.ndim == 5 and shape[3] == 1:  # vectors: (x, y, z, time, channels)
        array = array[:, :, :, 0]
    zooms = tuple(float(zoom) for zoom in image.header.get_zooms()[:3])
    if array.ndim == 2:
        axes = "YX"
    elif array.ndim in (3, 4):
        axes = "ZYX" if array.ndim == 3 else "ZYXC"
        if shape[2] == 1 and dimensions != 3:
            array, axes, zooms = array[:, :, 0], axes[1:], zooms[:2]
    else:
        raise ValueError(f"its shape is {shape}; expected (x, y), (x, y, z) or (x, y, z, channels)")
    spacing = zooms if len(zooms) >= 2 and all(zoom > 0 for zoom in zooms) else None
    return Stored(array, axes, spacing, np.array(image.affine, float), image.header.copy())
