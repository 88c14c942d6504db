"""The core of the embedding family: ids and vectors of one batch -> pairs -> one loss per anchor."""

import copy
from typing import Any, NamedTuple

import keras
from keras import ops

from kerasmith._types import Contract, Tensor
from kerasmith.base import Loss, PerSample
from kerasmith.base.weights import Weights
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import id_domain
from kerasmith.numerics.inputs import as_tensor
from kerasmith.numerics.pairs import Pairs, pairs, with_references
from kerasmith.numerics.tensors import accumulation_dtype, compatible, static_shape


class References(NamedTuple):
    """Partners that are no anchors: (R,) ids, (R, D) vectors, and (R,) booleans, whether each counts."""

    ids: Any
    vectors: Any
    valid: Any


class EmbeddingLoss(Loss):
    """Base of losses that compare the samples of a batch with each other. A subclass implements `anchor_losses`.

    Every sample is an anchor once and gets one value, made of its pairs with the other samples: the positives have its id,
    the negatives another one. Memory is a few (B, B) matrices; all shapes are static, so XLA compiles.

    An anchor without the pairs that a loss needs has value 0 and sends no gradient, so a batch of one sample, of one class or
    of all different classes is finite. It stays in the mean of the default reduction, sum(w l) / B;
    `reduction="mean_with_sample_weight"` leaves it out, sum(w l) / sum(w) over the anchors that have their pairs.

    `sample_weight` weighs anchors; a weight of 0 silences an anchor and leaves the sample a partner of the others. A sample
    removed by a Keras mask is in no pair at all. Under several replicas pairs are formed within the batch of each replica.

    Args:
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: class ids (B,) or (B, 1), any numbers; equal ids are one class, negative ones too. Float ids from 2^24
            on cannot be told apart in float32 and are refused: pass integers.
        y_pred: embeddings (B, D).
        sample_weight: a scalar, (B,) or (B, 1).

    Raises:
        ValueError: for labels or embeddings of another rank, or of different batch sizes, and for ids too large for their
            dtype.
    """

    _reads_one_array = True
    _references: References | None = None
    kerasmith_contract: Contract = {"independent": False}

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        return batch_axis(y_pred, "embeddings of shape (batch, dimension)", 2)

    def against(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        reference_ids: Tensor,
        references: Tensor,
        reference_valid: Tensor | None = None,
        sample_weight: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch whose anchors have references beside each other for partners (since 0.2).

        References are constants and no anchors: embeddings of batches before (`layers.EmbeddingMemory`), of a teacher or of a
        gallery.

        Args:
            y_true, y_pred, sample_weight: as in a call.
            reference_ids: (R,) class ids, of the kind of `y_true`.
            references: (R, D) embeddings.
            reference_valid: (R,) booleans, or None for all: the others are in no pair.

        Returns:
            A scalar; (B,) for `reduction="none"`.
        """
        ids, vectors = as_tensor(reference_ids, "reference_ids"), as_tensor(references, "references", self.dtype)
        if len(vectors.shape) != 2 or not compatible(tuple(ids.shape), tuple(vectors.shape)[:1]):
            raise ValueError(
                "`references` must be (R, D) embeddings and `reference_ids` (R,) class ids. Received: references of shape "
                f"{tuple(vectors.shape)} and reference_ids of shape {tuple(ids.shape)}"
            )
        valid = ops.ones_like(ids, dtype="bool") if reference_valid is None else ops.cast(reference_valid, "bool")
        bound = copy.copy(self)
        bound._references = References(ids, ops.stop_gradient(vectors), valid)
        return bound(y_true, y_pred, sample_weight)

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        self.weight_shape(y_pred)
        references = self._references
        ids = per_sample_labels(y_true, y_pred, "class ids")
        x = ops.cast(y_pred, accumulation_dtype(y_pred.dtype))
        if static_shape(x, "y_pred")[0] == 0:
            return PerSample(ops.sum(x, axis=-1))
        valid = weights.valid_sample
        ids = check_labels(ids, id_domain(keras.backend.standardize_dtype(ids.dtype)), valid)
        if valid is not None:
            valid = valid > 0
            x = ops.where(valid[:, None], x, ops.zeros_like(x))  # a masked vector may hold anything, NaN too
        chosen, partners = pairs(ids, valid), ()
        if references is not None:
            size, others = (static_shape(v, what)[1] for v, what in ((x, "y_pred"), (references.vectors, "references")))
            if size != others:
                raise ValueError(f"`references` must be (R, {size}) embeddings, as y_pred is. Received: (R, {others})")
            chosen = with_references(chosen, ids, valid, ops.cast(references.ids, ids.dtype), references.valid)
            partners = (ops.concatenate([x, ops.cast(references.vectors, x.dtype)], axis=0),)
        values, counted = self.anchor_losses(x, chosen, *partners)
        counted = ops.cast(counted, x.dtype)
        return PerSample(values * counted, counted)

    def anchor_losses(self, embeddings: Tensor, pairs: Pairs, partners: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B,) losses, and (B,) booleans: whether the anchor has the pairs that this loss needs.

        Args:
            embeddings: (B, D), float32 at least.
            pairs: `numerics.pairs.Pairs`.
            partners: (B + R, D), what the columns of the pairs are: the embeddings and R references; None for the embeddings
                alone (since 0.2). A loss that does not take it has no `against`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `anchor_losses`.")


def batch_axis(y_pred: Tensor, expected: str, rank: int) -> tuple[int | None, ...]:
    """Static (batch,) of predictions; raises ValueError unless they have `rank` axes."""
    shape = static_shape(y_pred, "y_pred")
    if len(shape) != rank:
        raise ValueError(
            f"y_pred must be {expected}. Received: y_pred of shape {shape}. "
            "Pool or flatten the other axes, e.g. with `keras.layers.GlobalAveragePooling2D` or `keras.layers.Flatten`."
        )
    return shape[:1]


def per_sample_labels(y_true: Tensor, y_pred: Tensor, what: str) -> Tensor:
    """Labels (B,) or (B, 1) as (B,); raises ValueError for another rank or batch size."""
    labels, predictions = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if len(labels) not in (1, 2) or (len(labels) == 2 and labels[1] not in (1, None)):
        advice = " For one-hot labels write `ops.argmax(y_true, axis=-1)`." if what == "class ids" else ""
        raise ValueError(f"y_true must be {what} of shape (batch,) or (batch, 1). Received: y_true of shape {labels}.{advice}")
    if not compatible(labels[:1], predictions[:1]):
        raise ValueError(
            f"y_true of shape {labels} and y_pred of shape {predictions} would broadcast. "
            f"Expected one label a sample: ({predictions[0]},) or ({predictions[0]}, 1)."
        )
    return ops.reshape(y_true, (ops.shape(y_pred)[0],))  # fails at run time where a size was unknown
