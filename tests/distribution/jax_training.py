"""Run as one of two processes, or alone, `FOLDER SAMPLES`: trains on several losses and writes what came out."""

import json
import pathlib
import sys

import keras
import numpy as np

from kerasmith import Model, Objective, Term, distribution, losses, metrics
from tests.distribution.peak import Peak
from tests.distribution.weighted_masks import weighted_masks

place = distribution.setup()
folder, samples = pathlib.Path(sys.argv[1]), int(sys.argv[2])
x, y, weight = weighted_masks(samples)


def layers_of():
    inputs = keras.Input((3, 3, 2))
    hidden = keras.layers.Dense(4, "tanh", kernel_regularizer="l2", activity_regularizer="l2")(inputs)
    return inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.BatchNormalization()(hidden))


def plain(loss):
    model = keras.Model(*layers_of())
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["mae", Peak(), metrics.IoU()], weighted_metrics=["mse"])
    return model


def of_objective():
    model = Model(*layers_of())
    model.compile(
        keras.optimizers.Adam(0.01), Objective({"dice": losses.Dice(scope="batch"), "fit": Term("mse", weight="learned")})
    )
    return model


CASES = {
    "mean with weights": lambda: plain(keras.losses.BinaryCrossentropy(reduction="mean_with_sample_weight")),
    "an objective": of_objective,
}
results = {}
for name, make in CASES.items():
    keras.utils.set_random_seed(3)
    model = make()
    arguments = dict(batch_size=4, epochs=3, verbose=0, validation_data=(x[:3], y[:3]))
    history = model.fit(x, y, sample_weight=weight, **arguments).history
    evaluated = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    weights = np.concatenate([array.ravel() for array in model.get_weights()])
    predicted = model.predict(x, batch_size=4, verbose=0).sum()
    results[name] = {"history": history, "evaluated": {**evaluated, "predicted": predicted}, "weights": weights.tolist()}
(folder / f"{place.rank}.json").write_text(json.dumps(results, default=float))
print("done", place.rank)
