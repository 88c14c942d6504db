"""The last layer of a model that is trained with `losses.ArcFace`."""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, Contract, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_integer
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.numerics.pairwise_distances import product, unit_length
from kerasmith.numerics.tensors import accumulation_dtype


@register
class ArcFaceLogits(KnowsKeywords, keras.layers.Layer):
    """Cosines between an embedding and one learned direction per class.

    output_c = (x / |x|) . (w_c / |w_c|)

    Args:
        num_classes: number C >= 2 of classes.
        kernel_initializer: of the class directions, (D, C).
        kernel_regularizer: of the class directions; their length changes nothing but the size of their steps.
        name, dtype, trainable: see `keras.layers.Layer`.

    Call arguments:
        inputs: embeddings (B, ..., D) of any length; a zero vector gives cosines 0 and gradient 0. A mask is passed on.

    Returns:
        Cosines (B, ..., C), in float32 at least: under a mixed policy too, weights and products stay in float32, since
        `losses.ArcFace` multiplies them by 64.

    Raises:
        ValueError: for inputs without a batch axis or of unknown dimension, or fewer than 2 classes.

    Example:

    >>> from keras import ops
    >>> layer = ArcFaceLogits(3, kernel_initializer="ones")
    >>> [round(float(v), 4) for v in layer(ops.array([[3.0, 0.0]]))[0]]
    [0.7071, 0.7071, 0.7071]

    Reference: Deng, Guo, Xue and Zafeiriou, "ArcFace: additive angular margin loss for deep face recognition", 2019.
    """

    kerasmith_contract: Contract = {"output_dtype": "float32"}

    def __init__(
        self, num_classes: int, *, kernel_initializer: Any = "glorot_uniform", kernel_regularizer: Any = None, **kwargs: Any
    ) -> None:
        check_integer("num_classes", num_classes, minimum=2)
        # Inputs and weights are used as they are: a cosine rounded to half precision is off by 1e-3, times 64.
        super().__init__(autocast=False, **kwargs)
        self.num_classes = num_classes
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                "ArcFaceLogits needs embeddings of shape (batch, ..., dimension) with a known dimension. "
                f"Received: input_shape={tuple(input_shape)}. Write `keras.layers.Dense(128)` before it, for example."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.num_classes),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            autocast=False,
        )

    def call(self, inputs: Tensor) -> Tensor:
        dtype = self._result_dtype(inputs.dtype)
        directions = unit_length(ops.transpose(ops.cast(self.kernel, dtype)))
        return product(unit_length(ops.cast(inputs, dtype)), ops.transpose(directions))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.num_classes)

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self._result_dtype(inputs.dtype))

    def _result_dtype(self, dtype):
        return "float64" if "float64" in (self.compute_dtype, str(dtype)) else accumulation_dtype(self.compute_dtype)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
