"""The network of a training: our U-Net, a network of `keras.applications` with a decoder, or a function of the user."""

import importlib
import os
import sys
from typing import Any

import keras
from keras import layers

from kerasmith.backbones.applications import application_name, build
from kerasmith.recipes.training.config_error import ConfigError, Place
from kerasmith.recipes.training.expression import parse_call
from kerasmith.recipes.training.part_calls import model_arguments
from kerasmith.recipes.training.plan import Plan
from kerasmith.recipes.training.samples import CORES, MASK
from kerasmith.recipes.unet import unet


def make_network(plan: Plan) -> keras.Model:
    """A model from images (B, *spatial, C) to logits: one tensor, or {"mask", "cores"} for objects.

    Raises:
        ConfigError: for a network that is not there, or gives something else.
    """
    text = plan.values["model"]
    place = plan.config.places.get("model", Place(plan.config.name))
    heads = {MASK: 1, CORES: 1} if plan.instances else {MASK: 1 if len(plan.names) == 2 else len(plan.names)}
    if ":" in text.split("(")[0]:
        model = _of_function(text, place, plan, heads)
    else:
        call = parse_call(text, place)
        arguments = model_arguments(call)
        if call.name == "unet":
            model = unet(arguments["widths"], heads, channels=plan.channels, dimensions=plan.axes)
        else:
            model = _of_application(call.name, arguments, place, plan, heads)
    if len(heads) == 1 and isinstance(model.output, dict):
        model = keras.Model(model.input, model.output[MASK], name=model.name)
    return model


def _of_application(name, arguments, place, plan, heads):
    try:
        name = application_name(name)
    except ValueError as problem:
        raise ConfigError(
            place, f"`model` is `unet(...)`, `module:function` or a network of keras.applications. {problem}"
        ) from None
    if plan.axes != 2:
        raise ConfigError(place, "networks of `keras.applications` are for images of two axes. Write `model: unet`.")
    try:
        backbone = build(name, arguments.get("weights"))
    except (RuntimeError, ValueError) as problem:
        raise ConfigError(place, str(problem)) from None
    image = keras.Input((None, None, plan.channels), name="image")
    # The networks take three colours; what other images have is mixed into three.
    x = image if plan.channels == 3 else layers.Conv2D(3, 1, name="to_colours")(image)
    levels = _levels(backbone)
    features = keras.Model(backbone.input, [backbone.get_layer(one).output for one in levels], name=name)(x)
    *finer, x = features
    widths = arguments.get("widths") or [max(16, 128 // 2**i) for i in range(5)]
    if len(widths) != 5:
        raise ConfigError(place, f"`widths` of a decoder are 5 numbers, coarsest first. Received: {widths}")
    for width, fine in zip(widths, [*reversed(finer), None], strict=True):
        x = layers.UpSampling2D()(layers.Conv2D(width, 1)(x))
        x = x if fine is None else layers.Concatenate()([x, fine])
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))
    outputs = {head: layers.Conv2D(count, 1, dtype="float32", name=head)(x) for head, count in heads.items()}
    return keras.Model(image, outputs, name=f"{name}_unet")


def _levels(backbone: keras.Model) -> list[str]:
    """The last layer of each resolution, 1/2 to 1/32, finest first."""
    side = 256
    probe = keras.Model(backbone.input, [one.output for one in backbone.layers[1:]])
    result: dict[int, str] = {}
    for layer, shape in zip(backbone.layers[1:], probe.compute_output_shape((1, side, side, 3)), strict=True):
        if len(shape) == 4 and shape[1] == shape[2] and shape[1] and side % shape[1] == 0:
            result[side // shape[1]] = layer.name
    missing = [step for step in (2, 4, 8, 16, 32) if step not in result]
    if missing:
        raise ValueError(f"{backbone.name} has no layer of 1/{missing[0]} of the image")
    return [result[step] for step in (2, 4, 8, 16, 32)]


def _of_function(text: str, place: Place, plan: Plan, heads: dict[str, int]) -> keras.Model:
    module, name = text.split(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        function: Any = getattr(importlib.import_module(module), name)
    except Exception as problem:  # a module of the user's
        raise ConfigError(place, f"`{text}` cannot be imported: {problem}. It is `module:function`.") from problem
    wanted = heads if plan.instances else heads[MASK]
    try:
        model = function((*[None] * plan.axes, plan.channels), wanted)
    except Exception as problem:
        raise ConfigError(place, f"`{text}` failed: {type(problem).__name__}: {problem}") from problem
    if not isinstance(model, keras.Model):
        raise ConfigError(
            place,
            f"`{text}` must return a keras.Model: `def {name}(input_shape, outputs)`, from images to logits. Received: "
            f"{type(model).__name__}",
        )
    if isinstance(model, keras.Sequential) and model.built:
        model = keras.Model(model.inputs, model.outputs[0], name=model.name)
    if not hasattr(model, "output"):
        raise ConfigError(
            place,
            f"`{text}` must return a model with known inputs: `keras.Model(inputs, outputs)`, or begin with `keras.Input`.",
        )
    given = (
        {one: tuple(t.shape)[-1] for one, t in model.output.items()}
        if isinstance(model.output, dict)
        else model.output.shape[-1]
    )
    if given != wanted:
        raise ConfigError(place, f"`{text}` must give logits of {wanted} channels. Received: {given}")
    return model
