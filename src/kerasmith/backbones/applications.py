"""Backbones of `keras.applications` by name: the network without its head, its weights, and what its images went through."""

import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.backbones.names import near

IMAGENET = "imagenet"
_RANGE = (0.0, 255.0)  # of the images that `preprocess_input` takes


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """From images in one range of values to what a network was trained on: x[order] * scale + shift, by channel.

    Attributes:
        order: of the channels, None for that of the images.
        scale, shift: a number for each channel; one for all of them.
    """

    order: tuple[int, ...] | None
    scale: tuple[float, ...]
    shift: tuple[float, ...]

    def __call__(self, x: Tensor) -> Tensor:
        """`x`, (B, *spatial, C)."""
        if self.order is not None:
            x = ops.stack([x[..., i] for i in self.order], axis=-1)
        if set(self.scale) == {1.0} and set(self.shift) == {0.0}:
            return x
        return x * _constant(self.scale, x) + _constant(self.shift, x)


def between_ranges(given: Sequence[float], wanted: Sequence[float]) -> Preprocessing:
    """From images in the range `given` to images in the range `wanted`."""
    scale = (wanted[1] - wanted[0]) / (given[1] - given[0])
    return Preprocessing(None, (scale,), (wanted[0] - given[0] * scale,))


def of_application(name: str, given: Sequence[float]) -> Preprocessing:
    """`keras.applications.<name>.preprocess_input`, of images in the range `given`."""
    bias, scale, order = _probed(application_name(name))
    first = between_ranges(given, _RANGE)
    return Preprocessing(
        order if order != tuple(range(len(order))) else None,
        tuple(s * first.scale[0] for s in scale),
        tuple(s * first.shift[0] + b for s, b in zip(scale, bias)),
    )


def name_of_preprocessing(function: Any) -> str | None:
    """The application whose `preprocess_input` a function is; None for others."""
    if not inspect.isfunction(function):
        return None
    for name, (module, _) in _known().items():
        if module.preprocess_input is function:
            return name
    return None


def application_name(name: str) -> str:
    """The name of an application as Keras writes it, in small letters: `VGG16`, "vgg-16" -> "vgg16".

    Raises:
        ValueError: for a name that Keras does not know; says which are near.
    """
    plain = _plain(name)
    if plain not in _known():
        raise ValueError(
            f"`keras.applications` has no network of this name. Received: {name!r}. {near(plain, sorted(_known()))} "
            "Or pass the model itself."
        )
    return plain


def module_name(name: str) -> str:
    """The module of `keras.applications` that a network is in, `resnet` of "resnet50"."""
    return _known()[name][0].__name__.split(".")[-1]


def names_an_application(name: str) -> bool:
    """Whether a model of this name is probably one of `keras.applications`."""
    return _plain(name) in _known()


def build(name: str, weights: Any = IMAGENET) -> keras.Model:
    """A network of `keras.applications` without its head, in float32, for images of any size.

    Args:
        name: its name.
        weights: "imagenet", the path of a file of weights, or None for random ones.

    Raises:
        RuntimeError: if the weights cannot be had; says where else they may come from.
    """
    name = application_name(name)
    _, function = _known()[name]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        model = function(include_top=False, weights=IMAGENET if weights == IMAGENET else None)
    except Exception as error:  # Keras raises a bare Exception for a download that fails
        raise RuntimeError(
            f"The weights of {name!r} could not be downloaded: {error}. Give the path of a file that has them, "
            f'`weights="{name}.weights.h5"`, or the model itself, '
            f"`keras.applications.{function.__name__}(include_top=False, weights=...)`."
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
    if weights not in (IMAGENET, None):
        _load(model, weights)
    return model


def _load(model, path):
    try:
        model.load_weights(path)
    except Exception as error:  # of h5py, of zipfile or of Keras
        raise RuntimeError(
            f"The weights of {model.name!r} could not be read from {str(path)!r}: {error}. Expected those of the network "
            f"without its head (include_top=False), saved by `model.save_weights('{model.name}.weights.h5')`."
        ) from error


def _plain(name):
    return str(name).lower().replace("_", "").replace("-", "")


@functools.cache
def _known() -> dict[str, tuple[Any, Callable[..., keras.Model]]]:
    """{plain name: (module, function)}."""
    found = {}
    modules = [m for m in vars(keras.applications).values() if isinstance(m, types.ModuleType) and _has_preprocessing(m)]
    for module in modules:
        for name, function in vars(module).items():
            if inspect.isfunction(function) and name[0].isupper():
                found.setdefault(_plain(name), (module, function))
    return found


def _has_preprocessing(module):
    return hasattr(module, "preprocess_input")


@functools.cache
def _probed(name):
    """(shift, scale, order) by channel of an application's `preprocess_input`, from what it does to four colours."""
    function = _known()[name][0].preprocess_input
    colours = np.concatenate([np.zeros((1, 3)), np.eye(3)]).reshape(4, 1, 1, 3).astype("float64")
    black, *pure = np.asarray(function(colours, data_format="channels_last")).reshape(4, 3)
    slopes = np.stack(pure) - black  # (channel in, channel out)
    order = tuple(int(i) for i in np.abs(slopes).argmax(axis=0))
    scale = tuple(float(slopes[i, k]) for k, i in enumerate(order))
    return tuple(map(float, black)), scale, order


def _constant(values, x):
    return ops.convert_to_tensor(np.asarray(values), dtype=x.dtype)
