"""`kerasmith demo brain`: grey and white matter of the average brain of 152 people, in a slab that training never saw.

A small U-Net sees each slice with its two neighbours (2.5-D), with the shading and the noise of a scanner. A slab of 20 slices
is held out; its tissues are compared in 3-D, by Dice and by the distance between surfaces.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from rich.console import Console

from kerasmith import callbacks, report
from kerasmith.data import WeightedBatches
from kerasmith.losses import DiceCE
from kerasmith.metrics import DiceScore, SurfaceDistance
from kerasmith.recipes import brain_data
from kerasmith.recipes.brain_data import TISSUES, Slices
from kerasmith.recipes.brain_thresholds import WINDOWS, best_thresholds, evened, segment
from kerasmith.recipes.demo_run import DemoRun, epochs_or
from kerasmith.recipes.figures import Figure, page_table
from kerasmith.recipes.unet import unet
from kerasmith.report.segmentation_panels import segmentation_panels
from kerasmith.schedules import OneCycle

SIMPLE = "thresholds of brightness"
EPOCHS, REPEATS, BATCH = 10, 5, 8
WIDTHS = (16, 32, 64)
MILLIMETRES = 2.0
SCAN = 152
"""The seed of the field and the noise of the held-out slab; the same one for each seed of the run."""


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
        out, seed, overwrite, console: see `recipes.nuclei.run`.
        epochs: `EPOCHS` by default.

    Returns:
        What the demo adds to `summary.json`: {tissue: dice, hd95, assd} of the network and of the simple method, the same of
        the clean slab, parameters, seconds.

    Raises:
        data.MissingDataPackage: without the demo extra; nothing is written.
        ValueError: see `recipes.nuclei.run`.
    """
    epochs = epochs_or(epochs, EPOCHS)
    volume, shares = brain_data.load()
    train, clean = brain_data.split(volume, shares)
    scan = brain_data.scanned(volume, np.random.default_rng(SCAN))
    _, held_out = brain_data.split(scan, shares)
    config = configuration(epochs=epochs, seed=seed, train=train, held_out=held_out)
    this = DemoRun(out, recipe="brain", title="Tissues of the brain", config=config, overwrite=overwrite, console=console)
    model = fit(train, held_out, epochs=epochs, seed=seed, watchers=this.watchers())

    others = [brain_data.scanned(volume, np.random.default_rng(SCAN + 1 + i)) for i in range(3)]
    reached, simple, methods, masks = [], [], [], []
    for slab, seen, training in ((held_out, scan, others), (clean, volume, [volume])):
        masks.append(masks_of(model, slab))
        reached.append(agreement(slab, masks[-1]))
        methods.append(best_method(training, shares))
        simple.append(agreement(slab, applied(methods[-1], seen, shares)))
    figures = [
        Figure(f"{name} of {tissue} matter{where}", reached[i][tissue][key], simple[i][tissue][key], key != "dice")
        for i, where, key, name in (
            (0, "", "dice", "Dice"),
            (0, "", "assd", "mean surface distance, mm,"),
            (0, "", "hd95", "its 95th percentile"),
            (1, ", clean slab", "dice", "Dice"),
        )
        for tissue in TISSUES
    ]
    add_sections(this.report, held_out, predicted(model, held_out), figures)
    return this.finish(
        figures,
        title=f"a scan of {len(held_out)} slices that training never saw",
        simple=SIMPLE,
        **reached[0],
        to_beat=simple[0],
        clean={"reached": reached[1], "to_beat": simple[1]},
        simple_method=dict(zip(("scan", "clean"), methods, strict=True)),
        parameters=model.count_params(),
    )


def computed(model: keras.Model, summary: dict[str, Any]) -> tuple[dict[str, Any], None]:
    """(figures of `summary.json`, None) of a trained model, anew."""
    volume, shares = brain_data.load()
    _, clean = brain_data.split(volume, shares)
    _, held_out = brain_data.split(brain_data.scanned(volume, np.random.default_rng(SCAN)), shares)
    reached, of_clean = (agreement(slab, masks_of(model, slab)) for slab in (held_out, clean))
    return {**reached, "clean": {"reached": of_clean}, "parameters": model.count_params()}, None


def masks_of(model: keras.Model, slices: Slices) -> dict[str, np.ndarray]:
    """{tissue: (N, H, W) booleans} of whole slices."""
    return {tissue: logits[..., 0] > 0 for tissue, logits in predicted(model, slices).items()}


def configuration(*, epochs: int, seed: int, train: Slices, held_out: Slices) -> dict[str, Any]:
    """What the run was made with, for the report."""
    return {
        "epochs": epochs,
        "seed": seed,
        "tiles per step": BATCH,
        "tiles per epoch": REPEATS * len(train),
        "U-Net widths": ", ".join(map(str, WIDTHS)),
        "tile": f"{brain_data.TILE} x {brain_data.TILE} pixels",
        "training part": f"{len(train)} slices from back to front, of {MILLIMETRES:g} mm",
        "scanner": f"field of {1 - brain_data.FIELD:g} to {1 + brain_data.FIELD:g}, noise of {brain_data.NOISE:g}",
        "held-out part": f"{len(held_out)} slices; those beside them are in neither part",
        "data": "template ICBM152 2009a in the nilearn package",
    }


def fit(
    train: Slices, held_out: Slices, *, epochs: int, seed: int, watchers: Iterable[keras.callbacks.Callback] = ()
) -> keras.Model:
    """The trained model: sees tiles of the slices, scanned anew each time. `held_out` is evaluated and influences nothing."""
    keras.utils.set_random_seed(seed)
    batches = WeightedBatches(
        train.images,
        train.masks,
        BATCH,
        seed=seed,
        samples_per_epoch=REPEATS * len(train),
        drop_remainder=True,
        transform=brain_data.augmented,
    )
    model = unet(WIDTHS, list(TISSUES), channels=3)
    model.compile(
        keras.optimizers.Adam(),
        loss={tissue: DiceCE(from_logits=True, scope="batch") for tissue in TISSUES},  # some tiles have no brain
        metrics={tissue: [DiceScore(from_logits=True)] for tissue in TISSUES},
    )
    schedule = OneCycle(length=epochs, eta_max=4e-3, steps_per_epoch=len(batches))
    model.fit(
        batches,
        epochs=epochs,
        validation_data=(held_out.images, held_out.masks),
        validation_batch_size=4,
        verbose=0,
        callbacks=[callbacks.ScheduleLR(schedule), *watchers],
    )
    return model


def predicted(model: keras.Model, slices: Slices) -> dict[str, np.ndarray]:
    """{tissue: (N, H, W, 1) logits} of whole slices."""
    return model.predict(slices.images, batch_size=4, verbose=0)


def best_method(volumes: Sequence[np.ndarray], shares: dict[str, np.ndarray]) -> dict[str, Any]:
    """{"window", "thresholds"}: how to segment by brightness with the largest Dice scores in the training part of volumes."""

    def fitted(window):
        parts = [brain_data.split(evened(volume, window), shares)[0] for volume in volumes]
        brightness = np.concatenate([part.images[..., 1] for part in parts])
        truth = {tissue: np.concatenate([part.masks[tissue][..., 0] for part in parts]) > 0.5 for tissue in TISSUES}
        thresholds = best_thresholds(brightness, *truth.values())
        masks = segment(brightness, thresholds)
        scores = [2 * (masks[name] & mask).sum() / (masks[name].sum() + mask.sum()) for name, mask in truth.items()]
        return sum(scores), {"window": window, "thresholds": list(thresholds)}

    return max((fitted(window) for window in WINDOWS), key=lambda result: result[0])[1]


def applied(method: dict[str, Any], volume: np.ndarray, shares: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """{tissue: (N, H, W) booleans} of the held-out slab of a volume, by brightness."""
    _, slab = brain_data.split(evened(volume, method["window"]), shares)
    return segment(slab.images[..., 1], method["thresholds"])


def agreement(truth: Slices, masks: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """{tissue: {"dice", "assd", "hd95"}} of the slab as one volume, distances in millimetres.

    Args:
        truth: the slices.
        masks: {tissue: (N, H, W) booleans}.
    """
    scores = {}
    for tissue in TISSUES:
        dice = DiceScore()
        surface = SurfaceDistance(spacing=(MILLIMETRES,) * 3, definitions=("hd95", "assd"), name="surface")
        for metric in (dice, surface):
            metric.update_state(truth.masks[tissue][None], masks[tissue][None, ..., None].astype("float32"))
        distances = {name.removeprefix("surface_"): float(value) for name, value in surface.result().items()}
        scores[tissue] = {"dice": float(dice.result()), "assd": distances["assd"], "hd95": distances["hd95"]}
    return scores


def add_sections(
    run_report: callbacks.RunReport, held_out: Slices, logits: dict[str, np.ndarray], figures: list[Figure]
) -> None:
    """Adds the figures and some slices with both tissues to the report."""
    about = report.Markup(
        "<p>The volume is the average of 152 people. Its tissues are those of the template: voxels of which more than half is "
        "grey or white matter. Left and right are mirror images there, so the slab is held out from front to back. An average "
        "has neither noise nor the shading of a scanner, and there brightness alone nearly tells the tissues apart (last rows "
        f"of the table). So both are added: a smooth field of {1 - brain_data.FIELD:g} to {1 + brain_data.FIELD:g} and Rician "
        f"noise of {brain_data.NOISE:g} of the brightest voxel, anew for each tile of the training and once for the slab. "
        "The simple method divides the brightness by its mean around and calls a voxel grey or white by two thresholds. The "
        "width of the window, if any, and the thresholds are the best ones for three such scans of the training part, or for "
        "its clean slices.</p>"
    )
    caption = "Of the slab as one volume. Surface distances are in millimetres; a voxel is 2 mm wide."
    run_report.add_section("Held-out slab", about + page_table(figures, simple=SIMPLE, caption=caption))
    run_report.add_case_pictures(pictures(held_out, logits))


def pictures(held_out: Slices, logits: dict[str, np.ndarray]) -> list[report.CasePicture]:
    """Four slices, each with both tissues: as scanned, the probability, truth and prediction."""
    displayed = []
    for i in np.linspace(0, len(held_out) - 1, 4).round().astype(int):
        for tissue in TISSUES:
            probability = 1 / (1 + np.exp(-np.asarray(logits[tissue][i, ..., 0], "float64")))
            truth, mask = held_out.masks[tissue][i, ..., 0] > 0.5, probability > 0.5
            panels = segmentation_panels(held_out.images[i, ..., 1:2], truth, mask, probability, scale=4)
            dice = 2 * (truth & mask).sum() / max(truth.sum() + mask.sum(), 1)
            displayed.append(report.CasePicture(f"slice {i + 1} of the slab, {tissue} matter", panels, {"dice": float(dice)}))
    return displayed
