"""The core of rules on connected components: decisions -> components -> which pixels offend -> their share of the mask."""

from typing import Any

from keras import ops

from kerasmith._types import Contract, Tensor
from kerasmith.base import PerSample
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.host import call_on_host, host_is_reachable
from kerasmith.base.weights import Weights
from kerasmith.labels.class_ids import decide
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._shape import ShapeLoss, one_channel, sum_over_pixels, valid_images
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import static_shape
from kerasmith.objects.components import surplus_pixels
from kerasmith.objects.label_propagation import surplus_pixels_on_device


class ComponentRule(ShapeLoss):
    """Base of penalties on components of the predicted mask. A subclass implements `rule`.

    penalty = sum of p over the offending pixels / sum of p over the mask, the divisor without gradient

    The mask is the decision (p > threshold, or the class that wins). Its components are constants of the step: the gradient
    pushes down the probability of offending pixels until they leave the mask, and nothing else. The labels only say which
    pixels count. Components are found on the host by connected-components-3d; under TensorFlow's XLA, which cannot call it, on
    the device.

    Args:
        threshold: probability above which a pixel of a binary channel is in the mask.
        connectivity: neighbours of a pixel: 4 or 8 in 2-D, 6, 18 or 26 in 3-D; None for the largest.
        include_background: see `losses.ShapeLoss`.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    kerasmith_contract: Contract = {"uses_y_true": False, "exact_gradient": False}

    def __init__(self, *, threshold: float = 0.5, connectivity: int | None = None, **kwargs: Any) -> None:
        check_number("threshold", threshold, minimum=0, maximum=1)
        check_choice("connectivity", connectivity, (None, 4, 8, 6, 18, 26))
        super().__init__(**kwargs)
        self.threshold = threshold
        self.connectivity = connectivity

    @property
    def rule(self) -> dict[str, Any]:
        """Keywords of `surplus_pixels`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `rule`.")

    def per_sample(self, pixels: Pixels, weights: Weights) -> PerSample:
        return PerSample(self.mean_over_classes(self.penalties(pixels), pixels))

    def penalties(self, pixels: Pixels) -> Tensor:
        """The penalty of each image and class, (B, C)."""
        mask = ops.stop_gradient(valid_images(decide(pixels, self.threshold), pixels))
        probabilities = pixels.images(pixels.probabilities)
        if pixels.weight is not None:
            probabilities = probabilities * one_channel(pixels.weight, pixels)
        offends = ops.cast(self._offending(mask > 0.5), mask.dtype)
        inside = ops.stop_gradient(sum_over_pixels(probabilities * mask))
        return safe.ratio(sum_over_pixels(probabilities * offends), inside, when_empty=0.0)

    def _offending(self, mask):
        rule = {**self.rule, "connectivity": self.connectivity}
        sizes = ops.shape(mask)
        masks = ops.reshape(mask, (-1, *sizes[2:]))
        if host_is_reachable():
            shape = static_shape(masks, "y_pred")
            offends = call_on_host(lambda array: surplus_pixels(array, **rule), (masks,), shape, "bool")
        else:
            offends = surplus_pixels_on_device(masks, **rule)
        return ops.reshape(offends, sizes)
