"""What `kerasmith train` leaves in a run directory for those who use the model. Loads Keras with the model only."""

import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.recipes.images.normalization import Normalization

MODEL, PLAN = "model.keras", "plan.json"
OUTPUTS = ("sigmoid", "softmax", "instances")
HEADS = ("mask", "cores")
"""The outputs of a model that keeps objects apart, in the order of their probabilities."""


@dataclasses.dataclass(frozen=True)
class TrainedRun:
    """A model, and how its images and its outputs are to be read.

    Attributes:
        directory: of the run.
        dimensions: spatial axes of an image, 2 or 3.
        channels: of an image.
        classes: names, background first.
        class_ids: what a mask has for each class.
        outputs: "sigmoid" (one channel for each class but the background), "softmax" or "instances".
        window: size of what the model was trained on.
        normalization: of the images.
        spacing: that images are brought to, or None.
        axis_divisor: what each size must be a multiple of.
        threshold: of foreground probabilities.
    """

    directory: Path
    dimensions: int
    channels: int
    classes: tuple[str, ...]
    class_ids: tuple[int, ...]
    outputs: str
    window: tuple[int, ...]
    normalization: Normalization
    spacing: tuple[float, ...] | None
    axis_divisor: int
    threshold: float

    @classmethod
    def read(cls, run: str | os.PathLike[str]) -> "TrainedRun":
        """The run of a directory.

        Raises:
            ValueError: where it is none, or is not finished; says what is there.
        """
        directory = Path(run).expanduser()
        if not directory.is_dir():
            raise ValueError(f"There is no run directory {directory}. Expected what `kerasmith train config.yaml` writes")
        missing = [name for name in (PLAN, MODEL) if not (directory / name).is_file()]
        if missing:
            unfinished = PLAN not in missing or (directory / "checkpoints").is_dir()
            reason = (
                "its training is not finished: run `kerasmith train` with its configuration again, which goes on"
                if unfinished
                else "expected a directory that `kerasmith train config.yaml` wrote"
            )
            raise ValueError(f"{directory} has no {' and no '.join(missing)}: {reason}")
        path = directory / PLAN
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} cannot be read: {error}. Train again, or copy it from where the run was made") from None
        try:
            return cls._of_plan(directory, plan)
        except (KeyError, TypeError, ValueError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} is not what `kerasmith train` writes: {what}") from None

    @classmethod
    def _of_plan(cls, directory: Path, plan: dict[str, Any]) -> "TrainedRun":
        classes = tuple(str(name) for name in plan["classes"])
        dimensions, outputs, window = int(plan["dimensions"]), plan["outputs"], tuple(int(n) for n in plan["window"])
        ids = plan.get("class_ids")
        if dimensions not in (2, 3):
            raise ValueError(f"`dimensions` must be 2 or 3. Received: {dimensions}")
        if outputs not in OUTPUTS:
            raise ValueError(f"`outputs` must be one of {', '.join(OUTPUTS)}. Received: {outputs!r}")
        if len(window) != dimensions or len(classes) < 2:
            raise ValueError(f"expected {dimensions} sizes of a window and two classes. Received: {window}, {classes}")
        return cls(
            directory=directory,
            dimensions=dimensions,
            channels=int(plan["channels"]),
            classes=classes,
            class_ids=tuple(int(one) for one in ids) if ids and outputs != "instances" else tuple(range(len(classes))),
            outputs=outputs,
            window=window,
            normalization=Normalization.from_dict(plan["normalization"]),
            spacing=None if plan.get("spacing") is None else tuple(float(one) for one in plan["spacing"]),
            axis_divisor=int(plan["axis_divisor"]),
            threshold=float(plan["threshold"]),
        )

    @property
    def output_channels(self) -> tuple[str, ...]:
        """What each channel of the probabilities is."""
        return {"instances": HEADS, "softmax": self.classes, "sigmoid": self.classes[1:]}[self.outputs]

    @property
    def digest(self) -> str:
        """Of the model and the plan: predictions of another training are others."""
        files = (self.directory / MODEL, self.directory / PLAN)
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]

    def model(self) -> Any:
        """The `keras.Model`, which gives logits; layers of the user's may be in the current directory, as in training.

        Raises:
            ValueError: where it cannot be loaded.
        """
        import keras

        path = self.directory / MODEL
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ValueError(f"The model {path} cannot be loaded: {reason}") from error

    def predictor(self, model: Any) -> Callable[[np.ndarray], np.ndarray]:
        """The function from normalised images (B, *window, C) to probabilities (B, *window, K).

        Raises:
            ValueError: where the model gives other channels than the plan says; with the first call.
        """

        def predict(batch: np.ndarray) -> np.ndarray:
            logits = self.joined(model.predict_on_batch(batch), np.concatenate)
            logits = np.asarray(logits, np.float32)
            if logits.shape[-1] != len(self.output_channels):
                raise ValueError(
                    f"The model in {self.directory} gives {logits.shape[-1]} channels, its plan.json names "
                    f"{len(self.output_channels)}: {', '.join(self.output_channels)}. One of the two was replaced"
                )
            if self.outputs == "softmax":
                values = np.exp(logits - logits.max(axis=-1, keepdims=True))
                return values / values.sum(axis=-1, keepdims=True)
            # Beyond 60 the result is 0 or 1 in float32, and the exponential overflows.
            return 1 / (1 + np.exp(-np.clip(logits, -60, 60)))

        return predict

    def joined(self, outputs: Any, concatenate: Callable[..., Any]) -> Any:
        """The outputs of the model as one array of logits."""
        if not isinstance(outputs, dict):
            return outputs
        names = HEADS if self.outputs == "instances" else tuple(outputs)
        if not set(names) <= set(outputs) or (len(names) > 1 and self.outputs != "instances"):
            expected = " and ".join(HEADS) if self.outputs == "instances" else "one output"
            raise ValueError(f"The model in {self.directory} gives {', '.join(outputs)}; its plan.json says {expected}")
        return outputs[names[0]] if len(names) == 1 else concatenate([outputs[name] for name in names], axis=-1)

    def fixed_window(self, model: Any) -> tuple[int, ...]:
        """The window, or the size that the model was built for where it takes no other."""
        sizes = tuple(model.inputs[0].shape[1:-1])
        return tuple(int(own or planned) for own, planned in zip(sizes, self.window, strict=True))
