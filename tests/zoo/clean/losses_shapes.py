"""Losses whose shapes look odd and are right."""

import keras
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="zoo.clean.losses_shapes")

BINARY_MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
VIEWS = {"y_true": "float32[4,1](0,1)", "y_pred": "float32[4,2,6](-1,1)"}


@serializable
class BrierOrLogits(keras.losses.Loss):
    """Squared error of probabilities or, with `from_logits`, of logits: one value per pixel, weights of any shape fit."""

    def __init__(self, from_logits=False, **kwargs):
        super().__init__(**kwargs)
        self.from_logits = from_logits

    def call(self, y_true, y_pred):
        probability = ops.sigmoid(y_pred) if self.from_logits else y_pred
        return ops.mean(ops.square(y_true - probability), axis=-1)

    def get_config(self):
        return {**super().get_config(), "from_logits": self.from_logits}


@serializable
class NTXent(keras.losses.Loss):
    """Two views (B, 2, D): each sample is told apart from the others of the batch, so it depends on them by design."""

    def __init__(self, temperature=0.5, **kwargs):
        super().__init__(**kwargs)
        self.temperature = temperature

    def call(self, y_true, y_pred):
        unit = y_pred / ops.sqrt(ops.sum(ops.square(y_pred), axis=-1, keepdims=True) + 1e-6)
        logits = ops.matmul(unit[:, 0], ops.transpose(unit[:, 1])) / self.temperature
        return ops.logsumexp(logits, axis=-1) - ops.diagonal(logits)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}


@serializable
class BatchDice(keras.losses.Loss):
    """Dice of the whole batch as one scalar, on purpose: single images are nearly all empty."""

    def call(self, y_true, y_pred):
        together = ops.sum(y_true * y_pred)
        return 1 - (2 * together + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


@serializable
class SparseCrossEntropy(keras.losses.Loss):
    """Class numbers (B,) against logits (B, C): the shapes differ, nothing is broadcast; class -1 is ignored."""

    def call(self, y_true, y_pred):
        known = ops.cast(y_true >= 0, y_pred.dtype)
        wanted = ops.one_hot(ops.cast(ops.maximum(y_true, 0), "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
        return known * (ops.logsumexp(y_pred, axis=-1) - ops.sum(wanted * y_pred, axis=-1))


@serializable
class GaussianNLLOfDict(keras.losses.Loss):
    """The model returns a dict of two heads; negative values are possible and the minimum is not at mean = label alone."""

    def call(self, y_true, y_pred):
        log_variance = ops.clip(y_pred["log_variance"], -6.0, 6.0)
        return 0.5 * ops.mean(log_variance + ops.square(y_true - y_pred["mean"]) * ops.exp(-log_variance), axis=-1)


@serializable
class Float32Dice(keras.losses.Loss):
    """Casts to float32 inside and back at the end: sums of a large mask do not fit in float16."""

    def call(self, y_true, y_pred):
        y_true, p = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        axes = (1, 2, 3)
        total = ops.sum(y_true, axis=axes) + ops.sum(p, axis=axes)
        return ops.cast(1 - (2 * ops.sum(y_true * p, axis=axes) + 1) / (total + 1), y_pred.dtype)


@serializable
class WeightsInsideDice(keras.losses.Loss):
    """Overrides `__call__`: pixel weights belong inside the sums of each image, weights per image outside."""

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None and len(sample_weight.shape) >= 3:
            weights = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            weights = weights if len(weights.shape) == 4 else weights[..., None]
            y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
            y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
            return super().__call__(ops.concatenate([y_true, weights], -1), ops.concatenate([y_pred, weights], -1))
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred):
        weights = y_true[..., 1:] if y_true.shape[-1] == 2 else 1.0
        y_true, y_pred = y_true[..., :1], y_pred[..., :1]
        axes = (1, 2, 3)
        total = ops.sum(weights * y_true, axis=axes) + ops.sum(weights * y_pred, axis=axes)
        return 1 - (2 * ops.sum(weights * y_true * y_pred, axis=axes) + 1) / (total + 1)


@serializable
class Pinball(keras.losses.Loss):
    """Labels (B, 1) against Q quantiles (B, Q): broadcast over the quantiles on purpose."""

    def __init__(self, quantiles=(0.1, 0.5, 0.9), **kwargs):
        super().__init__(**kwargs)
        self.quantiles = tuple(quantiles)

    def call(self, y_true, y_pred):
        level = ops.convert_to_tensor(self.quantiles, dtype=y_pred.dtype)
        error = y_true - y_pred
        return ops.mean(ops.maximum(level * error, (level - 1) * error), axis=-1)

    def get_config(self):
        return {**super().get_config(), "quantiles": list(self.quantiles)}


@serializable
def triplet(y_true, y_pred):
    """Anchor, positive and negative are three rows of one output; the labels are a dummy."""
    near = ops.sum(ops.square(y_pred[:, 0] - y_pred[:, 1]), axis=-1)
    far = ops.sum(ops.square(y_pred[:, 0] - y_pred[:, 2]), axis=-1)
    return ops.softplus(near - far + 0.2)


@serializable
class KnownOnlyMSE(keras.losses.Loss):
    """Labels of -1 are missing: removed from numerator and denominator of their row; a row without labels is 0."""

    def call(self, y_true, y_pred):
        known = ops.cast(y_true >= 0, y_pred.dtype)
        return ops.sum(known * ops.square(y_true - y_pred), axis=-1) / ops.maximum(ops.sum(known, axis=-1), 1.0)


@serializable
class OrdinalLogits(keras.losses.Loss):
    """Ordered classes (B,) against K-1 cumulative logits (B, K-1): compared with a row of thresholds on purpose."""

    def call(self, y_true, y_pred):
        steps = ops.arange(y_pred.shape[-1], dtype=y_pred.dtype)
        above = ops.cast(y_true[:, None] > steps[None, :], y_pred.dtype)
        return ops.mean(ops.softplus(y_pred) - above * y_pred, axis=-1)


@serializable
class PixelValues(keras.losses.Loss):
    """Returns (B, H, W), finer than one value per sample."""

    def call(self, y_true, y_pred):
        return ops.abs(y_true - y_pred)[..., 0]


@serializable
def chamfer(y_true, y_pred):
    """Sets of N against M points: all pairs (B, N, M) are compared; the order inside a set does not matter."""
    pairs = ops.sum(ops.square(y_true[:, :, None] - y_pred[:, None]), axis=-1)
    return ops.mean(ops.min(pairs, axis=2), axis=1) + ops.mean(ops.min(pairs, axis=1), axis=1)


RIGHT = [
    Right(BrierOrLogits, BINARY_MASKS),
    Right(BrierOrLogits, {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](-3,3)"}, {"from_logits": True}),
    Right(NTXent, VIEWS, contract={"independent": False, "uses_y_true": False}, note="depends on the batch, and on replicas"),
    Right(BatchDice, BINARY_MASKS, contract={"per_sample": False, "independent": False}, note="scalar on purpose"),
    Right(SparseCrossEntropy, {"y_true": "int32[4]{-1,4}", "y_pred": "float32[4,5](-3,3)"}, note="ranks differ"),
    Right(
        GaussianNLLOfDict,
        {"y_true": "float32[4,3](-2,2)", "y_pred": {"mean": "float32[4,3](-2,2)", "log_variance": "float32[4,3](-1,1)"}},
        note="dict of outputs",
    ),
    Right(Float32Dice, BINARY_MASKS, note="float32 inside is no hard-coded dtype"),
    Right(WeightsInsideDice, BINARY_MASKS, note="own __call__; weights inside the sums; channels carry the weights"),
    Right(Pinball, {"y_true": "float32[4,1](-2,2)", "y_pred": "float32[4,3](-2,2)"}, note="broadcast on purpose"),
    Right(triplet, {"y_true": "float32[4,1](0,1)", "y_pred": "float32[4,3,6](-1,1)"}, contract={"uses_y_true": False}),
    Right(KnownOnlyMSE, {"y_true": "float32[4,3]{-1,2}", "y_pred": "float32[4,3](0,2)"}, note="missing labels"),
    Right(OrdinalLogits, {"y_true": "int32[4]{0,4}", "y_pred": "float32[4,4](-3,3)"}, note="(B,) against (B, B) is intended"),
    Right(PixelValues, BINARY_MASKS, note="finer than per sample"),
    Right(chamfer, {"y_true": "float32[4,5,2](0,1)", "y_pred": "float32[4,6,2](0,1)"}, note="all pairs within a sample"),
]
