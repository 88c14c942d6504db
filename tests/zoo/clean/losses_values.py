"""Losses whose values, gradients or state look odd and are right."""

import keras
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="zoo.clean.losses_values")

BINARY_MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}


@serializable
class SharpPredictions(keras.losses.Loss):
    """A regulariser for unlabelled data (entropy minimisation): it ignores y_true on purpose."""

    def call(self, y_true, y_pred):
        return ops.mean(4 * y_pred * (1 - y_pred), axis=-1)


@serializable
def straight_through_mse(y_true, y_pred):
    """Rounds forward and passes the gradient as if it had not: differs from finite differences by design."""
    rounded = y_pred + ops.stop_gradient(ops.round(y_pred) - y_pred)
    return ops.mean(ops.square(y_true - rounded), axis=-1)


@serializable
class DetachedFocal(keras.losses.Loss):
    """The modulating factor is detached (quality focal losses do that): the gradient is not that of the value."""

    def __init__(self, gamma=2.0, **kwargs):
        super().__init__(**kwargs)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        entropy = ops.maximum(y_pred, 0) - y_pred * y_true + ops.log1p(ops.exp(-ops.abs(y_pred)))
        factor = ops.power(ops.abs(y_true - ops.sigmoid(y_pred)) + 1e-3, self.gamma)
        return ops.mean(ops.stop_gradient(factor) * entropy, axis=-1)

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}


@serializable
class RunningScaleMAE(keras.losses.Loss):
    """Divides by a running scale kept in a Variable (not in a Python attribute): two calls differ by design."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.scale = keras.Variable(1.0, trainable=False, name="scale")

    def call(self, y_true, y_pred):
        error = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        fresh = ops.stop_gradient(ops.cast(ops.mean(error), "float32"))
        self.scale.assign(self.momentum * self.scale + (1 - self.momentum) * fresh)
        return error / (ops.cast(self.scale, error.dtype) + 1e-3)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@serializable
class FeatureDistance(keras.losses.Loss):
    """Layers inside: distance of features of a fixed random network (seeded, so it loads equal)."""

    def __init__(self, units=8, seed=7, **kwargs):
        super().__init__(**kwargs)
        self.units, self.seed = units, seed
        start = keras.initializers.GlorotNormal(seed=seed)
        self.features = keras.layers.Dense(units, activation="tanh", kernel_initializer=start, trainable=False)
        self.features.build((None, 3))

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(self.features(y_true) - self.features(y_pred)), axis=-1)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "seed": self.seed}


@serializable
def negative_cosine(y_true, y_pred):
    """Negative values down to -1: the minimum is at the same direction, not at the same vector."""
    dot = ops.sum(y_true * y_pred, axis=-1)
    return -dot / ops.sqrt(ops.sum(ops.square(y_true), -1) * ops.sum(ops.square(y_pred), -1) + 1e-4)


@serializable
class Charbonnier(keras.losses.Loss):
    """Never 0, not even for a perfect prediction; smooth at 0."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.sqrt(ops.square(y_true - y_pred) + 1e-3), axis=-1)


@serializable
def log_cosh(y_true, y_pred):
    """A plain function, stable for any error."""
    error = ops.abs(y_pred - y_true)
    return ops.mean(error + ops.log1p(ops.exp(-2 * error)) - 0.6931472, axis=-1)


@serializable
def critic(y_true, y_pred):
    """Wasserstein critic: labels are -1 and 1, the loss is linear and unbounded below."""
    return -ops.mean(y_true * y_pred, axis=-1)


@serializable
class SummedSquares(keras.losses.Loss):
    """`reduction="sum"` is the default of this class on purpose (likelihood of the data set)."""

    def __init__(self, reduction="sum", **kwargs):
        super().__init__(reduction=reduction, **kwargs)

    def call(self, y_true, y_pred):
        return 0.5 * ops.sum(ops.square(y_true - y_pred), axis=-1)


@serializable
class InstanceNoise(keras.losses.Loss):
    """Random on purpose and reproducible: the seed generator is part of it."""

    def __init__(self, spread=0.1, seed=3, **kwargs):
        super().__init__(**kwargs)
        self.spread, self.seed = spread, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, y_true, y_pred):
        noise = keras.random.normal(ops.shape(y_true), stddev=self.spread, dtype=y_pred.dtype, seed=self.generator)
        return ops.mean(ops.square(y_true + noise - y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "spread": self.spread, "seed": self.seed}


@serializable
class WeightedBinary(keras.losses.BinaryCrossentropy):
    """Inherits a built-in and only adds a weight for the positives; the config is that of the parent plus one entry."""

    def __init__(self, positive_weight=2.0, from_logits=True, **kwargs):
        super().__init__(from_logits=from_logits, **kwargs)
        self.positive_weight = positive_weight

    def call(self, y_true, y_pred):
        weight = 1 + (self.positive_weight - 1) * ops.mean(y_true, axis=-1)
        return weight * super().call(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "positive_weight": self.positive_weight}


@serializable
class HingeOfSigns(keras.losses.Loss):
    """Zero gradient on the easy side of the margin, a kink in between: neither detached nor wrong."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.maximum(1 - y_true * y_pred, 0.0), axis=-1)


@serializable
class PoissonNLL(keras.losses.Loss):
    """Counts against a log rate: negative values, minimum at log(y_true) instead of y_true."""

    def call(self, y_true, y_pred):
        rate = ops.exp(ops.minimum(y_pred, 8.0))
        return ops.mean(rate - y_true * y_pred, axis=-1)


@serializable
class PulledMSE(keras.losses.Loss):
    """MSE and a pull to a centre, both per sample: the right twin of the closure."""

    def __init__(self, center=0.5, factor=0.1, **kwargs):
        super().__init__(**kwargs)
        self.center, self.factor = center, factor

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred) + self.factor * ops.square(y_pred - self.center), axis=-1)

    def get_config(self):
        return {**super().get_config(), "center": self.center, "factor": self.factor}


RIGHT = [
    Right(SharpPredictions, BINARY_MASKS, contract={"uses_y_true": False}, note="regulariser"),
    Right(straight_through_mse, REGRESSION, contract={"exact_gradient": False}, note="round, but the gradient passes"),
    Right(
        DetachedFocal,
        {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](-3,3)"},
        {"gamma": 1.5},
        contract={"exact_gradient": False},
        note="stop_gradient on a factor",
    ),
    Right(
        RunningScaleMAE,
        REGRESSION,
        contract={"stateful": True, "independent": False},
        backends=("tensorflow", "torch"),
        note="not JAX, see L130",
    ),
    Right(FeatureDistance, REGRESSION, {"units": 6}, note="layers inside a loss"),
    Right(negative_cosine, REGRESSION, note="negative"),
    Right(Charbonnier, REGRESSION, note="never 0"),
    Right(log_cosh, REGRESSION),
    Right(critic, {"y_true": "float32[4,1]{-1,1}", "y_pred": "float32[4,1](-2,2)"}, note="unbounded below"),
    Right(SummedSquares, REGRESSION, note="another default reduction"),
    Right(
        InstanceNoise,
        REGRESSION,
        {"spread": 0.2, "seed": 5},
        contract={"deterministic": False},
        backends=("tensorflow", "torch"),
        note="random with a seed; on JAX the seed state of a loss is not tracked: the same noise each step (L130)",
    ),
    Right(WeightedBinary, {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](-3,3)"}, {"positive_weight": 3.0}),
    Right(HingeOfSigns, {"y_true": "float32[4,1]{-1,1}", "y_pred": "float32[4,1](-2,2)"}, note="kinks"),
    Right(PoissonNLL, {"y_true": "float32[4,3]{0,6}", "y_pred": "float32[4,3](-1,2)"}, note="minimum at log(y_true)"),
    Right(PulledMSE, REGRESSION, {"center": 0.2, "factor": 0.3}, note="right twin of the closure"),
]
