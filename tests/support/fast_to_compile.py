"""What makes compilation cheaper in the gate and changes no number: asked for by `KERASMITH_FAST_TO_COMPILE`.

`scripts/test full` compiles as users do.
"""

import os


def apply(backend):
    """Does so for what this process compiles from now on."""
    if os.environ.get("KERASMITH_FAST_TO_COMPILE") == "1" and backend == "tensorflow":
        _build_optimizers_before_the_step()


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
        waits = optimizer is not None and not optimizer.built and model._distribute_strategy is None
        # A model of one's own may say that it is built before its layers are.
        if waits and model.built and all(layer.built for layer in model._flatten_layers()):
            optimizer.build(model.trainable_variables)
        return function(iterator)

    return call
