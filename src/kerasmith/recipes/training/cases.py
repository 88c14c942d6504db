"""The pairs of images and masks of a training: read, checked, kept in memory as far as it goes."""

import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.recipes.images.image_file import read_image, read_mask
from kerasmith.recipes.images.pairs import find_pairs
from kerasmith.recipes.images.resampling import resample, resampled_size
from kerasmith.recipes.training.config import Config

VOID = 255
"""Label of pixels that count for nothing, inside of a training."""

_MEMORY = 2_000_000_000  # bytes of images and masks that stay in memory
_MOST_NAMED = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """A pair of files that was read once.

    Attributes:
        name: of the image, without its ending.
        image, mask: the files.
        shape: of the image, without channels; after resampling.
        channels: of the image.
        dtype: as stored.
        spacing: of its pixels, or None.
        ids: {id: how many pixels of the mask have it}.
        digest: of both files.
        is_resampled: whether `shape` is another one than that of the files.
    """

    name: str
    image: Path
    mask: Path
    shape: tuple[int, ...]
    channels: int
    dtype: str
    spacing: tuple[float, ...] | None
    ids: dict[int, int]
    digest: str
    is_resampled: bool = False


class Files:
    """Reads images and labels of cases, and keeps the newest of them.

    Args:
        ids: {id of the masks: class}; None where masks hold ids of objects.
        void: the id that counts for nothing, or None.
    """

    def __init__(self, ids: Mapping[int, int] | None, void: int | None) -> None:
        self.ids: dict[int, int] | None = None if ids is None else dict(ids)
        self.void: int | None = void
        self._retained: OrderedDict[Any, np.ndarray] = OrderedDict()
        self._bytes = 0

    def image(self, case: Case) -> np.ndarray:
        """(*spatial, C) float32, as stored."""
        return self._keep(("image", case.image), lambda: np.asarray(self._image(case), np.float32))

    def labels(self, case: Case) -> np.ndarray:
        """(*spatial) int32: classes from 0 on, or ids of objects; `VOID`, of objects -1, where pixels count for nothing."""
        return self._keep(("mask", case.mask), lambda: self._labels(self._mask(case)))

    def _image(self, case):
        array = read_image(case.image, dimensions=len(case.shape)).array
        return resample(array, case.shape) if case.is_resampled else array

    def _mask(self, case):
        array = np.asarray(read_mask(case.mask, dimensions=len(case.shape)).array)
        return resample(array, case.shape, nearest=True) if case.is_resampled else array

    def _labels(self, mask):
        if self.ids is None:
            labels = mask.astype(np.int32)
            return labels if self.void is None else np.where(mask == self.void, -1, labels)
        labels = np.full(mask.shape, VOID, np.int32)
        for number, label in self.ids.items():
            labels[mask == number] = label
        return labels

    def _keep(self, key, read):
        if key in self._retained:
            self._retained.move_to_end(key)
            return self._retained[key]
        array = read()
        self._retained[key] = array
        self._bytes += array.nbytes
        while self._bytes > _MEMORY and len(self._retained) > 1:
            self._bytes -= self._retained.popitem(last=False)[1].nbytes
        return array


def read_cases(config: Config, images: str, masks: str, key: str = "images") -> list[Case]:
    """All pairs of two folders, each read once.

    Raises:
        ConfigError: names every file that is missing, cannot be read, or does not fit.
    """
    for name, folder in ((key, images), ("masks" if key == "images" else "validation_masks", masks)):
        if not Path(folder).is_dir():
            there = "is no folder" if Path(folder).exists() else "does not exist"
            raise config.error(name, f"{folder} {there}. `{name}` is a folder of files.")
    try:
        pairs = find_pairs(images, masks)
    except (ValueError, OSError) as problem:
        raise config.error(key, str(problem)) from None
    if not pairs:
        raise config.error(key, f"there are no images in {images}. Expected PNG, JPEG, TIFF, .npy, .npz or NIfTI files.")
    cases, problems = [], []
    for pair in pairs:
        try:
            cases.append(_case(pair))
        except (ValueError, OSError) as problem:
            problems.append(str(problem))
    problems += [] if problems else _misfits(cases)
    if problems:
        raise config.error(key, listed(problems))
    return cases


def to_one_spacing(train: Sequence[Case], held_out: Sequence[Case]) -> tuple[tuple[float, ...] | None, list[Case], list[Case]]:
    """(median spacing of the training images, both parts as they are in it); None where an image does not say its own."""
    known = [case.spacing for case in train if case.spacing is not None and len(case.spacing) == len(case.shape)]
    if len(known) < len(train) or any(case.spacing is None for case in held_out):
        return None, list(train), list(held_out)
    spacing = tuple(round(float(size), 6) for size in np.median(np.array(known), axis=0))
    return spacing, *([_in_spacing(case, spacing) for case in part] for part in (train, held_out))


def _in_spacing(case, spacing):
    shape = resampled_size(case.shape, case.spacing, spacing)
    return case if shape == case.shape else dataclasses.replace(case, shape=shape, is_resampled=True)


def listed(problems: Sequence[str]) -> str:
    """Problems in one text: one in a line, several in a list of bounded length."""
    if len(problems) == 1:
        return problems[0]
    more = [f"  and {len(problems) - _MOST_NAMED} more"] if len(problems) > _MOST_NAMED else []
    return "\n".join([f"{len(problems)} problems:", *(f"  {one}" for one in problems[:_MOST_NAMED]), *more])


def _case(pair: Any) -> Case:
    image = read_image(pair.image)
    shape = image.array.shape[:-1]
    labels = np.asarray(read_mask(pair.mask, dimensions=len(shape)).array)
    if labels.shape != shape:
        raise ValueError(
            f"{pair.mask}: the mask has {_by(labels.shape)} pixels, its image {pair.image.name} {_by(shape)}. "
            "Cut both from the same picture."
        )
    if min(shape) < 2:
        raise ValueError(f"{pair.image}: expected at least 2 pixels along each axis. Received: {_by(shape)}")
    ids, counts = np.unique(labels, return_counts=True)
    digest = hashlib.sha256()
    for path in (pair.image, pair.mask):
        digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    spacing = None if image.spacing is None else tuple(float(size) for size in image.spacing)
    return Case(
        pair.name,
        Path(pair.image),
        Path(pair.mask),
        tuple(int(size) for size in shape),
        int(image.array.shape[-1]),
        str(image.array.dtype),
        spacing,
        {int(number): int(count) for number, count in zip(ids, counts, strict=True)},
        digest.hexdigest(),
    )


def _misfits(cases: Sequence[Case]) -> list[str]:
    """What differs between images that must be alike: dimensions, channels."""
    problems = []
    for what, of in (("axes", lambda case: len(case.shape)), ("channels", lambda case: case.channels)):
        values = [of(case) for case in cases]
        usual = max(sorted(set(values)), key=values.count)
        problems += [
            f"{case.image}: {value} {what}, where most images have {usual}. Bring all images into one form."
            for case, value in zip(cases, values, strict=True)
            if value != usual
        ]
    return problems


def _by(shape):
    return " x ".join(map(str, shape))
