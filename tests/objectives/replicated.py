"""A model whose objective has one term of every kind, for the scripts that run on two replicas."""

import keras
import numpy as np
from keras import ops

from kerasmith import Model, Objective, Tap, Term, losses, multitask


def hidden_size(features):
    return ops.mean(ops.square(features["hidden"]), axis=(1, 2, 3))


def root(y, y_pred):
    """A scalar, the mean of which over replicas of unequal size is not their mean."""
    return ops.mean(ops.abs(y - y_pred))


def objective_model(optimizer=None):
    """Learned and scheduled weights, a composite loss, a scalar, a sum, a regulariser."""
    inputs = keras.Input((4, 4, 1))
    hidden = keras.layers.Dense(3, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.05))(inputs)
    outputs = keras.layers.Dense(1, activation="sigmoid")(Tap("hidden")(hidden))
    terms = {
        "both": losses.DiceCE(),
        "fit": Term("mse", weight="learned"),
        "root": Term(root, weight=0.5),
        "hidden": Term(
            hidden_size, weight=keras.optimizers.schedules.CosineDecay(1.0, 8), reduction="mean_with_sample_weight"
        ),
        "sum": Term(hidden_size, weight=0.05, reduction="sum"),
    }
    model = Model(inputs, outputs)
    model.compile(optimizer or keras.optimizers.SGD(0.2), Objective(terms))
    return model


BALANCERS = {
    "DWA": lambda: multitask.DWA(),
    "GradNorm": lambda: multitask.GradNorm(learning_rate=0.1),
    "pcgrad": lambda: multitask.GradientSurgery("pcgrad", seed=1),
    "nash": lambda: multitask.GradientSurgery("nash"),
    "norms": lambda: multitask.GradientBalance("norm", decay=0.5),
    "max_mean": lambda: multitask.GradientBalance("max_mean", reference="against", decay=0.5),
}


def balanced_model(balance, optimizer=None):
    """Two tasks that pull a shared layer in different directions; `balance` is a name of `BALANCERS`."""
    inputs = keras.Input((4, 4, 1))
    shared = Tap("shared")(keras.layers.Dense(3, activation="tanh")(inputs))
    model = Model(inputs, keras.layers.Dense(1)(shared))
    terms = {"fit": "mse", "against": Term(opposed, weight=0.7)}
    model.compile(optimizer or keras.optimizers.SGD(0.1), Objective(terms, balance=BALANCERS[balance]()))
    return model


def opposed(y, y_pred):
    return ops.square(y_pred + 2 * y)


def three_steps(model, y, p, part):
    """Weights and columns after three eager steps of training, and of evaluation, on a part of a batch; PyTorch."""
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=w.shape, scale=0.3) if "kernel" in w.path else w.numpy() for w in model.weights])
    weight = np.linspace(0.2, 1.7, len(y), dtype="float32")
    batch = [ops.convert_to_tensor(array[part]) for array in (p, y, weight)]
    columns = {}
    for kind, steps in (("train", 3), ("test", 1)):
        model.reset_metrics()
        for _ in range(steps):
            getattr(model, f"{kind}_step")(batch)
        columns[kind] = {key: float(value) for key, value in model.get_metrics_result().items()}
    weights = [ops.convert_to_numpy(w).ravel() for w in model.weights]
    return {"columns": columns, "weights": np.concatenate(weights).tolist()}
