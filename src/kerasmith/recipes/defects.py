"""`kerasmith demo defects`: finds the six classic faults of circuit boards, on made pictures; what is each part worth?

A fault covers a few pixels, all faults together less than one in a hundred. The network is trained three times: as it is,
without its edge layer, and with plain cross-entropy instead of its losses of regions and objects.
"""

import os
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from rich.console import Console

from kerasmith import Model, Objective, Term, callbacks
from kerasmith.losses import Connectivity, CrossEntropy, DiceIoU, MinimumArea
from kerasmith.metrics import DiceScore
from kerasmith.recipes import defects_report
from kerasmith.recipes.boards import KINDS, Boards, make_boards
from kerasmith.recipes.defects_network import WIDTHS, network
from kerasmith.recipes.demo_run import DemoRun, epochs_or
from kerasmith.recipes.fault_counts import SMALLEST, FaultCounts, count_faults
from kerasmith.recipes.figures import Figure
from kerasmith.schedules import OneCycle, Ramp

EPOCHS, BATCH, SIZE = 5, 6, 64
TRAINING, TUNING, TEST = 480, 40, 120
"""Numbers of boards: to train, to choose the threshold of the mask, to report."""
MOST_FAULTS = 3
KIND_WEIGHT = 0.02
"""Of the loss of kinds, a mean over the few pixels of faults. At first its gradient at the weights that both outputs share is
ninety times that of the mask, 24 beside .26: with a weight of 1 the mask hardly learns."""
SIMPLE = "plain cross-entropy"
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def run(
    *,
    out: str | os.PathLike[str],
    epochs: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
    console: Console | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Trains three networks, compares them and writes the run directory; goes on where an interrupted run in `out` stopped.

    Args:
        out, seed, overwrite, console: see `recipes.nuclei.run`.
        epochs: `EPOCHS` by default.
        weights: a file of weights of `keras.applications.ResNet50(include_top=False)`; random ones by default.

    Returns:
        What the demo adds to `summary.json`: for each of the three trainings the F1 of faults, the Dice of their pixels and
        the counts of each kind; the threshold of each, parameters, seconds.

    Raises:
        ValueError: see `recipes.nuclei.run`; and for `weights` that are no such file.
    """
    epochs = epochs_or(epochs, EPOCHS)
    config = configuration(epochs=epochs, seed=seed, weights=weights)
    built = network(len(KINDS), weights=weights)  # A wrong file of weights is refused before a directory is made.
    this = DemoRun(
        out, recipe="defects", title="Faults of circuit boards", config=config, overwrite=overwrite, console=console
    )
    training, tuning, test = (drawn(part, seed) for part in range(3))
    # The comparisons first: the report shows the last training.
    trainings = {
        SIMPLE: {"plain": True, "watchers": this.side_watchers("plain")},
        "without edges": {"edges": False, "watchers": this.side_watchers("without_edges")},
        "this run": {"watchers": this.watchers()},
    }
    results = {}
    for name, options in trainings.items():
        model = fit(training, tuning, epochs=epochs, seed=seed, weights=weights, **options)
        results[name] = judged(model, tuning, test)
    ours, plain = results["this run"], results[SIMPLE]
    figures = [
        Figure("F1 of faults", ours["counts"].f1, plain["counts"].f1),
        Figure("F1 of faults, without edges", results["without edges"]["counts"].f1, plain["counts"].f1),
        Figure("Dice of their pixels", ours["dice"], plain["dice"]),
    ]
    defects_report.add_sections(this.report, test, results, figures, simple=SIMPLE)
    return this.finish(
        figures,
        title=f"{TEST} made boards that training never saw",
        simple=SIMPLE,
        **{name.replace(" ", "_"): defects_report.summary(result) for name, result in results.items()},
        share_of_fault_pixels=float((test.kinds > 0).mean()),
        parameters=built.count_params(),
    )


def drawn(part: int, seed: int) -> Boards:
    """The boards to train with (0), for the threshold (1), to report (2): they have nothing in common, whatever the seed."""
    return make_boards((TRAINING, TUNING, TEST)[part], size=SIZE, seed=3 * seed + part, most_faults=MOST_FAULTS)


def computed(model: keras.Model, summary: dict[str, Any]) -> tuple[dict[str, Any], None]:
    """(figures of `summary.json`, None) of a trained model, anew; those of the trainings for comparison have no model."""
    seed = int(summary["config"]["seed"])
    tuning, test = drawn(1, seed), drawn(2, seed)
    result = defects_report.summary(judged(model, tuning, test))
    return {"this_run": result, "share_of_fault_pixels": float((test.kinds > 0).mean())}, None


def configuration(*, epochs: int, seed: int, weights: str | os.PathLike[str] | None) -> dict[str, Any]:
    """What the run was made with, for the report."""
    return {
        "epochs": epochs,
        "seed": seed,
        "boards": f"{TRAINING} to train, {TUNING} for the threshold, {TEST} to report; all of them made, none is real",
        "board": f"{SIZE} x {SIZE} pixels, at most {MOST_FAULTS} faults",
        "boards per step": BATCH,
        "backbone": "the first two stages of ResNet50, down to 1/4 of the size",
        "its weights": "random" if weights is None else os.fspath(weights),
        "decoder": ", ".join(map(str, WIDTHS)),
    }


def objective(*, plain: bool, epochs: int, steps: int) -> Objective:
    """What is minimised; with `plain`, cross-entropy for the mask.

    Args:
        plain: cross-entropy in place of the losses of regions and objects.
        epochs, steps: of the training, and of each epoch: the rules on objects come in late, when there are some.
    """
    if plain:
        terms = {"ce": Term(CrossEntropy(from_logits=True), output="fault")}
    else:
        late = Ramp(0, 0.1, begin=epochs / 2, end=epochs, steps_per_epoch=steps)
        terms = {
            "dice_iou": Term(DiceIoU(from_logits=True, scope="batch"), output="fault"),
            "minimum_area": Term(MinimumArea(SMALLEST, from_logits=True), weight=late, output="fault"),
            "connectivity": Term(Connectivity(MOST_FAULTS, from_logits=True), weight=late, output="fault"),
        }
    kind = CrossEntropy(from_logits=True, ignore_class=255)
    return Objective({**terms, "kind": Term(kind, weight=KIND_WEIGHT, output="kind")})


def targets(boards: Boards) -> dict[str, np.ndarray]:
    """The mask of faults, and the kind of each of their pixels: 255, which the loss ignores, elsewhere."""
    mask = boards.kinds > 0
    return {
        "fault": mask[..., None].astype("float32"),
        "kind": np.where(mask, boards.kinds - 1, 255)[..., None].astype("int32"),
    }


def fit(
    training: Boards,
    held_out: Boards,
    *,
    epochs: int,
    seed: int,
    edges: bool = True,
    plain: bool = False,
    weights: str | os.PathLike[str] | None = None,
    watchers: Iterable[keras.callbacks.Callback] = (),
) -> keras.Model:
    """The trained model. `held_out` is evaluated after each epoch and influences nothing.

    Args:
        training, held_out: boards.
        epochs, seed: see `run`.
        edges: whether the network has its edge layer.
        plain: cross-entropy in place of the losses of regions and objects.
        weights: see `run`.
        watchers: callbacks.
    """
    keras.utils.set_random_seed(seed)
    model = Model.from_keras(network(len(KINDS), edges=edges, weights=weights))
    steps = -(-len(training.images) // BATCH)
    model.compile(
        keras.optimizers.Adam(),
        objective(plain=plain, epochs=epochs, steps=steps),
        metrics={"fault": [DiceScore(from_logits=True, per="dataset")]},
    )
    schedule = OneCycle(length=epochs, eta_max=3e-3, steps_per_epoch=steps)
    model.fit(
        training.images,
        targets(training),
        batch_size=BATCH,
        epochs=epochs,
        validation_data=(held_out.images, targets(held_out)),
        verbose=0,
        callbacks=[callbacks.ScheduleLR(schedule), *watchers],
    )
    return model


def judged(model: keras.Model, tuning: Boards, test: Boards) -> dict[str, Any]:
    """{"counts", "dice", "threshold", "mask", "kinds", "p"} of `test`, with the threshold that is best on `tuning`."""
    probabilities, kinds = predict(model, tuning.images)
    scores = {t: _counts(tuning, probabilities > t, kinds).f1 for t in THRESHOLDS}
    # The middle of the best ones: near one half rather than at an end.
    best = [t for t, score in scores.items() if score == np.nanmax([*scores.values(), 0])] or [0.5]
    threshold = best[len(best) // 2]
    probabilities, kinds = predict(model, test.images)
    mask, truth = probabilities > threshold, test.kinds > 0
    dice = 2 * (mask & truth).sum() / max((mask.sum() + truth.sum()), 1)
    return {
        "counts": _counts(test, mask, kinds),
        "dice": float(dice),
        "threshold": threshold,
        "mask": mask,
        "kinds": kinds,
        "p": probabilities,
    }


def predict(model: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, H, W) probabilities of a fault, and the kind of each pixel, were it one."""
    logits = model.predict(images, batch_size=40, verbose=0)
    return 1 / (1 + np.exp(-np.asarray(logits["fault"][..., 0], "float64"))), np.asarray(logits["kind"]).argmax(-1)


def _counts(boards: Boards, mask: np.ndarray, kinds: np.ndarray) -> FaultCounts:
    return count_faults(boards.kinds, boards.faults, mask, kinds, len(KINDS))
