"""What the constructor of a layer takes arrives where it belongs, and is still there after loading."""

import functools
import json
from typing import Any

from kerasmith.checks.engine.comparison import differ, farthest
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.layer_weights import copy_weights
from kerasmith.checks.rules.layers.case import LayerCase


@check("Y109", "layer", "error", since="0.1.0")
def activation_is_kept(case: LayerCase) -> None:
    """The activation is not what it was after loading.

    A config that holds `activation.__name__` finds Keras' own functions again and no others; one that holds nothing falls
    back to the default.

    Fix: `keras.activations.serialize(self.activation)` in `get_config`, `keras.activations.get(activation)` in `__init__`.
    """
    names = [name for name in case.constructor_arguments if name == "activation" or name.endswith("_activation")]
    if not names:
        raise NotApplicable("the constructor takes no activation")
    for name in names:
        try:
            layer = case.prepared(**{name: _probe()})
            there = differ(case.run_compiled(layer), case.outputs(case.make(**{name: "linear"})))
        except NotApplicable:
            raise
        except Exception as error:
            raise NotApplicable(f"another `{name}` is refused ({describe_error(error)})") from error
        if differ(case.run_compiled(layer), case.run_compiled(layer)):
            raise Inconclusive("two calls on the same input differ")
        if not there:
            raise Inconclusive(f"the output does not depend on `{name}`")
        lines = [
            '@keras.saving.register_keras_serializable("mine")',
            "def wave(x): return keras.ops.sin(x)",
            f"layer = type(layer)(**{{**{_init_text(case)}, {name!r}: wave}})",
            f"print(type(layer).from_config(layer.get_config()).{name})",
        ]
        if name in case.subject.init:
            lines = [f"print(type(layer).from_config(layer.get_config()).{name})"]
        try:
            again = loaded(layer)
        except NotImplementedError as error:
            raise NotApplicable("Keras refuses to make a config of the layer, and says so") from error
        except Exception as error:
            raise Failed(f"a layer with its own `{name}` from its config", describe_error(error), lines) from error
        copy_weights(layer, case.prepare(again))
        a, b = case.run_compiled(layer), case.run_compiled(again)
        if differ(a, b):
            a, b = farthest(a, b)
            raise Failed(f"{a}, with the `{name}` that was given", f"{b} from the loaded config", lines)


@check("Y121", "layer", "warning", since="0.1.0")
def regularisers_work(case: LayerCase) -> None:
    """A regulariser that the constructor takes has no effect, or is gone after loading.

    Nothing says so: the penalty is missing from the loss, and the weights are free.

    Fix: `self.add_weight(..., regularizer=self.kernel_regularizer)`, and
    `keras.regularizers.serialize(self.kernel_regularizer)` in `get_config`.
    """
    names = [name for name in case.constructor_arguments if name.endswith("_regularizer") or name == "regularizer"]
    if not names:
        raise NotApplicable("the constructor takes no regulariser")
    given = case.subject.init
    for name in names:
        try:
            layer = case.prepared(**{name: keras.regularizers.L2(0.5)})
        except NotApplicable:
            raise
        except Exception as error:
            raise NotApplicable(f"another `{name}` is refused ({describe_error(error)})") from error
        case.call(layer)
        call = f"layer = type(layer)(**{{**{_init_text(case)}, {name!r}: keras.regularizers.L2(0.5)}}); {case.call_code()}"
        if not layer.losses:
            if name not in given and _without_weight(layer, name):
                continue
            raise Failed(f"a penalty of `{name}` in `layer.losses`", "an empty list", [call, "print(layer.losses)"])
        try:
            again = loaded(layer)
        except Exception as error:
            raise NotApplicable(f"the layer cannot be loaded from its config ({describe_error(error)})") from error
        case.prepare(again)
        case.call(again)
        if not again.losses:
            raise Failed(
                f"a penalty of `{name}` in the losses of the loaded layer",
                f"an empty list; before saving it was {float(case.number(layer.losses[0])):.4g}",
                [
                    call,
                    "again = type(layer).from_config(layer.get_config()); again(inputs); print(layer.losses, again.losses)",
                ],
            )


def loaded(layer: Any) -> Any:
    """The layer that its config gives, after a way through JSON."""
    from kerasmith.keras_internals.layers import all_layers

    scope = {type(part).__name__: type(part) for part in all_layers(layer)}
    with keras.saving.custom_object_scope(scope):
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        return keras.saving.deserialize_keras_object(config)


def _without_weight(layer, name):
    """Whether the layer has no weight of this name, as with `use_bias=False`."""
    what = name.removesuffix("_regularizer")
    return what not in ("kernel", "embeddings", "regularizer") and not any(
        what in v.path.rpartition("/")[2] for v in layer.weights
    )


@functools.cache
def _probe():
    """An activation that is one's own: registered, and with a name that Keras does not know."""

    @keras.saving.register_keras_serializable("kerasmith_check")
    def bent_wave(x):
        return ops.sin(x) + 0.3 * x

    return bent_wave


def _init_text(case):
    """The arguments that were declared, as a dict of a reproducer; those that have no short text are left out."""
    plain = {key: value for key, value in case.subject.init.items() if isinstance(value, (bool, int, float, str, type(None)))}
    return repr(plain)
