"""Edges as features: classical filters, channel by channel, beside or on top of an image."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.layers.image_axes import channel_axis, check_image_shape, checked_data_format, spatial_axes
from kerasmith.numerics.edge_strength import edge_strength, without_offset
from kerasmith.numerics.edge_taps import edge_taps
from kerasmith.numerics.tensors import accumulation_dtype
from kerasmith.numerics.wavelets import LOW_PASS

KINDS = ("sobel", "scharr", "laplacian", "log", "canny", "wavelet")
MODES = ("concat", "add", "multiply")
LARGEST = {"wavelet": 6}
"""The largest scale of a kind, 32 for the others; beyond, a smaller image says the same for less."""


@register
class EdgeEnhancement(KnowsKeywords, keras.layers.Layer):
    """Adds the edges of an image, at one or several scales, to what a network sees (since 0.2).

    Each channel is filtered on its own. With e_s, the response at scale s, and g_a, the difference of the two neighbours
    along axis a (smoothed along the other axes, times s):

    - "sobel", "scharr": e = sqrt(mean_a g_a^2), as `skimage.filters.sobel` and `scharr` at scale 1.
    - "laplacian": e = -s^2 times the sum of the second differences, as `skimage.filters.laplace` at scale 1: positive on
      bright lines and on the bright side of an edge, so that mode "add" sharpens.
    - "log": -s^2 times the Laplacian of the image under a Gaussian of standard deviation s (`scipy.ndimage.gaussian_laplace`,
      which answers a constant image c with .001 c; this one does not).
    - "canny": thin edges between 0 and 1, see below; the Gaussian has the standard deviation s.
    - "wavelet": the root of the squares of all details of level s of the undecimated wavelet transform.

    Scales above 1 smooth "sobel", "scharr" and "laplacian" with a Gaussian first, of variance s^2 - 1. A step has about the
    same response at every scale.

    The border is replicated: a constant image gives exactly 0 everywhere, at the border too. All is computed in float32
    (float64 under that policy), whatever the layer's dtype, and kept in the range of float16.

    **Canny, softly.** The hard detector answers yes or no and has no gradient. This one replaces each decision by a smooth
    share: a pixel is compared with its two neighbours along the gradient (one as high is high enough), then with both
    thresholds, by m^4 / (m^4 + threshold^4); a weak edge follows a strong one over at most `reach` pixels, by repeated maxima
    and minima. So the answer is a number, about .5 at a threshold; an edge between two pixels is two pixels wide; one that is
    linked to a strong one by a longer way than `reach` is not followed. Cut at .5, about nine in ten pixels of it and of
    `skimage.feature.canny` lie at most one pixel from the other's.

    Args:
        kind: what an edge is.
        mode: "concat": the image, then e of each scale, C * (1 + len(scales)) channels; "add": x + mean_s e_s; "multiply":
            x * (1 + mean_s e_s).
        scales: in pixels; >= 1, for "log" and "canny" > 0, at most 32; for "wavelet" levels, whole numbers from 1 to 6.
        trainable: whether the filters, one a channel and scale, are trained. They keep the sum 0 that makes them edge
            filters. As for any layer, `layer.trainable` may be changed later; a model that is unfrozen as a whole unfreezes
            this layer too.
        thresholds: (low, high) slopes of "canny", in units of the image; (.05, .1) by default, for images in 0..1, where a
            step of height h has the slope .35 h. `skimage.feature.canny` takes 8 times these numbers.
        reach: of "canny": pixels over which a weak edge follows a strong one; 8 by default.
        wavelet: of "wavelet": "haar" (the default), "db2" or "sym4".
        data_format: "channels_last" or "channels_first"; Keras' own setting by default.
        name, dtype: see `keras.layers.Layer`.

    Call arguments:
        inputs: images (B, H, W, C) or volumes (B, D, H, W, C), or with C in the second place; B and sizes may be unknown, C
            may not.

    Returns:
        A tensor of the same sizes, in the compute dtype.

    Raises:
        ValueError: for inputs of another rank or with an unknown number of channels; for arguments out of range, and for
            those that another `kind` has.

    Example:

    >>> from keras import ops
    >>> image = ops.reshape(ops.array([0.0, 0.0, 1.0, 1.0]), (1, 1, 4, 1))
    >>> edges = EdgeEnhancement("sobel", data_format="channels_last")(image)[..., 1]
    >>> [round(float(v), 4) for v in ops.ravel(edges)]
    [0.0, 0.7071, 0.7071, 0.0]

    Reference: Canny, "A computational approach to edge detection", 1986; Scharr, "Optimale Operatoren in der digitalen
    Bildverarbeitung", 2000.
    """

    def __init__(
        self,
        kind: str = "sobel",
        mode: str = "concat",
        *,
        scales: Sequence[float] = (1,),
        trainable: bool = False,
        thresholds: Sequence[float] | None = None,
        reach: int | None = None,
        wavelet: str | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_choice("kind", kind, KINDS)
        check_choice("mode", mode, MODES)
        _refuse_others(kind, "canny", thresholds=thresholds, reach=reach)
        _refuse_others(kind, "wavelet", wavelet=wavelet)
        # Inputs are used as they are: differences of numbers that were rounded to half precision are mostly rounding.
        super().__init__(trainable=trainable, autocast=False, **kwargs)
        self.kind = kind
        self.mode = mode
        self.scales = _checked_scales(kind, scales)
        self.thresholds = None if thresholds is None else _checked_thresholds(thresholds)
        if reach is not None:
            check_integer("reach", reach, minimum=0)
        self.reach = reach
        if wavelet is not None:
            check_choice("wavelet", wavelet, tuple(LOW_PASS))
        self.wavelet = wavelet
        self.data_format = checked_data_format(data_format)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        check_image_shape("EdgeEnhancement", input_shape, self.data_format)
        channels = input_shape[channel_axis(self.data_format, len(input_shape))]
        self._edge, self._smooth = [], []
        for number, scale in enumerate(self.scales):
            for taps, name, where in zip(
                edge_taps(self.kind, scale, self.wavelet or "haar"), ("edge", "smooth"), (self._edge, self._smooth)
            ):
                # Weights also where they are not trained: a layer may be frozen or thawed later, and saved then.
                weight = self.add_weight(
                    name=f"{name}_{number}", shape=(len(taps), channels), initializer=_columns(taps), autocast=False
                )
                where.append(weight)

    def call(self, inputs: Tensor) -> Tensor:
        check_image_shape("EdgeEnhancement", inputs.shape, self.data_format)
        rank = len(inputs.shape)
        axes = spatial_axes(self.data_format, rank)
        x = ops.cast(inputs, accumulation_dtype(self.compute_dtype))
        edges = self._edges(without_offset(x, axes), axes)
        if self.mode == "concat":
            parts = [ops.cast(inputs, self.compute_dtype), *map(self._result, edges)]
            return ops.concatenate(parts, axis=channel_axis(self.data_format, rank))
        mean = sum(edges[1:], edges[0]) / len(edges)
        return self._result(x + mean if self.mode == "add" else x * (1.0 + mean))

    def _edges(self, x, axes):
        options = {"thresholds": self.thresholds or (0.05, 0.1), "reach": 8 if self.reach is None else self.reach}
        return [
            edge_strength(self.kind, x, axes, self._taps(edge, x, True), self._taps(smooth, x, False), scale=scale, **options)
            for scale, edge, smooth in zip(self.scales, self._edge, self._smooth)
        ]

    def _taps(self, weight, x, centred):
        taps = ops.cast(weight, x.dtype)
        if centred:
            taps = taps - ops.mean(taps, axis=0, keepdims=True)
        if self.data_format == "channels_first":
            taps = ops.reshape(taps, (*weight.shape, *(1,) * (len(x.shape) - 2)))
        return taps

    def _result(self, x):
        if self.compute_dtype == "float16":
            x = ops.clip(x, -65504.0, 65504.0)
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        check_image_shape("EdgeEnhancement", input_shape, self.data_format)
        shape = list(input_shape)
        if self.mode == "concat":
            shape[channel_axis(self.data_format, len(shape))] *= 1 + len(self.scales)
        return tuple(shape)

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "kind": self.kind,
            "mode": self.mode,
            "scales": list(self.scales),
            "thresholds": None if self.thresholds is None else list(self.thresholds),
            "reach": self.reach,
            "wavelet": self.wavelet,
            "data_format": self.data_format,
        }


def _columns(taps):
    """An initialiser of the same taps in each column."""
    return lambda shape, dtype=None: ops.convert_to_tensor(taps[:, None].repeat(shape[1], axis=1), dtype=dtype)


def _listed(values):
    """A tuple; of one value a tuple of it."""
    return tuple(values) if hasattr(values, "__iter__") and not isinstance(values, (str, bytes)) else (values,)


def _checked_scales(kind, scales):
    scales = _listed(scales)
    if not scales:
        raise ValueError("`scales` must hold at least one scale. Received: scales=(). Write `scales=(1, 2)`, for example.")
    bounds = {"maximum": LARGEST.get(kind, 32), **({"above": 0} if kind in ("log", "canny") else {"minimum": 1})}
    for i, scale in enumerate(scales):
        if kind == "wavelet":
            check_integer(f"scales[{i}]", scale, minimum=1)
        check_number(f"scales[{i}]", scale, **bounds)
    return tuple(int(scale) if scale == int(scale) else float(scale) for scale in scales)


def _checked_thresholds(thresholds):
    thresholds = _listed(thresholds)
    if len(thresholds) != 2:
        raise ValueError(f"`thresholds` must be two slopes, (low, high). Received: thresholds={thresholds!r}")
    low, high = thresholds
    check_number("thresholds[0]", low, above=0)
    check_number("thresholds[1]", high, above=low)
    return float(low), float(high)


def _refuse_others(kind, owner, **given):
    for name, value in given.items():
        if value is not None and kind != owner:
            raise ValueError(f"`{name}` belongs to kind={owner!r}. Received: {name}={value!r}, kind={kind!r}. Leave it out.")
