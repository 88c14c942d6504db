"""Cross-validation: a run for each fold, and what they say together."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from kerasmith.files.atomic_write import write_atomically
from kerasmith.recipes.training.config import Config
from kerasmith.recipes.training.run_directory import SUMMARY, run_directory_of


def train_folds(
    config: str | os.PathLike[str] | Mapping[str, Any],
    read: Config,
    overrides: Mapping[str, Any] | None,
    console: Console,
    train: Callable[..., dict[str, Any]],
) -> dict[str, Any]:
    """Trains every fold in a directory of its own, `fold-1`, ...; run again, it goes on with the first that is not complete.

    Returns:
        {"folds": [summary of each], "mean": {figure: number}, "deviation": {figure: number}}; also in `summary.json`.
    """
    out, results = Path(run_directory_of(read)), []
    for fold in range(1, read["folds"] + 1):
        console.print(f"fold {fold} of {read['folds']}", style="bold", highlight=False)
        more = {**(overrides or {}), "fold": fold, "out": str(out / f"fold-{fold}")}
        results.append(train(config, overrides=more, console=console))
    names = [
        name for name in ("dice", "iou", "dice_per_image", "object_f1") if all(one.get(name) is not None for one in results)
    ]
    values = {name: [float(one[name]) for one in results] for name in names}
    summary = {
        "folds": results,
        "mean": {name: float(np.mean(result)) for name, result in values.items()},
        "deviation": {name: float(np.std(result, ddof=1)) for name, result in values.items()},
    }
    write_atomically(out / SUMMARY, json.dumps(summary, indent=1) + "\n", make_directory=True)
    summary_text = ", ".join(f"{name} {summary['mean'][name]:.3f} +- {summary['deviation'][name]:.3f}" for name in names)
    console.print(f"{len(results)} folds: {summary_text}", highlight=False)
    return summary
