"""`build` alone makes all weights."""

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check


@check("Y128", "layer", "warning", requires=("base", "Y118"), since="0.1.0")
def build_makes_all_weights(case):
    """`build` does not make all weights; the first call does.

    A parent layer that builds this one finds no weights in it, and loading a file into it fails: the weights of the file
    have no place to go to.

    Fix: build the children in `build`: `self.dense.build(input_shape)`, each with the shape of what it will be given.
    """
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
        own = case.subject.cls.build is not keras.layers.Layer.build and not hasattr(case.subject.cls.build, "_is_default")
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
