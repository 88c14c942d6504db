"""A named place in a model whose tensor the terms of an objective can read."""

import contextlib

import keras

from kerasmith.base import register


@register
class Tap(keras.layers.Layer):
    """Identity; shows the tensor that flows through it to the terms of an `Objective`, as `features[name]`.

    Args:
        name: how the terms call it.
        dtype: see `keras.layers.Layer`.

    Call arguments:
        inputs: any tensor; a mask is passed on.

    Returns:
        The same tensor.

    Example:

    >>> from keras import ops
    >>> from kerasmith import Model, Objective, Tap, Term
    >>> inputs = keras.Input((3,))
    >>> hidden = Tap("hidden")(keras.layers.Dense(4, activation="relu")(inputs))
    >>> model = Model(inputs, keras.layers.Dense(1)(hidden))
    >>> def sparse(features):
    ...     return ops.mean(ops.abs(features["hidden"]), axis=-1)
    >>> model.compile("sgd", Objective({"fit": "mse", "sparse": Term(sparse, weight=0.01)}))
    >>> sorted(model.evaluate(ops.ones((2, 3)), ops.ones((2, 1)), return_dict=True, verbose=0))
    ['fit', 'loss', 'sparse']
    """

    def __init__(self, name, *, dtype=None):
        if not isinstance(name, str) or not name:
            raise TypeError(f'A Tap needs the name that terms read it by, `Tap("hidden")`. Received: name={name!r}')
        super().__init__(name=name, dtype=dtype)
        self.supports_masking = True
        self._set(seen=None, shift=None)

    def call(self, inputs):
        # What a task sends back here is the gradient by `shift`; JAX knows no other way into the middle of a function.
        outputs = inputs if self._shift is None else inputs + self._shift
        if self._seen is not None:
            self._seen.append(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {"name": self.name, "dtype": super().get_config()["dtype"]}

    def _set(self, **state):
        # Tensors of one step, not state of the layer: nothing that Keras should track.
        for name, value in state.items():
            object.__setattr__(self, f"_{name}", value)


def taps_of(model):
    """{name: Tap} of a model, nested models included."""
    return {layer.name: layer for layer in model._flatten_layers(include_self=False) if isinstance(layer, Tap)}


@contextlib.contextmanager
def listening(taps, shifts=None):
    """Lets taps record what flows through them, for `take`; optionally adds a tensor to each.

    Args:
        taps: {name: Tap}.
        shifts: {name: tensor}, for some of them.
    """
    for name, tap in taps.items():
        tap._set(seen=[], shift=(shifts or {}).get(name))
    try:
        yield
    finally:
        for tap in taps.values():
            tap._set(seen=None, shift=None)


def take(taps):
    """`Features` of the latest forward pass; what flows later, in a second pass, is not recorded."""
    features = Features()
    features.silent = [name for name, tap in taps.items() if not tap._seen]
    for name, tap in taps.items():
        seen = tap._seen or []
        tap._set(seen=None)
        if seen:
            features[name] = seen[0] if len(seen) == 1 else seen
    return features


class Features(dict):
    """{name of a Tap: its tensor}; an unknown name says which ones there are."""

    silent = ()

    def __missing__(self, name):
        if name in self.silent:
            raise ValueError(
                f"Nothing was recorded at the Tap {name!r}. The forward pass left it out, or a `train_step` of your own made "
                "it where taps do not listen: let `super().train_step(...)` do the step, and override `compute_loss`."
            )
        known = ", ".join(map(repr, self)) or "none"
        raise ValueError(
            f"No tensor flowed through a Tap named {name!r}. This model's taps: {known}. "
            f"Put one into the graph, `x = kerasmith.Tap({name!r})(x)`."
        )
