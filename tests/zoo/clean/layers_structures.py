"""Right layers with several inputs or outputs, children, or no weights."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Right

register = keras.saving.register_keras_serializable(package="zoo")


@register
class Modulate(keras.layers.Layer):
    """Two inputs in a list; `build` gets two shapes."""

    def build(self, input_shape):
        values, condition = input_shape
        self.kernel = self.add_weight(shape=(condition[-1], values[-1]), initializer="glorot_uniform", name="kernel")

    def call(self, inputs):
        values, condition = inputs
        return values * (1.0 + ops.matmul(condition, self.kernel))

    def compute_output_shape(self, input_shape):
        return input_shape[0]


@register
class FuseByName(keras.layers.Layer):
    """A dict of inputs of different widths; `build` gets a dict of shapes and makes one weight per name."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernels = {}

    def build(self, input_shape):
        for name in sorted(input_shape):
            self.kernels[name] = self.add_weight(
                shape=(input_shape[name][-1], self.units), initializer="glorot_uniform", name=f"kernel_{name}"
            )

    def call(self, inputs):
        return sum(ops.matmul(inputs[name], self.kernels[name]) for name in sorted(inputs))

    def compute_output_shape(self, input_shape):
        return (next(iter(input_shape.values()))[0], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class CrossAttention(keras.layers.Layer):
    """Several arguments of `call`, one of them optional; `build` names the shape of each."""

    def build(self, query_shape, context_shape):
        self.kernel = self.add_weight(shape=(query_shape[-1], context_shape[-1]), initializer="glorot_uniform", name="kernel")

    def call(self, query, context, bias=None):
        scores = ops.matmul(ops.matmul(query, self.kernel), ops.transpose(context, (0, 2, 1)))
        if bias is not None:
            scores = scores + bias
        return ops.matmul(ops.softmax(scores, axis=-1), context)

    def compute_output_shape(self, query_shape, context_shape):
        return (*query_shape[:-1], context_shape[-1])


@register
class SplitHalves(keras.layers.Layer):
    """Two outputs in a tuple."""

    def call(self, inputs):
        half = inputs.shape[-1] // 2
        return inputs[..., :half], inputs[..., half:]

    def compute_output_shape(self, input_shape):
        width = input_shape[-1]
        return (*input_shape[:-1], width // 2), (*input_shape[:-1], width - width // 2)


@register
class Heads(keras.layers.Layer):
    """A nested dict of outputs; sublayers in a dict, which Keras tracks."""

    def __init__(self, classes=3, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes
        self.layers_by_name = {"class": keras.layers.Dense(classes), "box": keras.layers.Dense(4)}

    def build(self, input_shape):
        for layer in self.layers_by_name.values():
            layer.build(input_shape)

    def call(self, inputs):
        logits = self.layers_by_name["class"](inputs)
        return {
            "class": {"logits": logits, "probabilities": ops.softmax(logits, axis=-1)},
            "box": self.layers_by_name["box"](inputs),
        }

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}


@register
class LeakyCell(keras.layers.Layer):
    """A cell for `keras.layers.RNN`: `call(inputs, states)` gives the output and a list of states."""

    def __init__(self, units=5, leak=0.3, **kwargs):
        super().__init__(**kwargs)
        self.units, self.leak = units, leak
        self.state_size = units
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="kernel")

    def call(self, inputs, states):
        state = (1.0 - self.leak) * states[0] + self.leak * ops.tanh(ops.matmul(inputs, self.kernel))
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "leak": self.leak}


@register
class FourierFeatures(keras.layers.Layer):
    """No weights; the frequencies are a constant made of the arguments."""

    def __init__(self, count=3, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.frequencies = 2.0 ** np.arange(count)

    def call(self, inputs):
        angles = ops.expand_dims(inputs, -1) * ops.convert_to_tensor(self.frequencies, dtype=inputs.dtype)
        angles = ops.reshape(angles, (-1, inputs.shape[-1] * self.count))
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def get_config(self):
        return {**super().get_config(), "count": self.count}


@register
class PlainArguments(keras.layers.Layer):
    """No `get_config`: Keras records plain arguments by itself."""

    def __init__(self, factor=2.0, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.offset = factor, offset

    def call(self, inputs):
        return inputs * self.factor + self.offset


@register
class Residual(keras.layers.Layer):
    """Wraps another layer, which its config holds serialised. Out of a saved config the inner layer comes built: hence the
    question."""

    def __init__(self, layer=None, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer if layer is not None else keras.layers.Dense(8, activation="relu")

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build(input_shape)

    def call(self, inputs):
        return inputs + self.layer(inputs)

    def get_config(self):
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


@register
class BuiltInBuild(keras.layers.Layer):
    """Makes its children in `build`, as their number depends on the shape, and builds them there."""

    def build(self, input_shape):
        self.blocks = [keras.layers.Dense(input_shape[-1], activation="relu") for _ in range(input_shape[-1] // 4)]
        for block in self.blocks:
            block.build(input_shape)

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs


@register
class Temperature(keras.layers.Layer):
    """A plain number as an argument of `call`, by keyword only."""

    def call(self, inputs, *, temperature=1.0):
        return ops.softmax(inputs / temperature, axis=-1)


_VECTORS = {"inputs": "float32[4,8]"}

RIGHT = [
    Right(Modulate, like={"inputs": ["float32[4,8]", "float32[4,3]"]}, note="list of inputs"),
    Right(FuseByName, like={"inputs": {"image": "float32[4,8]", "text": "float32[4,3]"}}, note="build from a dict of shapes"),
    Right(
        CrossAttention, like={"inputs": "float32[4,5,8]", "context": "float32[4,6,3]"}, note="two arguments, optional third"
    ),
    Right(SplitHalves, like=_VECTORS, note="two outputs"),
    Right(Heads, like=_VECTORS, note="nested dict of outputs"),
    Right(LeakyCell, like={"inputs": "float32[4,3]", "states": ["float32[4,5]"]}, note="RNN cell"),
    Right(FourierFeatures, like=_VECTORS, note="no weights; keeps a NumPy constant"),
    Right(PlainArguments, like=_VECTORS, init={"factor": 3.0}, note="no get_config"),
    Right(Residual, like=_VECTORS, note="a layer as argument"),
    Right(BuiltInBuild, like=_VECTORS, note="children made in build"),
    Right(Temperature, like=_VECTORS, note="keyword-only argument"),
]
