"""The figures of a `kerasmith train` run, computed anew from its model and its files."""

from pathlib import Path
from typing import Any

import keras

from kerasmith.recipes.trained_run import TrainedRun
from kerasmith.recipes.training import evaluation
from kerasmith.recipes.training.config import read_config
from kerasmith.recipes.training.plan import make_plan
from kerasmith.recipes.training.run_directory import CONFIG, earlier_run
from kerasmith.recipes.training.samples import samples


def computed(directory: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(figures of `summary.json`, rows of `cases.csv`) of the held-out images, or of the first training images without.

    Raises:
        ValueError: where images or masks are not there any more, or are other ones; or the model cannot be loaded.
    """
    earlier, run = earlier_run(directory), TrainedRun.read(directory)
    if earlier is None:
        raise ValueError(f"{directory} has no {CONFIG}")
    plan = make_plan(read_config(directory / CONFIG))
    if earlier.plan.get("data") != plan.digest:
        raise ValueError(f"The images or masks of {directory} are other ones than it was trained and judged on")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(plan.values["precision"])
    try:
        model = run.model()
        cases = evaluation.judged_cases(plan)
        makes = samples(plan, cases, run.normalization)
        predicted = evaluation.predictions(plan, model, makes, [case.name for case in cases], run.threshold)
        truths = evaluation.true_objects(plan, cases)
        figures = evaluation.figures(plan, predicted, truths)
        figures |= {"threshold": run.threshold, "parameters": model.count_params()}
        if plan.held_out and plan.values["threshold"] == "fit":
            figures["threshold"] = evaluation.fitted_threshold(plan, model, samples(plan, plan.train, run.normalization))
        return figures, evaluation.case_scores(plan, cases, predicted, truths)
    finally:
        keras.config.set_dtype_policy(before)
