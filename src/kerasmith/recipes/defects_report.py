"""The pages of `kerasmith demo defects`: faults by kind, and what edge layer and losses are worth."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith import report
from kerasmith.callbacks import RunReport
from kerasmith.objects.components import label_objects
from kerasmith.objects.uncovered import uncovered
from kerasmith.recipes.boards import KINDS, Boards
from kerasmith.recipes.fault_counts import COVERED, SMALLEST
from kerasmith.recipes.figures import Figure, page_table
from kerasmith.report.segmentation_panels import segmentation_panels

_PICTURES = 12
_ABOUT = (
    "<p>These boards are made: no package ships photographs of boards with faults. Their tracks, pads, drilled holes, solder "
    "mask and print are drawn, each layer a little beside the others, under uneven light and a noisy camera; their faults "
    "cover {share:.2%} of the pixels. The figures compare trainings with each other and say nothing of real boards.</p>"
    "<p>A fault counts as found where at least a quarter of it was predicted, as invented where a predicted piece of at "
    "least 4 pixels touches no fault. Each training chose its threshold on boards of its own, not on these.</p>"
)


def add_sections(
    run_report: RunReport, test: Boards, results: dict[str, dict[str, Any]], figures: Sequence[Figure], *, simple: str
) -> None:
    """Adds the figures, the table of kinds of each training, and pictures.

    Args:
        run_report: the report.
        test: the boards that were held out.
        results: {training: what `defects.judged` gives}; that of the run itself is called "this run".
        figures: of the run beside the simple method.
        simple: the name of the training that is the simple method.
    """
    about = report.Markup(_ABOUT.format(share=(test.kinds > 0).mean()))
    run_report.add_section(
        "Held-out boards", about + page_table(figures, simple=simple, caption="All with the same boards and steps.")
    )
    rows = [
        {"training": name, "F1 of faults": result["counts"].f1, "Dice of pixels": result["dice"], **_totals(result)}
        for name, result in results.items()
    ]
    run_report.add_section("What each part is worth", report.table(rows, caption="Each differs from this run in one thing."))
    for name, result in results.items():
        run_report.add_section(f"Faults by kind: {name}", report.table(result["counts"].rows(KINDS)))
    run_report.add_case_pictures(_pictures(test, results["this run"]["mask"], results["this run"]["p"]))


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """What `summary.json` holds of a training: plain numbers."""
    rows = result["counts"].rows(KINDS)
    return {
        "f1": result["counts"].f1,
        "dice": result["dice"],
        "threshold": result["threshold"],
        "kinds": {row.pop("kind of fault"): row for row in rows},
    }


def _totals(result):
    row = result["counts"].rows(KINDS)[-1]
    return {key: value for key, value in row.items() if key != "kind of fault"}


def _pictures(test, mask, probability):
    """The boards with most faults first, each kind among them."""
    chosen = list(np.argsort(-test.faults.max(axis=(1, 2)), kind="stable")[:_PICTURES])
    displayed = []
    for i in chosen:
        kinds = ", ".join(KINDS[kind - 1] for kind in np.unique(test.kinds[i]) if kind) or "no fault"
        # As the tables count them.
        pieces, _ = label_objects(mask[i], connectivity=8, min_size=SMALLEST)
        alone = {
            "false_negatives": uncovered(test.faults[i], pieces, share=COVERED),
            "false_positives": uncovered(pieces, test.faults[i], share=1e-9),
        }
        panels = segmentation_panels(test.images[i], test.faults[i], mask[i], probability[i], scale=3, **alone)
        dice = 2 * (mask[i] & (test.faults[i] > 0)).sum() / max(mask[i].sum() + (test.faults[i] > 0).sum(), 1)
        displayed.append(report.CasePicture(f"board {i + 1}", panels, {"dice": float(dice)}, kinds))
    return displayed
