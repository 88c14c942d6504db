"""The loss of several outputs, each at a resolution of its own, against one array of labels."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, DType, Tensor
from kerasmith.base import Loss, Weights, register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.loss import LossTerm
from kerasmith.base.weighted_sum import as_loss
from kerasmith.base.weights import split
from kerasmith.labels import label_pyramid
from kerasmith.numerics.inputs import as_tensor
from kerasmith.numerics.tensors import accumulation_dtype, is_float, static_shape

DOWNSAMPLE = ("auto", "nearest", "area")


@register
class DeepSupervision(Loss):
    """Deep supervision: a loss on every output of a list, each at its own resolution, with one array of labels.

    loss = sum_k weight_k * loss(labels at the resolution of output k, output k)

    The resolution of an output divides that of the labels by a whole factor along each axis; equal sizes, the usual first
    output, leave the labels as they are, and whole-image outputs (B, C) share them. How labels are brought down, "auto":

    - class ids (one value at a pixel where the output has several channels, also as floats), labels with an `ignore_class`,
      and all integer and boolean labels are picked: the pixel at the centre of each block, entry f // 2 of f, as
      "nearest-exact" of nnU-Net and PyTorch. Ids are never averaged.
    - other floating point labels (one-hot, probabilities, soft masks, targets of a regression) become the mean of their block,
      which keeps the mass of each class.

    Pixel weights become the mean of their block, 0 where the label was picked at a weight of 0. A mean of labels is weighed
    with them: sum(w y) / sum(w), so that pixels of weight 0 count for nothing. Weights of whole samples apply to every output.

    Args:
        loss: the loss of one output: a loss of `kerasmith.losses` or `keras.losses`, a sum of losses, or a name that Keras
            knows, such as "mse".
        weights: "halving": 1, 1/2, 1/4, ... in the order of the outputs, divided by their sum; or a list of numbers >= 0, one
            for each output, taken as they are. nnU-Net leaves the coarsest output out: `weights=[4 / 7, 2 / 7, 1 / 7, 0]`.
        levels: the number of outputs. With it, or a list of weights, each output has a column of its own, `level_0`,
            `level_1`, ..., without its weight; a composite loss one for each part, `level_0_dice`, `level_0_ce`, ...
        downsample: "auto", or "nearest" or "area" for all labels.
        reduction, name, dtype: see `kerasmith.base.Loss`; those of `loss` by default (the name is "deep_supervision").

    Call arguments:
        y_true: one array of labels, (B, *spatial) or (B, *spatial, C), 1-D to 3-D; only the batch size may be unknown.
        y_pred: a list or tuple of outputs (B, *spatial_k, C), with the channels at axis 1 if `loss` has `axis=1`; or a dict,
            which is read from the finest output to the coarsest, whatever its order: Keras on PyTorch does not keep that.
            A Keras mask on an output speaks of that output.
        sample_weight: a scalar, (B,), or (B, *spatial[, 1]) in the resolution of the labels.

    In training give it to a `kerasmith.Model` with a list of outputs, alone or as a term of an `Objective`.

    Raises:
        ValueError: for another number of outputs than weights, an output that is finer than the labels or whose size does not
            divide theirs, "area" for class ids, a single output.
        TypeError: for a `loss` that is none, or weights that are no numbers.

    Example:

    >>> from kerasmith.losses import Dice
    >>> y = ops.ones((2, 8, 8, 1))
    >>> outputs = [0.5 * ops.ones((2, size, size, 1)) for size in (8, 4, 2)]
    >>> round(float(DeepSupervision(Dice())(y, outputs)), 4)
    0.3333
    >>> inputs = keras.Input((8, 8, 1))
    >>> fine = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inputs)
    >>> coarse = keras.layers.Conv2D(1, 2, strides=2, activation="sigmoid")(inputs)
    >>> from kerasmith import Model
    >>> model = Model(inputs, [fine, coarse])
    >>> model.compile("adam", DeepSupervision(Dice(), levels=2))
    >>> sorted(model.evaluate(y, y, return_dict=True, verbose=0))
    ['deep_supervision', 'deep_supervision_level_0', 'deep_supervision_level_1', 'loss']

    References: Lee et al., "Deeply-supervised nets", 2015. Isensee et al., "nnU-Net: a self-configuring method for deep
    learning-based biomedical image segmentation", 2021.
    """

    takes_all_outputs = True  # read by `objectives.term`

    def __init__(
        self,
        loss: Any,
        weights: str | Sequence[float] = "halving",
        *,
        levels: int | None = None,
        downsample: str = "auto",
        reduction: Any = "of_loss",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        check_choice("downsample", downsample, DOWNSAMPLE)
        loss = as_loss(loss)
        weights = _checked(weights)
        if levels is not None:
            check_integer("levels", levels, minimum=1)
            if weights != "halving" and len(weights) != levels:
                raise ValueError(f"One weight for each output. Received: {len(weights)} weights, levels={levels}")
        super().__init__(
            reduction=loss.reduction if reduction == "of_loss" else reduction, name=name, dtype=dtype or loss.dtype
        )
        self.loss = loss
        self.weights = weights
        self.levels = levels if weights == "halving" else len(weights)
        self.downsample = downsample

    def get_config(self) -> Config:
        # As a kerasmith loss: Keras' own forget arguments when they are saved.
        return {**super().get_config(), "loss": keras.saving.serialize_keras_object(self.loss), "weights": self.weights}

    @property
    def term_names(self) -> tuple[str, ...] | None:
        if self.levels is None:
            return None
        return tuple(name for level in range(self.levels) for name in self._names_at(level))

    def weighted_terms(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> list[tuple[LossTerm, Weights]]:
        outputs = _outputs(y_pred, _channel_axis(self.loss))
        factors = self._factors(len(outputs))
        y_true = _one_array(y_true)
        pairs = []
        for level, (output, factor) in enumerate(zip(outputs, factors, strict=True)):
            labels, weight = self._at_resolution_of(output, y_true, sample_weight)
            inner = self.loss.weighted_terms(labels, output, weight)
            for name, (part, weights) in zip(self._names_at(level), inner, strict=True):
                pairs.append((part._replace(name=name, factor=part.factor * factor), weights))
        return pairs

    def _names_at(self, level):
        return [f"level_{level}_{name}" for name in self.loss.term_names] or [f"level_{level}"]

    def _factors(self, count):
        """The weight of each output; raises ValueError for another number of outputs."""
        if self.levels is not None and self.levels != count:
            asked = f"levels={self.levels}" if self.weights == "halving" else f"{self.levels} weights, {self.weights}"
            raise ValueError(
                f"{type(self).__name__} with {asked} needs {self.levels} output{'s' * (self.levels != 1)}. "
                f"Received: {count} output{'s' * (count != 1)}"
            )
        if self.weights != "halving":
            return self.weights
        return [0.5**level / (2.0 - 0.5 ** (count - 1)) for level in range(count)]

    def _at_resolution_of(self, output, y_true, sample_weight):
        """Labels and weights at the resolution of one output."""
        axis = _channel_axis(self.loss)
        first, sizes = label_pyramid.blocks(y_true, output, axis)
        if not sizes:
            return y_true, sample_weight
        picks = self._picks(y_true, output, axis)
        if all(size == 1 for size in sizes):
            return y_true, sample_weight
        shape = static_shape(y_true, "y_true")
        spatial = shape[first : first + len(sizes)]
        weight = split(sample_weight, (shape[0], *spatial), dtype=accumulation_dtype(self.dtype)).pixel
        if weight is None:
            return (label_pyramid.picked if picks else label_pyramid.area_mean)(y_true, first, sizes), sample_weight
        mean = label_pyramid.area_mean(weight, 1, sizes)
        if not picks:
            return label_pyramid.weighted_area_mean(y_true, weight, first, sizes), mean
        mean = ops.where(label_pyramid.picked(weight, 1, sizes) == 0, ops.zeros_like(mean), mean)
        return label_pyramid.picked(y_true, first, sizes), mean

    def _picks(self, y_true, output, axis):
        """Whether labels are picked, not averaged; raises ValueError where "area" would average ids."""
        simple = _simple(self.loss)
        channels = static_shape(output, "y_pred")[1 if axis == 1 else -1]
        sparse = channels != 1 and any(getattr(loss, "labels", None) == "sparse" for loss in simple)
        ids = sparse or label_pyramid.hold_ids(y_true, output, axis)
        ignoring = any(getattr(loss, "ignore_class", None) is not None for loss in simple)
        if self.downsample == "auto":
            return ids or ignoring or not is_float(y_true)
        # A loss that knows no classes, such as GaussianNLL, may have one target for several channels.
        if self.downsample == "area" and (ignoring or (ids and (not is_float(y_true) or any(map(_reads_ids, simple))))):
            raise ValueError(
                f'downsample="area" would average {"class ids" if ids else "the id to ignore with other labels"} into ids '
                f'that nobody gave. Write downsample="nearest" or "auto". Received: labels of shape {tuple(y_true.shape)}, an '
                f"output of shape {tuple(output.shape)}" + (", a loss with `ignore_class`" if ignoring else "")
            )
        return self.downsample == "nearest"


def _checked(weights):
    if isinstance(weights, str):
        check_choice("weights", weights, ("halving",))
        return weights
    if isinstance(weights, dict) or not hasattr(weights, "__len__"):
        raise TypeError(f'`weights` must be "halving" or a list of numbers. Received: weights={weights!r}')
    weights = [number.item() if hasattr(number, "item") else number for number in weights]
    for i, number in enumerate(weights):
        check_number(f"weights[{i}]", number, minimum=0)
    if sum(weights) <= 0:
        raise ValueError(f"`weights` must hold at least one number above 0. Received: weights={weights}")
    return [float(number) for number in weights]


def _outputs(y_pred, axis):
    """The list of outputs; those of a dict from the finest to the coarsest."""
    outputs = list(y_pred.values()) if isinstance(y_pred, dict) else y_pred
    if isinstance(outputs, (list, tuple)) and outputs and all(hasattr(output, "shape") for output in outputs):
        return _by_resolution(y_pred, axis) if isinstance(y_pred, dict) else list(outputs)
    what = f"y_pred of shape {tuple(y_pred.shape)}" if hasattr(y_pred, "shape") else f"y_pred of type {type(y_pred).__name__}"
    raise ValueError(
        "DeepSupervision compares several outputs with one array of labels: pass a list of tensors, `[fine, coarse]`, and in "
        f"training use a kerasmith.Model, since keras.Model hands over one output at a time. Received: {what}"
    )


def _by_resolution(outputs, axis):
    """The values of a dict, by their number of pixels; raises ValueError where that leaves the order open."""
    pixels = {}
    for name, output in outputs.items():
        shape = static_shape(output, f"the output {name!r}")
        spatial = shape[2:] if axis == 1 else shape[1:-1]
        pixels[name] = None if None in spatial else math.prod(spatial)
    if None in pixels.values() or len(set(pixels.values())) < len(pixels):
        raise ValueError(
            "The outputs of a dict are read from the finest to the coarsest, which needs known and different resolutions. "
            f"Give the model a list of outputs. Received: {', '.join(f'{k!r} {tuple(v.shape)}' for k, v in outputs.items())}"
        )
    return [outputs[name] for name in sorted(pixels, key=pixels.get, reverse=True)]


def _one_array(y_true):
    if isinstance(y_true, dict) or (isinstance(y_true, (list, tuple)) and any(hasattr(part, "shape") for part in y_true)):
        raise ValueError(
            "DeepSupervision brings one array of labels, that of the full resolution, down to each output. Pass that alone. "
            f"Received: y_true as a {type(y_true).__name__} of {len(y_true)} parts"
        )
    return as_tensor(y_true, "y_true")


def _simple(loss):
    """The losses that a sum of losses, or a wrapper around one of Keras, is made of."""
    parts = [*getattr(loss, "losses", ()), *([loss.loss] if hasattr(loss, "loss") else [])]
    return [simple for part in parts for simple in _simple(part)] if parts else [loss]


def _reads_ids(loss):
    return hasattr(loss, "labels") or isinstance(loss, keras.losses.SparseCategoricalCrossentropy)


def _channel_axis(loss):
    """Where the outputs have their channels, as the loss says: -1 or 1."""
    given = {getattr(simple, "axis", None) for simple in _simple(loss)} & {-1, 1}
    if len(given) > 1:
        raise ValueError("All losses of a sum must read channels at the same axis. Received: `axis=1` and `axis=-1`")
    return given.pop() if given else -1
