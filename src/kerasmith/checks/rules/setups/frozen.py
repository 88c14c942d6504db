"""Layers that are frozen."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.changes import all_trainable
from kerasmith.checks.rules.setups.counterfactual import counterfactual
from kerasmith.checks.rules.setups.signals import has_kernel, kernel_of, signals


@check("T176", "setup", "warning", requires=("base", "T161"), since="0.2.0")
def frozen_layers_were_trained(case: SetupCase) -> None:
    """Layers are frozen with the weights that they were made with: nobody has ever trained them.

    A part that is frozen must bring its weights: `weights="imagenet"`, `load_weights`. Otherwise it hands on random
    features. It is an error where one batch is not learned, and is with these layers trained as well. Where random features
    are wanted, this check can be left out.

    Fix: `layer.trainable = True` and `compile` anew; or load the weights before freezing.
    """
    frozen = _frozen(case)
    if not frozen:
        raise NotApplicable("no layer with a kernel is frozen in front of one that trains")
    fresh = fresh_frozen(case)
    if not fresh:
        return
    names = ", ".join(f"`{layer.name}`" for layer in fresh[:4]) + (f" and {len(fresh) - 4} more" if len(fresh) > 4 else "")
    cured = counterfactual(case, ("nothing frozen", "with all layers trained", lambda: {"around": all_trainable}))
    raise Failed(
        "trained weights in frozen layers",
        f"{names} of {len(frozen)} frozen layers: {_measured(fresh[0])}{cured}",
        [f"layer = model.get_layer({fresh[0].name!r}); print(layer.trainable, np.std(layer.get_weights()[0]))"],
        severity="error" if cured else None,
        place=case.place(fresh[0]) or case.place("compile"),
    )


@check("T177", "setup", "error", since="0.2.0")
def optimizer_knows_the_weights(case: SetupCase) -> None:
    """`trainable` was changed after the optimizer had met the weights: it does not know all that it is to train now.

    An optimizer makes its variables for the weights that are trainable at its first step. Layers that are unfrozen
    later are unknown to it, and `fit` stops, or leaves them as they are.

    Fix: `model.compile(...)` with a new optimizer after each change of `trainable`.
    """
    from kerasmith.keras_internals.optimizers import trained_variables

    optimizer = case.model.optimizer
    if optimizer is None or not optimizer.built or case.has_own_step:
        raise NotApplicable("the optimizer has made no step yet")
    known = {id(variable) for variable in trained_variables(optimizer)}
    if not known:
        raise NotApplicable("the optimizer does not tell what it trains")
    unknown = [variable.path for variable in case.model.trainable_variables if id(variable) not in known]
    if unknown:
        raise Failed(
            "an optimizer that was made for these weights",
            f"it knows {len(known)} and not {unknown[0]}" + (f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""),
            ["print(len(model.optimizer.variables), len(model.trainable_variables))"],
            place=case.place("compile"),
        )


def _frozen(case):
    """Frozen layers in front of the first that trains; behind it they judge it, as the discriminator of a GAN does."""
    found: dict[int, Any] = {}
    for signal in signals(case):
        if has_kernel(signal.layer):
            if kernel_of(signal.layer).trainable:
                break
            if np.prod(kernel_of(signal.layer).shape) >= 16:
                found[id(signal.layer)] = signal.layer
    else:
        return []
    return list(found.values())


def fresh_frozen(case: SetupCase) -> list[Any]:
    """The layers that are frozen in front of the first that trains, with the weights that they were made with."""
    return [layer for layer in _frozen(case) if _looks_fresh(layer)]


def _looks_fresh(layer) -> bool:
    """Whether kernel and bias are what the layer's own initializers draw."""
    kernel, initializer = _values(kernel_of(layer)), getattr(layer, "kernel_initializer", None)
    bias = getattr(layer, "bias", None)
    if initializer is None or not callable(initializer):
        return False
    if bias is not None:
        drawn = _drawn(getattr(layer, "bias_initializer", None), bias)
        if drawn is None or not np.allclose(_values(bias), drawn, atol=1e-7):
            return False
    drawn = _drawn(initializer, kernel_of(layer))
    if drawn is None or kernel.std() == 0:
        return False
    # Drawn anew: the same spread, and no number beyond what the initializer gives.
    same_spread = abs(kernel.std() / max(drawn.std(), 1e-12) - 1) < 6 / np.sqrt(2 * kernel.size) + 0.02
    return bool(same_spread and np.abs(kernel).max() < 1.1 * np.abs(drawn).max() + 2 * drawn.std() / np.sqrt(kernel.size))


def _drawn(initializer, variable):
    if initializer is None:
        return None
    copy = type(initializer).from_config(initializer.get_config()) if hasattr(initializer, "get_config") else initializer
    with np.errstate(all="ignore"):
        return np.asarray(keras.ops.convert_to_numpy(copy(tuple(variable.shape), dtype="float32")))


def _measured(layer) -> str:
    kernel = _values(kernel_of(layer))
    name = type(layer.kernel_initializer).__name__
    return f"the kernel of `{layer.name}` has the standard deviation {kernel.std():.4g}, as {name} draws it, its bias is new"


def _values(variable):
    return np.asarray(keras.ops.convert_to_numpy(variable), "float64")
