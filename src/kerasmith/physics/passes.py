"""One evaluation of a function or model at points, from which derivatives can be taken on every backend."""

import contextlib
from typing import Any

import keras

from kerasmith._types import Function
from kerasmith.keras_internals.layers import all_layers, takes_training
from kerasmith.numerics.tensors import static_shape
from kerasmith.objectives.step_record import current, recording
from kerasmith.physics.dense_network import OfDenseNetwork, network_of
from kerasmith.physics.derivatives import Derivatives, OfEagerTensorFlowFunction, OfGraph, OfJaxFunction
from kerasmith.physics.nests import Coordinates, output_columns


def evaluate(
    source: Any, coordinates: Coordinates, training: bool = False, square: bool = True, apart: bool = False
) -> tuple[Derivatives, tuple[str, ...] | None]:
    """The values of a function or model at points, with all their derivatives, and the keys of a dict of outputs.

    Args:
        source: a function of the coordinates, or a Keras model or layer.
        coordinates: of the points.
        training: whether layers such as `Dropout` are in training mode.
        square: whether a function may have as many outputs as points.
        apart: whether the points are others than those of the step, whose taps do not listen here.
    """
    layers = network_of(source, coordinates)
    if layers is not None:
        return OfDenseNetwork(coordinates, layers), None
    call, is_layer = source, isinstance(source, keras.layers.Layer)
    if is_layer:
        refuse_batch_statistics(source, training)
        call = (lambda x: source(x, training=training)) if takes_training(source) else source
    batch = static_shape(coordinates.leaves[0], "x")[0]
    keys = None

    def columns(leaves):
        nonlocal keys
        with _pinned(source) if is_layer else contextlib.nullcontext(), _apart() if apart else contextlib.nullcontext():
            values, keys = output_columns(call(coordinates.pack(leaves)), batch, square or is_layer)
        return values

    backend = keras.backend.backend()
    if backend == "jax":
        found = OfJaxFunction(coordinates, columns)
    elif backend == "torch":
        found = _of_torch(coordinates, columns)
    elif _tensorflow_is_eager():
        found = OfEagerTensorFlowFunction(coordinates, columns)
    else:
        # An operation of its own makes the inputs of this pass differ from those of another.
        coordinates = coordinates._replace(leaves=[_identity(leaf) for leaf in coordinates.leaves])
        found = OfGraph(coordinates, columns(coordinates.leaves))
    return found, keys


def of_step(model: Any, coordinates: Coordinates, y_pred: Any) -> tuple[Derivatives, tuple[str, ...] | None] | None:
    """Derivatives of what the model has answered already in this step, or None if another pass is needed or costs less."""
    backend = keras.backend.backend()
    if network_of(model, coordinates) is not None:
        return None
    if backend == "jax" or (backend == "tensorflow" and _tensorflow_is_eager()):
        return None
    if backend == "torch" and not any(leaf.requires_grad for leaf in coordinates.leaves):
        return None
    values, keys = output_columns(y_pred, static_shape(coordinates.leaves[0], "x")[0])
    found = OfGraph(coordinates, values)
    return (found, keys) if found.is_connected else None


def refuse_batch_statistics(model: keras.layers.Layer, training: bool) -> None:
    """Raises ValueError for a layer that mixes the points of a batch: their outputs have no derivative by one point alone."""
    if not training:
        return
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            raise ValueError(
                f"The layer {layer.name!r} normalises with the statistics of the batch, so in training the value at one point "
                "depends on all others, and a derivative by its coordinates means nothing. Use "
                "`keras.layers.LayerNormalization()`, or fix the statistics: "
                f"model.get_layer({layer.name!r}).trainable = False"
            )


@contextlib.contextmanager
def _apart():
    """The taps of a model do not record here, and a balancer shifts nothing: it works at the points of the batch."""
    before = current()
    with recording() as record:
        record.differentiable = before is not None and before.differentiable
        yield


@contextlib.contextmanager
def _pinned(layer):
    """Each call inside sees the state of now, seeds included, and what it would change is dropped."""
    backend = keras.backend.backend()
    if backend == "torch" or (backend == "tensorflow" and not _tensorflow_is_eager()):
        yield  # evaluates once
        return
    if not layer.built:
        yield
        return
    # On TensorFlow the tape of the training step has to see the weights themselves.
    variables = layer.variables if backend == "jax" else layer.non_trainable_variables
    with keras.StatelessScope(state_mapping=[(v, v.value) for v in variables], collect_losses=True):
        yield


def _of_torch(coordinates: Coordinates, columns: Function) -> Derivatives:
    import torch

    with torch.enable_grad():
        leaves = [leaf if leaf.requires_grad else leaf.detach().requires_grad_() for leaf in coordinates.leaves]
        # A view: the coordinates may be the result of other operations, of which this pass knows nothing.
        coordinates = coordinates._replace(leaves=leaves)
        return OfGraph(coordinates, columns(leaves))


def _identity(leaf):
    import tensorflow as tf

    return tf.identity(leaf)


def _tensorflow_is_eager():
    import tensorflow as tf

    return tf.executing_eagerly()
