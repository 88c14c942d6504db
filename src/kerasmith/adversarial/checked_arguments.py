"""What `Adversarial` and its `compile` accept, and what they say to the rest."""

from typing import Any

import keras

from kerasmith.adversarial.network_inputs import NetworkInputs
from kerasmith.base import KerasLoss, Loss
from kerasmith.losses import DiscriminatorLoss, GeneratorLoss, GradientPenalty
from kerasmith.numerics.tensors import compatible

_COMPILE = 'model.compile(generator_optimizer="adam", discriminator_optimizer="adam")'
_ELSEWHERE = {
    "optimizer": f"There are two optimizers: {_COMPILE}.",
    "loss": "Losses belong to the model: Adversarial(generator, discriminator, generator_loss=..., discriminator_loss=..., "
    "terms=...).",
    "loss_weights": "Weights belong to the terms: terms={'l1': kerasmith.Term('mae', weight=100.0)}.",
}


def check_networks(generator: Any, discriminator: Any) -> dict[str, NetworkInputs]:
    """The inputs of both networks, by "generator" and "discriminator".

    Raises:
        TypeError: if one of them is no model.
        ValueError: if they are one, or what one gives does not fit into the other.
    """
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(network, keras.Model):
            raise TypeError(f"`{name}` must be a keras.Model. Received: {network!r} of type {type(network).__name__}")
    if generator is discriminator:
        raise ValueError("`generator` and `discriminator` are one model. Give two.")
    ours = {id(variable) for variable in generator.trainable_variables} if generator.built else ()
    shared = [v.path for v in discriminator.trainable_variables if id(v) in ours] if discriminator.built else []
    if shared:
        raise ValueError(f"Generator and discriminator share weights, which both would train against each other: {shared[:4]}")
    inputs = {
        "generator": NetworkInputs(generator, "generator"),
        "discriminator": NetworkInputs(discriminator, "discriminator"),
    }
    slots = inputs["discriminator"].slots
    if inputs["generator"].slots is not None and slots is not None and len(generator.outputs) == 1:
        made, taken = tuple(generator.outputs[0].shape), [tuple(slot.shape) for slot in slots.values()]
        if not any(compatible(made, shape) for shape in taken):
            raise ValueError(
                f"The generator gives samples of shape {made}, but the discriminator takes {', '.join(map(str, taken))}. Give "
                "both the shape of a real sample."
            )
    return inputs


def checked_generator_loss(given: Any) -> GeneratorLoss:
    """The loss of a kind, or a `GeneratorLoss` as it is; raises TypeError for others."""
    if isinstance(given, str):
        return GeneratorLoss(given)
    if not isinstance(given, GeneratorLoss):
        raise TypeError(
            "`generator_loss` must be a losses.GeneratorLoss or its kind, 'bce', 'hinge', 'least_squares' or 'wgan': it is "
            "called with the labels 0 (generated) and must push the other way, which a cross-entropy does not. For a formula "
            "of your own write a subclass with `output_losses(y_true, y_pred)`; what else the generator minimises is one of "
            f"the `terms`. Received: {given!r}"
        )
    return _reduced(given, "generator_loss")


def checked_discriminator_loss(given: Any) -> Loss:
    """The loss of a kind, or a loss as it is, one of Keras wrapped; raises TypeError for others."""
    if isinstance(given, str):
        return DiscriminatorLoss(given)
    if not isinstance(given, keras.losses.Loss) or isinstance(given, GeneratorLoss):
        raise TypeError(
            "`discriminator_loss` must be a losses.DiscriminatorLoss or its kind, 'bce', 'hinge', 'least_squares' or 'wgan', "
            "or another loss object of (1 = real or 0 = generated, raw output of the discriminator), such as "
            f"keras.losses.BinaryCrossentropy(from_logits=True). Received: {given!r}"
        )
    return _reduced(given if isinstance(given, Loss) else KerasLoss(given), "discriminator_loss")


def _reduced(loss, name):
    if loss.reduction in ("none", None):
        raise ValueError(f"`{name}` must be one number. Give it a reduction, or leave `reduction` out. Received: {loss!r}")
    return loss


def checked_penalty(given: Any) -> GradientPenalty | None:
    """The penalty of a kind, or a `GradientPenalty` as it is, or None; raises TypeError for others."""
    if isinstance(given, str):
        return GradientPenalty(given)
    if not isinstance(given, (GradientPenalty, type(None))):
        raise TypeError(
            "`penalty` must be a losses.GradientPenalty, or its kind, 'wgan_gp' or 'r1', or None. "
            f"Received: {given!r} of type {type(given).__name__}"
        )
    return given


def check_compile(generator_optimizer: Any, discriminator_optimizer: Any, others: dict[str, Any]) -> list[Any]:
    """The two optimizers; raises ValueError or TypeError for anything else that `compile` is given."""
    for name in others:
        raise TypeError(
            f"Adversarial.compile takes no `{name}`. "
            f"{_ELSEWHERE.get(name, f'It takes two optimizers, metrics and options of Keras: {_COMPILE}.')}"
        )
    given = {"generator_optimizer": generator_optimizer, "discriminator_optimizer": discriminator_optimizer}
    found = []
    for name, optimizer in given.items():
        if optimizer is None:
            raise ValueError(f"`{name}` is missing: each network has an optimizer of its own. Write {_COMPILE}.")
        optimizer = keras.optimizers.get(optimizer)
        if any(getattr(one, "use_ema", False) for one in (optimizer, getattr(optimizer, "inner_optimizer", None))):
            raise ValueError(
                f"`{name}` averages weights itself (use_ema=True), which nobody would put into the network at the end. Write "
                "Adversarial(..., ema=0.999) for an average of the generator."
            )
        found.append(optimizer)
    if found[0] is found[1]:
        raise ValueError(
            "Both networks were given one optimizer object, whose state belongs to the weights of one. Make two, or give the "
            f"name twice: {_COMPILE}. Received: {found[0]!r}"
        )
    return found
