"""What the nuclei demo shows: pictures and tables for the report, a short table for the terminal."""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith import report
from kerasmith.callbacks import RunReport
from kerasmith.metrics import DiceScore, LesionDetection
from kerasmith.recipes.figures import Figure, page_table
from kerasmith.recipes.matching import Matching, match_objects
from kerasmith.recipes.nuclei_image import ImageSplit
from kerasmith.recipes.object_table import object_table
from kerasmith.report.case_pictures import CasePicture
from kerasmith.report.pixels import as_pixels, enlarged

SIMPLE = "plain U-Net"
_TILES = 4


def add_sections(
    run_report: RunReport, held_out: ImageSplit, objects: np.ndarray, mask: np.ndarray, baseline: dict[str, float]
) -> None:
    """Adds pictures and tables to a `callbacks.RunReport`.

    Args:
        run_report: has `add_section(title, html)`.
        held_out: the `nuclei_image.ImageSplit` that was predicted.
        objects: (H, W) predicted labels.
        mask: (H, W) predicted booleans.
        baseline: {"dice": ..., "object_f1": ...} of the plain U-Net.
    """
    matching = match_objects(held_out.labels, objects)
    table = page_table(
        beside(figures(held_out, objects, mask), baseline),
        simple=SIMPLE,
        caption="The objects of the plain U-Net are the connected components of its mask.",
    )
    run_report.add_section("Held-out part", _about() + table)
    run_report.add_section(
        "Objects found, missed, invented",
        report.table(
            object_table(held_out.labels, objects, matching),
            caption="A true nucleus is found if a predicted object overlaps it with IoU > 0.5, one to one. "
            "Touching and cut objects are in the rows of their size too.",
        ),
    )


def figures(held_out: ImageSplit, objects: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
    """{"dice", "object_f1", "object_precision", "object_recall", "objects"} of a prediction."""
    detection = LesionDetection(instance_labels=True, instance_predictions=True, name="object")
    detection.update_state(held_out.labels[None, ..., None], objects[None, ..., None])
    figures = {name: float(value) for name, value in detection.result().items()}
    return {
        "dice": dice(held_out.mask, mask),
        **{name: figures[name] for name in ("object_f1", "object_precision", "object_recall")},
        "objects": _counts(match_objects(held_out.labels, objects)),
    }


def dice(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The Dice score of two boolean masks (H, W); NaN when both are empty.

    >>> round(dice(np.array([[True, True, False]]), np.array([[True, False, False]])), 4)
    0.6667
    """
    score = DiceScore(absent="skip")
    score.update_state(truth[None, ..., None], predicted[None, ..., None].astype("float32"))
    return float(score.result())


def case_scores(held_out: ImageSplit, objects: np.ndarray, mask: np.ndarray) -> list[dict[str, Any]]:
    """Rows of `cases.csv`: the tiles of the pictures, each with the objects that it cuts."""
    rows = []
    for tile in _tile_rows(held_out):
        part = ImageSplit(*(getattr(held_out, field.name)[tile] for field in dataclasses.fields(ImageSplit)))
        own = figures(part, objects[tile], mask[tile])
        digest = hashlib.sha256(np.ascontiguousarray(part.labels)).hexdigest()[:16]
        rows.append({"case": _tile_name(tile), "digest": digest, "dice": own["dice"], "object_f1": own["object_f1"]})
    return rows


def _tile_rows(held_out: ImageSplit) -> list[slice]:
    parts = np.array_split(np.arange(held_out.image.shape[0]), _TILES)
    return [slice(int(rows[0]), int(rows[-1]) + 1) for rows in parts]


def _tile_name(tile: slice) -> str:
    return f"rows {tile.start} to {tile.stop - 1}"


def pictures(
    held_out: ImageSplit, objects: np.ndarray, probability: np.ndarray, cases: Sequence[dict[str, Any]], scale: int = 3
) -> list[CasePicture]:
    """The held-out part, cut across into tiles: as it is, its probability, and the outlines of single objects.

    Args:
        held_out: the part.
        objects, probability: (H, W), what was predicted.
        cases: its `case_scores`.
        scale: pixels of a picture for one of the image.
    """
    displayed = []
    raw = report.stretched(held_out.image)
    for tile, case in zip(_tile_rows(held_out), cases, strict=True):
        truth, predicted = held_out.labels[tile], objects[tile]
        matching = match_objects(truth, predicted)
        outlines = report.overlay(
            held_out.image[tile], truth, predicted, scale=scale,
            false_negatives=np.isin(truth, matching.false_negatives),
            false_positives=np.isin(predicted, matching.false_positives),
        )  # fmt: skip
        panels = {"image": raw[tile], "probability of a nucleus, black 0, white 1": probability[tile].clip(0, 1)}
        panels = {title: enlarged(as_pixels(panel), scale) for title, panel in panels.items()}
        scores = {name: value for name, value in case.items() if name not in ("case", "digest")}
        displayed.append(
            CasePicture(case["case"], {**panels, "truth and prediction": outlines}, scores, _in_words(_counts(matching)))
        )
    return displayed


def beside(values: dict[str, Any], baseline: dict[str, float]) -> list[Figure]:
    """What `figures` gave, beside the figures of the plain U-Net."""
    return [
        Figure("Dice of the mask", values["dice"], baseline["dice"]),
        Figure("F1 of objects", values["object_f1"], baseline["object_f1"]),
        Figure("precision of objects", values["object_precision"]),
        Figure("recall of objects", values["object_recall"]),
        Figure("objects", _in_words(values["objects"])),
    ]


def _counts(matching: Matching) -> dict[str, int]:
    """The numbers of true positives, false negatives and false positives, by the words of the page and the summary."""
    return {
        "found": len(matching.true_positives),
        "missed": len(matching.false_negatives),
        "invented": len(matching.false_positives),
    }


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _about() -> report.Markup:
    return report.Markup(
        "<p>The network was trained on the left part of one image and never saw a pixel of the right part, displayed here; "
        "it sees no pixel of the left part when it predicts this one. Nuclei that the border between the parts cuts are "
        "objects in both, as if the image ended there. True objects are those drawn by hand, also where they touch.</p>"
    )
