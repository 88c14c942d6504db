"""Images and the masks that belong to them, by their names."""

import dataclasses
import os
import re
from collections.abc import Iterable
from pathlib import Path

from kerasmith.recipes.images.image_file import image_size
from kerasmith.recipes.images.image_paths import list_images, stem_of

_MASK_ENDING = re.compile(
    r"[ _.-](masks?|seg|segmentation|labels?|gt|ground_?truth|annotations?|target|manual\d*|instances?)$", re.IGNORECASE
)
_IMAGE_ENDING = re.compile(r"[ _.-](images?|img|im|0000)$", re.IGNORECASE)
_LISTED = 8
"""Lines of a kind that an error lists."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """An image and its mask.

    Attributes:
        name: what both names have in common.
        image, mask: the files.
    """

    name: str
    image: Path
    mask: Path


def find_pairs(images: str | os.PathLike[str], masks: str | os.PathLike[str], *, dimensions: int | None = None) -> list[Pair]:
    """Each image with its mask, which has the same name, or that and an ending such as `_mask`, `_seg`, `_label`.

    Args:
        images, masks: folders, patterns or single files (see `list_images`). One folder may hold both.
        dimensions: see `read_image`.

    Returns:
        Pairs in the order of their names.

    Raises:
        ValueError: where images or masks are missing, doubled or unreadable, or their sizes differ: all in one message.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a", "a_mask"):
    ...         np.save(f"{folder}/{name}.npy", np.zeros((8, 9), "uint8"))
    ...     [(pair.name, pair.mask.name) for pair in find_pairs(folder, folder)]
    [('a', 'a_mask.npy')]
    """
    image_files, mask_files = list_images(images), list_images(masks)
    both = set(image_files) & set(mask_files)
    if both and len(image_files) + len(mask_files) > 2:
        # One folder: what ends like a mask and has a partner is a mask.
        stems = {stem_of(path) for path in both}
        are_masks = {path for path in both if _without(_MASK_ENDING, stem_of(path)) in stems - {stem_of(path)}} | {
            path for path in both if _MASK_ENDING.search(stem_of(path)) and _key(path, stems) is not None
        }
        image_files = [path for path in image_files if path not in are_masks]
        mask_files = [path for path in mask_files if path not in both or path in are_masks]
    problems: list[str] = []
    by_image = _by_name(
        {_without(_IMAGE_ENDING, stem_of(path)) for path in image_files}, image_files, _IMAGE_ENDING, "images", problems
    )
    by_mask = _by_name(set(by_image), mask_files, _MASK_ENDING, "masks", problems)
    problems += _listed("without a mask", [str(by_image[name]) for name in sorted(set(by_image) - set(by_mask))])
    problems += _listed("without an image", [str(by_mask[name]) for name in sorted(set(by_mask) - set(by_image))])
    pairs = [Pair(name, by_image[name], by_mask[name]) for name in sorted(set(by_image) & set(by_mask))]
    problems += _wrong_sizes(pairs, dimensions)
    if problems:
        raise ValueError(
            f"The images in {images} and the masks in {masks} do not belong together:\n"
            + "\n".join(problems)
            + "\nEach image needs one mask of its size and name, such as a.png and a.png, a_mask.png or a_seg.png."
        )
    return pairs


def _by_name(
    names: set[str], files: Iterable[Path], ending: re.Pattern[str], what: str, problems: list[str]
) -> dict[str, Path]:
    """{name: file}; the whole name counts before the one without its ending."""
    files_of: dict[str, list[Path]] = {}
    for path in files:
        stem = stem_of(path)
        files_of.setdefault(stem if stem in names else _without(ending, stem), []).append(path)
    problems += _listed(
        f"{what} of one name",
        [f"{name}: {', '.join(map(str, paths))}" for name, paths in sorted(files_of.items()) if len(paths) > 1],
    )
    return {name: paths[0] for name, paths in files_of.items()}


def _key(path: Path, stems: set[str]) -> str | None:
    """The stem of the image that a mask in the same folder belongs to."""
    name = _without(_MASK_ENDING, stem_of(path))
    return next((stem for stem in stems if stem != stem_of(path) and _without(_IMAGE_ENDING, stem) == name), None)


def _without(ending: re.Pattern[str], stem: str) -> str:
    return ending.sub("", stem) or stem


def _wrong_sizes(pairs: list[Pair], dimensions: int | None) -> list[str]:
    differing, unreadable = [], []
    for pair in pairs:
        try:
            # What one file says of its axes decides for the other where that says nothing.
            image = image_size(pair.image, dimensions=dimensions)
            mask = image_size(pair.mask, dimensions=dimensions or len(image))
        except ValueError as error:
            unreadable.append(str(error))
            continue
        if image != mask:
            differing.append(f"{pair.image}: {_times(image)}, {pair.mask}: {_times(mask)}")
    return _listed("that cannot be read", unreadable) + _listed("of different sizes", differing)


def _times(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))


def _listed(what: str, entries: list[str]) -> list[str]:
    more = [f"    and {len(entries) - _LISTED} more"] if len(entries) > _LISTED else []
    return [f"  {what} ({len(entries)}):", *(f"    {entry}" for entry in entries[:_LISTED]), *more] if entries else []
