"""Mutated configurations: each is planned or refused, and none ends in a traceback.

`python -m tests.recipes.training.fuzz 10000` runs as many and prints how many were planned, how many refused.
"""

import collections
import contextlib
import io
import pathlib
import random
import sys
import tempfile
from collections.abc import Iterator

from kerasmith.cli import main
from kerasmith.recipes.training.fields import FIELDS
from tests.support.image_folders import write_pairs

_LINES = (
    "loss: 0.6*dice + 0.4*ce(class_weights=auto) + ramp(0, 0.3, epochs=20:60)*boundary",
    "loss: (dice + focal_tversky(alpha=0.3, beta=0.7))/2 - 0.1*minimum_area(9)",
    "metrics: [dice_score, iou(per='dataset'), lesion_detection(min_size=3)]",
    "callbacks: [early_stopping(patience=3), time_limit('2h'), gradient_health]",
    "augment: {rotate: true, scale: 0.2, noise: 0.1}",
    "model: unet(widths=[4, 8, 16])",
    "model: my_package.models:network",
    "optimizer: adamw(weight_decay=0.01)",
    "schedule: warmup(cosine_restarts(10, 2), 3)",
    "validation: [p1, p2]",
    "classes: {background: 0, square: 1}",
    "classes: [background, square]",
    "group: '(p[0-9])'",
    "folds: 3",
    "fold: 1",
    "void: 255",
    "patch: [16, 16]",
    "threshold: 0.4",
    "backend: torch",
    "precision: mixed_float16",
)
_PIECES = (
    *"()[]{}*+-/:,'\"#&!%@`|>~\\\n\t\0é€ 0.",
    *("null", "true", "auto", "1e308", "-1", "nan", "99999999999999999999", "<<", "---", "{}", "[]", "__import__('os')"),
    *("../..", "~root", "dice", "ramp(", "20:60", "yes"),
    *("\ufeff", "\x1b", "\U0001f600", "!!int", "*a", "&a", "? ", "- "),
)


def mutated(rng: random.Random, text: str) -> str:
    """The text with up to three changes."""
    for _ in range(rng.randint(0, 3)):
        at, end = sorted(rng.randint(0, len(text)) for _ in range(2))
        lines = text.split("\n")
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        key, value = rng.choice(list(FIELDS)), rng.choice(_PIECES)
        kind = rng.randrange(8)
        if kind == 0:
            text = text[:at] + rng.choice(_PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[min(end, at + 6) :]
        elif kind == 2:
            text = text[:at] + chr(rng.randrange(1, 300)) + text[at + 1 :]
        elif kind == 3:
            lines.insert(i, rng.choice(_LINES))
        elif kind == 4:
            lines[i], lines[j] = lines[j], lines[i]
        elif kind == 5:
            lines[i] = lines[i].split(":")[0] + ": " + value
        elif kind == 6:
            lines.append(f"{key}: {value}")
        else:
            lines[i] = " " * rng.randrange(4) + lines[i]
        text = text if kind < 3 else "\n".join(lines)
    return text


def outcomes(count: int, seed: int, folder: pathlib.Path) -> Iterator[tuple[str, int]]:
    """(text, exit status) of so many configurations; an exception of the command is passed on."""
    rng = random.Random(seed)
    config = write_pairs(folder, count=4, shape=(16, 16))
    first = config.read_text()
    for _ in range(count):
        lines = [line for line in _LINES if rng.random() < 0.15]
        text = mutated(rng, first + "\n".join(lines) + "\n")
        config.write_bytes(text.encode("utf-8", "surrogatepass"))
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            status = main(["train", str(config), "--plan"])
        assert "Traceback" not in errors.getvalue(), text
        yield text, status


def _run(count: int) -> None:
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for _, status in outcomes(count, 0, pathlib.Path(folder)):
                counts["planned" if status == 0 else f"refused with {status}"] += 1
        except BaseException:
            sys.stderr.write(f"{sum(counts.values())} before: {counts}\n")
            raise
    print(f"{count} configurations: {', '.join(f'{number} {what}' for what, number in sorted(counts.items()))}")


if __name__ == "__main__":
    _run(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
