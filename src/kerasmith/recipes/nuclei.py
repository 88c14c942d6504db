"""`kerasmith demo nuclei`: finds cell nuclei in a fluorescence image and separates those that touch.

A small U-Net learns two maps from one image: the nuclei, and their cores, which stay apart where nuclei touch. The right part
of the image is held out: it is looked at to report, never to train, to stop or to choose a model.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from rich.console import Console

from kerasmith import callbacks
from kerasmith.data import Augmentation, RandomTiles, wheel_file
from kerasmith.losses import DiceCE, FocalTversky
from kerasmith.metrics import DiceScore, LesionDetection
from kerasmith.recipes import nuclei_image, nuclei_report
from kerasmith.recipes.demo_run import DemoRun, epochs_or
from kerasmith.recipes.instances import MIN_CORE, cores_of, split_instances
from kerasmith.recipes.orientations import predict_oriented
from kerasmith.recipes.unet import unet
from kerasmith.schedules import CosineRestarts

BASELINE = {"dice": 0.949, "object_f1": 0.83}
"""A plain U-Net (276k weights, 12 epochs of 40 steps of 8 tiles) whose connected components are the objects."""

EPOCHS, STEPS, BATCH, TILE = 12, 40, 6, 128
WIDTHS = (16, 32, 64, 96)
AUGMENTATION = Augmentation(scale=0.25, stretch=0.15, contrast=0.3, brightness=0.15, noise=0.4)


def run(
    *,
    out: str | os.PathLike[str],
    epochs: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
    console: Console | None = None,
) -> dict[str, Any]:
    """Trains, evaluates and writes the run directory; goes on where an interrupted run in `out` stopped.

    Args:
        out: the run directory.
        epochs: `EPOCHS` by default.
        seed: of weights and tiles; the same seed gives the same run on one machine and backend.
        overwrite: replace an earlier run in `out`.
        console: a `rich.console.Console`.

    Returns:
        What the demo adds to `summary.json`: dice, object_f1, object_precision, object_recall, objects, baseline,
        mask_threshold, parameters, seconds.

    Raises:
        data.MissingDataPackage: without the demo extra; nothing is written.
        ValueError: when `out` cannot be written, or holds a complete run, or an interrupted one with other settings, and
            `overwrite` is False; before training.
    """
    epochs = epochs_or(epochs, EPOCHS)
    train, held_out = nuclei_image.split(*nuclei_image.load())
    wheel_file("skimage", "__init__.py")  # for the watershed after training
    config = configuration(epochs=epochs, seed=seed)
    this = DemoRun(out, recipe="nuclei", title="Cell nuclei", config=config, overwrite=overwrite, console=console)
    model = fit(train, held_out, epochs=epochs, seed=seed, watchers=this.watchers())

    summary, objects, mask, probability = judged(model, train, held_out)
    nuclei_report.add_sections(this.report, held_out, objects, mask, BASELINE)
    cases = nuclei_report.case_scores(held_out, objects, mask)
    this.report.add_cases(cases)
    this.report.add_case_pictures(nuclei_report.pictures(held_out, objects, probability, cases))
    return this.finish(
        nuclei_report.beside(summary, BASELINE),
        title="held-out part of the image",
        simple=nuclei_report.SIMPLE,
        **summary,
        baseline=BASELINE,
        parameters=model.count_params(),
    )


def judged(
    model: keras.Model, train: nuclei_image.ImageSplit, held_out: nuclei_image.ImageSplit
) -> tuple[dict[str, Any], np.ndarray, np.ndarray, np.ndarray]:
    """(figures, objects, mask, probability) of the held-out part, with the threshold that is best on the training part."""
    threshold = best_threshold(predict(model, train.image)["mask"], train.mask)
    predicted = predict(model, held_out.image)
    mask = predicted["mask"] > threshold
    objects = split_instances(mask, predicted["cores"])
    figures = {**nuclei_report.figures(held_out, objects, mask), "mask_threshold": threshold}
    return figures, objects, mask, predicted["mask"]


def computed(model: keras.Model, summary: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(figures of `summary.json`, rows of `cases.csv`) of a trained model, anew."""
    train, held_out = nuclei_image.split(*nuclei_image.load())
    figures, objects, mask, _ = judged(model, train, held_out)
    figures["parameters"] = model.count_params()
    return figures, nuclei_report.case_scores(held_out, objects, mask)


def configuration(*, epochs: int, seed: int) -> dict[str, Any]:
    """What the run was made with, for the report."""
    return {
        "epochs": epochs,
        "seed": seed,
        "steps per epoch": STEPS,
        "tiles per step": BATCH,
        "tile": f"{TILE} x {TILE} pixels",
        "U-Net widths": ", ".join(map(str, WIDTHS)),
        "augmentation": str(AUGMENTATION),
        "training part": f"columns 0 to {nuclei_image.BORDER - 1}",
        "held-out part": f"columns {nuclei_image.BORDER} to 511",
        "data": "img2d.tif and mask2d.tif of the stardist package",
    }


def fit(
    train: nuclei_image.ImageSplit,
    held_out: nuclei_image.ImageSplit,
    *,
    epochs: int,
    seed: int,
    watchers: Iterable[keras.callbacks.Callback] = (),
) -> keras.Model:
    """The trained model. `held_out` is evaluated after each epoch and influences nothing."""
    keras.utils.set_random_seed(seed)
    tiles = RandomTiles(
        train.image,
        {"mask": train.mask, "cores": cores_of(train.labels)},
        size=TILE,
        batch_size=BATCH,
        steps=STEPS,
        seed=seed,
        augmentation=AUGMENTATION,
    )
    validation = (
        nuclei_image.tiles(held_out.image),
        {"mask": nuclei_image.tiles(held_out.mask), "cores": nuclei_image.tiles(cores_of(held_out.labels))},
    )
    model = unet(WIDTHS, ["mask", "cores"])
    model.compile(
        keras.optimizers.Adam(),
        # False positives of the cores weigh more: a bridge between two cores merges two nuclei.
        loss={"mask": DiceCE(from_logits=True), "cores": FocalTversky(alpha=0.7, beta=0.3, from_logits=True)},
        metrics={
            "mask": [DiceScore(from_logits=True)],
            "cores": [LesionDetection(from_logits=True, connectivity=4, min_size=MIN_CORE, name="objects")],
        },
    )
    # Two cycles, the second twice as long, end with the last step.
    schedule = CosineRestarts(T_0=epochs / 3, T_mult=2, eta_max=3e-3, eta_min=1e-5, steps_per_epoch=STEPS)
    model.fit(
        tiles,
        epochs=epochs,
        shuffle=False,
        validation_data=validation,
        verbose=0,
        callbacks=[callbacks.ScheduleLR(schedule), callbacks.LossTerms(), *watchers],
    )
    return model


def predict(model: keras.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """{"mask", "cores"}: (H, W) probabilities; H and W are multiples of 8."""
    logits = predict_oriented(lambda x: model.predict(x, verbose=0), image)
    return {name: 1 / (1 + np.exp(-values)) for name, values in logits.items()}


def best_threshold(
    probabilities: np.ndarray,
    truth: np.ndarray,
    candidates: Sequence[float] = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7),
) -> float:
    """The candidate whose mask has the largest Dice.

    Training sees noisier, stretched tiles; on the plain image the outlines come out a little wide or narrow. Asked of the
    training part, this takes most of that back and learns nothing from the held-out part.
    """
    return max(candidates, key=lambda threshold: nuclei_report.dice(truth, probabilities > threshold))
