"""Run as one of several processes, or alone, `FOLDER SAMPLES`: trains on one loss after another and writes what came out."""

import json
import pathlib
import sys

import keras
import numpy as np
from keras import ops

from kerasmith import Model, Objective, Term, distribution, losses, metrics
from kerasmith.data import WeightedBatches
from tests.distribution.peak import Peak
from tests.distribution.weighted_masks import weighted_masks

place = distribution.setup()
folder, samples = pathlib.Path(sys.argv[1]), int(sys.argv[2])
x, y, weight = weighted_masks(samples)


def root(y_true, y_pred):
    """One number for a batch."""
    return ops.sqrt(ops.mean(ops.square(y_true - y_pred)))


def distance(y_true, y_pred):
    """A mean over samples."""
    return ops.mean(ops.abs(y_true - y_pred))


class Added(keras.layers.Layer):
    """Adds a mean over its samples to the loss."""

    def call(self, inputs):
        self.add_loss(0.1 * ops.mean(ops.square(inputs)))
        return inputs


def layers_of():
    inputs = keras.Input((3, 3, 2))
    hidden = keras.layers.Dense(4, "tanh", kernel_regularizer="l2", activity_regularizer="l2")(inputs)
    return inputs, keras.layers.Dense(1, "sigmoid")(Added()(hidden))


def plain(loss, **optimizer):
    model = keras.Model(*layers_of())
    scores = ["mae", keras.metrics.AUC(), Peak(), root, metrics.IoU(), metrics.MRR(capacity=400), keras.losses.Dice()]
    scores[5:6] = [metrics.Bootstrap(metrics.DiceScore(), n=20, capacity=40, name="intervals")]
    model.compile(keras.optimizers.Adam(0.01, **optimizer), loss, metrics=scores, weighted_metrics=["mse"])
    return model


def of_objective():
    model = Model(*layers_of())
    terms = {"dice": losses.Dice(), "fit": Term("mse", weight="learned"), "distance": Term(distance, weight=0.5)}
    model.compile(keras.optimizers.Adam(0.01), Objective(terms))
    return model


def normalised():
    """Batch normalisation takes the statistics of a process; its moving averages are the same in all."""
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.BatchNormalization()(inputs)))
    model.compile("sgd", "mse")
    model.fit(x[:, 0, 0], y[:, 0, 0], batch_size=4, epochs=2, verbose=0)
    return [array.tolist() for array in model.get_weights()]


CASES = {
    "mse": (lambda: plain("mse"), True),
    "dice": (lambda: plain(losses.Dice(), clipnorm=0.05), True),
    "dice of the batch": (lambda: plain(losses.Dice(scope="batch")), True),
    "mean with weights": (lambda: plain(keras.losses.BinaryCrossentropy(reduction="mean_with_sample_weight")), True),
    "sum": (lambda: plain(keras.losses.MeanAbsoluteError(reduction="sum"), gradient_accumulation_steps=2), True),
    "dice of Keras": (lambda: plain(keras.losses.Dice()), False),
    "a function": (lambda: plain(root), False),
    "an objective": (of_objective, True),
}
results = {}
for name, (make, weighted) in CASES.items():
    keras.utils.set_random_seed(3)
    model = make()
    arguments = dict(epochs=4, verbose=0, validation_data=(x[:3], y[:3]))
    if name == "mse":
        history = model.fit(WeightedBatches(x, y, 4, sample_weight=weight, seed=1), **arguments).history
    else:
        history = model.fit(x, y, batch_size=4, sample_weight=weight if weighted else None, **arguments).history
    evaluated = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    weights = np.concatenate([array.ravel() for array in model.get_weights()])
    results[name] = {"history": history, "evaluated": evaluated, "weights": weights.tolist()}
results["normalised"] = normalised()
results["predicted"] = len(model.predict(x, verbose=1))
(folder / f"{place.rank}.json").write_text(json.dumps(results, default=float))
