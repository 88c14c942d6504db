"""Writes docs/migrate.md from the tables of `kerasmith.migration`: `python -m tests.migration.table`."""

import pathlib

from kerasmith.migration import known_calls, migrate

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "migrate.md"
TITLES = {
    "keras": "Keras",
    "segmentation_models": "segmentation_models",
    "tensorflow_addons": "TensorFlow Addons",
    "keras_cv": "KerasCV",
    "monai": "MONAI",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "torchmetrics": "torchmetrics",
    "pytorch_metric_learning": "pytorch-metric-learning",
    "lightning": "PyTorch Lightning",
    "torch": "PyTorch",
}
# What a required argument is in the page.
GIVEN = {
    "num_classes": "3", "num_labels": "3", "mode": "'multiclass'", "data_range": "1.0", "max_val": "1.0", "spatial_dims": "2",
    "beta": "2.0", "loss": "NTXentLoss()", "class_thresholds": "[1.0, 1.0]", "embedding_size": "32", "temperature": "0.1",
    "things": "{1, 2}", "stuffs": "{0}", "monitor": "'val_loss'", "swa_lrs": "0.01", "initial_learning_rate": "0.001",
    "maximal_learning_rate": "0.01", "max_lr": "0.01", "base_lr": "0.001", "step_size": "2000", "first_decay_steps": "1000",
    "T_0": "10", "backup_dir": "'backup'", "filepath": "'best.keras'", "filename": "'log.csv'", "dirpath": "'checkpoints'",
    "save_dir": "'logs'", "reduction": "'macro'",
}  # fmt: skip
HEAD = """# From other libraries

`kerasmith migrate "monai.losses.DiceCELoss(sigmoid=True)"` prints our line with the arguments of yours, says which of them
have no counterpart and where the original differs. `kerasmith migrate --list` names all {count} calls.

The lines of losses and metrics are executed in a test beside the installed library and give its number to 1e-6;
segmentation_models, TensorFlow Addons and KerasCV do not run beside Keras 3, so their documented formulas stand for them. Only
made, not compared: callbacks, loggers, optimizers and miners, which give no number; `AUC` of Keras, whose thresholds differ;
confusion matrices; ArcFace, Circle, self-supervised and Gaussian NLL losses, and Contrastive with `pos_margin`.
In the tables the calls have their default arguments, and an example where an argument is required.
"""


def page() -> str:
    """The text of docs/migrate.md."""
    calls, sections = known_calls(), []
    for library, title in TITLES.items():
        rows = []
        for path, call in calls.items():
            if not path.startswith(f"{library}."):
                continue
            needed = [name for name, default in call.defaults.items() if default is None]
            needed += ["reduction"] if path.startswith("segmentation_models_pytorch.metrics") else []
            given = ", ".join(f"{name}={GIVEN.get(name, name)}" for name in needed)
            line = migrate(f"{path}({given})" if call.defaults else path)
            shown = f"{path.removeprefix(library + '.')}({given})" if call.defaults else path.removeprefix(f"{library}.")
            differs = [f'the number is the column "{line.column}"'] if line.column else []
            rows.append(
                f"| `{shown}` | `{line.expression or '-'}` | {' '.join(_sentence(text) for text in (*differs, *line.notes))} |"
            )
        table = "\n".join(rows)
        sections.append(f"## {title}\n\n| `{library}` | here | where it differs |\n|---|---|---|\n{table}\n")
    return HEAD.format(count=len(calls)) + "\n" + "\n".join(sections)


def _sentence(text):
    return text[:1].upper() + text[1:].rstrip(".").replace("|", "\\|") + "."


if __name__ == "__main__":
    PAGE.write_text(page())
