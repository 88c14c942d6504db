"""From a TensorFlow step that XLA compiles to the host, which such a step cannot call.

Keras compiles a single step with XLA and calls it from a function that it does not compile. The step writes to variables, and
an operation of the outer function, in front of the call, hands to the host what the step before has written.
"""

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from kerasmith._types import Tensor
from kerasmith.keras_internals.step_ends import look_after_steps

ONE_STEP_AFTER_THE_OTHER = (
    "Under XLA this metric reads each batch on the host before the next step, which needs the loop of `fit` or `evaluate`. "
    "Write `model.compile(..., jit_compile=False)` for `train_on_batch`, `test_on_batch`, replicas, a loop of your own, or "
    "`unrolled_steps_per_execution` above 1."
)
_numbers = itertools.count()


class StepBuffer:
    """The tensors of the last step, until the host has taken them.

    Args:
        take: called with the tensors of a step, in the order of the steps, where their values can be read.
    """

    def __init__(self, take: Callable[..., None]) -> None:
        self._take = take
        self._slots: dict[Any, _Slot] = {}

    def write(self, key: Any, tensors: Sequence[Tensor]) -> None:
        """Keeps tensors of the step that is being traced.

        Args:
            key: what the tensors are; `take` gets it first.
            tensors: of any sizes.

        Raises:
            RuntimeError: where no function around the step could hand them to the host.
        """
        outer = _graph_around_the_step()
        if outer is None:
            raise RuntimeError(ONE_STEP_AFTER_THE_OTHER)
        kinds = key, tuple((x.dtype.name, x.shape.rank) for x in tensors)
        if kinds not in self._slots:
            self._slots[kinds] = _Slot(tensors)
        self._slots[kinds].write(tensors, outer, lambda *values: self._take(key, *values))

    def drain(self) -> None:
        """Hands over what is left; between steps."""
        for (key, _), slot in self._slots.items():
            slot.hand_over(lambda *values, key=key: self._take(key, *values))

    def clear(self) -> None:
        """Forgets what is left."""
        for slot in self._slots.values():
            slot.clear()


class StepSignal:
    """A few numbers that a step leaves for the host, which takes them in front of a later step or after the last one.

    Args:
        take: called with the numbers.
        size: how many.
    """

    def __init__(self, take: Callable[..., None], size: int) -> None:
        import tensorflow as tf

        self._take, self._size = take, size
        with tf.init_scope():
            self._handle = _resource(tf.float32, [size + 1])
            self._clear()
        self._graphs: Any = weakref.WeakSet()
        weakref.finalize(self, _remove, [self._handle])

    def write(self, given: Tensor, numbers: Callable[[], Sequence[Tensor]]) -> None:
        """Leaves numbers in the step that is being traced; the last ones stay until they are taken.

        Nobody takes them where Python itself calls a step that is not the one of a Keras model.

        Args:
            given: whether there is something to leave, a boolean scalar.
            numbers: gives scalars of float32; computed only then.
        """
        import tensorflow as tf

        outer, is_called = _graph_around_the_step(), look_after_steps(self)
        if outer is None and not is_called:
            return
        if outer is not None and not any(graph is outer for graph in self._graphs):
            self._graphs.add(outer)
            with outer.as_default(), tf.control_dependencies(None):
                self._look(tf.raw_ops.ReadVariableOp(resource=self._handle, dtype=tf.float32))
        left = tf.raw_ops.ReadVariableOp(resource=self._handle, dtype=tf.float32)
        left = tf.cond(given, lambda: tf.stack([tf.ones([]), *numbers()]), lambda: left)
        tf.raw_ops.AssignVariableOp(resource=self._handle, value=left)

    def look(self) -> None:
        """Takes what the last step has left; between steps."""
        import tensorflow as tf

        left = tf.raw_ops.ReadVariableOp(resource=self._handle, dtype=tf.float32)
        if left[0] > 0:
            self._clear()
            self._hand_over(left)

    def _look(self, left):
        import tensorflow as tf

        def hand_over():
            with tf.control_dependencies([tf.py_function(self._hand_over, [left], [])]):
                # In the graph, so that TensorFlow does not run the step, which writes the same variable, beside it.
                self._clear()
                return tf.constant(True)

        tf.cond(left[0] > 0, hand_over, lambda: tf.constant(False))

    def _hand_over(self, left):
        self._take(*left.numpy()[1:])

    def _clear(self):
        import tensorflow as tf

        tf.raw_ops.AssignVariableOp(resource=self._handle, value=tf.zeros([self._size + 1]))


class _Slot:
    """Resources for tensors of certain dtypes, and the number of steps that have written to them.

    XLA gives a variable a size when it writes the first time, and never another: so they are removed once they are read. And a
    step may be traced again, when TensorFlow lets nobody make a `tf.Variable`.
    """

    def __init__(self, tensors):
        import tensorflow as tf

        self.dtypes = [x.dtype for x in tensors]
        # A GPU keeps variables of int32 in the memory of the host, where XLA does not look.
        self.stored = [tf.int64 if dtype == tf.int32 else dtype for dtype in self.dtypes]
        with tf.init_scope():
            self.count = _resource(tf.int64, [])
            self.handles = [_resource(dtype, [None] * x.shape.rank) for x, dtype in zip(tensors, self.stored, strict=True)]
            self.clear()
        self.graphs = []
        weakref.finalize(self, _remove, [self.count, *self.handles])

    def clear(self):
        import tensorflow as tf

        tf.raw_ops.AssignVariableOp(resource=self.count, value=tf.constant(0, tf.int64))

    def write(self, tensors, outer, take):
        import tensorflow as tf

        if not any(graph is outer for graph in self.graphs):
            self.graphs.append(outer)
            # No control dependencies: nor the context of XLA, which this operation stands outside of.
            with outer.as_default(), tf.control_dependencies(None):
                tf.py_function(lambda *_: self.hand_over(take), [self.count, *self.handles], [])
        for handle, tensor, dtype in zip(self.handles, tensors, self.stored, strict=True):
            tf.raw_ops.AssignVariableOp(resource=handle, value=tf.cast(tensor, dtype))
        tf.raw_ops.AssignAddVariableOp(resource=self.count, value=tf.constant(1, tf.int64))

    def hand_over(self, take):
        import tensorflow as tf

        count = int(tf.raw_ops.ReadVariableOp(resource=self.count, dtype=tf.int64))
        if count == 0:
            return
        self.clear()
        values = [tf.raw_ops.ReadVariableOp(resource=h, dtype=stored) for h, stored in zip(self.handles, self.stored)]
        _remove(self.handles)
        if count > 1:
            raise RuntimeError(ONE_STEP_AFTER_THE_OTHER)
        take(*(tf.cast(value, dtype) for value, dtype in zip(values, self.dtypes)))


def keep_with_trace(one: Any) -> None:
    """Keeps an object for as long as the function that TensorFlow is tracing: a user's step may make one and drop it."""
    import tensorflow as tf

    graph = tf.compat.v1.get_default_graph()
    graph._made_while_traced = [*getattr(graph, "_made_while_traced", ()), one]


def _resource(dtype, shape):
    import tensorflow as tf

    return tf.raw_ops.VarHandleOp(dtype=dtype, shape=shape, shared_name=f"kerasmith_{next(_numbers)}")


def _remove(handles):
    import tensorflow as tf

    # Python may collect a buffer while another step is traced, which this must not become a part of.
    with tf.init_scope():
        for handle in handles:
            tf.raw_ops.DestroyResourceOp(resource=handle, ignore_lookup_error=True)


def _graph_around_the_step():
    """The graph that calls the function that XLA compiles; None if Python calls it."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    graph, found = tf.compat.v1.get_default_graph(), None
    while True:  # TensorFlow marks the graph that calls, while it traces what is called
        found = graph if control_flow_util.InXlaContext(graph) else found
        if not hasattr(graph, "outer_graph"):
            return found if found is not graph else None
        graph = graph.outer_graph
