"""Run as one of two processes, or alone, `FOLDER SAMPLES`: trains on several losses and writes what came out."""

import json
import pathlib
import sys

import keras
import numpy as np

from kerasmith import Model, Objective, Tap, Term, distribution, losses, metrics
from kerasmith.multitask import DWA
from tests.distribution.peak import Peak
from tests.distribution.weighted_masks import weighted_masks

place = distribution.setup()
folder, samples = pathlib.Path(sys.argv[1]), int(sys.argv[2])
x, y, weight = weighted_masks(samples)


def of_loss(loss, **regularisers):
    inputs = keras.Input((3, 3, 2))
    hidden = keras.layers.Dense(4, "tanh", **regularisers)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.01),
        loss,
        metrics=["mae", keras.metrics.AUC(), Peak(), metrics.IoU()],
        weighted_metrics=["mse"],
    )
    return model


def masked():
    inputs = keras.Input((9, 2))
    hidden = keras.layers.Masking()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GRU(3, return_sequences=True)(hidden)))
    model.compile(keras.optimizers.Adam(0.01), "mae", metrics=["mse"])
    return model


def sparse(features):
    """A value for each pixel, of what a layer gave."""
    return keras.ops.mean(keras.ops.abs(features["hidden"]), axis=-1)


def near(x, y_pred):
    """One number for a batch, a mean over its samples."""
    return keras.ops.mean(keras.ops.square(y_pred - x[..., :1]))


def of_objective(balance=None):
    inputs = keras.Input((3, 3, 2))
    hidden = Tap("hidden")(keras.layers.Dense(4, "tanh", activity_regularizer="l2")(inputs))
    model = Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden))
    terms = {"dice": losses.Dice(scope="batch"), "sparse": sparse, "near": Term(near, weight=0.5), "fit": "mae"}
    if balance is None:
        terms["dice"] = Term(terms["dice"], weight="learned")
    model.compile(keras.optimizers.Adam(0.01), Objective(terms, balance=balance), metrics=["mae", Peak()])
    return model


CASES = {
    "a plain loss": lambda: of_loss("mse", kernel_regularizer="l2", activity_regularizer="l2"),
    "a sum of the batch": lambda: of_loss(losses.Dice(scope="batch")),
    "a mask": masked,
    "an objective": of_objective,
    "a balanced objective": lambda: of_objective(DWA()),
}
whole = x, y, weight
# Steps without data, of other lengths.
series, rng = x.reshape(samples, 9, 2).copy(), np.random.default_rng(1)
for row, length in enumerate(rng.integers(1, 9, samples)):
    series[row, length:] = 0
results = {}
for name, make in CASES.items():
    x, y, weight = whole if name != "a mask" else (series, y.reshape(samples, 9, 1), weight.reshape(samples, 9))
    keras.utils.set_random_seed(3)
    model = make()
    arguments = dict(batch_size=4, epochs=4, verbose=2, validation_data=(x[:3], y[:3]))
    writer = keras.callbacks.ModelCheckpoint(folder / f"{place.rank}.weights.h5", save_weights_only=True)
    history = model.fit(x, y, sample_weight=weight, callbacks=[writer], **arguments).history
    evaluated = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    weights = np.concatenate([array.ravel() for array in model.get_weights()])
    predicted = model.predict(x, batch_size=4, verbose=0).sum()
    results[name] = {"history": history, "evaluated": {**evaluated, "predicted": predicted}, "weights": weights.tolist()}
(folder / f"{place.rank}.json").write_text(json.dumps(results, default=float))
print("done", place.rank)
