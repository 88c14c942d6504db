"""The images of a prediction and the files that it makes of them."""

import csv
import dataclasses
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.files.atomic_write import write_atomically
from kerasmith.recipes.images.decoding import decode, with_ids
from kerasmith.recipes.images.image_file import ImageFile, image_size, write_image, write_mask
from kerasmith.recipes.images.image_paths import list_images, stem_of, suffix_of
from kerasmith.recipes.images.mask_picture import mask_picture
from kerasmith.recipes.images.object_rows import columns, object_rows
from kerasmith.recipes.prediction_record import Entry, PredictionRecord, same_names
from kerasmith.recipes.trained_run import TrainedRun

_LISTED = 8
# The kind of an image's file -> that of its mask, that of its probabilities.
_KINDS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg"), (".png", ".tif")),
    **dict.fromkeys((".tif", ".tiff"), (".tif", ".tif")),
    **dict.fromkeys((".npy", ".npz"), (".npy", ".npy")),
    **dict.fromkeys((".nii", ".nii.gz"), (".nii.gz", ".nii.gz")),
}


@dataclasses.dataclass(frozen=True)
class Job:
    """An image that is not complete."""

    entry: Entry
    path: Path
    size: tuple[int, ...]
    missing: list[str]


def listed_images(
    images: Any, trained: TrainedRun, out: Any, settings: dict[str, Any], probabilities: bool
) -> tuple[list[tuple[Entry, Path]], dict[Path, tuple[int, ...]], list[str]]:
    """[(entry, path)] of all images that can be predicted, the size of each, and what is wrong with the others.

    Raises:
        ValueError: where there is no image, none that can be predicted as far as headers say, or two have one name.
    """
    patterns = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    if not patterns:
        raise ValueError("There are no images: expected a file, a folder or a pattern")
    paths = list(dict.fromkeys(path for one in patterns for path in list_images(one)))
    directory = Path(out).expanduser()
    # Where predictions lie beside their images, they are no images.
    own = {(directory / name).resolve() for name in PredictionRecord(directory).files()}
    paths = [path for path in paths if path.resolve() not in own]
    if not paths:
        raise ValueError(f"There is no image in {', '.join(map(str, patterns))} that is no prediction itself")
    sizes, problems = {}, []
    for path in paths:
        try:
            sizes[path] = image_size(path, dimensions=trained.dimensions)
        except ValueError as error:
            problems.append(str(error))
            continue
        if len(sizes[path]) != trained.dimensions:
            kinds = {2: "2-D images", 3: "volumes"}
            size = sizes.pop(path)
            problems.append(
                f"{path} has the size {' x '.join(map(str, size))}, and {trained.directory} was trained on "
                f"{kinds[trained.dimensions]}"
            )
    if len(problems) == len(paths):
        raise ValueError(f"{len(problems)} of {len(paths)} images cannot be predicted:\n{lines_of(problems)}")
    if same := same_names((stem_of(path), path) for path in paths):
        raise ValueError(
            f"The predictions of several images would have one name:\n{lines_of(same)}\nPredict them into several directories"
        )
    return [(_entry(path, settings, probabilities), path) for path in sizes], sizes, problems


def _entry(path: Path, settings: dict[str, Any], probabilities: bool) -> Entry:
    name, (mask, values) = stem_of(path), _KINDS[suffix_of(path)]
    files = [f"{name}_mask{mask}", f"{name}_overlay.png", f"{name}_objects.csv"]
    if probabilities:
        files.append(f"{name}_probabilities{values}")
    state = path.stat()
    return Entry(name, [str(path.resolve()), state.st_size, state.st_mtime_ns], settings, files)


def write_files(
    trained: TrainedRun, record: PredictionRecord, job: Job, image: ImageFile, values: np.ndarray, threshold: float
) -> int:
    """Writes the files that are missing; returns the number of objects."""
    directory = record.path.parent
    classes = decode(values, trained.outputs, threshold)
    instances = trained.outputs == "instances"
    foreground = {"softmax": values[..., 1:], "sigmoid": values, "instances": values[..., :1]}[trained.outputs]
    rows = object_rows(classes, trained.classes, probabilities=foreground, spacing=image.spacing, instances=instances)
    for name in job.missing:
        # Replaced ones go first: what an interruption leaves is of one prediction, and the record is true.
        (directory / name).unlink(missing_ok=True)
    record.begin(job.entry)
    for name in job.missing:
        path, kind = directory / name, name[len(job.entry.name) :].partition(".")[0]
        if kind == "_mask":
            write_mask(path, classes if instances else with_ids(classes, trained.class_ids), image)
        elif kind == "_overlay":
            depth_axis = 2 if image.affine is not None else 0
            write_image(path, mask_picture(image.array, classes, depth_axis=depth_axis))
        elif kind == "_objects":
            write_atomically(path, _csv(rows, columns(trained.dimensions)))
        else:
            write_image(path, values, image)
    return len(rows)


def _csv(rows: list[dict[str, Any]], names: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: f"{value:.8g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
    )
    return text.getvalue()


def lines_of(problems: Sequence[str]) -> str:
    more = [f"  and {len(problems) - _LISTED} more"] if len(problems) > _LISTED else []
    return "\n".join([*(f"  {problem}" for problem in problems[:_LISTED]), *more])
