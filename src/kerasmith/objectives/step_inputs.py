"""What the terms of an objective can read of one training step."""

import dataclasses
from typing import Any

from keras import tree

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
    """

    x: Any
    y: Any
    y_pred: Any
    sample_weight: Any
    features: Any
    model: Any
    training: bool
    step: Any
    output_names: tuple = ()

    def __getitem__(self, name):
        return self.y if name == "y_true" else getattr(self, name)

    @property
    def batch(self):
        """A tensor with the batch in its first axis."""
        return next(leaf for leaf in tree.flatten([self.y_pred, self.x]) if leaf is not None)

    def of_output(self, output, name, position=None):
        """(y, y_pred, sample_weight) of one output.

        Args:
            output: a key or position that the user named, or None.
            name: the name of the term, which is its output's where it fits.
            position: the position of the term in a list of terms.
        """
        y_pred = self._pick("y_pred", output, name, position)
        return self._pick("y", output, name, position), y_pred, self.weight_of(output, name, position)

    def weight_of(self, output, name, position=None):
        """The sample weights of one output, or None."""
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
