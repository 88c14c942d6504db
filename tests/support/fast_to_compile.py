"""What makes compilation cheaper in the gate and changes no number: asked for by `KERASMITH_FAST_TO_COMPILE`.

`scripts/test full` compiles as users do.
"""

import os
import threading

# A context keeps every attribute and location that it has seen.
USES = 500


def apply(backend):
    """Does so for what this process compiles from now on."""
    if os.environ.get("KERASMITH_FAST_TO_COMPILE") == "1" and backend in _APPLY:
        _APPLY[backend]()


def _share_mlir_contexts():
    """JAX makes a context of MLIR for each function that it compiles and loads some ten dialects into it.

    That is a sixth of what compiling an operation takes, and the tests compile tens of thousands. Here those of a thread share
    one, `USES` times.
    """
    from jax._src.interpreters import mlir

    make, kept = getattr(mlir, "make_ir_context", None), threading.local()

    def shared():
        if getattr(kept, "left", 0) == 0:
            kept.context, kept.left = make(), USES
        kept.left -= 1
        return kept.context

    if make is not None:
        mlir.make_ir_context = shared


def _build_optimizers_before_the_step():
    """TensorFlow traces a function twice if the first trace makes variables, and Keras builds the optimizer in it.

    Here it is built at the first step, just before: the callbacks have seen an optimizer without variables, as a user's do.
    """
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    make = TensorFlowTrainer._make_function

    def make_function(self, step):
        function = make(self, step)
        return _built_first(self, function) if step == self.train_step else function

    TensorFlowTrainer._make_function = make_function


def _built_first(model, function):
    def call(iterator):
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None and model.built and not optimizer.built and model._distribute_strategy is None:
            optimizer.build(model.trainable_variables)
        return function(iterator)

    return call


_APPLY = {"jax": _share_mlir_contexts, "tensorflow": _build_optimizers_before_the_step}
