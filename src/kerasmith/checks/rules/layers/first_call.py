"""A layer can be called, makes no new weights then, and all of them in `build`."""

import contextlib

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.layers.case import LOCKED, LayerCase, finite


@check("Y101", "layer", "error", requires=("X103",), since="0.1.0")
def weights_are_made_once(case: LayerCase) -> None:
    """A call of the layer creates weights.

    What `call` creates is new on each call: the output changes at random, the optimizer never sees the weights, and nothing
    of them is saved. `add_weight` there raises in Keras 3, since a layer is closed once it is built; a `Dense(...)` made
    there does not.

    Fix: create weights and sublayers in `__init__` or `build`, keep them as attributes, and only use them in `call`.
    """
    layer = case.make()
    call = case.call_code()
    try:
        case.call(layer)
    except ValueError as error:
        if LOCKED not in str(error):
            return
        raise Failed("a call that only computes", describe_error(error), [f"print({call})"]) from error
    except Exception:
        return  # Y000 says what happens.
    with _variables_made() as made, contextlib.suppress(Exception):
        case.call(layer)
    trainable = [variable for variable in made if variable.trainable]
    if trainable:
        shapes = ", ".join(str(tuple(variable.shape)) for variable in trainable[:4])
        raise Failed(
            "no new variables in the second call",
            f"{len(trainable)} new trainable variables, of shape {shapes}; the layer tracks {len(layer.trainable_variables)}",
            [f"print({call})", f"print({call}, len(layer.weights))"],
        )


@check("Y000", "layer", "error", requires=("X103", "Y101"), since="0.1.0")
def can_be_called(case: LayerCase) -> None:
    """The layer cannot be called on its inputs.

    Every other question needs an output of finite numbers, with the layer fresh from its constructor and `training=False`.

    Fix: run the reproducer and mend what it says, or declare inputs that the layer is meant for.
    """
    layer = case.make()
    lines = [f"print({case.call_code()})"]
    try:
        outputs = case.arrays(case.call(layer))
    except Exception as error:
        raise Failed(f"an output for {case.describe()}", describe_error(error), lines) from error
    if not outputs:
        raise Failed("a tensor, or a list or dict of tensors", "an output without a tensor", lines)
    if not finite(outputs):
        raise Failed("finite numbers", "NaN or Inf in the output", lines)


@contextlib.contextmanager
def _variables_made():
    """The list of the variables that come into being in the block."""
    made, cls = [], keras.Variable
    own, original = "__init__" in vars(cls), cls.__init__

    def recording(self, *arguments, **options):
        original(self, *arguments, **options)
        made.append(self)

    cls.__init__ = recording
    try:
        yield made
    finally:
        if own:
            cls.__init__ = original
        else:
            del cls.__init__


@check("Y128", "layer", "warning", requires=("base", "Y118"), since="0.1.0")
def build_makes_all_weights(case: LayerCase) -> None:
    """`build` does not make all weights; the first call does.

    A parent layer that builds this one finds no weights in it, and loading a file into it fails: the weights of the file
    have no place to go to.

    Fix: build the children in `build`: `self.dense.build(input_shape)`, each with the shape of what it will be given.
    """
    from kerasmith.keras_internals.layers import has_default_build

    layer = case.prepared()
    config = layer.get_build_config()
    if not config or not layer.weights:
        raise NotApplicable("there is nothing to build")
    fresh = case.subject.cls.from_config(layer.get_config()) if case.subject.is_instance else case.make()
    if fresh.built:
        raise NotApplicable("the layer is built by its constructor")
    try:
        fresh.build_from_config(config)
    except Exception as error:
        raise NotApplicable(f"the layer cannot be built alone ({describe_error(error)})") from error
    found, wanted = len(fresh.weights), len(layer.weights)
    if found < wanted:
        own = not has_default_build(case.subject.cls)
        shape = config.get("input_shape") or config.get("shapes_dict")
        raise Failed(
            f"{wanted} weights after `build`",
            f"{found} after `build({shape})`; the call makes the others",
            [
                f"layer.build_from_config({config!r}); print(len(layer.weights))",
                f"{case.call_code()}; print(len(layer.weights))",
            ],
            severity=None if own else "note",
        )
