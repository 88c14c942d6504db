"""Contexts in which a model is changed for a trial: other activations, no dropout, no penalties, nothing frozen."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from kerasmith.checks.engine.lazy_keras import keras


@contextlib.contextmanager
def without_penalties(model: Any) -> Iterator[None]:
    """No regulariser of a weight or an activity counts."""
    with _attributes(model, _penalized, None), _variables_without_regularizer(model):
        yield


@contextlib.contextmanager
def without_dropout(model: Any) -> Iterator[None]:
    """Layers that drop or add noise leave their inputs as they are."""
    with _left_out(model, is_dropout):
        yield


@contextlib.contextmanager
def without_normalization(model: Any) -> Iterator[None]:
    """Layers that normalize what the layers before them give leave it as it is."""
    with _left_out(model, _normalizes):
        yield


def _normalizes(layer: Any) -> bool:
    kinds = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization")
    return isinstance(layer, tuple(getattr(keras.layers, name) for name in kinds if hasattr(keras.layers, name)))


@contextlib.contextmanager
def _left_out(model: Any, chosen: Callable[[Any], bool]) -> Iterator[None]:
    changed = []
    for layer in _layers(model):
        if chosen(layer):
            changed.append((layer, vars(layer).get("call")))
            layer.call = _unchanged
    try:
        yield
    finally:
        for layer, before in changed:
            vars(layer).pop("call", None)
            if before is not None:
                layer.call = before


@contextlib.contextmanager
def all_trainable(model: Any) -> Iterator[None]:
    """No layer is frozen."""
    before = [(layer, layer.trainable) for layer in [model, *_layers(model)]]
    model.trainable = True
    try:
        yield
    finally:
        for layer, trainable in before:
            if layer.trainable != trainable:
                layer.trainable = trainable


@contextlib.contextmanager
def with_leaky_units(model: Any) -> Iterator[None]:
    """Hidden layers have an activation that passes a gradient everywhere in place of relu, sigmoid and tanh."""

    def slope(x: Any) -> Any:
        return keras.ops.leaky_relu(x, negative_slope=0.2)

    last = _last(model)
    with _attributes(model, lambda layer: [] if layer is last else _squashes(layer), slope):
        yield


def is_dropout(layer: Any) -> bool:
    """Whether a layer is a dropout of any kind, also one of the user's own that says its `rate`."""
    kinds = [keras.layers.Dropout, keras.layers.GaussianDropout, keras.layers.AlphaDropout, keras.layers.SpatialDropout1D]
    kinds += [keras.layers.SpatialDropout2D, keras.layers.SpatialDropout3D]
    return isinstance(layer, tuple(kinds))


def _unchanged(inputs: Any, training: Any = None, mask: Any = None) -> Any:
    return inputs


def _penalized(layer: Any) -> list[str]:
    names = ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "recurrent_regularizer")
    return [name for name in names if getattr(layer, name, None) is not None]


def _squashes(layer: Any) -> list[str]:
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "")
    return ["activation"] if name in ("relu", "sigmoid", "tanh", "hard_sigmoid", "softmax", "relu6") else []


def _last(model: Any) -> Any:
    """The last layer with an activation, which belongs to the loss."""
    own = [one for one in _layers(model) if getattr(one, "activation", None) is not None]
    return own[-1] if own else None


@contextlib.contextmanager
def _attributes(model: Any, names_of: Callable[[Any], Any], value: Any) -> Iterator[None]:
    changed = []
    try:
        for layer in _layers(model):
            for name in names_of(layer) or ():
                changed.append((layer, name, getattr(layer, name)))
                setattr(layer, name, value)
        yield
    finally:
        for layer, name, before in changed:
            setattr(layer, name, before)


@contextlib.contextmanager
def _variables_without_regularizer(model: Any) -> Iterator[None]:
    before = [(v, v.regularizer) for v in model.trainable_variables if getattr(v, "regularizer", None) is not None]
    for variable, _ in before:
        variable.regularizer = None
    try:
        yield
    finally:
        for variable, regularizer in before:
            variable.regularizer = regularizer


def _layers(model: Any) -> list[Any]:
    from kerasmith.keras_internals.layers import all_layers

    return all_layers(model, include_self=False)
