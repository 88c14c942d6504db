"""The layers of a model as Keras keeps them, and how it calls and tracks them."""

import keras

from kerasmith._types import Tensor


def all_layers(layer: keras.layers.Layer, include_self: bool = True, recursive: bool = True) -> list[keras.layers.Layer]:
    """A layer and those inside it, nested ones too, also where it is no model."""
    return list(layer._flatten_layers(include_self=include_self, recursive=recursive))


def own_weights(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The trainable variables that a layer has made itself, without those of its layers."""
    return list(layer._trainable_variables)


def takes_training(layer: keras.layers.Layer) -> bool:
    """Whether `call` has the argument `training`."""
    return layer._call_has_training_arg


def has_default_build(cls: type[keras.layers.Layer]) -> bool:
    """Whether a class leaves `build` to Keras."""
    return cls.build is keras.layers.Layer.build or hasattr(cls.build, "_is_default")


def functional() -> type[keras.Model]:
    """Keras' class of models that are graphs of layers; `keras.Model(inputs, outputs)` gives one."""
    from keras.src.models.functional import Functional

    return Functional


def added_loss(model: keras.Model, loss: Tensor) -> Tensor:
    """A regulariser, or what a layer gave to `add_loss`, as Keras adds it to the total: summed, and once over replicas."""
    return model._aggregate_additional_loss(loss)


def is_in_layer_call() -> bool:
    """Whether a layer or a model is being called, such as one that gives `add_loss` what a loss has returned."""
    from keras.src.backend.common import global_state

    return global_state.get_global_attribute("current_call_ctx") is not None


def replace_tracked(model: keras.Model, name: str, layer: keras.layers.Layer | None) -> None:
    """Gives a model a layer as attribute `name`, tracked also by one that is built and locked, in place of the one before.

    Args:
        model: the model.
        name: of the attribute.
        layer: the new one, or None.
    """
    # A class attribute would hide the layer on PyTorch, which keeps its modules elsewhere.
    tracker, locked, before = model._tracker, model._tracker.locked, getattr(model, name, None)
    if before is not None:
        tracker.untrack(before)
        model._layers[:] = [known for known in model._layers if known is not before]
    tracker.unlock()
    setattr(model, name, layer)
    if locked:
        tracker.lock()
    # Before Keras 3.13 a functional model's list of layers is not the tracker's.
    if layer is not None and not any(known is layer for known in model._layers):
        model._layers.append(layer)
