"""Trains what a plan says, in a directory in which it goes on when it is run again."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from kerasmith import callbacks
from kerasmith.checkpoints.directory import progress
from kerasmith.objectives.model import Model
from kerasmith.recipes.images.normalization import Normalization
from kerasmith.recipes.training import evaluation, parts, run_pages, set_up
from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.network import make_network
from kerasmith.recipes.training.network_plan import axis_divisor
from kerasmith.recipes.training.patches import PatchBatches, Sample
from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.resolved_file import resolved_text
from kerasmith.recipes.training.run_directory import CHECKPOINTS, MODEL, SUMMARY, Earlier, write_plan
from kerasmith.recipes.training.samples import MASK, fitted_normalization, samples
from kerasmith.recipes.training.starting_weights import start_from
from kerasmith.recipes.training.windows import WindowBatches
from kerasmith.recipes.unfinished_run import show


def fit(plan: Plan, earlier: Earlier | None, console: Console) -> dict[str, Any]:
    """Trains, evaluates and writes the run directory; returns what it adds to `summary.json`.

    Args:
        plan: what to do.
        earlier: the run of the same configuration that is in the directory already, or None.
        console: where progress is shown.
    """
    start, values = time.perf_counter(), plan.values
    directory = Path(values["out"])
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(values["precision"])
    try:
        parts.check_made(plan)
        keras.utils.set_random_seed(values["seed"])
        network = make_network(plan)
        model = Model.from_keras(network)
        if values["from"] is not None and earlier is None:
            start_from(model, plan)
        # The event files first: if their package is missing, no directory is made.
        events = [callbacks.TensorBoard(directory, flat=True)] if values["tensorboard"] else []
        reasons = {one.key: one.why for one in plan.decisions if not one.is_set}
        resolved = resolved_text(values, reasons)
        normalization = fitted_normalization(plan)
        train, held_out = (samples(plan, cases, normalization) for cases in (plan.train, plan.held_out))
        patches, windows = _batches(plan, train, held_out)
        model.compile(parts.make_optimizer(plan), loss=parts.make_loss(plan), metrics=parts.make_metrics(plan))
        asks = values["check"] and earlier is None  # a run that goes on has been asked
        warnings = set_up.ask(plan, model, patches, windows) if asks else []
        page = callbacks.RunReport(directory, keep=earlier is not None, title=directory.name, config=values)
        extra = parts.make_callbacks(plan, directory)
        write_plan(directory, resolved, plan_record(plan, normalization, None))
        if earlier is not None:
            _say_where(directory, console)
            (directory / SUMMARY).unlink(missing_ok=True)
        run_pages.add_plan(page, plan)
        run_pages.add_warnings(page, warnings)
        for one in warnings:
            show(console, f"warning {one.id}: {one.title}: {one.actual}. {one.fix}")
        same = {"digest": plan.digest, "seed": values["seed"]}
        resume = callbacks.Resume(directory / CHECKPOINTS, config=same, verbose=0)
        watchers = [*extra, resume, page, *events, _progress(plan, console)]
        before_it = _stamp(directory / MODEL)
        _train(plan, model, patches, windows, watchers)
        _require_written(page.directory / MODEL, before_it)
        threshold = evaluation.fitted_threshold(plan, model, train)
        summary = _evaluate(plan, model, page, train, held_out, threshold)
    finally:
        keras.config.set_dtype_policy(before)
    write_plan(directory, resolved, plan_record(plan, normalization, threshold))
    summary |= {"threshold": threshold, "parameters": network.count_params(), "seconds": round(time.perf_counter() - start, 1)}
    page.add_summary(**summary)
    page.write()
    _say_results(summary, directory, console)
    return summary


def plan_record(plan: Plan, normalization: Normalization, threshold: float | None) -> dict[str, Any]:
    """What plan.json holds: all that a prediction needs, and every decision with its reason."""
    values = plan.values
    return {
        "dimensions": plan.axes,
        "channels": plan.channels,
        "classes": plan.names,
        "class_ids": list(plan.ids),
        "void": values["void"],
        "outputs": plan.outputs,
        "window": list(values["patch"]),
        "axis_divisor": axis_divisor(values["model"]),
        "normalization": normalization.to_dict(),
        "spacing": plan.fingerprint["spacing"],
        "threshold": 0.5 if threshold is None else threshold,
        "data": plan.digest,
        "fingerprint": plan.fingerprint,
        "decisions": [{"key": one.key, "value": one.value, "why": one.why, "is_set": one.is_set} for one in plan.decisions],
        "notes": plan.notes,
    }


def _batches(plan: Plan, train: Sequence[Any], held_out: Sequence[Any]) -> tuple[PatchBatches, WindowBatches | None]:
    """What is trained on, and what is held out."""
    values = plan.values
    patches = PatchBatches(
        train,
        patch=values["patch"],
        batch=values["batch"],
        steps=values["steps"],
        seed=values["seed"],
        augment=values["augment"],
        oversample=values["oversample"],
    )
    shapes = [case.shape for case in plan.held_out]
    return patches, WindowBatches(held_out, shapes, patch=values["patch"], batch=values["batch"]) if held_out else None


def _train(plan: Plan, model: keras.Model, patches: PatchBatches, windows: Any, watchers: list[Any]) -> None:
    epochs = plan.values["epochs"]
    model.fit(patches, epochs=epochs, shuffle=False, validation_data=windows, verbose=0, callbacks=watchers)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells a file from the one that replaces it; None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _require_written(path: Path, before_it: tuple[int, int] | None) -> None:
    """The report spares a training whose model cannot be saved; here a run without it would be called complete."""
    if _stamp(path) == before_it:
        raise ConfigError(
            None,
            f"{path} could not be written, as the warning above says. Make room; the same command then goes on from the last "
            "checkpoint.",
        )


def _progress(plan: Plan, console: Console) -> callbacks.LiveProgress:
    """The three numbers that matter; the others are in the history and the report."""
    made = parts.make_metrics(plan)
    first = [one.name for one in (made[MASK] if isinstance(made, dict) else made)][:1]
    kind = "val_" if plan.held_out else ""
    prefix = f"{MASK}_" if plan.instances else ""
    return callbacks.LiveProgress(
        console, columns=["loss", *(["val_loss"] if kind else []), *(f"{kind}{prefix}{name}" for name in first)]
    )


def _evaluate(
    plan: Plan,
    model: keras.Model,
    page: callbacks.RunReport,
    train: Sequence[Callable[[], Sample]],
    held_out: Sequence[Callable[[], Sample]],
    threshold: float,
) -> dict[str, Any]:
    cases, which = evaluation.judged_cases(plan), "held-out" if held_out else "training"
    made = held_out or train[: len(cases)]
    predicted = evaluation.predictions(plan, model, made, [case.name for case in cases], threshold)
    truths = evaluation.true_objects(plan, cases)
    figures = evaluation.figures(plan, predicted, truths)
    scores = evaluation.case_scores(plan, cases, predicted, truths)
    page.add_cases(scores)
    run_pages.add_results(page, figures, which)
    run_pages.add_pictures(page, plan, predicted, truths, scores)
    return {**figures, "of": f"{which} images"}


def _say_where(directory: Path, console: Console) -> None:
    reached = progress(directory / CHECKPOINTS) if (directory / CHECKPOINTS).is_dir() else None
    if reached is not None:
        show(console, f"goes on with the run in {directory}, from epoch {reached['epoch'] + 1}")


def _say_results(summary: dict[str, Any], directory: Path, console: Console) -> None:
    displayed = [name for name in ("dice", "iou", "object_f1") if summary.get(name) is not None]
    show(console, f"{summary['of']}: " + ", ".join(f"{name.replace('_', ' ')} {summary[name]:.3f}" for name in displayed))
    show(console, f"report: {directory / 'report.html'}")
