"""What a discriminator minimises."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.losses._adversarial import AdversarialLoss


@register
class DiscriminatorLoss(AdversarialLoss):
    """What a discriminator minimises: that it tells real samples from generated ones (since 0.2).

    With y = 1 for real samples, y = 0 for generated ones and d the raw output of the discriminator:

        bce             log(1 + e^d) - y d
        hinge           y max(0, 1 - d) + (1 - y) max(0, 1 + d)
        least_squares   (d - y)^2
        wgan            (1 - 2 y) d, to be used with `losses.GradientPenalty`

    The usual sum of a real and a generated part is two calls, one with ones and one with zeros, as in `kerasmith.Adversarial`.

    Args:
        kind: "bce", "hinge", "least_squares" or "wgan".
        label_smoothing: e, 0 to 1: real samples get the label 1 - e, generated ones keep 0 ("one-sided"), for "bce" and
            "least_squares".
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: 1 = real, 0 = generated: (B,), (B, 1), or one for each output, in the shape of y_pred.
        y_pred: the raw outputs of the discriminator, (B,) or (B, ...), without a sigmoid; of each sample the mean is taken.
        sample_weight: (B,), or one for each output.

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for an unknown kind, labels outside 0..1, shapes that would broadcast, or `label_smoothing` of a kind that
            has no labels.

    Example:

    >>> loss = DiscriminatorLoss("hinge", reduction="none")
    >>> [round(float(v), 4) for v in loss([1, 1, 0], [[2.0], [0.25], [0.25]])]
    [0.0, 0.75, 1.25]

    References: Goodfellow et al., "Generative adversarial nets", 2014; Mao et al., "Least squares generative adversarial
    networks", 2017 (there half of it); Arjovsky et al., "Wasserstein GAN", 2017; Lim and Ye, "Geometric GAN", 2017; for
    `label_smoothing`, Salimans et al., "Improved techniques for training GANs", 2016.
    """

    def __init__(self, kind: str = "bce", *, label_smoothing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(kind, **kwargs)
        check_number("label_smoothing", label_smoothing, minimum=0, maximum=1)
        if label_smoothing and kind not in ("bce", "least_squares"):
            raise ValueError(
                f"`label_smoothing` moves the label of real samples, which only 'bce' and 'least_squares' compare with. Leave "
                f"it out. Received: kind={kind!r}, label_smoothing={label_smoothing!r}"
            )
        self.label_smoothing = label_smoothing

    def output_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.kind == "hinge":
            return y_true * ops.relu(1.0 - y_pred) + (1.0 - y_true) * ops.relu(1.0 + y_pred)
        if self.kind == "wgan":
            return (1.0 - 2.0 * y_true) * y_pred
        label = y_true * (1.0 - self.label_smoothing) if self.label_smoothing else y_true
        if self.kind == "least_squares":
            return ops.square(y_pred - label)
        return ops.softplus(y_pred) - label * y_pred


discriminator_loss: Function = make_functional(DiscriminatorLoss, "discriminator_loss")
