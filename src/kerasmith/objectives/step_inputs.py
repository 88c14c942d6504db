"""What the terms of an objective can read of one training step."""

import copy
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith._types import Tensor, Tensors

NAMES = ("x", "y", "y_true", "y_pred", "sample_weight", "features", "model", "training", "step")


@dataclasses.dataclass(frozen=True)
class StepInputs:
    """One batch, the model's answer to it and where training stands.

    Attributes:
        x, y, y_pred, sample_weight: as `fit` hands them over, any nest; None where nothing was given.
        features: {name of a Tap: its tensor}.
        model: the model, for a second forward pass.
        training: whether this is a training step.
        step: the number of training steps so far, a scalar.
        output_names: the names of a functional model's outputs, in the order of a list of them.
        quantities: {name: value} of the objective's quantities.
        one_weight: whether all parts of `sample_weight` are copies of one array.
    """

    x: Any
    y: Any
    y_pred: Any
    sample_weight: Any
    features: Any
    model: Any
    training: bool
    step: Any
    output_names: tuple[str, ...] = ()
    one_weight: bool = False
    quantities: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def shared(self) -> dict[Any, Any]:
        """What terms of one step leave for each other, such as a forward pass at other points."""
        return {}

    def __getitem__(self, name: str) -> Any:
        """What a function gets under this name; half-precision outputs and features in float32, like the losses of Keras."""
        names = {"y_true": "y", "y_pred": "_wide_y_pred", "features": "_wide_features"}
        return getattr(self, names.get(name, name))

    @functools.cached_property
    def _wide_y_pred(self):
        return tree.map_structure(_widened, self.y_pred)

    @functools.cached_property
    def _wide_features(self):
        wide = copy.copy(self.features)
        wide.update({name: tree.map_structure(_widened, tensor) for name, tensor in self.features.items()})
        return wide

    @functools.cached_property
    def y_like_y_pred(self) -> Tensors:
        """Labels with the rank of the predictions where a trailing 1 is all that differs, as in functions that Keras calls."""
        if self.y is None or tree.is_nested(self.y) or tree.is_nested(self.y_pred):
            return self.y
        rank, wanted = len(self.y.shape), len(self.y_pred.shape)
        if wanted == rank + 1 and self.y_pred.shape[-1] == 1:
            return ops.expand_dims(self.y, -1)
        return ops.squeeze(self.y, -1) if rank == wanted + 1 and self.y.shape[-1] == 1 else self.y

    @functools.cached_property
    def batch(self) -> Tensor:
        """A tensor with the batch in its first axis."""
        return next(leaf for leaf in tree.flatten([self.y_pred, self.x]) if leaf is not None)

    def of_output(self, output: str | int | None, name: str, position: int | None = None) -> tuple[Tensors, Tensors, Tensors]:
        """(y, y_pred, sample_weight) of one output.

        Args:
            output: a key or position that the user named, or None.
            name: the name of the term, which is its output's where it fits.
            position: the position of the term in a list of terms.
        """
        y_pred = self._pick("y_pred", output, name, position)
        if y_pred is self.y_pred and output not in (None, 0, *self.output_names):
            known = ", ".join(map(repr, self.output_names)) or "no name"
            raise ValueError(
                f"The term {name!r} asks for the output {output!r}, but the model has a single one, with {known}. "
                "Leave `output` out."
            )
        return self._pick("y", output, name, position), y_pred, self.weight_of(output, name, position)

    def of_all_outputs(
        self, output: str | int | None, name: str, position: int | None = None
    ) -> tuple[Tensors, Tensors, Tensors]:
        """(y, y_pred, sample_weight) for a term that reads several outputs: one array, all outputs, weights of that array.

        Arguments as `of_output`. Where one of the outputs is itself a list, as in {"mask": [fine, coarse], "edge": ...}, it is
        chosen like a single output, together with its labels.
        """
        nest = self.y_pred if tree.is_nested(self.y_pred) else []
        parts = nest if isinstance(nest, dict) else dict(enumerate(nest))
        for key in (name, position) if output is None else (output,):
            if output is not None or tree.is_nested(parts.get(key)):
                return self.of_output(key, name)
        if tree.is_nested(self.y) and len(self.y) > 1 and not (isinstance(self.y, dict) and name in self.y):
            raise ValueError(
                f"The term {name!r} compares all outputs with one array of labels, but `y` has {len(self.y)} parts. Pass the "
                f"labels of the full resolution alone, or name those of this term, y={{{name!r}: ...}}."
            )
        return self._pick("y", None, name, None), self.y_pred, self.weight_of(None, name)

    def weight_of(self, output: str | int | None, name: str, position: int | None = None) -> Tensors:
        """The sample weights of one output, or None."""
        if self.one_weight and tree.is_nested(self.sample_weight):
            return tree.flatten(self.sample_weight)[0]
        return self._pick("sample_weight", output, name, position)

    def _pick(self, what, output, name, position):
        nest = getattr(self, what)
        if not tree.is_nested(nest):
            return nest
        keys = list(nest) if isinstance(nest, dict) else list(range(len(nest)))
        named = not isinstance(nest, dict) and len(self.output_names) == len(nest)
        names = dict(zip(self.output_names, keys)) if named else {}
        if len(keys) == 1 and output is None:
            return nest[keys[0]]
        candidates = [output] if output is not None else [name, position]
        for key in candidates:
            key = names.get(key, key)
            if key in keys and not isinstance(key, bool):
                return nest[key]
        wanted = f"has no {output!r}" if output is not None else f"has {len(keys)} parts"
        raise ValueError(
            f"The term {name!r} needs one array, but `{what}` {wanted}. It has: {', '.join(map(repr, [*keys, *names]))}. "
            f"Write `Term(..., output={next(iter(names), keys[0])!r})`, or a function that takes `{what}` and picks."
        )


def _widened(leaf):
    half = leaf is not None and keras.backend.standardize_dtype(leaf.dtype) in ("float16", "bfloat16")
    return ops.cast(leaf, "float32") if half else leaf


def as_tensors(nest: Tensors) -> Tensors:
    """Tensors in place of NumPy arrays, which `train_on_batch` and eager steps hand over as they are; floats as in `fit`."""

    def convert(leaf):
        if not isinstance(leaf, np.ndarray) or leaf.dtype.kind not in "fiub":
            return leaf
        return ops.convert_to_tensor(leaf, dtype=keras.config.floatx() if leaf.dtype.kind == "f" else None)

    return tree.map_structure(convert, nest)
