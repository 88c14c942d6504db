"""What the nuclei demo shows: pictures and tables for the report, a short table for the terminal."""

import numpy as np
from rich.table import Table

from kerasmith import report
from kerasmith.recipes.matching import dice, match_objects
from kerasmith.recipes.object_table import object_table

_TILES = 4


def add_sections(run_report, held_out, objects, mask, baseline):
    """Adds pictures and tables to a `callbacks.RunReport`.

    Args:
        run_report: has `add_section(title, html)`.
        held_out: the `nuclei_image.Part` that was predicted.
        objects: (H, W) predicted labels.
        mask: (H, W) predicted booleans.
        baseline: {"dice": ..., "object_f1": ...} of the plain prototype.
    """
    matching = match_objects(held_out.labels, objects)
    run_report.add_section("Held-out part", _about() + _figures(figures(held_out, objects, mask), baseline))
    run_report.add_section("Truth and prediction on held-out tiles", pictures(held_out, objects))
    run_report.add_section(
        "Objects found, missed, invented",
        report.table(
            object_table(held_out.labels, objects, matching),
            caption="A true nucleus is found if a predicted object overlaps it with IoU > 0.5, one to one. "
            "Touching and cut objects are in the rows of their size too.",
        ),
    )


def figures(held_out, objects, mask):
    """{"dice", "object_f1", "object_precision", "object_recall", "objects"} of a prediction."""
    matching = match_objects(held_out.labels, objects)
    return {
        "dice": dice(held_out.mask, mask),
        "object_f1": matching.f1,
        "object_precision": matching.precision,
        "object_recall": matching.recall,
        "objects": {"found": len(matching.pairs), "missed": len(matching.missed), "invented": len(matching.invented)},
    }


def pictures(held_out, objects, scale=3):
    """A gallery of the held-out part, cut across into tiles, with the outlines of single objects."""
    tiles, captions = [], []
    for rows in np.array_split(np.arange(held_out.image.shape[0]), _TILES):
        part = slice(rows[0], rows[-1] + 1)
        matching = match_objects(held_out.labels[part], objects[part])
        tiles.append(report.overlay(held_out.image[part], held_out.labels[part], objects[part], scale=scale))
        captions.append(
            f"rows {rows[0]} to {rows[-1]}: {len(matching.pairs)} found, "
            f"{len(matching.missed)} missed, {len(matching.invented)} invented"
        )
    legend = {
        "agrees": report.AGREEMENT,
        "truth only (missed)": report.TRUTH,
        "prediction only (invented)": report.PREDICTION,
    }
    return report.image_grid(tiles, captions, legend=legend)


def summary_table(summary, baseline):
    """A `rich.table.Table` of the figures beside those of the prototype."""
    table = Table(title="held-out part of the image")
    table.add_column("")
    table.add_column("this run", justify="right")
    table.add_column("prototype", justify="right")
    for name, key in (("Dice of the mask", "dice"), ("F1 of objects", "object_f1")):
        style = "bold green" if summary[key] > baseline[key] else "bold red"
        table.add_row(name, f"[{style}]{summary[key]:.3f}[/]", f"{baseline[key]:.3f}")
    counts = summary["objects"]
    table.add_row("objects", f"{counts['found']} found, {counts['missed']} missed, {counts['invented']} invented", "")
    table.add_row("seconds", f"{summary['seconds']:.0f}", "90")
    return table


def _about():
    return report.Markup(
        "<p>The network was trained on the left part of one image and never saw a pixel of the right part, shown here; "
        "it sees no pixel of the left part when it predicts this one. Nuclei that the border between the parts cuts are "
        "objects in both, as if the image ended there. True objects are those drawn by hand, also where they touch.</p>"
    )


def _figures(values, baseline):
    names = {
        "dice": "Dice of the mask",
        "object_f1": "F1 of objects",
        "object_precision": "precision of objects",
        "object_recall": "recall of objects",
    }
    return report.table(
        [{"figure": names[key], "this run": values[key], "prototype": baseline.get(key)} for key in names],
        caption="Prototype: a plain U-Net whose connected components are the objects.",
    )
