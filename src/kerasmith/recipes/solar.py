"""`kerasmith demo solar`: which solar cells are defective, and how far its probabilities can be believed.

Experts gave each cell a probability. A small network learns these soft labels, clear cells weighing more than doubtful ones,
and is calibrated on modules that it was not trained on. What is held out are whole modules too.
"""

import hashlib
import os
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import layers
from rich.console import Console

from kerasmith import callbacks, report
from kerasmith.data import WeightedBatches, wheel_file
from kerasmith.losses import CrossEntropy, ExposureWeighted
from kerasmith.metrics import AUC, Brier, CalibrationError
from kerasmith.recipes import solar_data, solar_ridge
from kerasmith.recipes.auc_interval import auc_with_interval
from kerasmith.recipes.demo_run import DemoRun, epochs_or
from kerasmith.recipes.figures import Figure, page_table
from kerasmith.recipes.platt import fit_platt, scaled
from kerasmith.recipes.solar_data import Cells
from kerasmith.schedules import OneCycle

SIMPLE = "ridge regression"
EPOCHS, BATCH = 16, 20
WIDTHS = (16, 32, 48, 64)


def run(
    *,
    out: str | os.PathLike[str],
    epochs: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
    console: Console | None = None,
) -> dict[str, Any]:
    """Trains, calibrates, evaluates and writes the run directory; goes on where an interrupted run in `out` stopped.

    Args:
        out, seed, overwrite, console: see `recipes.nuclei.run`.
        epochs: `EPOCHS` by default.

    Returns:
        What the demo adds to `summary.json`: auc and auc_to_beat with their intervals, calibration error and Brier score
        before and after calibration, parameters, seconds.

    Raises:
        data.MissingDataPackage: without the extras demo and solar; nothing is written.
        ValueError: see `recipes.nuclei.run`.
    """
    epochs = epochs_or(epochs, EPOCHS)
    wheel_file("skimage", "__init__.py")  # for the simple method after training
    train, calibration, held_out = solar_data.parts(solar_data.load())
    config = configuration(epochs=epochs, seed=seed)
    this = DemoRun(out, recipe="solar", title="Solar cells", config=config, overwrite=overwrite, console=console)
    model = fit(train, calibration, epochs=epochs, seed=seed, watchers=this.watchers())

    numbers, probabilities = results(model, train, calibration, held_out)
    figures = [
        Figure("AUC", numbers["auc"], numbers["auc_to_beat"]),
        Figure("its 95 % interval", f"{numbers['auc_low']:.3f} to {numbers['auc_high']:.3f}"),
        Figure(f"95 % interval of {SIMPLE}", f"{numbers['auc_to_beat_low']:.3f} to {numbers['auc_to_beat_high']:.3f}"),
        *(
            Figure(f"{name} {when} calibration", values[key])
            for key, name in (("ece", "calibration error"), ("brier", "Brier score"))
            for when, values in numbers["calibration"].items()
        ),
    ]
    add_sections(this.report, held_out, probabilities, figures)
    this.report.add_cases(case_scores(held_out, probabilities["after"]))
    return this.finish(figures, title=f"{len(held_out)} cells that training never saw", simple=SIMPLE, **numbers)


def computed(model: keras.Model, summary: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(figures of `summary.json`, rows of `cases.csv`) of a trained model, anew."""
    train, calibration, held_out = solar_data.parts(solar_data.load())
    numbers, probabilities = results(model, train, calibration, held_out)
    return numbers, case_scores(held_out, probabilities["after"])


def results(
    model: keras.Model, train: Cells, calibration: Cells, held_out: Cells
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(figures of `summary.json`, {"before", "after"}: probabilities of the cells held out) of a trained model."""
    a, b = fit_platt(logits_of(model, calibration), calibration.probability[:, 0])
    logits = logits_of(model, held_out)
    probabilities = {"before": scaled(logits, 1, 0), "after": scaled(logits, a, b)}
    features = [solar_ridge.features(cells.images) for cells in (train, held_out)]
    simple = auc_with_interval(held_out.is_defective, solar_ridge.ridge(features[0], train.probability[:, 0], features[1]))
    numbers = {
        **auc_with_interval(held_out.is_defective, logits),
        **{name.replace("auc", "auc_to_beat"): value for name, value in simple.items()},
        "calibration": {when: calibration_of(held_out, p) for when, p in probabilities.items()},
        "scaling": [a, b],
        "parameters": model.count_params(),
    }
    return numbers, probabilities


def case_scores(cells: Cells, probability: np.ndarray) -> list[dict[str, Any]]:
    """Rows of `cases.csv`: the probability of each cell, beside that of the experts."""
    return [
        {
            "case": f"cell {i}",
            "digest": hashlib.sha256(np.ascontiguousarray(cells.images[i])).hexdigest()[:16],
            "experts": float(cells.probability[i, 0]),
            "probability": float(probability[i]),
            "distance": float(abs(probability[i] - cells.probability[i, 0])),
        }
        for i in range(len(cells))
    ]


def configuration(*, epochs: int, seed: int) -> dict[str, Any]:
    """What the run was made with, for the report."""
    return {
        "epochs": epochs,
        "seed": seed,
        "cells per step": BATCH,
        "widths": ", ".join(map(str, WIDTHS)),
        "loss": "cross-entropy of soft labels, weighed by how sure the experts were",
        "held out": "2 of 8 modules, 1 of 8 to calibrate",
        "data": "elpv-dataset, CC BY-NC-SA 4.0: for no commercial purpose",
    }


def network() -> keras.Model:
    """Images (B, 100, 100, 2) to logits (B, 1)."""
    x = inputs = keras.Input((solar_data.SIDE, solar_data.SIDE, 2), name="cell")
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        # Runs are a few hundred steps long: the default momentum of .99 forgets the first weights too slowly.
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))
    # A crack is a detail, a dark module is not.
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    return keras.Model(inputs, layers.Dense(1, dtype="float32")(layers.Dropout(0.3, seed=0)(x)), name="solar")


def fit(
    train: Cells, calibration: Cells, *, epochs: int, seed: int, watchers: Iterable[keras.callbacks.Callback] = ()
) -> keras.Model:
    """The trained model. The cells to calibrate with are evaluated after each epoch and influence nothing."""
    keras.utils.set_random_seed(seed)
    batches = WeightedBatches(
        train.images,
        train.probability,
        BATCH,
        seed=seed,
        sample_weight=train.exposure,
        drop_remainder=True,
        transform=solar_data.flipped,
    )
    model = network()
    model.compile(
        keras.optimizers.AdamW(weight_decay=0.02),
        loss=ExposureWeighted(CrossEntropy(from_logits=True), exposure="sample_weight", reduction="mean_with_sample_weight"),
        metrics=[AUC(bins=512, from_logits=True), Brier(from_logits=True)],
    )
    schedule = OneCycle(length=epochs, eta_max=4e-3, steps_per_epoch=len(batches))
    model.fit(
        batches,
        epochs=epochs,
        validation_data=(calibration.images, calibration.probability, calibration.exposure),
        validation_batch_size=164,
        verbose=0,
        callbacks=[callbacks.ScheduleLR(schedule), *watchers],
    )
    return model


def logits_of(model: keras.Model, cells: Cells) -> np.ndarray:
    """(N,) mean logits of the cells as they are and mirrored, which a defect does not mind."""
    views = [cells.images[:, ::down, ::across] for down in (1, -1) for across in (1, -1)]
    return np.mean([model.predict(np.ascontiguousarray(view), verbose=0)[:, 0] for view in views], axis=0)


def calibration_of(cells: Cells, probability: np.ndarray) -> dict[str, float]:
    """{"ece", "brier"}: of probabilities beside those that the experts gave."""
    error, brier = reliability(cells, probability), Brier()
    brier.update_state(cells.probability, probability[:, None].astype("float32"))
    return {"ece": float(error.result()["calibration_ece"]), "brier": float(brier.result())}


def reliability(cells: Cells, probability: np.ndarray) -> CalibrationError:
    """The metric that has seen the cells."""
    metric = CalibrationError(bins=10)
    metric.update_state(cells.probability, probability[:, None].astype("float32"))
    return metric


def add_sections(
    run_report: callbacks.RunReport, cells: Cells, probabilities: dict[str, np.ndarray], figures: list[Figure]
) -> None:
    """Adds the figures, both reliability diagrams and the cells that were judged most wrongly."""
    about = report.Markup(
        "<p>Whole modules were held out, as cells of one module look alike; where a module ends follows from the order of the "
        "list and its kinds, so a border may be a few cells off. A cell counts as defective if the experts gave it more than "
        "one half. The simple method weighs gradients and brightness of the image by a ridge regression. Calibration fits two "
        "numbers, a factor and a shift of the logits, on cells that were not trained on. The photographs are of elpv-dataset "
        "(Deitsch et al.), CC BY-NC-SA 4.0: this report with its pictures too is for no commercial purpose.</p>"
    )
    caption = "Calibration error (ten bins) and Brier score: of the probability beside the experts'; smaller is better."
    run_report.add_section("Held-out cells", about + page_table(figures, simple=SIMPLE, caption=caption))
    charts = [
        report.reliability_chart(**reliability(cells, p).reliability(), title=f"{when} calibration")
        for when, p in probabilities.items()
    ]
    run_report.add_section("Can the probabilities be believed?", report.Markup("").join(charts))
    p, truth = probabilities["after"], cells.probability[:, 0]
    wrong = np.argsort(-np.abs(p - truth), kind="stable")[:12]
    pictures = [report.stretched(cells.images[i, ..., 0]) for i in wrong]
    captions = [f"predicted {p[i]:.0%}, experts {truth[i]:.0%}" for i in wrong]
    run_report.add_section("Judged most differently", report.image_grid(pictures, captions))
