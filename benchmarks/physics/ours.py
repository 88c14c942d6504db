"""A problem as a kerasmith model."""

import keras
import numpy as np

from kerasmith import Model, Objective
from kerasmith.physics import Condition, Residual, Unknown, polish


class Ours:
    """Trains a problem.

    Args:
        problem: a `Problem`.
        learning_rate: of Adam.
    """

    def __init__(self, problem, learning_rate=1e-3):
        self.problem = problem
        inputs = x = keras.Input((len(problem.names),))
        for units in problem.hidden:
            x = keras.layers.Dense(units, activation="tanh")(x)
        self.model = Model(inputs, keras.layers.Dense(len(problem.outputs))(x))
        self.model.set_weights([part for layer in problem.first_weights() for part in layer])
        named = {"names": problem.names, "outputs": problem.outputs}
        self.unknowns = {name: Unknown(first, name) for name, (first, _) in problem.unknowns.items()}
        terms = [Residual(problem.pde, name="equation", **named)]
        for given in problem.conditions:
            kind = "initial" if given.derivative else "dirichlet"
            terms.append(
                Condition(
                    given.points,
                    given.values,
                    kind,
                    name=given.name,
                    output=given.output,
                    derivative=given.derivative,
                    **named,
                )
            )
        self.model.compile(keras.optimizers.Adam(learning_rate), Objective([*terms, *self.unknowns.values()]))

    def loss(self):
        """At the weights of now."""
        return self.model.evaluate(self.problem.points, batch_size=len(self.problem.points), verbose=0, return_dict=True)[
            "loss"
        ]

    def train(self, steps):
        """Makes steps of Adam, each on all points."""
        self.model.fit(_repeated(self.problem.points, steps), steps_per_epoch=steps, verbose=0)

    def finish(self, steps):
        """Makes steps of L-BFGS."""
        polish(self.model, self.problem.points, steps, memory=50, verbose=0)

    def error(self):
        """Relative L2 error, and that of each unknown."""
        found = {"error": self.problem.error(self.model.predict(self.problem.test, batch_size=4096, verbose=0))}
        for name, (_, true) in self.problem.unknowns.items():
            found[name] = abs(float(self.unknowns[name]) / true - 1)
        return found


def _repeated(points, steps):
    # An epoch of one step would be mostly what Keras does around each epoch.
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensors(points).repeat(steps)
    return _Repeated(points, steps)


class _Repeated(keras.utils.PyDataset):
    """One batch, again and again."""

    def __init__(self, points, steps):
        super().__init__()
        self.points, self.steps = np.asarray(points), steps

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        return (self.points,)
