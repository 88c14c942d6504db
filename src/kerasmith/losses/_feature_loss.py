"""What losses on the features of a frozen backbone have in common: the layers that are compared."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.backbones import FrozenBackbone
from kerasmith.backbones.applications import name_of_preprocessing
from kerasmith.backbones.image_input import preprocessing, warn_of_missing_preprocessing
from kerasmith.base.arguments import check_number
from kerasmith.losses._backbone_loss import BackboneLoss
from kerasmith.numerics.tensors import accumulation_dtype


class FeatureLoss(BackboneLoss):
    """Base of losses that compare what a frozen network makes of two images.

    Args:
        backbone, layers, layer_weights, value_range, preprocess, weights, axis: see `losses.Perceptual`.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    def __init__(
        self,
        backbone: Any,
        layers: Sequence[str] | str | None,
        *,
        layer_weights: Sequence[float] | None = None,
        value_range: Sequence[float] | None = None,
        preprocess: Any = "auto",
        weights: Any = "imagenet",
        **kwargs: Any,
    ) -> None:
        layers = _checked_layers(layers)
        self.backbone = backbone if isinstance(backbone, FrozenBackbone) else FrozenBackbone(backbone, weights)
        self.backbone.check_layers(layers or ())
        self.layers = layers
        self.layer_weights = _checked_weights(layer_weights, layers)
        self._preprocessing, value_range = preprocessing(preprocess, value_range, self.backbone.application)
        super().__init__(value_range=value_range, **kwargs)
        if isinstance(backbone, keras.Model) and isinstance(preprocess, str) and self._preprocessing is None:
            warn_of_missing_preprocessing(backbone, value_range)
        # What is saved is the frozen copy with its weights, wherever they came from.
        preprocess = name_of_preprocessing(preprocess) or preprocess
        saved = {"backbone": self.backbone, "weights": "imagenet", "preprocess": preprocess}
        self._constructor_arguments = {**self._constructor_arguments, **saved}

    def features(self, images: Tensor) -> list[Tensor]:
        """The outputs of the layers for (B, *spatial, C), in the dtype of sums, their channels at the last axis."""
        dtype = accumulation_dtype(self.dtype)
        found = [ops.cast(f, dtype) for f in self.backbone.features(images, self.layers, self._preprocessing)]
        if self.backbone.axis == 1:
            return [ops.moveaxis(f, 1, -1) if len(f.shape) > 2 else f for f in found]
        return found

    def weighted_sum(self, values: Sequence[Tensor]) -> Tensor:
        """Values of each layer, (B,), to their weighted sum."""
        weights = self.layer_weights or [1.0 / len(values)] * len(values)
        if len(weights) != len(values):
            raise ValueError(
                f"`layer_weights` must have one number for each of the {len(values)} outputs of the backbone. Received: "
                f"layer_weights={self.layer_weights!r}"
            )
        total = values[0] * weights[0]
        for value, weight in zip(values[1:], weights[1:]):
            total = total + value * weight
        return total


def _checked_layers(layers):
    if layers is None:
        return None
    names = [layers] if isinstance(layers, str) else list(layers) if isinstance(layers, Sequence) else [layers]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f'`layers` must be names of layers, such as ["block3_conv3"]. Received: {name!r} of type '
                f"{type(name).__name__}. Write `layer.name`."
            )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not names or repeated:
        raise ValueError(
            "`layers` must name at least one layer, each once; a factor for each goes through `layer_weights`. Received: "
            f"layers={layers!r}"
        )
    return names


def _checked_weights(weights, layers):
    if weights is None:
        return None
    if isinstance(weights, (str, bytes, dict)) or not hasattr(weights, "__len__"):
        raise TypeError(f"`layer_weights` must be a list of numbers. Received: layer_weights={weights!r}")
    for i, number in enumerate(weights):
        check_number(f"layer_weights[{i}]", number, minimum=0)
    if layers is not None and len(weights) != len(layers):
        raise ValueError(
            f"`layer_weights` must have one number for each of the {len(layers)} layers. Received: layer_weights={weights!r}"
        )
    if not sum(weights) > 0:
        raise ValueError(f"`layer_weights` must hold at least one number above 0. Received: layer_weights={weights!r}")
    return list(map(float, weights))
