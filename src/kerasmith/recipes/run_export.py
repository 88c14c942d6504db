"""`kerasmith export RUN`: the model of a run, as a file that runs where neither kerasmith nor Keras is installed."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from rich.console import Console

from kerasmith.files.plain_data import json_text
from kerasmith.files.writable_directory import writable_directory
from kerasmith.recipes.images.normalization import Normalization
from kerasmith.recipes.trained_run import TrainedRun
from kerasmith.recipes.unfinished_run import show

STATEMENT, SCRIPT = "export.json", "run_exported.py"
FORMATS = {
    "tensorflow": ("tf_saved_model", "saved_model"),
    "jax": ("tf_saved_model", "saved_model"),
    "torch": ("torch", "model.pt2"),
}
"""Of each backend: what Keras calls the format, and the name of the file or folder."""
TOLERANCE = 1e-3
"""How far the probabilities of the file may be from those of the run."""

_SCRIPT = '''\
"""Runs the exported model: `python run_exported.py image.npy probabilities.npy`. Needs NumPy and {needs}; see export.json."""

import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
image = np.load(sys.argv[1]).astype("float32")[None]
{run}
np.save(sys.argv[2], np.asarray(result)[0])
'''
_RUN = {
    # The model has a name of its own: its variables live as long as it does.
    "tf_saved_model": (
        "tensorflow",
        "import tensorflow\n\nmodel = tensorflow.saved_model.load(str(HERE / 'saved_model'))\nresult = model.serve(image)",
    ),
    "torch": (
        "torch",
        "import torch\n\nmodel = torch.export.load(HERE / 'model.pt2').module()\n"
        "with torch.no_grad():\n    result = model(torch.from_numpy(image)).numpy()",
    ),
}


def export(
    run: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
    console: Console | None = None,
) -> dict[str, Any]:
    """Writes the model of a run for use without kerasmith, and runs it once so (since 0.2).

    The directory gets, by the backend of this process,

    * TensorFlow: `saved_model/`, for images of any size that is a multiple of the model's divisor and any batch;
    * JAX, with TensorFlow installed: `saved_model/`, for images of the size that the model was trained on;
    * PyTorch: `model.pt2`, a `torch.export` program, for one image at a time of that size;

    `export.json`, which says what goes in and what comes out, and `run_exported.py`, which runs the file with NumPy and the
    backend alone. Normalisation and the last sigmoid or softmax are inside: intensities as stored go in, probabilities come
    out. A process in which kerasmith cannot be imported runs the script on noise, and the result has to be that of the run.

    Args:
        run: the directory that `kerasmith train` wrote.
        path: the directory to write; `export` in that of the run by default.
        overwrite: replace an earlier export.
        console: a `rich.console.Console`.

    Returns:
        What `export.json` holds: path, format, file, backend, input, output, classes, class_ids, threshold, normalization,
        spacing, largest_difference, ...

    Raises:
        ValueError: where `run` is no finished run, `path` is taken, or the file does not give what the run gives.
        ImportError: where the format needs a package that is not installed.
    """
    console = console or Console()
    trained = TrainedRun.read(run)
    target = Path(path).expanduser() if path is not None else trained.directory / "export"
    _check_target(target, overwrite)
    backend = keras.config.backend()
    format_name, file = FORMATS[backend]
    _check_packages(backend, format_name)
    model = with_probabilities(trained, trained.model(), fixed=backend != "tensorflow")
    parent = writable_directory(target.parent)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=parent) as scratch:
        draft = Path(scratch) / target.name
        draft.mkdir()
        show(console, f"exporting for {_RUN[format_name][0]} ...")
        _export(model, draft / file, format_name, trained)
        needs, code = _RUN[format_name]
        (draft / SCRIPT).write_text(_SCRIPT.format(needs=needs, run=code), encoding="utf-8")
        difference = _difference(draft, model, trained)
        statement = _statement(trained, model, format_name, file, backend, difference)
        (draft / STATEMENT).write_text(json_text(statement), encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        os.replace(draft, target)
    show(console, f"wrote {target}: {file}, {STATEMENT}, {SCRIPT}")
    show(console, f"ran without kerasmith; largest difference {difference:.1e}")
    return {"path": str(target), **statement}


def with_probabilities(trained: TrainedRun, model: Any, *, fixed: bool) -> keras.Model:
    """The model from intensities as stored to probabilities, both float32.

    Args:
        trained: the run.
        model: its model.
        fixed: for images of the size of the window only.
    """
    window = trained.fixed_window(model)
    sizes = window if fixed else tuple(model.inputs[0].shape[1:-1])
    images = keras.Input((*sizes, trained.channels), dtype="float32", name="image")
    logits = trained.joined(model(normalized(images, trained.normalization)), ops.concatenate)
    logits = ops.cast(logits, "float32")
    if logits.shape[-1] != len(trained.output_channels):
        raise ValueError(
            f"The model in {trained.directory} gives {logits.shape[-1]} channels, its plan.json names "
            f"{len(trained.output_channels)}: {', '.join(trained.output_channels)}. One of the two was replaced"
        )
    result = ops.softmax(logits, axis=-1) if trained.outputs == "softmax" else ops.sigmoid(logits)
    return keras.Model(images, result, name="exported")


def normalized(images: Any, normalization: Normalization) -> Any:
    """The normalisation in operations of Keras.

    Raises:
        ValueError: for percentiles and ranges of each image, which a graph cannot take from a window.
    """
    first, second = (
        (normalization.mean, normalization.std) if normalization.kind == "zscore" else (normalization.low, normalization.high)
    )
    if normalization.kind == "none":
        return images
    if first is None:
        raise ValueError(
            f"The images of this run are normalised by their own {normalization.kind}, which depends on the whole image: it "
            "cannot be part of a file for windows. Train with a normalisation that is fitted to the data set"
        )
    first, second = np.array(first, "float32"), np.array(second, "float32")
    if normalization.kind == "percentile":
        images = ops.minimum(ops.maximum(images, first), second)
    scale = second if normalization.kind == "zscore" else second - first
    return ops.divide(ops.subtract(images, first), np.where(scale > 0, scale, 1).astype("float32"))


def _export(model: keras.Model, file: Path, format_name: str, trained: TrainedRun) -> None:
    try:
        model.export(str(file), format=format_name, verbose=False)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"The model of {trained.directory} cannot be exported by {keras.config.backend()}: {reason}. Another backend may: "
            "`kerasmith export RUN --backend tensorflow`"
        ) from error


def _difference(draft: Path, model: keras.Model, trained: TrainedRun) -> float:
    """How far the file, run where kerasmith cannot be imported, is from the model."""
    shape = tuple(int(own or planned) for own, planned in zip(model.inputs[0].shape[1:-1], trained.window))
    image = _noise((*shape, trained.channels), trained.normalization)
    with tempfile.TemporaryDirectory() as scratch:
        given, result = Path(scratch) / "image.npy", Path(scratch) / "result.npy"
        np.save(given, image)
        code = "import runpy, sys; sys.modules['kerasmith'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0])"
        # The process runs elsewhere, where a relative path would mean another file.
        command = [sys.executable, "-c", code, str((draft / SCRIPT).resolve()), str(given), str(result)]
        process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
        if process.returncode:
            reason = process.stderr.strip().splitlines()[-1:] or [f"status {process.returncode}"]
            raise ValueError(f"The exported file does not run without kerasmith: {reason[0]}")
        values = np.load(result)
    expected = ops.convert_to_numpy(model(image[None], training=False))[0]
    difference = float(np.abs(values - expected).max()) if values.shape == expected.shape else float("inf")
    if not difference <= TOLERANCE:
        raise ValueError(f"The exported file gives other numbers than the run, by up to {difference:.3g} in probability")
    return difference


def _noise(shape: tuple[int, ...], normalization: Normalization) -> np.ndarray:
    """An image in the range of the data set."""
    noise = np.random.default_rng(0).random(shape)
    if normalization.kind == "none":
        return noise.astype("float32")
    if normalization.kind == "zscore":
        return ((noise - 0.5) * 4 * np.array(normalization.std) + np.array(normalization.mean)).astype("float32")
    low, high = np.array(normalization.low), np.array(normalization.high)
    return (low + noise * (high - low)).astype("float32")


def _statement(
    trained: TrainedRun, model: keras.Model, format_name: str, file: str, backend: str, difference: float
) -> dict[str, Any]:
    one_at_a_time = format_name == "torch"
    sizes = [size or "any" for size in model.inputs[0].shape[1:-1]]
    masks = {
        "softmax": "the class of a pixel is the channel with the largest probability",
        "sigmoid": "a pixel is foreground where the probability is above the threshold",
        "instances": "objects are grown from connected cores inside of the mask (kerasmith.recipes.instances.split_instances)",
    }
    return {
        "format": format_name,
        "file": file,
        "backend": backend,
        "keras": keras.__version__,
        "input": {
            "shape": [1 if one_at_a_time else "any", *sizes, trained.channels],
            "dtype": "float32",
            "values": "intensities as stored in the files; the normalisation is inside",
            "multiple_of": trained.axis_divisor,
        },
        "output": {
            "shape": [1 if one_at_a_time else "any", *sizes, len(trained.output_channels)],
            "dtype": "float32",
            "values": "probabilities",
            "channels": list(trained.output_channels),
            "masks": masks[trained.outputs],
        },
        "classes": list(trained.classes),
        "class_ids": list(trained.class_ids),
        "threshold": trained.threshold,
        "normalization": trained.normalization.to_dict(),
        "spacing": trained.spacing,
        "window": list(trained.window),
        "largest_difference": difference,
    }


def _check_target(target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if target.is_dir() and not any(target.iterdir()):
        return
    if not (target / STATEMENT).is_file():
        raise ValueError(f"{target} is there and is no export of kerasmith. Give another directory with `--out`")
    if not overwrite:
        raise ValueError(f"{target} holds an export. Give another directory with `--out`, or `--overwrite` to replace it")


def _check_packages(backend: str, format_name: str) -> None:
    import importlib.util

    if format_name == "tf_saved_model" and importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            f"On {backend} the model is exported as a SavedModel of TensorFlow, which is not installed. "
            "Write: pip install tensorflow, or `kerasmith export RUN --backend torch`"
        )
