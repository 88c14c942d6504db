"""The inverse of `WaveletTransform`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.layers.image_axes import channel_axis, check_image_shape, checked_data_format, spatial_axes
from kerasmith.numerics.axis_filters import part
from kerasmith.numerics.tensors import accumulation_dtype
from kerasmith.numerics.wavelets import LOW_PASS, synthesis


@register
class InverseWaveletTransform(KnowsKeywords, keras.layers.Layer):
    """The image whose averages and details `WaveletTransform` gave (since 0.2).

    `InverseWaveletTransform(w)(WaveletTransform(w)(x), like=x)` is `x`, up to rounding, at any size. The coefficients of an
    odd size and of the next even one are equally many; without `size` and `like` the result is even, and its last row is a
    copy where the image was odd.

    Args:
        wavelet: "haar", "db2" or "sym4".
        size: (H, W) or (D, H, W) of the result, each twice the number of coefficients or one less.
        data_format: "channels_last" or "channels_first"; Keras' own setting by default.
        name, dtype: see `keras.layers.Layer`.

    Call arguments:
        inputs: (B, h, w, 4 * C) or (B, d, h, w, 8 * C), or with the channels in the second place.
        like: an image or feature map of the size that the result is to have, where that is not known beforehand.

    Returns:
        (B, H, W, C) or (B, D, H, W, C), in the compute dtype.

    Raises:
        ValueError: for another wavelet, inputs of another rank, channels that are no multiple of 4 (8), and sizes that these
            coefficients cannot have.

    Example:

    >>> from keras import ops
    >>> layer = InverseWaveletTransform("haar", data_format="channels_last")
    >>> image = layer(ops.reshape(ops.array([6.0, -2.0, -3.0, 1.0]), (1, 1, 1, 4)))
    >>> [round(float(v), 4) for v in ops.ravel(image)]
    [1.0, 2.0, 3.0, 6.0]
    """

    def __init__(
        self, wavelet: str = "haar", *, size: Sequence[int] | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        check_choice("wavelet", wavelet, tuple(LOW_PASS))
        super().__init__(autocast=False, **kwargs)
        self.wavelet = wavelet
        self.size = None if size is None else _checked_size(size)
        self.data_format = checked_data_format(data_format)

    def build(self, inputs_shape: tuple[int | None, ...], like_shape: tuple[int | None, ...] | None = None) -> None:
        self._result_shape(inputs_shape, like_shape)

    def call(self, inputs: Tensor, like: Tensor | None = None) -> Tensor:
        rank = len(inputs.shape)
        shape = self._result_shape(inputs.shape, None if like is None else like.shape)
        axes = spatial_axes(self.data_format, rank)
        x = ops.cast(inputs, accumulation_dtype(self.compute_dtype))
        bands = ops.split(x, 2 ** len(axes), axis=channel_axis(self.data_format, rank))
        for axis in reversed(axes):
            bands = [synthesis(low, high, self.wavelet, axis) for low, high in zip(bands[::2], bands[1::2])]
        image = bands[0]
        if self.size is not None or like is not None:
            for axis in axes:
                known = shape[axis]
                image = part(image, slice(ops.shape(like)[axis] if known is None else known), axis)
        return ops.cast(image, self.compute_dtype)

    def compute_output_spec(self, inputs: Any, like: Any = None) -> Any:
        return keras.KerasTensor(
            self._result_shape(inputs.shape, None if like is None else like.shape), dtype=self.compute_dtype
        )

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], like_shape: tuple[int | None, ...] | None = None
    ) -> tuple[int | None, ...]:
        return self._result_shape(inputs_shape, like_shape)

    def _result_shape(self, inputs_shape, like_shape):
        check_image_shape("InverseWaveletTransform", inputs_shape, self.data_format)
        shape = list(inputs_shape)
        axes, channels = spatial_axes(self.data_format, len(shape)), channel_axis(self.data_format, len(shape))
        bands = 2 ** len(axes)
        if shape[channels] % bands:
            raise ValueError(
                f"InverseWaveletTransform needs a multiple of {bands} channels, the bands of `WaveletTransform`. "
                f"Received: shape {tuple(shape)}, {self.data_format}"
            )
        shape[channels] //= bands
        wanted = self._wanted(axes, len(shape), like_shape)
        for axis, size in zip(axes, wanted):
            full = None if shape[axis] is None else 2 * shape[axis]
            if None not in (full, size) and size not in (full, full - 1):
                raise ValueError(
                    f"{shape[axis]} coefficients along axis {axis} belong to a size of {full} or {full - 1}. "
                    f"Received: {size}. Give `size` or `like` as of the image before `WaveletTransform`."
                )
            shape[axis] = size if like_shape is not None or self.size is not None else full
        return tuple(shape)

    def _wanted(self, axes, rank, like_shape):
        if self.size is not None and len(self.size) != len(axes):
            raise ValueError(f"`size` must hold {len(axes)} numbers for inputs of rank {rank}. Received: size={self.size}")
        if like_shape is None:
            return self.size or (None,) * len(axes)
        if len(like_shape) != rank:
            raise ValueError(f"`like` must have the rank of the inputs, {rank}. Received: shape {tuple(like_shape)}")
        sizes = tuple(like_shape[axis] for axis in axes)
        if self.size is not None and any(a is not None and a != b for a, b in zip(sizes, self.size)):
            raise ValueError(f"`like` and `size` differ. Received: like of size {sizes}, size={self.size}")
        return self.size or sizes

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "wavelet": self.wavelet,
            "size": None if self.size is None else list(self.size),
            "data_format": self.data_format,
        }


def _checked_size(size):
    if not hasattr(size, "__iter__") or isinstance(size, (str, bytes)):
        raise TypeError(f"`size` must be (H, W) or (D, H, W). Received: size={size!r}")
    size = tuple(size)
    for i, number in enumerate(size):
        check_integer(f"size[{i}]", number, minimum=1)
    return tuple(int(number) for number in size)
