"""How many operations a call of a layer takes, counted and not timed."""

from kerasmith.checks.engine.lazy_keras import backend, keras, ops
from kerasmith.checks.harness.layer_weights import reset_generators


def operations(case, layer, arrays):
    """The number of operations of one call at inference: of the graph, of the jaxpr, or those that PyTorch is given."""
    reset_generators(layer, case.seed)
    flat = keras.tree.flatten(arrays)
    function = case.on_leaves(layer)
    return {"tensorflow": _of_graph, "jax": _of_jaxpr, "torch": _of_torch}[backend()](function, flat)


def _of_graph(function, arrays):
    import tensorflow as tf

    specs = [tf.TensorSpec(array.shape, array.dtype) for array in arrays]
    return len(tf.function(function, input_signature=specs, autograph=False).get_concrete_function().graph.get_operations())


def _of_jaxpr(function, arrays):
    import jax

    def stateless(*leaves):
        with keras.StatelessScope():
            return function(*leaves)

    return _equations(jax.make_jaxpr(stateless)(*arrays).jaxpr)


def _equations(jaxpr):
    count = 0
    for equation in jaxpr.eqns:
        inner = [part for part in equation.params.values() if hasattr(part, "eqns") or hasattr(part, "jaxpr")]
        count += 1 + sum(_equations(getattr(part, "jaxpr", part)) for part in inner)
    return count


def _of_torch(function, arrays):
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counting(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, operation, types, arguments=(), options=None):
            self.count += 1
            return operation(*arguments, **(options or {}))

    tensors = [ops.convert_to_tensor(array) for array in arrays]
    with Counting() as mode:
        function(*tensors)
    return mode.count
