"""How many operations a function is made of: a Python loop over samples shows in it, whatever the machine is busy with."""

from kerasmith.checks.engine.lazy_keras import backend, keras


def operations(function, variables, tensors):
    """The number of operations of the backend that `function(*tensors)` records.

    Args:
        function: returns nothing that is looked at.
        variables: those that it reads and assigns; their values stay.
        tensors: a list of (nested) tensors.
    """
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend()](function, list(variables), tensors)


def _tensorflow(function, variables, tensors):
    import tensorflow as tf

    concrete = tf.function(lambda *given: (function(*given), 0)[1], autograph=False).get_concrete_function(*tensors)
    return len(concrete.graph.get_operations())


def _jax(function, variables, tensors):
    import jax

    def pure(values, *given):
        with keras.StatelessScope(state_mapping=list(zip(variables, values))) as scope:
            function(*given)
        # Without its effects everything would be left out as unused.
        return [value if (new := scope.get_current_value(v)) is None else new for v, value in zip(variables, values)]

    return len(jax.make_jaxpr(pure)([variable.value for variable in variables], *tensors).eqns)


def _torch(function, variables, tensors):
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counting(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            self.count += 1
            return operation(*args, **(kwargs or {}))

    values = [variable.value.detach().clone() for variable in variables]
    with Counting() as counting:
        function(*tensors)
    for variable, value in zip(variables, values):
        variable.assign(value)
    return counting.count
