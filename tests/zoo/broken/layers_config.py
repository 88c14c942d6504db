"""Layers that are not what they were after loading."""

import keras
from keras import ops

from tests.zoo.entries import Broken

register = keras.saving.register_keras_serializable(package="zoo")


@register
class KeywordOptions(keras.layers.Layer):
    """Swallows unknown arguments: `axes=` instead of `axis=` changes nothing. Source:
    tensorflow/tensorflow 46276 (a mistyped argument must not be ignored without a word)."""

    def __init__(self, axis=-1, name=None, dtype=None, trainable=True, **options):
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.axis = axis

    def call(self, inputs):
        return ops.softmax(inputs, axis=self.axis)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


@register
class NoBaseArguments(keras.layers.Layer):
    """Takes no `name`, `dtype` or `trainable`: cannot be named, and its own saved config does not fit its constructor. Source:
    calmiLovesAI/Basic_CNNs_TensorFlow2 13."""

    def __init__(self, factor=2.0):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


@register
class NoSuper(keras.layers.Layer):
    """`super().__init__()` is missing. Source: jskDr/keraspp 3, keras-team/keras 2999."""

    def __init__(self, factor=2.0):
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


@register
class EmptyConfig(keras.layers.Layer):
    """`get_config` only calls the base: `factor` is lost, the clone computes with the default. Source: tensorflow/models 8537
    (advised in a comment), tensorflow/tensorflow 36883."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return super().get_config()


@register
class BareConfig(keras.layers.Layer):
    """`get_config` is written by hand without the base: the dtype is lost. Source: keras-team/keras 7898
    (arguments lost on load)."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {"factor": self.factor, "name": self.name, "trainable": self.trainable}


@register
class FunctionConfig(keras.layers.Layer):
    """The config holds a bound method, which no JSON can hold. Source: comet-ml/issue-tracking 37, keras-team/keras 2726."""

    def __init__(self, function=None, **kwargs):
        super().__init__(**kwargs)
        self.function = function or self.default

    def default(self, x):
        return ops.relu(x)

    def call(self, inputs):
        return self.function(inputs)

    def get_config(self):
        return {**super().get_config(), "function": self.function}


@register
class PoppingConfig(keras.layers.Layer):
    """`from_config` takes entries out of the config it was given: a second clone has another value. Source: keras-team/keras
    897 (an entry consumed while loading)."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

    @classmethod
    def from_config(cls, config):
        factor = config.pop("factor", 1.0)
        return cls(factor=factor, **config)


@register
class RebuildsChild(keras.layers.Layer):
    """Builds its inner layer without asking whether it is built: out of a saved config it is, and loading raises. Source:
    seen with Keras 3.15.1; related: keras-team/keras 18823, 19229."""

    def __init__(self, layer=None, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer if layer is not None else keras.layers.Dense(8, activation="relu")

    def build(self, input_shape):
        self.layer.build(input_shape)

    def call(self, inputs):
        return inputs + self.layer(inputs)

    def get_config(self):
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


@register
class ClassFactors(keras.layers.Layer):
    """A dict with integer keys comes back from JSON with strings: the loaded layer finds none of them. Source:
    tensorflow/tensorflow 31574."""

    def __init__(self, factors=None, **kwargs):
        super().__init__(**kwargs)
        self.factors = dict(factors or {})

    def call(self, inputs):
        factors = [self.factors.get(channel, 1.0) for channel in range(inputs.shape[-1])]
        return inputs * ops.convert_to_tensor(factors, dtype=inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "factors": dict(self.factors)}


class Unregistered(keras.layers.Layer):
    """Right, but not registered: loads only with `custom_objects`. Source: keras-team/keras 6744."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@register
class ClassDefaults(keras.layers.Layer):
    """Writes its arguments into a dict of the class: the last layer made decides for all. Source: sktime/sktime 10024,
    alan-turing-institute/autoemulate 940."""

    defaults = {"factor": 1.0, "offset": 0.0}

    def __init__(self, factor=1.0, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.defaults.update(factor=factor, offset=offset)

    def call(self, inputs):
        return inputs * self.defaults["factor"] + self.defaults["offset"]

    def get_config(self):
        return {**super().get_config(), **self.defaults}


_VECTORS = {"inputs": "float32[4,8]"}

BROKEN = [
    Broken(KeywordOptions, check="X101", like=_VECTORS),
    Broken(NoBaseArguments, check="X102", like=_VECTORS),
    Broken(NoSuper, check="X103", like=_VECTORS),
    Broken(EmptyConfig, check="X104", like=_VECTORS, init={"factor": 3.0}),
    Broken(BareConfig, check="X105", like=_VECTORS),
    Broken(FunctionConfig, check="X106", like=_VECTORS),
    Broken(PoppingConfig, check="X107", like=_VECTORS, init={"factor": 3.0}),
    Broken(RebuildsChild, check="X108", like=_VECTORS, note="right form: Residual in right_layers"),
    Broken(ClassFactors, check="X108", like=_VECTORS, init={"factors": {0: 2.0, 3: 0.5}}),
    Broken(Unregistered, check="X109", like=_VECTORS),
    Broken(ClassDefaults, check="X110", like=_VECTORS),
]
