"""Metrics of strangers' code, written before the rules that find them: each resembles the thread that it names."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.strangers_metrics")

LOGITS = {"y_true": "float32[16,1]{0,1}", "y_pred": "float32[16,1](-3,3)"}
IDS = {"y_true": "int32[16]{0,7}", "y_pred": "float32[16,8]simplex"}
TOKENS = {"y_true": "int32[4,6]{0,4}", "y_pred": "float32[4,6,5]simplex"}
MAPS = {"y_true": "int32[4,6,5]{0,2}", "y_pred": "float32[4,6,5,3]simplex"}


class Share(keras.metrics.Metric):
    """Hits and their number; the kind of base that projects have."""

    def __init__(self, name, **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros", dtype="float32")
        self.number = self.add_weight(name="number", initializer="zeros", dtype="float32")

    def add(self, hits, sample_weight=None):
        hits = ops.cast(hits, "float32")
        weight = ops.ones_like(hits)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
            weight = weight * ops.reshape(
                sample_weight, sample_weight.shape + (1,) * (len(hits.shape) - len(sample_weight.shape))
            )
        self.hits.assign_add(ops.sum(hits * weight))
        self.number.assign_add(ops.sum(weight))

    def result(self):
        return ops.divide_no_nan(self.hits, self.number)


@serializable
class SpecificityOfLogits(Share):
    """Logits are compared with a probability of 0.5: `from_logits` is stored only; tensorflow#41413."""

    def __init__(self, threshold=0.5, from_logits=True, name="specificity", **kwargs):
        super().__init__(name, **kwargs)
        self.threshold, self.from_logits = threshold, from_logits

    def update_state(self, y_true, y_pred, sample_weight=None):
        said = ops.cast(y_pred > self.threshold, "float32")
        self.add(ops.mean(ops.cast(said == y_true, "float32"), axis=-1), sample_weight)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold, "from_logits": self.from_logits}


@serializable
class RoundedAgreement(Share):
    """Rounds logits as if they were probabilities, and says that it takes logits; torchmetrics#391."""

    def __init__(self, from_logits=False, name="rounded_agreement", **kwargs):
        super().__init__(name, **kwargs)
        self._logits = from_logits

    def update_state(self, y_true, y_pred, sample_weight=None):
        said = ops.round(ops.clip(y_pred, 0.0, 1.0))
        self.add(ops.all(ops.equal(said, y_true), axis=-1), sample_weight)

    def get_config(self):
        return {**super().get_config(), "from_logits": self._logits}


@serializable
class TokenAccuracy(Share):
    """Counts padding as words although the predictions carry a Keras mask; tensorflow/nmt asks for masks (keras#3086)."""

    def __init__(self, name="token_accuracy", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(ops.cast(y_true, "int32") == ops.cast(ops.argmax(y_pred, axis=-1), "int32"), sample_weight)


@serializable
class Perplexity(keras.metrics.Metric):
    """exp of a mean over all tokens, with padding; keras-hub#38 has the right one."""

    def __init__(self, name="perplexity", **kwargs):
        super().__init__(name=name, **kwargs)
        self.entropy = self.add_weight(name="entropy", initializer="zeros", dtype="float32")
        self.tokens = self.add_weight(name="tokens", initializer="zeros", dtype="float32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = ops.cast(keras.losses.sparse_categorical_crossentropy(y_true, y_pred), "float32")
        weight = ops.ones_like(values)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
            weight = weight * ops.reshape(sample_weight, sample_weight.shape + (1,) * (2 - len(sample_weight.shape)))
        self.entropy.assign_add(ops.sum(values * weight))
        self.tokens.assign_add(ops.sum(weight))

    def result(self):
        return ops.exp(ops.divide_no_nan(self.entropy, self.tokens))


@serializable
class PixelIoU(Share):
    """argmax over the columns of (B, H, W, C): the classes are never looked at; keras#9307."""

    def __init__(self, name="pixel_iou", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        said = ops.cast(ops.argmax(y_pred, axis=2), "int32")
        seen = ops.cast(y_true[..., 0], "int32")
        self.add(
            ops.mean(ops.cast(ops.expand_dims(said, 1) == seen[:, :, None, None], "float32"), axis=(1, 2, 3)), sample_weight
        )


@serializable
class HitRate(Share):
    """`k` is stored, and five are looked at; "asked for"."""

    def __init__(self, k=3, name="hit_rate", **kwargs):
        super().__init__(name, **kwargs)
        self.k = k

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(ops.in_top_k(ops.cast(y_true, "int32"), y_pred, k=5), sample_weight)

    def get_config(self):
        return {**super().get_config(), "k": self.k}


@serializable
class Recall(keras.metrics.Metric):
    """No `sample_weight`: `fit` with weights, or with a mask, stops; keras.io guide on metrics has the argument."""

    def __init__(self, name="plain_recall", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hit = self.add_weight(name="hit", initializer="zeros", dtype="float32")
        self.all = self.add_weight(name="all", initializer="zeros", dtype="float32")

    def update_state(self, y_true, y_pred):
        said = ops.cast(y_pred > 0.5, "float32")
        self.hit.assign_add(ops.sum(said * y_true))
        self.all.assign_add(ops.sum(y_true))

    def result(self):
        return ops.divide_no_nan(self.hit, self.all)


@serializable
class BestBatch(keras.metrics.Metric):
    """Python compares two tensors: a compiled step cannot; keras#19691 has such an `if`."""

    def __init__(self, name="largest_error", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_weight(name="largest", initializer="zeros", dtype="float32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = ops.abs(y_true - y_pred)
        if sample_weight is not None:
            error = error * ops.cast(ops.reshape(sample_weight, (-1, 1)) > 0, error.dtype)
        error = ops.max(error)
        if error > self.largest and error > 0.0:
            self.largest.assign(error)

    def result(self):
        return self.largest + 0.0


@serializable
class AllReducedAccuracy(Share):
    """Adds over the replicas in `update_state`, which Keras does itself when it reads the result; tensorflow#39445."""

    def __init__(self, name="all_reduced", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        hits = ops.mean(ops.cast(ops.equal(ops.round(y_pred), y_true), "float32"), axis=-1)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            context = tf.distribute.get_replica_context()
            if context is not None:
                hits = context.all_reduce(tf.distribute.ReduceOp.SUM, hits)
        elif keras.backend.backend() == "torch":
            import torch.distributed

            if torch.distributed.is_initialized():
                torch.distributed.all_reduce(hits)
        self.add(hits, sample_weight)


BROKEN = [
    Broken(SpecificityOfLogits, "X113", LOGITS),
    Broken(RoundedAgreement, "X113", LOGITS),
    Broken(TokenAccuracy, "M131", TOKENS),
    Broken(Perplexity, "M131", TOKENS),
    Broken(PixelIoU, "M132", MAPS),
    Broken(HitRate, "X113", IDS),
    Broken(Recall, "M105", {"y_true": "float32[16,1]{0,1}", "y_pred": "float32[16,1](0,1)"}),
    Broken(
        BestBatch,
        "M124",
        {"y_true": "float32[16,1](-2,2)", "y_pred": "float32[16,1](-2,2)"},
        contract={"weights_repeat": False},
        backends=("tensorflow", "jax"),
    ),
    Broken(AllReducedAccuracy, "M133", {"y_true": "float32[16,1]{0,1}", "y_pred": "float32[16,1](0,1)"}),
]
