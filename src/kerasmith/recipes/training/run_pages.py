"""What a run adds to its report: the plan, figures of the held-out images, their pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith import report
from kerasmith.callbacks import RunReport
from kerasmith.checks.engine.finding import Finding
from kerasmith.recipes.training.cases import VOID
from kerasmith.recipes.training.evaluation import Predicted
from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.resolved_file import yaml_text
from kerasmith.recipes.training.samples import MASK
from kerasmith.report._image_grid import OVERLAY_LEGEND

_PICTURES = 6


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


def add_results(
    page: RunReport, plan: Plan, figures: Mapping[str, Any], predicted: Sequence[Predicted], truths: Sequence[Any], which: str
) -> None:
    """Figures and pictures of whole images."""
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
    pictures = [_picture(one, truth) for one, truth in list(zip(predicted, truths, strict=True))[:_PICTURES]]
    grid = report.image_grid(pictures, [one.name for one in predicted[:_PICTURES]], legend=OVERLAY_LEGEND)
    page.add_section(f"Truth and prediction of {which} images", grid)


def _picture(one: Predicted, objects: np.ndarray | None) -> np.ndarray:
    """The outlines of truth and prediction; of a volume, in the slice with most of the truth."""
    truth = one.sample.targets[MASK] if objects is None else np.maximum(objects, 0)
    result = one.classes if one.objects is None else one.objects
    image = one.sample.image
    truth = np.where(truth == VOID, 0, truth) if objects is None else truth
    if truth.ndim == 3:
        best = int(np.argmax((truth > 0).sum((1, 2))))
        image, truth, result = image[best], truth[best], result[best]
    image = image if image.shape[-1] in (1, 3) else image[..., :1]
    scale = max(1, min(4, 400 // max(truth.shape)))
    return report.overlay(image, truth, result, scale=scale)
