"""A network that only looks: its weights are constants, in inference mode, and belong to no model that is trained."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, Tensor
from kerasmith.backbones import applications, packed_weights
from kerasmith.backbones.names import near
from kerasmith.base import register
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.keras_internals.layer_names import named_layers
from kerasmith.keras_internals.layer_outputs import layer_outputs
from kerasmith.keras_internals.layers import all_layers
from kerasmith.keras_internals.outside_traces import outside_traces
from kerasmith.keras_internals.tensors import is_concrete, keras_mask, output_spec
from kerasmith.numerics.tensors import static_shape


@register
class FrozenBackbone(KnowsKeywords):
    """A model whose weights are read once and stay what they were, whatever happens to the model.

    It runs with `training=False`, in a scope that gives its variables their values of then as constants: no gradient reaches
    them, no statistic moves, and whatever holds this object neither has nor trains nor saves variables of its own.

    Args:
        model: a built `keras.Model` with one input: a graph, a `Sequential`, nested or a subclass; or a name of
            `keras.applications`.
        weights: for a name only: "imagenet", the path of a file, or None for random weights.

    Raises:
        ValueError: for a model without weights, or with several inputs.
        TypeError: for anything that is no model.

    Its configuration holds the model and its weights, or, where these are the ones that `keras.applications` downloads, the
    name and a fingerprint of them. Weights that are not there when it is loaded, or are others, are an error as soon as
    features are asked for; until then a model that was trained with them predicts as before.
    """

    # What walks over a model to find its variables passes by.
    is_constant = True

    def __init__(self, model: Any, weights: Any = applications.IMAGENET) -> None:
        self.application: str | None = None
        self.downloaded = False
        self.problem: Exception | None = None
        self.saved_config: Config = {}
        self._values: Any = None
        if isinstance(model, str):
            self.application = applications.application_name(model)
            self.downloaded = weights == applications.IMAGENET
            with outside_traces():
                model = applications.build(model, weights)
        elif weights != applications.IMAGENET:
            raise ValueError(
                "`weights` belongs to a name of `keras.applications`. A model has its own: write "
                f"`backbone.load_weights({weights!r})` before. Received: weights={weights!r} beside a model"
            )
        self._set_model(model)

    def _set_model(self, model):
        _check_model(model)
        self.model = model
        # Copies: JAX gives the memory of what is trained to the next step, PyTorch changes it in place.
        with outside_traces():
            self._values = [(v, ops.stop_gradient(ops.copy(v.value))) for v in model.variables]
        self._layers = dict(named_layers(model))
        self._known_sizes: set[Any] = set()

    @property
    def name(self) -> str:
        return self.application or self.model.name

    @property
    def axis(self) -> int:
        """The channel axis of its images and features, -1 or 1."""
        for layer in all_layers(self.model):
            if getattr(layer, "data_format", None) in ("channels_first", "channels_last"):
                return 1 if layer.data_format == "channels_first" else -1
        return -1

    def check_layers(self, names: Sequence[str]) -> None:
        """Raises ValueError for names of layers that the model does not have, or has several times."""
        if self.problem is None:
            for name in names:
                self._layer(name)

    def _frozen_weights(self):
        values = {id(variable): value for variable, value in self._values}
        return [values[id(variable)] for variable in self.model.weights]

    def _layer(self, name):
        if name in self._layers:
            return self._layers[name]
        ending = [full for full in self._layers if full.endswith("/" + name)]
        if len(ending) == 1:
            return self._layers[ending[0]]
        if ending:
            raise ValueError(f"The backbone {self.name!r} has several layers {name!r}. Write which: {', '.join(ending)}.")
        raise ValueError(f"The backbone {self.name!r} has no layer {name!r}. {near(name, list(self._layers))}")

    def features(
        self, x: Tensor, names: Sequence[str] | None, preprocessing: Callable[[Tensor], Tensor] | None = None
    ) -> list[Tensor]:
        """The outputs of the named layers for images; of the model itself for None.

        Args:
            x: images, (B, *spatial, C).
            names: of layers.
            preprocessing: what the images go through before.

        Returns:
            A list of tensors; their channels are at `axis`.

        Raises:
            ValueError: for images that the backbone cannot take, and layers that give no single tensor.
        """
        if self.problem is not None:
            raise type(self.problem)(*self.problem.args) from self.problem
        shape = static_shape(x, "y_pred")
        self.check_images(shape)
        if shape[0] == 0:  # convolutions of TensorFlow cannot take that
            one = ops.concatenate([x, ops.zeros((1, *ops.shape(x)[1:]), dtype=x.dtype)])
            return [feature[:0] for feature in self.features(one, names, preprocessing)]
        ready = x if preprocessing is None else preprocessing(x)
        ready = ops.moveaxis(ready, -1, 1) if self.axis == 1 else ready
        if keras_mask(ready) is not None:
            ready = ops.copy(ready)  # the mask is of samples, and has been read
        layers = None if names is None else [self._layer(name) for name in names]
        try:
            self._check_sizes(layers, names, ready)
            found = self._pass(layers, ready)
        except Exception as error:
            if not _is_about_shapes(error):
                raise
            raise ValueError(
                f"The backbone {self.name!r} cannot take images of shape {shape} (channels last): "
                f"{_reason(error)}. Give it larger images, or name layers nearer to its input."
            ) from error
        for name, feature in zip(names or [self.name] * len(found), found):
            self._check_feature(name, feature, x)
        return found

    def _pass(self, layers, ready):
        with keras.StatelessScope(state_mapping=self._values):
            return layer_outputs(self.model, layers, ready)

    def _check_sizes(self, layers, names, ready):
        """Raises for images that are too small, where TensorFlow would end the process: eager, in a convolution of nothing."""
        if keras.backend.backend() != "tensorflow" or not is_concrete(ready):
            return
        shape = (None, *ready.shape[1:])
        key = (shape, None if names is None else tuple(names))
        if key not in self._known_sizes:
            output_spec(lambda images: self._pass(layers, images), keras.KerasTensor(shape, ready.dtype.name))
            self._known_sizes.add(key)

    def _check_feature(self, name, feature, x):
        if feature is None:
            raise ValueError(
                f"The layer {name!r} of the backbone {self.name!r} is not reached when it is called with training=False. "
                "Name another one."
            )
        if not ops.is_tensor(feature):
            raise ValueError(
                f"A layer of features must return one tensor. {name!r} of the backbone {self.name!r} returns a "
                f"{type(feature).__name__}. Name the layers that it is made of."
            )
        shape = static_shape(feature, name)
        if len(shape) < 2 or 0 in shape[1:]:
            raise ValueError(
                f"Images of shape {static_shape(x, 'y_pred')} (channels last) leave nothing of the layer {name!r} of the "
                f"backbone {self.name!r}: its output is of shape {shape}. Give it larger images, or name a layer nearer to "
                "the input."
            )

    def check_images(self, shape: tuple[int | None, ...]) -> None:
        """Raises ValueError for images, (B, *spatial, C), that the model does not take."""
        inputs = getattr(self.model, "inputs", None)
        if not inputs:
            return
        wanted = static_shape(inputs[0], "inputs")
        wanted = (*wanted[:1], *wanted[2:], wanted[1]) if self.axis == 1 and len(wanted) > 2 else wanted
        problem = (
            f"The backbone {self.name!r} takes images of shape {wanted} (channels last). Received: y_pred of shape {shape}"
        )
        if len(wanted) != len(shape):
            raise ValueError(f"{problem}. Pass a backbone with {len(shape) - 2} spatial axes.")
        if wanted[-1] is not None and wanted[-1] != shape[-1]:
            raise ValueError(f"{problem}. {_advice_on_channels(wanted[-1], shape)}")
        if any(None not in (a, b) and a != b for a, b in zip(wanted[1:-1], shape[1:-1])):
            anything = ", ".join(["None"] * (len(wanted) - 2))
            raise ValueError(
                f"{problem}. Build it for any size, `input_shape=({anything}, {wanted[-1]})`, in `keras.applications` with "
                "`include_top=False`."
            )

    def get_config(self) -> Config:
        """Plain data that give the same features anywhere."""
        if self.problem is not None:
            return dict(self.saved_config)
        arrays = packed_weights.as_arrays(self._frozen_weights())
        if self.downloaded:
            return {"application": self.application, "sha256": packed_weights.fingerprint(arrays)}
        return {
            "application": self.application,
            "model": keras.saving.serialize_keras_object(self.model),
            "weights": packed_weights.pack(arrays),
        }

    @classmethod
    def from_config(cls, config: Config) -> "FrozenBackbone":
        """The backbone of a saved file, with the weights that it had."""
        backbone = cls.__new__(cls)
        backbone.application, backbone.problem = config["application"], None
        backbone.downloaded = "sha256" in config
        if not backbone.downloaded:
            model = keras.saving.deserialize_keras_object(config["model"])
            packed_weights.assign(model, packed_weights.unpack(config["weights"]))
            backbone._set_model(model)
            return backbone
        try:
            backbone._set_model(_same_download(config))
        except (RuntimeError, ValueError) as error:
            backbone.problem, backbone.saved_config = error, config
        return backbone


def _same_download(config):
    model = applications.build(config["application"])
    if packed_weights.fingerprint(packed_weights.as_arrays([v.value for v in model.weights])) != config["sha256"]:
        raise ValueError(
            f"The weights of {config['application']!r} that keras.applications gives now are not those that the loss was "
            "saved with. Find the file of then, and compile the model anew with `weights=<its path>`; "
            "`keras.models.load_model(path, compile=False)` loads it without the loss."
        )
    return model


def _check_model(model):
    if isinstance(model, type):
        raise TypeError(f"`backbone` is a model, not a class. Write `{model.__name__}(...)`. Received: {model!r}")
    if not isinstance(model, keras.Model):
        raise TypeError(
            '`backbone` must be a `keras.Model` or a name of `keras.applications`, such as "vgg16"; layers go into a '
            f"`keras.Sequential`. Received: backbone={model!r} of type {type(model).__name__}"
        )
    if not model.built:
        raise ValueError(
            f"The backbone {model.name!r} has no weights yet. Give it a `keras.Input` as its first layer, or call it once on "
            "a batch of images, `backbone(images)`."
        )
    inputs = getattr(model, "inputs", None) or [None]
    if len(inputs) > 1:
        raise ValueError(
            f"The backbone {model.name!r} has {len(inputs)} inputs. Expected one, the images. Write "
            "`keras.Model(image_input, features)` for the part that reads them."
        )


def _is_about_shapes(error):
    """Whether a layer refused its input; every backend has an error of its own for that."""
    kind = type(error).__name__
    return isinstance(error, (TypeError, ValueError, RuntimeError, ZeroDivisionError)) or kind == "InvalidArgumentError"


def _reason(error):
    """What a layer said, without the colours and the list of arguments that Keras puts around it."""
    lines = [line for line in re.sub(r"\x1b\[\d+m", "", str(error)).splitlines() if line.strip()]
    inside = lines[1:2] if lines and lines[0].startswith("Exception encountered") else lines[:1]
    return (inside or [type(error).__name__])[0].strip().rstrip(".")


def _advice_on_channels(wanted, shape):
    if shape[1] == wanted:
        return "If the channels are at axis 1, write `axis=1`."
    if shape[-1] == 1:
        copies = ", ".join(["y"] * wanted)
        return (
            f"For grey images end the model with `y = keras.layers.Concatenate()([{copies}])` and pass labels "
            f"`np.repeat(y_true, {wanted}, axis=-1)`; or build the backbone for one channel."
        )
    return f"Pass a backbone for {shape[-1]} channels, or images of {wanted}."
