"""What a guard found, in words and in files."""

import dataclasses
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith import _moved
from kerasmith.files import run_events
from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.messages import say, warn
from kerasmith.files.plain_data import json_text

__getattr__: Callable[[str], object] = _moved.renamed(
    "kerasmith.callbacks.numerics_guard.nonfinite_report", {"Finding": "NonFiniteReport"}
)

KINDS = ("input", "activation", "loss", "gradient", "weight")
_SENTENCES = {
    "input": "{where} of the batch has values that are not finite",
    "activation": "the output of the layer {where} is not finite",
    "loss": "the loss {where} is not finite",
    "gradient": "the gradient becomes not finite in {where}, though the loss is finite",
    "weight": "the variable {where} is not finite",
}


@dataclasses.dataclass
class NonFiniteReport:
    """The first number of a training that was not finite.

    Attributes:
        kind: "input", "activation", "loss", "gradient" or "weight".
        where: the part of the batch (`x`, `y/mask`, `sample_weight`), the layer (`encoder/conv`), the column of the loss term,
            the layer in whose backward pass the gradient broke, or the variable (`dense/kernel`).
        epoch, batch: as Keras counts them in callbacks, from 0.
        detail: more, as a sentence or "".
        samples: positions in the batch, the first few, where they can be told.
        file: the saved batch, or None.
        action: what the guard did, as a sentence.
    """

    kind: str
    where: str
    epoch: int
    batch: int
    detail: str = ""
    samples: list[int] = dataclasses.field(default_factory=list)
    file: str | None = None
    action: str = ""

    def __str__(self) -> str:
        parts = [f"Epoch {self.epoch + 1}, batch {self.batch}: {_SENTENCES[self.kind].format(where=repr(self.where))}"]
        if self.samples:
            parts[0] += f" (sample{'s' * (len(self.samples) > 1)} {', '.join(map(str, self.samples))})"
        parts += [self.detail, self.action, f"The batch is in {self.file}" if self.file else ""]
        return " ".join(part.rstrip(".") + "." for part in parts if part)

    def save(self, directory: str | os.PathLike[str], batch: Any) -> None:
        """Writes the batch (.npz) and this finding (.json) and notes the file.

        The arrays have the names of their places: `x`, `x/image`, `y/0`, `sample_weight`.

        Args:
            directory: made anew if it is gone.
            batch: what the data gave, or None if it was not kept.
        """
        stem = Path(directory) / f"epoch_{self.epoch + 1}_batch_{self.batch}"
        if batch is not None:
            file = str(stem.with_suffix(".npz"))
            content = io.BytesIO()
            np.savez(content, **named_arrays(batch))
            write_atomically(file, content.getvalue(), make_directory=True)
            self.file = file
        write_atomically(stem.with_suffix(".json"), json_text(dataclasses.asdict(self)), make_directory=True)

    def tell(self, directory: str | os.PathLike[str] | None, batch: Any, verbose: int) -> None:
        """Saves this finding, tells the run's report of it and prints it.

        Args:
            directory: for `save`; None saves nothing. One that cannot be written warns.
            batch: what the data gave, or None if it was not kept.
            verbose: 0 prints nothing.
        """
        if directory is not None:
            try:
                self.save(directory, batch)
            except OSError as problem:
                warn(f"NumericsGuard could not save its finding in {directory} ({problem}). It goes on.")
        kind = "rollback" if self.action.startswith("Rollback") else "not finite"
        run_events.tell(kind, str(self), by="NumericsGuard", epoch=self.epoch)
        if verbose:
            say(f"\nNumericsGuard: {self}")


def named_arrays(batch: Any) -> dict[str, np.ndarray]:
    """{place in the batch: array} of (x, y, sample weights)."""
    found = {}
    for name, part in zip(("x", "y", "sample_weight"), keras.utils.unpack_x_y_sample_weight(batch), strict=True):
        for path, leaf in tree.flatten_with_path(part):
            if leaf is not None:
                found["/".join([name, *map(str, path)])] = _array(leaf)
    return found


def _array(leaf):
    if not isinstance(leaf, np.ndarray):
        leaf = ops.convert_to_numpy(leaf)
    leaf = np.asarray(leaf)
    # NumPy's files know no bfloat16.
    return leaf.astype("float32") if leaf.dtype.name == "bfloat16" else leaf
