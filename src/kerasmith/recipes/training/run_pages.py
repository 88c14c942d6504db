"""What a run adds to its report: the plan, figures of the held-out images, their pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith import report
from kerasmith.callbacks import RunReport
from kerasmith.checks.engine.finding import Finding
from kerasmith.recipes.matching import match_objects
from kerasmith.recipes.training.cases import VOID
from kerasmith.recipes.training.evaluation import Predicted
from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.resolved_file import yaml_text
from kerasmith.recipes.training.samples import MASK
from kerasmith.report.prediction_pictures import class_legend
from kerasmith.report.segmentation_panels import segmentation_panels


def add_plan(page: RunReport, plan: Plan) -> None:
    """The decisions, with their reasons."""
    rows = [
        {"key": one.key, "value": one.value if isinstance(one.value, str) else yaml_text(one.value), "why": one.why}
        for one in plan.decisions
    ]
    page.add_section("Plan", report.table(rows, caption="What was decided, and why."))


def add_warnings(page: RunReport, warnings: Sequence[Finding]) -> None:
    """What was asked before the first step and may not be meant so, among the events of the run."""
    for one in warnings:
        text = f"{one.id}: {one.title}. Expected {one.expected}, got {one.actual}. Fix: {one.fix}"
        page.add_event(text, kind="warning", by="check")


def add_results(page: RunReport, figures: Mapping[str, Any], which: str) -> None:
    """Figures of whole images."""
    rows = [
        {"figure": name.replace("_", " "), "value": "-" if value is None else f"{value:.4g}"}
        for name, value in figures.items()
        if not isinstance(value, dict)
    ]
    rows += [
        {"figure": f"dice of {name}", "value": "-" if v is None else f"{v:.4g}"}
        for name, v in figures.get("dice_of", {}).items()
    ]
    page.add_section(f"Whole {which} images", report.table(rows))


def add_pictures(
    page: RunReport,
    plan: Plan,
    predicted: Sequence[Predicted],
    truths: Sequence[Any],
    scores: Sequence[Mapping[str, Any]],
) -> None:
    """Pictures of the worst and the best images, and of some others."""
    rows = {row["case"]: {k: v for k, v in row.items() if k not in ("case", "digest")} for row in scores}
    chosen = report.chosen_cases({name: next(iter(row.values())) for name, row in rows.items()}, "dice")
    pictures = [
        report.CasePicture(one.name, _panels(one, truth, len(plan.names)), rows[one.name])
        for one, truth in zip(predicted, truths, strict=True)
        if one.name in chosen
    ]
    page.add_case_pictures(pictures, class_legend(plan.names) if len(plan.names) > 2 else None)


def _panels(one: Predicted, objects: np.ndarray | None, classes: int) -> dict[str, np.ndarray]:
    """Of a volume, the slice with most of the truth."""
    truth = one.sample.targets[MASK] if objects is None else np.maximum(objects, 0)
    result = one.classes if one.objects is None else one.objects
    image, probability, valid = one.sample.image, one.probability, one.sample.targets[MASK] != VOID
    truth = np.where(valid, truth, 0)
    if truth.ndim == 3:
        best = int(np.argmax((truth > 0).sum((1, 2))))
        image, truth, result, probability, valid = (a[best] for a in (image, truth, result, probability, valid))
    image = image if image.shape[-1] in (1, 3) else image[..., :1]
    scale = max(1, min(4, 400 // max(truth.shape)))
    alone = {}
    if objects is not None:
        # As the figures count them.
        matching = match_objects(truth, result)
        alone["false_negatives"] = np.isin(truth, matching.false_negatives)
        alone["false_positives"] = np.isin(result, matching.false_positives)
    return segmentation_panels(image, truth, result, probability, classes=classes, scale=scale, valid=valid, **alone)
