"""`kerasmith predict RUN IMAGES --out DIR`: masks, probabilities, overlays and tables of objects of image files."""

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console

from kerasmith.files.writable_directory import writable_directory
from kerasmith.recipes.images.channels import with_channels
from kerasmith.recipes.images.image_file import ImageFile, read_image
from kerasmith.recipes.images.resampling import resample, resampled_size
from kerasmith.recipes.images.sliding_window import predict_windows
from kerasmith.recipes.prediction_files import Job, lines_of, listed_images, write_files
from kerasmith.recipes.prediction_progress import PredictionProgress
from kerasmith.recipes.prediction_record import PredictionRecord
from kerasmith.recipes.trained_run import TrainedRun
from kerasmith.recipes.unfinished_run import show


def predict(
    run: str | os.PathLike[str],
    images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    flips: bool = False,
    overlap: float = 0.5,
    threshold: float | None = None,
    batch_size: int | None = None,
    probabilities: bool = True,
    overwrite: bool = False,
    console: Console | None = None,
) -> dict[str, Any]:
    """Predicts image files with the model of `kerasmith train` (since 0.2).

    For an image `a.png` the directory gets `a_mask.png` (the id of its class for each pixel, or of its object),
    `a_overlay.png` (a picture of it, of a volume the slice with the most foreground), `a_objects.csv` (one row an object) and
    `a_probabilities.tif` (float32, one channel a class). TIFF, NumPy and NIfTI images get masks and probabilities of their
    kind, with their size, spacing and place. Large images are predicted in windows that overlap; an image whose spacing is
    known is brought to that of the training and back.

    What is complete is skipped, what was interrupted goes on, and no file is replaced unless `overwrite` says so.

    Args:
        run: the directory that `kerasmith train` wrote.
        images: a file, a folder, a pattern such as `"scans/*.nii.gz"`, or several of them.
        out: where to write.
        flips: the mean over mirrored copies of each window: 4 times the work in 2-D, 8 times in 3-D.
        overlap: of windows, in [0, 1).
        threshold: of foreground probabilities; by default what the training found. Not for several classes, of which the
            likeliest is taken.
        batch_size: windows at a time; 4 in 2-D and 1 in 3-D by default.
        probabilities: whether to write them.
        overwrite: replace the files of these images that are in `out`.
        console: a `rich.console.Console`.

    Returns:
        Dict with the keys out, images, predicted, skipped, objects (of the predicted images), files ({image: its files}) and
        seconds.

    Raises:
        ValueError: where `run` is no finished run; images are missing, unreadable, of another kind than the training had, or
            have one name; `out` has files of somebody else, or it is full. The message names the files. Images that fail do
            not stop the others: they are named at the end.
        data.MissingDataPackage: without the `train` extra, for the formats that need it.

    Example:

        from kerasmith.recipes import predict

        predict("runs/cells", "new_images", out="predictions", flips=True)
    """
    start = time.perf_counter()
    console = console or Console()
    trained = TrainedRun.read(run)
    threshold = _checked_threshold(trained, threshold)
    if not 0 <= overlap < 1:
        raise ValueError(f"`overlap` must be in [0, 1), the share of a window. Received: overlap={overlap}")
    settings = {"run": trained.digest, "flips": bool(flips), "overlap": float(overlap), "threshold": threshold}
    entries, sizes, failures = listed_images(images, trained, out, settings, probabilities)
    total = len(entries) + len(failures)
    directory = writable_directory(out)
    record = PredictionRecord(directory)
    jobs = []
    for entry, path in entries:
        missing = list(entry.files) if overwrite else record.missing(entry)
        if missing:
            jobs.append(Job(entry, path, sizes[path], missing))
    if skipped := len(entries) - len(jobs):
        show(console, f"{skipped} of {total} images {'is' if skipped == 1 else 'are'} complete and skipped")
    objects, unscaled, written = 0, 0, 0
    if jobs:
        model = trained.model()
        options = {
            "window": trained.fixed_window(model),
            "overlap": overlap,
            "batch_size": batch_size or (4 if trained.dimensions == 2 else 1),
            "flips": flips,
            "divisor": trained.axis_divisor,
            # As in training: one size, for which a backend compiles once.
            "whole_window": True,
        }
        predict_fn = trained.predictor(model)
        with PredictionProgress(console, [int(np.prod(job.size)) for job in jobs]) as progress:
            for job in jobs:
                try:
                    image = with_channels(read_image(job.path, dimensions=trained.dimensions), trained.channels)
                except ValueError as error:
                    failures.append(str(error))
                    progress.image(job.path, None)
                    continue
                tell = lambda done, total, path=job.path: progress.windows(path, done, total)  # noqa: E731
                values = _probabilities(trained, predict_fn, image, on_window=tell, **options)
                try:
                    count = write_files(trained, record, job, image, values, threshold)
                except OSError as error:
                    complete = skipped + written
                    raise ValueError(
                        f"Cannot write into {directory}: {error.strerror or error}. {complete} of {total} images are "
                        f"complete; when it can be written, the same command goes on"
                    ) from error
                objects, written = objects + count, written + 1
                unscaled += trained.spacing is not None and image.spacing is None
                progress.image(job.path, count)
    if unscaled:
        show(console, f"{unscaled} images have no spacing: predicted as if theirs was {trained.spacing}, that of the training")
    if failures:
        raise ValueError(
            f"{len(failures)} of {total} images could not be predicted, the others are complete in {directory}:\n"
            + lines_of(failures)
        )
    show(console, f"wrote {len(jobs)} images, {objects} objects: {directory}")
    return {
        "out": str(directory),
        "images": len(entries),
        "predicted": len(jobs),
        "skipped": skipped,
        "objects": objects,
        "files": {str(path): [str(directory / name) for name in entry.files] for entry, path in entries},
        "seconds": round(time.perf_counter() - start, 1),
    }


def _checked_threshold(trained: TrainedRun, threshold: float | None) -> float:
    if threshold is None:
        return trained.threshold
    if trained.outputs == "softmax":
        raise ValueError(
            f"{trained.directory} knows {len(trained.classes)} classes, of which the likeliest is taken: no threshold"
        )
    if not 0 < threshold < 1:
        raise ValueError(f"`threshold` must be in (0, 1), a probability. Received: threshold={threshold}")
    return float(threshold)


def _probabilities(trained: TrainedRun, predict_fn: Any, image: ImageFile, **options: Any) -> np.ndarray:
    """(*size of the file, K)."""
    array, size = trained.normalization(image.array), image.size
    if trained.spacing is None or image.spacing is None:
        return predict_windows(predict_fn, array, **options)
    new = resampled_size(size, image.spacing, trained.spacing)
    return resample(predict_windows(predict_fn, resample(array, new), **options), size)
