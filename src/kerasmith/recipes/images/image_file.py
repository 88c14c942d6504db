"""Image files of every known kind, read as one record and written beside it."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.wheel_data import MissingDataPackage
from kerasmith.recipes.images import nifti_file, numpy_file, pillow_file, tiff_file
from kerasmith.recipes.images.image_paths import SUFFIXES, suffix_of
from kerasmith.recipes.images.stored import Stored, channels_last

_NIFTI = (".nii", ".nii.gz")


@dataclasses.dataclass(frozen=True)
class ImageFile:
    """An image, a volume or a mask, and what its file says beside the values.

    Attributes:
        array: (H, W, C) or (D, H, W, C) as stored; a mask (H, W) or (D, H, W) integers.
        spacing: size of a pixel along each spatial axis of the array, or None.
        affine: (4, 4) of a NIfTI file, or None.
        path: the file.
        header: what its format needs to write another file like it.
    """

    array: np.ndarray
    spacing: tuple[float, ...] | None
    affine: np.ndarray | None
    path: Path
    header: Any = None

    @property
    def size(self) -> tuple[int, ...]:
        """The spatial sizes of an image."""
        return self.array.shape[:-1]


def read_image(path: str | os.PathLike[str], *, what: str = "image", dimensions: int | None = None) -> ImageFile:
    """Reads PNG, JPEG, TIFF, NumPy or NIfTI.

    Values are as stored; a palette is its colours, a picture of 1 bit has 0 and 255, a photograph is upright. The spatial axes
    are those of the file in its order.

    Args:
        path: the file.
        what: how errors call it.
        dimensions: how many axes are spatial, 2 or 3, where the file does not say; None for the likelier.

    Returns:
        An `ImageFile` whose array has channels last.

    Raises:
        ValueError: for files that are not there, damaged, of another kind, not of numbers or with NaN; names the file.
        data.MissingDataPackage: where the package that reads the format is not installed.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/a.npy", np.zeros((8, 9), "uint16"))
    ...     read_image(folder + "/a.npy").array.shape
    (8, 9, 1)
    """
    path = Path(path)
    stored, array = _read(path, what, dimensions, mask=False)
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"The {what} {path} cannot be used: expected numbers, received values of type {array.dtype}")
    bad = array.size - np.count_nonzero(np.isfinite(array)) if array.dtype.kind == "f" else 0
    if bad:
        raise ValueError(
            f"The {what} {path} has {bad} values that are NaN or infinite, of which no network makes a number: "
            "replace them, for example with `np.nan_to_num(array, nan=0, posinf=0, neginf=0)`"
        )
    return ImageFile(array, stored.spacing, stored.affine, path, stored.header)


def read_mask(path: str | os.PathLike[str], *, dimensions: int | None = None) -> ImageFile:
    """Reads a mask: class ids or ids of objects, as stored (a palette PNG as its indices, 1 bit as 0 and 1).

    A mask in colours whose channels are equal is one channel of grey.

    Args:
        path: the file.
        dimensions: see `read_image`.

    Returns:
        An `ImageFile` of integers (H, W) or (D, H, W).

    Raises:
        ValueError: for masks in different colours, as JPEG, or with values that are no whole numbers; names the file.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/a.npy", np.full((8, 9), 2.0))
    ...     read_mask(folder + "/a.npy").array.max().item()
    2
    """
    path = Path(path)
    stored, array = _read(path, "mask", dimensions, mask=True)
    if array.shape[-1] in (2, 4) and np.all(array[..., -1] == _opaque(array)):
        array = array[..., :-1]
    if array.shape[-1] > 1 and np.any(array != array[..., :1]):
        raise ValueError(
            f"The mask {path} has {array.shape[-1]} channels that differ. Expected one number for each pixel, its class or "
            "its object: write the id of each colour, for example `np.unique(mask.reshape(-1, mask.shape[-1]), axis=0, "
            "return_inverse=True)[1].reshape(mask.shape[:2])`"
        )
    array = array[..., 0]
    if array.dtype.kind == "f":
        if not np.all(np.isfinite(array) & (array == np.round(array))):
            raise ValueError(
                f"The mask {path} has values that are no whole numbers, such as {_fraction(array)}. Expected the id of a "
                "class or an object for each pixel: of probabilities write `(p > 0.5).astype('uint8')`"
            )
        if np.abs(array).max() >= 2**53:
            raise ValueError(f"The mask {path} has ids as large as {np.abs(array).max():.3g}: number them from 1")
        array = array.astype(np.int64)
    elif array.dtype == bool:
        array = array.astype(np.uint8)
    elif array.dtype.kind not in "iu":
        raise ValueError(f"The mask {path} cannot be used: expected whole numbers, received values of type {array.dtype}")
    return ImageFile(np.ascontiguousarray(array), stored.spacing, stored.affine, path, stored.header)


def image_size(path: str | os.PathLike[str], *, dimensions: int | None = None) -> tuple[int, ...]:
    """(H, W) or (D, H, W) of a file, from its header where the format has one.

    Raises:
        ValueError: for files that cannot be read; names the file.
    """
    path = Path(path)
    suffix = _suffix(path, "image")
    reader: Callable[[], Stored] = {
        **dict.fromkeys((".tif", ".tiff"), lambda: tiff_file.size(path)),
        **dict.fromkeys((".npy", ".npz"), lambda: numpy_file.size(path)),
        **dict.fromkeys(_NIFTI, lambda: nifti_file.size(path, dimensions)),
    }.get(suffix, lambda: pillow_file.size(path))
    return _guarded(path, "image", lambda: channels_last(reader(), dimensions)).shape[:-1]


def write_mask(path: str | os.PathLike[str], array: np.ndarray, like: ImageFile) -> None:
    """Writes ids as PNG, TIFF, `.npy` or NIfTI (by the suffix), with the spacing and the place of `like`; whole or not at all.

    Args:
        path: the file to write.
        array: (H, W) or (D, H, W) integers >= 0, stored in as few bits as they need.
        like: the image that the mask lies on.

    Raises:
        ValueError: for a mask that the format cannot hold.
        OSError: where it cannot be written.
    """
    path, array = Path(path), np.asarray(array)
    if array.dtype.kind not in "biu" or array.min(initial=0) < 0:
        raise ValueError(f"A mask holds whole numbers from 0 up. Received: {array.dtype} from {array.min()}")
    array = array.astype(np.min_scalar_type(int(array.max(initial=0))))
    if path.suffix.lower() == ".png" and (array.ndim != 2 or array.dtype.itemsize > 2):
        raise ValueError(
            f"PNG holds (H, W) ids up to 65535: write {path.with_suffix('.tif')}. Received: {array.dtype} {array.shape}"
        )
    if array.dtype == np.uint64:
        raise ValueError("Masks are written with ids below 2 ** 32: number the objects from 1")
    _write(path, array, like, channels=False)


def write_image(path: str | os.PathLike[str], array: np.ndarray, like: ImageFile | None = None) -> None:
    """Writes channels-last numbers as float32 TIFF, `.npy` or NIfTI, or uint8 as PNG, with the spacing of `like`.

    Args:
        path: the file to write.
        array: (H, W, C) or (D, H, W, C).
        like: where spacing and affine come from.

    Raises:
        ValueError: for values that the format cannot hold.
        OSError: where it cannot be written.
    """
    path, array = Path(path), np.asarray(array)
    if path.suffix.lower() == ".png":
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] not in (1, 3, 4):
            raise ValueError(
                f"PNG holds uint8 (H, W, 1 | 3 | 4): write {path.with_suffix('.tif')}. Received: {array.dtype} {array.shape}"
            )
        array = array[..., 0] if array.shape[-1] == 1 else array
    elif array.dtype.kind == "f" or array.dtype.itemsize > 4:
        array = array.astype(np.float32)
    _write(path, array, like or ImageFile(array, None, None, path), channels=True)


def _write(path: Path, array: np.ndarray, like: ImageFile, *, channels: bool) -> None:
    suffix = suffix_of(path)
    if suffix == ".png":
        data = pillow_file.encode(array)
    elif suffix in (".tif", ".tiff"):
        axes = "ZYX"[-(array.ndim - channels) :]
        unit = like.header if isinstance(like.header, str) else None
        if channels:
            array, axes = np.moveaxis(array, -1, 0), "C" + axes
        data = tiff_file.encode(array, axes, like.spacing, unit)
    elif suffix == ".npy":
        data = numpy_file.encode(array)
    elif suffix in _NIFTI:
        if array.ndim - channels == 2:
            array = array[:, :, None]
        header = None if like.affine is None else like.header
        data = nifti_file.encode(array, like.affine, header, compressed=suffix == ".nii.gz")
    else:
        raise ValueError(f"{path} cannot be written. Expected a name that ends in .png, .tif, .npy, .nii or .nii.gz")
    write_atomically(path, data)


def _read(path: Path, what: str, dimensions: int | None, *, mask: bool) -> tuple[Stored, np.ndarray]:
    if dimensions not in (None, 2, 3):
        raise ValueError(f"`dimensions` must be None, 2 or 3. Received: dimensions={dimensions}")
    suffix = _suffix(path, what)
    readers: dict[str, Callable[[], Stored]] = {
        **dict.fromkeys((".tif", ".tiff"), lambda: tiff_file.read(path, mask=mask)),
        **dict.fromkeys((".npy", ".npz"), lambda: numpy_file.read(path)),
        **dict.fromkeys(_NIFTI, lambda: nifti_file.read(path, dimensions)),
    }

    def read() -> tuple[Stored, np.ndarray]:
        stored = readers.get(suffix, lambda: pillow_file.read(path, mask=mask))()
        return stored, channels_last(stored, dimensions)

    return _guarded(path, what, read)


def _suffix(path: Path, what: str) -> str:
    if not suffix_of(path):
        raise ValueError(f"The {what} {path} is of no known kind. Expected a file that ends in one of {', '.join(SUFFIXES)}")
    if not path.exists():
        raise ValueError(f"There is no {what} {path}")
    return suffix_of(path)


def _guarded(path: Path, what: str, read: Callable[[], Any]) -> Any:
    """What `read` gives; the readers of damaged files raise errors of many kinds."""
    try:
        return read()
    except MissingDataPackage:
        raise
    except MemoryError as error:
        raise ValueError(f"The {what} {path} is larger than the memory that is free, or damaged: {error}") from error
    except Exception as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise ValueError(f"The {what} {path} cannot be read: {reason}") from error


def _opaque(array: np.ndarray) -> float:
    return 1 if array.dtype.kind == "f" else np.iinfo(array.dtype).max if array.dtype.kind in "iu" else True


def _fraction(array: np.ndarray) -> float:
    return array[~(np.isfinite(array) & (array == np.round(array)))][0].item()
