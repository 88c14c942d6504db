"""Run by test_distribution.py in a process of its own, with the name of a case: two virtual replicas beside one device."""

import functools
import json
import sys
import tempfile

import keras
import numpy as np
import tensorflow as tf

from kerasmith import Adversarial, Term, callbacks, losses, metrics
from tests.objectives.replicated import BALANCERS, balanced_model, objective_model

CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
PARTS = (slice(0, 4), slice(4, 6))  # an uneven split

rng = np.random.default_rng(0)
y = (rng.random((6, 4, 4, 1)) > 0.6).astype("float32")
p = rng.random((6, 4, 4, 1)).astype("float32")
w = rng.random(6).astype("float32")


def slope(loss, y, p, w):
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = loss(y, p, w)
    return tape.gradient(value, p), value


def per_replica(array):
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(array[PARTS[context.replica_id_in_sync_group]])
    )


def compare(loss):
    """(ratio of gradient norms, worst relative difference, sum of the shares over the loss of one device)."""
    whole, value = slope(loss, tf.constant(y), tf.constant(p), tf.constant(w))
    step = tf.function(lambda y, p, w: slope(loss, y, p, w))
    gradients, shares = strategy.run(step, args=(per_replica(y), per_replica(p), per_replica(w)))
    joined = np.concatenate([g.numpy() for g in strategy.experimental_local_results(gradients)])
    whole, total = whole.numpy(), sum(float(s) for s in strategy.experimental_local_results(shares))
    worst = np.abs(joined - whole).max() / np.abs(whole).max()
    return [float(np.linalg.norm(joined) / np.linalg.norm(whole)), float(worst), total / float(value)]


def compiled_model():
    layers = [keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")]
    model = keras.Sequential(layers)
    scores = [metrics.DiceScore(), metrics.LesionDetection(), metrics.SurfaceDistance(), metrics.FROC(bins=64)]
    scores += [metrics.Shared([metrics.ConfusionMatrix(2), metrics.MCC(2)]), metrics.AUC(bins=64)]
    scores.append(metrics.CalibrationError())
    model.compile(keras.optimizers.SGD(0.1), losses.FocalTversky(), metrics=scores)
    return model


def single_steps():
    configs = [{}, {"scope": "batch"}, {"reduction": "sum"}, {"reduction": "mean_with_sample_weight"}]
    return {
        f"{loss.__name__}{config}": compare(loss(**config))
        for config in [*configs, {"scope": "batch", "reduction": "sum"}]
        for loss in (losses.Dice, losses.FocalTversky, losses.DiceCE)
    }


def metrics_in_fit():
    models = mirror(compiled_model)
    arguments = dict(batch_size=6, epochs=3, shuffle=False, verbose=0)
    histories = [model.fit(p, y, **arguments).history for model in models]
    return {"weights": gap(models), "histories": histories}


def mirror(make):
    """(a model on two replicas, one on a single device), of the same weights."""
    with strategy.scope():
        two = make()
    one = make()
    one.set_weights(two.get_weights())
    return two, one


def gap(models):
    return max(float(np.abs(a - b).max()) for a, b in zip(*(m.get_weights() for m in models)))


def floats(columns):
    return {key: float(value) for key, value in columns.items()}


def uneven_steps(make):
    """Three training steps and an evaluation on 4 + 2 samples: weights and columns beside those of one device."""
    models = two, one = mirror(make)
    with strategy.scope():
        two.optimizer.build(two.trainable_variables)
    found = {}
    for kind in ("train", "test"):
        for model in models:
            model.reset_metrics()
        replicated = tf.function(lambda *batch, step: strategy.run(step, args=(batch,)))
        for _ in range(3 if kind == "train" else 1):
            replicated(per_replica(p), per_replica(y), per_replica(w), step=getattr(two, f"{kind}_step"))
            getattr(one, f"{kind}_step")((tf.constant(p), tf.constant(y), tf.constant(w)))
        found[kind] = [floats(m.get_metrics_result()) for m in models]
    return {"weights": gap(models), "steps": [int(m.objective.step.numpy()) for m in models], **found}


def fits(make, last, *watchers):
    """`fit` with validation, the last batch of `last` samples."""
    models, count = mirror(make), 6 + last
    x, labels, weight = (np.concatenate([a, a[::-1]])[:count] for a in (p, y, w))
    if len(getattr(models[0], "outputs", ())) > 1:
        labels = [labels] * 2
    arguments = dict(batch_size=6, epochs=3, shuffle=False, verbose=0, validation_data=(x, labels))
    histories = [
        m.fit(x, labels, sample_weight=weight, callbacks=[c() for c in watchers], **arguments).history for m in models
    ]
    return {"weights": gap(models), "histories": histories}


def composite():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.1), losses.DiceCE())
    return model


def two_outputs():
    """A plain `compile` of two losses, each with a column of its own."""
    inputs = keras.Input((4, 4, 1))
    outputs = [keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid", name=name)(inputs) for name in ("a", "b")]
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1), [losses.CrossEntropy(), losses.Dice(reduction="mean_with_sample_weight")])
    return model


def adversarial():
    """A generator of samples judged beside what they are made of, with a further term, a penalty and an average."""
    x, sample = keras.Input((4, 4, 1)), keras.Input((4, 4, 1))
    generator = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    judged = keras.layers.Conv2D(2, 3, activation="tanh")(keras.layers.Concatenate()([x, sample]))
    discriminator = keras.Model([x, sample], keras.layers.Dense(1)(judged))
    distance, options = {"l1": Term("mae", weight=0.3)}, {"penalty": "r1", "ema": 0.9}
    model = Adversarial(generator, discriminator, "hinge", "bce", discriminator_steps=2, terms=distance, **options)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), metrics=["mae"])
    return model


class AddsLoss(keras.layers.Layer):
    """A part that gives `add_loss` what a loss has returned."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def call(self, x):
        value = self.loss(keras.ops.zeros_like(x), x)
        self.add_loss(keras.ops.mean(value) if self.loss.reduction == "none" else value)
        return x


def added_losses():
    """What is said where replicas would be mixed up, and how far what it says to write is from one device."""

    def make(reduction):
        layers = [keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, activation="sigmoid")]
        model = keras.Sequential([*layers, AddsLoss(losses.Charbonnier(reduction=reduction))])
        model.compile(keras.optimizers.SGD(0.1))
        return model

    try:
        fits(lambda: make("sum_over_batch_size"), last=0)
    except ValueError as problem:
        return {"said": str(problem), **fits(lambda: make("none"), last=0)}


class Interruption(keras.callbacks.Callback):
    """Ends the second epoch in its middle, by an exception."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == (1, 2):
            raise InterruptedError


def trained(directory, *others):
    """What a training that checkpoints every step ends with, as text. Each replica has batch statistics of its own."""
    keras.utils.set_random_seed(1)
    with strategy.scope():
        inputs = keras.Input((3,))
        x = keras.layers.Dropout(0.2)(keras.layers.BatchNormalization()(keras.layers.Dense(4)(inputs)))
        model = keras.Model(inputs, keras.layers.Dense(1)(x))
        model.compile("adam", "mse", jit_compile=False)
    x = np.random.default_rng(3).random((32, 3), "float32")
    resume = callbacks.Resume(directory, every=1, verbose=0)
    arguments = dict(batch_size=8, epochs=3, verbose=0, validation_data=(x[:8], x[:8, :1]))
    try:
        history = model.fit(x, x[:, :1], callbacks=[resume, *others], **arguments).history
    except InterruptedError:
        return resume.wait()
    return repr(history) + "".join(weights.tobytes().hex() for weights in model.get_weights())


def resumed():
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as cut:
        trained(cut, Interruption())
        return trained(cut) == trained(whole)


CASES = {
    "steps": single_steps,
    "metrics": metrics_in_fit,
    "uneven": lambda: uneven_steps(objective_model),
    # A last batch of one sample leaves the second replica without any.
    "fit": lambda: fits(objective_model, 1),
    "loss terms": lambda: fits(composite, 5, callbacks.LossTerms),
    "one sample left": lambda: fits(two_outputs, 1),
    "balanced": lambda: {name: uneven_steps(functools.partial(balanced_model, name)) for name in BALANCERS},
    "adversarial": lambda: fits(adversarial, 3),
    "resumed": resumed,
    "added losses": added_losses,
}
print(json.dumps(CASES[sys.argv[1]]()))
