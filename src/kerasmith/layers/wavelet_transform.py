"""One step of an orthogonal wavelet transform as a layer."""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.layers.image_axes import channel_axis, check_image_shape, checked_data_format, spatial_axes
from kerasmith.numerics.tensors import accumulation_dtype
from kerasmith.numerics.wavelets import LOW_PASS, analysis, halved


@register
class WaveletTransform(KnowsKeywords, keras.layers.Layer):
    """Halves an image and loses nothing: averages and details of each channel, as channels (since 0.2).

    One step of the discrete wavelet transform along each spatial axis, in the mode "periodization" of PyWavelets: the image
    goes on at its other side. The transform is orthogonal: it keeps sums of squares, and `InverseWaveletTransform` gives
    the image back. An odd size is made even by one more copy of the last row, whose coefficients are kept as well:
    ceil(size / 2) of them; the inverse cuts it off again. For a second step apply another layer to the first C channels.

    Args:
        wavelet: "haar", "db2" or "sym4".
        data_format: "channels_last" or "channels_first"; Keras' own setting by default.
        name, dtype: see `keras.layers.Layer`.

    Call arguments:
        inputs: images (B, H, W, C) or volumes (B, D, H, W, C), or with C in the second place; B and sizes may be unknown, C
            may not.

    Returns:
        (B, ceil(H / 2), ceil(W / 2), 4 * C), of a volume 8 * C channels: the bands aa, ad, da, dd (aaa, aad, ..., ddd) of
        `pywt.dwtn`, a for average and d for detail along each axis, each with all C channels.

    Raises:
        ValueError: for another wavelet, and for inputs of another rank or with an unknown number of channels.

    Example:

    >>> from keras import ops
    >>> layer = WaveletTransform("haar", data_format="channels_last")
    >>> bands = layer(ops.reshape(ops.array([1.0, 2.0, 3.0, 6.0]), (1, 2, 2, 1)))
    >>> [round(float(v), 4) for v in ops.ravel(bands)]
    [6.0, -2.0, -3.0, 1.0]

    Reference: Mallat, "A theory for multiresolution signal decomposition: the wavelet representation", 1989.
    """

    def __init__(self, wavelet: str = "haar", *, data_format: str | None = None, **kwargs: Any) -> None:
        check_choice("wavelet", wavelet, tuple(LOW_PASS))
        super().__init__(autocast=False, **kwargs)
        self.wavelet = wavelet
        self.data_format = checked_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        check_image_shape("WaveletTransform", input_shape, self.data_format)

    def call(self, inputs: Tensor) -> Tensor:
        check_image_shape("WaveletTransform", inputs.shape, self.data_format)
        rank = len(inputs.shape)
        bands = [ops.cast(inputs, accumulation_dtype(self.compute_dtype))]
        for axis in spatial_axes(self.data_format, rank):
            bands = [half for band in bands for half in analysis(band, self.wavelet, axis)]
        return ops.cast(ops.concatenate(bands, axis=channel_axis(self.data_format, rank)), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        check_image_shape("WaveletTransform", input_shape, self.data_format)
        shape = list(input_shape)
        axes = spatial_axes(self.data_format, len(shape))
        for axis in axes:
            shape[axis] = halved(shape[axis])
        shape[channel_axis(self.data_format, len(shape))] *= 2 ** len(axes)
        return tuple(shape)

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> Config:
        return {**super().get_config(), "wavelet": self.wavelet, "data_format": self.data_format}
