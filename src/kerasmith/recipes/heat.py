"""`kerasmith demo heat`: how well a rod conducts heat, found from noisy thermometers (an inverse problem).

A network is the temperature at each place and time. It is trained to fit 360 noisy measurements, to obey u_t = k u_xx and to
be cold at the ends; k is learned with it. How warm the rod is at the beginning is not known. Adam comes first, then L-BFGS.
"""

import os
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import layers
from rich.console import Console

from kerasmith import Model, Objective, callbacks, report
from kerasmith._types import Tensor
from kerasmith.physics import Condition, Field, PointBatches, Residual, Unknown, Verification, polish, verify
from kerasmith.recipes import heat_data
from kerasmith.recipes.demo_run import DemoRun, epochs_or
from kerasmith.recipes.figures import Figure, page_table
from kerasmith.recipes.heat_data import DIFFUSIVITY, ROD, Measurements
from kerasmith.recipes.unfinished_run import show
from kerasmith.schedules import OneCycle

SIMPLE = "smoothing spline"
EPOCHS, POINTS, BATCH, POLISH = 60, 2048, 128, 1000
WIDTHS = (24, 24, 24)
FIRST_GUESS = 0.5
WEIGHT_OF_DATA = 1.0
"""No more than the equation: that holds exactly, while a fit that follows the readings follows their noise too."""


@keras.saving.register_keras_serializable("kerasmith_demo")
def heat(f: Field, diffusivity: Tensor) -> Tensor:
    """What u_t = k u_xx leaves at each point."""
    return f.d("t") - diffusivity * f.d("xx")


def run(
    *,
    out: str | os.PathLike[str],
    epochs: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
    console: Console | None = None,
) -> dict[str, Any]:
    """Trains, compares with the exact solution and writes the run directory; goes on where an interrupted run stopped.

    Args:
        out, overwrite, console: see `recipes.nuclei.run`.
        epochs: of Adam, `EPOCHS` by default; with fewer, L-BFGS makes fewer steps in proportion.
        seed: of weights, points and the noise of the thermometers.

    Returns:
        What the demo adds to `summary.json`: diffusivity, its relative error, relative_l2 of the temperatures, the same of the
        simple method, what `physics.verify` found, parameters, seconds.

    Raises:
        ImportError: without SciPy, which comes with the demo extra.
        ValueError: see `recipes.nuclei.run`.
    """
    epochs = epochs_or(epochs, EPOCHS)
    measured = heat_data.measure(seed)
    spline, temperatures = heat_data.spline_estimate(measured)
    steps = max(1, round(POLISH * min(1, epochs / EPOCHS)))
    config = configuration(epochs=epochs, seed=seed, steps=steps)
    this = DemoRun(out, recipe="heat", title="Inverse heat equation", config=config, overwrite=overwrite, console=console)
    model, diffusivity = problem(measured, seed=seed)
    points = ROD.sobol(POINTS, seed=seed)
    fit(model, points, epochs=epochs, seed=seed, watchers=this.watchers())
    show(this.console, f"L-BFGS goes on from diffusivity {float(diffusivity):.4f}")
    polish(model, points.x, steps, directory=this.checkpoints / "polish", callbacks=[this.report], verbose=0)

    comparison = verify(model, ROD, heat_data.exact)
    simple = {"diffusivity_error": abs(spline / DIFFUSIVITY - 1), "relative_l2": relative_l2(temperatures.ravel(), comparison)}
    reached = {"diffusivity_error": abs(float(diffusivity) / DIFFUSIVITY - 1), "relative_l2": comparison["relative_l2"]}
    figures = [
        Figure("relative error of the diffusivity", *_both(reached, simple, "diffusivity_error"), smaller_is_better=True),
        Figure("relative L2 error of temperatures", *_both(reached, simple, "relative_l2"), smaller_is_better=True),
        Figure("diffusivity (0.1 is true)", f"{float(diffusivity):.4f}"),
        Figure("largest error of a temperature", comparison["max_error"]),
    ]
    add_sections(this.report, measured, comparison, figures)
    return this.finish(
        figures,
        title=f"360 thermometer readings with noise of {heat_data.NOISE}",
        simple=SIMPLE,
        diffusivity=float(diffusivity),
        **reached,
        to_beat=simple,
        verification=dict(comparison),
        parameters=model.count_params(),
    )


def computed(model: keras.Model, summary: dict[str, Any]) -> tuple[dict[str, Any], None]:
    """(figures of `summary.json`, None) of a trained model, anew; the diffusivity is a number of the objective, not of it."""
    comparison = dict(verify(model, ROD, heat_data.exact))
    comparison.pop("residual_there")  # of the equation with the diffusivity
    error = abs(float(summary["diffusivity"]) / DIFFUSIVITY - 1)
    return {"relative_l2": comparison["relative_l2"], "verification": comparison, "diffusivity_error": error}, None


def configuration(*, epochs: int, seed: int, steps: int) -> dict[str, Any]:
    """What the run was made with, for the report."""
    return {
        "epochs of Adam": epochs,
        "steps of L-BFGS": steps,
        "seed": seed,
        "points of the equation": POINTS,
        "points per step": BATCH,
        "widths": ", ".join(map(str, WIDTHS)),
        "first guess of the diffusivity": FIRST_GUESS,
        "measurements": f"{heat_data.THERMOMETERS} thermometers at {heat_data.TIMES} times, noise {heat_data.NOISE}",
        "data": "computed: an exact solution with normal noise",
    }


def problem(measured: Measurements, *, seed: int) -> tuple[Model, Unknown]:
    """The compiled model, and the unknown that it learns."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((2,), name="xt")
    for width in WIDTHS:
        x = layers.Dense(width, activation="tanh")(x)
    model = Model(inputs, layers.Dense(1)(x), name="temperature")
    diffusivity = Unknown(FIRST_GUESS, "diffusivity")
    values = measured.values.ravel().astype("float32")
    ends = ROD.boundary(100)
    terms = [
        Residual(heat, names="xt"),
        Condition(measured.points, values, name="thermometers", names="xt", weight=WEIGHT_OF_DATA),
        Condition(ends, 0.0, name="ends", weight=WEIGHT_OF_DATA),
        diffusivity,
    ]
    model.compile(keras.optimizers.Adam(), Objective(terms))
    return model, diffusivity


def fit(
    model: Model, points: Any, *, epochs: int, seed: int, watchers: Iterable[keras.callbacks.Callback] = ()
) -> keras.callbacks.History:
    """Trains with Adam at batches of the points."""
    batches = PointBatches(points, BATCH, seed=seed)
    schedule = OneCycle(length=epochs, eta_max=1e-2, steps_per_epoch=len(batches))
    return model.fit(batches, epochs=epochs, verbose=0, callbacks=[callbacks.ScheduleLR(schedule), *watchers])


def relative_l2(temperatures: np.ndarray, comparison: Verification) -> float:
    """||temperatures - reference|| / ||reference|| at the points of a verification."""
    return float(np.linalg.norm(temperatures - comparison.reference_values) / np.linalg.norm(comparison.reference_values))


def add_sections(
    run_report: callbacks.RunReport, measured: Measurements, comparison: Verification, figures: list[Figure]
) -> None:
    """Adds the figures, the temperatures and the readings to the report."""
    about = report.Markup(
        "<p>The rod, its thermometers and their noise are computed, so that the true answer is known. Training sees the noisy "
        "readings, the equation and the cold ends; neither the diffusivity nor the first temperatures. The simple method fits "
        "a smoothing spline to the same readings, told how large the noise is, and takes the diffusivity from its "
        "derivatives.</p>"
    )
    caption = "Against the exact solution on a grid of 101 x 101 points."
    run_report.add_section("What was found", about + page_table(figures, simple=SIMPLE, caption=caption))
    picture = report.draw_field(comparison.x, comparison.reference_values, comparison.prediction)
    run_report.add_section(
        "Exact, learned, error: place to the right, time upwards", report.image_grid([picture], [str(comparison)])
    )
    readings = report.stretched(np.kron(measured.values.T[::-1], np.ones((6, 24))), percentiles=(0, 100))
    run_report.add_section("What the thermometers read", report.image_grid([readings], ["place to the right, time upwards"]))


def _both(reached: dict[str, float], simple: dict[str, float], key: str) -> tuple[float, float]:
    return reached[key], simple[key]
