"""A tiny GAN that trains by a step of its own with optimizers of its own, as the guide of Keras writes it, on each backend."""

import keras
import numpy as np
from keras import ops

BACKEND = keras.backend.backend()
RNG = np.random.default_rng(3)
X = RNG.normal(size=(16, 3)).astype("float32")


def _part(name, size_in, size_out):
    layers = [keras.Input((size_in,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(size_out)]
    return keras.Sequential(layers, name=name)


class OwnStep(keras.Model):
    """Two parts, each with an optimizer; where they are kept is up to a subclass."""

    def __init__(self):
        super().__init__()
        self.discriminator = _part("discriminator", 3, 1)
        self.generator = _part("generator", 2, 3)
        self.seed = keras.random.SeedGenerator(7)
        self.built = True

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile(run_eagerly=True)
        self.keep(d_optimizer, g_optimizer)
        self.loss_fn = loss_fn
        self.d_loss = keras.metrics.Mean(name="d_loss")

    @property
    def metrics(self):
        return [self.d_loss]

    def losses_of(self, x):
        """The losses of both parts at the weights as they are."""
        fake = self.generator(keras.random.normal((ops.shape(x)[0], 2), seed=self.seed), training=True)
        real, made = self.discriminator(x, training=True), self.discriminator(fake, training=True)
        d_loss = self.loss_fn(ops.ones_like(real), real) + self.loss_fn(ops.zeros_like(made), made)
        return d_loss, self.loss_fn(ops.ones_like(made), made)

    def _train(self, x):
        for optimizer, part, index in zip(self.kept(), (self.discriminator, self.generator), (0, 1)):
            variables = part.trainable_variables
            optimizer.apply(gradients(lambda i=index: self.losses_of(x)[i], variables), variables)
        loss = self.losses_of(x)[0]
        self.d_loss.update_state(loss)
        return {"d_loss": self.d_loss.result()}

    def train_step(self, *args):
        return with_state_in_variables(self, lambda batch: self._train(keras.utils.unpack_x_y_sample_weight(batch)[0]), *args)


def with_state_in_variables(model, step, *args):
    """A `train_step` for each backend. JAX' takes the state out of the variables; this one runs eagerly and puts it in."""
    if BACKEND != "jax":
        return step(args[0])
    state, batch = args
    groups = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables, model.metrics_variables)
    for group, values in zip(groups, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)
    logs = step(batch)
    return logs, tuple([variable.value for variable in group] for group in groups)


def gradients(loss, variables):
    if BACKEND == "torch":
        import torch

        return torch.autograd.grad(loss(), [v.value for v in variables])
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss()
        return tape.gradient(value, [v.value for v in variables])
    import jax

    def of(values):
        with keras.StatelessScope(state_mapping=list(zip(variables, values))):
            return loss()

    return jax.grad(of)([v.value for v in variables])


class TwoRates(keras.Model):
    """A graph of layers whose last one has an optimizer of its own, kept in a dict."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.trained_by = {"body": keras.optimizers.Adam(0.01), "head": [keras.optimizers.SGD(0.05, momentum=0.9)]}

    def train_step(self, *args):
        return with_state_in_variables(self, self._train, *args)

    def _train(self, batch):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        head = self.layers[-1].trainable_variables
        variables = self.trainable_variables[: -len(head)] + head

        def loss():
            return self.compute_loss(x=x, y=y, y_pred=self(x, training=True), sample_weight=sample_weight, training=True)

        slopes = gradients(loss, variables)
        self.trained_by["body"].apply(slopes[: -len(head)], variables[: -len(head)])
        self.trained_by["head"][0].apply(slopes[-len(head) :], head)
        self._loss_tracker.update_state(loss())
        return self.compute_metrics(x, y, self(x, training=False), sample_weight)


class InAttributes(OwnStep):
    def keep(self, d_optimizer, g_optimizer):
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def kept(self):
        return self.d_optimizer, self.g_optimizer


class InAList(OwnStep):
    def keep(self, *optimizers):
        self.optimizers = list(optimizers)

    def kept(self):
        return self.optimizers


class InADict(OwnStep):
    def keep(self, d_optimizer, g_optimizer):
        self.trained_by = {"both": {"d": (d_optimizer,), "g": g_optimizer}}

    def kept(self):
        return self.trained_by["both"]["d"][0], self.trained_by["both"]["g"]


class InASubmodel(OwnStep):
    def keep(self, d_optimizer, g_optimizer):
        self.discriminator.compile(d_optimizer)
        self.generator.helper = Helper(g_optimizer)

    def kept(self):
        return self.discriminator.optimizer, self.generator.helper.optimizer


class Helper:
    """An object that is no part of Keras."""

    def __init__(self, optimizer):
        self.optimizer = optimizer


KINDS = {
    InAttributes: ("d_optimizer", "g_optimizer"),
    InAList: ("optimizers[0]", "optimizers[1]"),
    InADict: ("trained_by['both']['d'][0]", "trained_by['both']['g']"),
    InASubmodel: ("discriminator.optimizer", "generator.helper.optimizer"),
}


def gan(kind=InAttributes, d_optimizer=None, g_optimizer=None):
    """The compiled model, the same at every call."""
    keras.utils.set_random_seed(5)
    model = kind()
    adam = d_optimizer or keras.optimizers.Adam(0.01)
    model.compile(
        adam, g_optimizer or keras.optimizers.SGD(0.02, momentum=0.9), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    return model


def fit(model, callbacks=(), epochs=2, **keywords):
    """Its history after a few steps."""
    return model.fit(X, batch_size=8, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **keywords).history
