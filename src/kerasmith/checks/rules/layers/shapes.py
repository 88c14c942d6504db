"""A layer knows the shape of what it returns, and works where the batch size is not known."""

from kerasmith.checks.engine.comparison import differ, farthest
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras, to_tensors
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.compiled import traced_without_batch
from kerasmith.checks.rules.layers.case import LayerCase


@check("Y107", "layer", "warning", since="0.1.0")
def declared_shape_is_the_real_one(case: LayerCase) -> None:
    """`compute_output_shape` returns another shape than the output has.

    A Functional model is built from the declared shapes: the layers after this one get weights of the wrong shape, and fail
    when data come.

    Fix: return what `call` returns, or leave the method out: Keras then finds the shape by tracing `call`.
    """
    if _from_keras(case.subject.cls, "compute_output_shape") and _from_keras(case.subject.cls, "compute_output_spec"):
        raise NotApplicable("Keras finds the shape by tracing `call`")
    layer = case.prepared()
    real = keras.tree.map_structure(lambda leaf: tuple(leaf.shape), case.call(layer))
    arrays = {name: part for name, part in case.inputs.items() if name != "mask"}
    symbols = keras.tree.map_structure(lambda array: keras.KerasTensor(array.shape, str(array.dtype)), arrays)
    first = symbols.pop("inputs")
    shapes = keras.tree.map_structure(lambda array: array.shape, arrays["inputs"])
    line = f"print(layer.compute_output_shape({shapes}), {case.call_code()}.shape)"
    try:
        declared = keras.tree.map_structure(lambda spec: tuple(spec.shape), layer.compute_output_spec(first, **symbols))
    except Exception as error:
        raise Failed(f"the shape {real}", describe_error(error), [line]) from error
    if not _fits(_flat(declared), _flat(real)):
        raise Failed(f"{real}, the shape of the output", f"{declared}", [line])


@check("Y111", "layer", "error", requires=("base", "Y103", "Y113"), since="0.1.0")
def unknown_batch_size(case: LayerCase) -> None:
    """The layer fails where the batch size is unknown.

    In `fit` on TensorFlow and in a Functional model `inputs.shape[0]` is None: it is no number that `zeros` or `reshape`
    could take.

    Fix: `keras.ops.shape(inputs)[0]`, which is a tensor there, or an operation that needs no size, such as `zeros_like` and
    `pad`.
    """
    if backend() != "tensorflow":
        raise NotApplicable("only TensorFlow traces without a batch size")
    layer, inputs = case.prepared(), case.inputs
    flat = keras.tree.flatten(inputs)
    lines = [
        "import tensorflow as tf",
        f"{case.call_code()}  # builds it",
        "spec = tf.TensorSpec((None, *inputs.shape[1:]), inputs.dtype)",
        "print(tf.function(layer, input_signature=[spec], autograph=False)(inputs))",
    ]
    try:
        traced = traced_without_batch(case.on_leaves(layer), *flat)
        found = [case.number(leaf) for leaf in traced(*to_tensors(flat))]
    except Exception as error:
        if case.archetype is not None and _traces_with_more_axes(case):
            raise Inconclusive("it fails on vectors and runs on inputs of more axes: declare its inputs") from None
        raise Failed("an output where the batch size is None", describe_error(error), lines) from error
    if case.contract.deterministic and differ(case.run(layer), found):
        a, b = farthest(case.run(layer), found)
        raise Failed(f"{a}, as with a known batch size", f"{b}", lines)


def _traces_with_more_axes(case: LayerCase) -> bool:
    """Whether the batch is no axis that the layer asks for: what it takes for time, axis -2, is the batch of vectors alone."""
    axes = max(leaf.ndim for leaf in keras.tree.flatten(case.inputs))
    for archetype in case.preferred():
        other = LayerCase(case.subject, case.contract)
        other.specs = archetype.specs
        try:
            flat = keras.tree.flatten(other.inputs)
            if min(leaf.ndim for leaf in flat) <= axes:
                continue
            traced_without_batch(other.on_leaves(other.prepared()), *flat)
        except Exception:
            continue
        return True
    return False


def _from_keras(cls, name):
    """Whether a method is the one that `keras.layers.Layer` has by default."""
    return getattr(cls, name) is getattr(keras.layers.Layer, name)


def _fits(declared, real):
    """Whether shapes are equal where they are known."""
    pairs = zip(declared, real)
    same = all(len(a) == len(b) and all(size in (None, known) for size, known in zip(a, b)) for a, b in pairs)
    return same and len(declared) == len(real)


def _flat(shapes):
    """The shapes in the order of their leaves; a list of sizes is a shape too."""
    if isinstance(shapes, dict):
        return [shape for key in sorted(shapes) for shape in _flat(shapes[key])]
    if isinstance(shapes, (list, tuple)) and not all(size is None or isinstance(size, int) for size in shapes):
        return [shape for part in shapes for shape in _flat(part)]
    return [tuple(shapes)]
