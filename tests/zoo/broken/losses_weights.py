"""Losses that lose weights, masks or the one value per sample, as users write them."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.losses_weights")

BINARY_MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}


@serializable
class DroppedWeightsMSE(keras.losses.Loss):
    """`__call__` is overridden and does not hand on the weights; effect as in huggingface/transformers PR 20232."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred)


@serializable
class FlooredWeightsMSE(keras.losses.Loss):
    """Weights are kept away from 0 "against division by zero": weight 0 does not delete; no thread, common repair."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            sample_weight = ops.maximum(ops.convert_to_tensor(sample_weight, dtype=self.dtype), 0.1)
        return super().__call__(y_true, y_pred, sample_weight)


@serializable
class WholeImageBrier(keras.losses.Loss):
    """Averages the pixels before the weights come: a (B, H, W) map weighs columns when B = H = W; keras#6261, keras#14126."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=(1, 2, 3))


@serializable
class ScalarContrastive(keras.losses.Loss):
    """Mean inside `call`: any weights give the same number; asked for: "Contrastive loss (margin)"."""

    def __init__(self, margin=1.0, **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        near = (1 - y_true) * ops.square(y_pred)
        far = y_true * ops.square(ops.maximum(self.margin - y_pred, 0.0))
        return ops.mean(near + far)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@serializable
def scalar_mse_with_center(y_true, y_pred):
    """One scalar for the batch, from the official guide; tensorflow#42446, asked for: "MSE + pull of predictions to a
    centre"."""
    return ops.mean(ops.square(y_true - y_pred)) + 0.1 * ops.mean(ops.square(0.5 - y_pred))


@serializable
class BatchFocalTversky(keras.losses.Loss):
    """Three sums over the whole batch: one value for all images; asked for: "Focal Tversky loss", NifTK/NiftyNet#22."""

    def __init__(self, alpha=0.7, beta=0.3, gamma=0.75, **kwargs):
        super().__init__(**kwargs)
        self.alpha, self.beta, self.gamma = alpha, beta, gamma

    def call(self, y_true, y_pred):
        hit = ops.sum(y_true * y_pred)
        false_alarm = ops.sum((1 - y_true) * y_pred)
        miss = ops.sum(y_true * (1 - y_pred))
        index = (hit + 1.0) / (hit + self.alpha * false_alarm + self.beta * miss + 1.0)
        return ops.power(1.0 - index + 1e-3, self.gamma)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta, "gamma": self.gamma}


@serializable
def distance_over_the_batch_axis(y_true, y_pred):
    """Sums over axis 0, so there is a value per feature instead of per sample; keras#10408."""
    return ops.sum(ops.abs(y_pred - y_true), axis=0)


@serializable
class FlattenedBrier(keras.losses.Loss):
    """Flattens batch and pixels to one axis: B*H*W values for B weights; keras#8813."""

    def call(self, y_true, y_pred):
        return ops.square(ops.reshape(y_true, (-1,)) - ops.reshape(y_pred, (-1,)))


@serializable
class BroadcastMSE(keras.losses.Loss):
    """Labels (B,) against predictions (B, 1) become (B, B); keras#16836, keras#14627."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@serializable
def mse_of_integer_labels(y_true, y_pred):
    """Class numbers (N,) against (N, 10) probabilities broadcast silently; asked for: "MSE; MSE + L1 penalty" (27.79, true
    .149)."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@serializable
class ClipLosesMask(keras.losses.Loss):
    """Clips the predictions before `super().__call__`: the new tensor has no Keras mask; keras#8342 (masks in losses)."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    def __call__(self, y_true, y_pred, sample_weight=None):
        y_pred = ops.clip(ops.convert_to_tensor(y_pred), 0.0, 1.0)
        return super().__call__(y_true, y_pred, sample_weight)


@serializable
class ReductionNotHandedOn(keras.losses.Loss):
    """Takes `reduction` and does not hand it on: "none" and "sum" still give the mean; no thread, common."""

    def __init__(self, scale=1.0, reduction="sum_over_batch_size", name="scaled_mae", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * ops.mean(ops.abs(y_true - y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@serializable
class ColumnMSE(keras.losses.Loss):
    """(B,) labels, as `fit` often gets them, become (B, B) against (B, 1): Keras repairs functions only; keras#16836."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


BROKEN = [
    Broken(DroppedWeightsMSE, "L101", REGRESSION),
    Broken(FlooredWeightsMSE, "L102", REGRESSION),
    Broken(
        WholeImageBrier,
        "L103",
        {"y_true": "float32[4,4,4,1]{0,1}", "y_pred": "float32[4,4,4,1](0,1)"},
        note="B = H = W: silent; with other sizes it crashes",
    ),
    Broken(ScalarContrastive, "L104", {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](0,2)"}),
    Broken(scalar_mse_with_center, "L104", REGRESSION),
    Broken(BatchFocalTversky, "L104", BINARY_MASKS, {"gamma": 0.5}),
    Broken(distance_over_the_batch_axis, "L104", REGRESSION),
    Broken(FlattenedBrier, "L104", BINARY_MASKS),
    Broken(BroadcastMSE, "L105", {"y_true": "float32[4](-2,2)", "y_pred": "float32[4,1](-2,2)"}),
    Broken(ColumnMSE, "L133", {"y_true": "float32[8,1](-2,2)", "y_pred": "float32[8,1](-2,2)"}),
    Broken(mse_of_integer_labels, "L105", {"y_true": "int32[10]{0,9}", "y_pred": "float32[10,10]simplex"}, note="needs B = C"),
    Broken(ClipLosesMask, "L106", {"y_true": "float32[4,6,3](0,1)", "y_pred": "float32[4,6,3](0,1)"}),
    Broken(ReductionNotHandedOn, "L107", REGRESSION, {"scale": 2.0}),
]
