"""Penalties on the gradient of a discriminator by its input."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.numerics.input_gradient import value_and_input_gradient
from kerasmith.numerics.safe import norm_of_rows
from kerasmith.numerics.tensors import accumulation_dtype, compatible, static_shape


@register
class GradientPenalty(Configured):
    """A penalty on the gradient of a discriminator D by its input (since 0.2).

    With the norm over all that a sample holds, and of several outputs (patches) the gradient of their sum:

        wgan_gp     weight (|grad D(x)| - 1)^2 at x = e real + (1 - e) generated, with a random e for each sample
        r1          weight / 2 |grad D(x)|^2 at x = real

    `kerasmith.Adversarial(penalty=...)` adds the mean over the samples to what the discriminator minimises; in a step of your
    own, call it. It can be differentiated by the weights of D on each backend; the gradient of the norm at 0 is 0.

    Args:
        kind: "wgan_gp" or "r1".
        weight: >= 0, called lambda in the paper on WGAN-GP and gamma in that on R1.

    Call arguments:
        discriminator: a function of one tensor, such as a model, that gives (B, ...).
        real: real samples, (B, ...).
        generated: as many generated ones; for "wgan_gp".
        seed: where the random e come from: a `keras.random.SeedGenerator` or a whole number, for "wgan_gp".

    Returns:
        (B,) penalties.

    Raises:
        ValueError: for an unknown kind, "wgan_gp" without generated samples, or samples of two shapes.

    Example:

    >>> def steep(x):
    ...     return ops.sum(3.0 * x, axis=-1)
    >>> real, generated = ops.zeros((1, 4)), ops.ones((1, 4))
    >>> float(GradientPenalty("wgan_gp", weight=10.0)(steep, real, generated, seed=1)[0])  # 10 (6 - 1)^2
    250.0
    >>> float(GradientPenalty("r1", weight=1.0)(steep, real)[0])  # 6^2 / 2
    18.0

    References: Gulrajani et al., "Improved training of Wasserstein GANs", 2017; Mescheder, Geiger and Nowozin, "Which training
    methods for GANs do actually converge?", 2018.
    """

    def __init__(self, kind: str = "wgan_gp", weight: float = 10.0, *, name: str = "gradient_penalty") -> None:
        check_choice("kind", kind, ("wgan_gp", "r1"))
        check_number("weight", weight, minimum=0)
        self.kind = kind
        self.weight = weight
        self.name = name

    def __call__(
        self, discriminator: Callable[[Tensor], Tensor], real: Tensor, generated: Tensor | None = None, *, seed: Any = None
    ) -> Tensor:
        points = self.points(ops.convert_to_tensor(real), generated, seed)
        outputs, gradient = value_and_input_gradient(discriminator, points)
        dtype = accumulation_dtype(outputs.dtype)
        gradient = ops.cast(gradient, dtype)
        if self.kind == "r1":
            axes = tuple(range(1, len(gradient.shape)))
            return (0.5 * self.weight) * ops.sum(ops.square(gradient), axis=axes)
        return self.weight * ops.square(norm_of_rows(gradient) - 1.0)

    def points(self, real: Tensor, generated: Tensor | None, seed: Any) -> Tensor:
        """Where the gradient is taken, (B, ...)."""
        if keras.backend.standardize_dtype(real.dtype) not in ("float16", "bfloat16", "float32", "float64"):
            real = ops.cast(real, keras.config.floatx())
        if self.kind == "r1":
            return real
        if generated is None:
            raise ValueError(
                "A GradientPenalty('wgan_gp') is taken between real and generated samples. Write "
                "`penalty(discriminator, real, generated)`."
            )
        generated = ops.cast(ops.convert_to_tensor(generated), real.dtype)
        shapes = static_shape(real, "real"), static_shape(generated, "generated")
        if not compatible(*shapes):
            raise ValueError(
                "Real and generated samples must have the same shape, as a point between each two is taken. Received: real of "
                f"shape {shapes[0]}, generated of shape {shapes[1]}"
            )
        share = keras.random.uniform((ops.shape(real)[0], *(1,) * (len(shapes[0]) - 1)), seed=seed)
        share = ops.cast(share, real.dtype)
        return ops.stop_gradient(share * real + (1.0 - share) * generated)
