"""Weights that go from model to model, whatever each was compiled with: the state of an objective goes along where it can."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasmith.keras_internals.layer_loading import loading_by
from kerasmith.keras_internals.layers import all_layers


class WeightArrays(list):
    """What `get_weights` returns: the arrays of the layers.

    Attributes:
        objective: those of the objective, which `set_weights` restores too (as `EarlyStopping` does), where they fit.
    """

    objective: tuple[np.ndarray, ...] = ()


class TransfersWeights:
    """Mixin for `keras.Model` with an `objective`: weights go to and come from models compiled in another way."""

    def get_weights(self) -> WeightArrays:
        """The weights of the layers as NumPy arrays, as many as without an objective; see `WeightArrays`."""
        own, layers = _divided(self)
        arrays = WeightArrays(ops.convert_to_numpy(weight) for weight in layers)
        arrays.objective = tuple(ops.convert_to_numpy(weight) for weight in own)
        return arrays

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets what `get_weights` of this model or of one compiled in another way gave; then the objective stays as it is."""
        own, layers = _divided(self)
        state = list(getattr(weights, "objective", ()))
        if len(weights) == len(layers) + len(own):  # a list of version 0.1, the objective behind the layers
            weights, state = weights[: len(layers)], weights[len(layers) :]
        if len(weights) != len(layers):
            raise ValueError(
                f"`set_weights` takes one array for each of the {len(layers)} weights of the layers of '{self.name}', as "
                f"`get_weights` gives them. Received: {len(weights)} arrays"
            )
        if [np.shape(array) for array in state] != [tuple(weight.shape) for weight in own]:
            state = [ops.convert_to_numpy(weight) for weight in own]
        super().set_weights([*weights, *state])

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """As `keras.Model.load_weights`; from the file of a model without an objective the layers are loaded."""
        parts = [] if _objective(self) is None else all_layers(_objective(self))
        # An objective and its layers stay as they are where a file has no state for them.
        with loading_by(parts, _unless_empty):
            super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)


def _objective(model):
    return getattr(model, "objective", None)


def _divided(model):
    """(weights of the objective, weights of the layers); the objective's stand last."""
    own = [] if _objective(model) is None else list(_objective(model).weights)
    return own, model.weights[: len(model.weights) - len(own)]


def _unless_empty(load):
    def load_own_variables(store):
        if not len(store.keys()):
            return
        try:
            load(store)
        except ValueError as problem:
            raise ValueError(
                f"{problem}\nThe file is of a model with an objective of other terms. To load the layers alone, write "
                "`model.load_weights(path, skip_mismatch=True)`."
            ) from problem

    return load_own_variables
