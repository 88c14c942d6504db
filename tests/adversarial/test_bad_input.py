"""What does not fit together is an error that says what to write."""

import re

import keras
import numpy as np
import pytest

import kerasmith
from kerasmith import losses
from tests.adversarial.networks import RNG, X, Y, compiled, conditional_discriminator, discriminator, generator


def alone(*args, **kwargs):
    return kerasmith.Adversarial(generator(), discriminator(), *args, **kwargs)


def dense(*sizes):
    return keras.Sequential([keras.Input((sizes[0],)), *(keras.layers.Dense(size) for size in sizes[1:])])


ADAM = keras.optimizers.Adam()
ARGUMENTS = [
    (lambda: alone("vanilla"), ValueError, "'hinge', 'least_squares', 'bce', 'wgan'.*'vanilla'"),
    (lambda: alone("bce", "vanilla"), ValueError, "'hinge', 'least_squares', 'bce', 'wgan'.*'vanilla'"),
    (lambda: alone(penalty="gp"), ValueError, "'wgan_gp', 'r1'.*'gp'"),
    (lambda: alone(keras.losses.BinaryCrossentropy(from_logits=True)), TypeError, "push the other way"),
    (lambda: alone("bce", losses.GeneratorLoss()), TypeError, "discriminator_loss.*BinaryCrossentropy"),
    (lambda: alone(losses.GeneratorLoss(reduction="none")), ValueError, "reduction"),
    (lambda: alone(discriminator_steps=0), ValueError, "discriminator_steps"),
    (lambda: alone(ema=1.0), ValueError, "ema"),
    (lambda: alone(latent="cauchy"), ValueError, "'normal', 'uniform'"),
    (lambda: alone(terms={"discriminator": "mse"}), ValueError, "column 'discriminator'"),
    (lambda: alone(terms=kerasmith.Objective({"a": "mse"})), TypeError, "terms themselves"),
    (lambda: alone(terms=[lambda features: features]), ValueError, "model.discriminator"),
    (
        lambda: kerasmith.Adversarial(dense(3, 4), dense(5, 1)),
        ValueError,
        re.escape("(None, 4)") + ".*" + re.escape("(None, 5)"),
    ),
    (lambda: kerasmith.Adversarial(dense(3, 4), len), TypeError, "must be a keras.Model"),
    (lambda: (lambda one: kerasmith.Adversarial(one, one))(dense(4, 4)), ValueError, "Give two"),
    (lambda: alone().compile("adam"), ValueError, "`discriminator_optimizer` is missing"),
    (lambda: alone().compile(discriminator_optimizer="adam"), ValueError, "`generator_optimizer` is missing"),
    (lambda: alone().compile(optimizer="adam"), TypeError, "two optimizers"),
    (lambda: alone().compile("adam", "adam", loss="mse"), TypeError, "belong to the model"),
    (lambda: alone().compile(ADAM, ADAM), ValueError, "Make two"),
    (lambda: alone().compile(keras.optimizers.Adam(use_ema=True), "adam"), ValueError, re.escape("ema=0.999")),
    (lambda: compiled(alone()).optimizer.learning_rate, AttributeError, "model.generator_optimizer.learning_rate"),
    (lambda: losses.GradientPenalty("wgan_gp")(dense(4, 1), Y), ValueError, "real, generated"),
    (lambda: losses.GradientPenalty("wgan_gp")(dense(4, 1), Y, X), ValueError, "same shape"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), ARGUMENTS, ids=[message[:24] for _, _, message in ARGUMENTS])
def test_arguments(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def test_data():
    model, pair = compiled(alone()), compiled(kerasmith.Adversarial(generator(), conditional_discriminator()))
    distance = compiled(alone(terms={"l1": "mae"}))
    open_size = keras.Sequential([keras.Input((None, 2)), keras.layers.Dense(4), keras.layers.GlobalAveragePooling1D()])
    frozen = alone()
    frozen.discriminator.trainable = False
    several = keras.Input((3,))
    two = keras.Model(several, [keras.layers.Dense(4)(several), keras.layers.Dense(4)(several)])
    for one, data, message in (
        (model, (RNG.normal(size=(12, 5)),), r"\(12, 4\).*\(12, 5\)"),
        (model, (Y, np.arange(12)), r"fit\(real\) draws"),
        (model, ([Y, Y],), "must be one array"),
        (pair, (X,), r"was given no `y`.*fit\(x, y\)"),
        (pair, (X, X), r"\(12, 4\).*\(12, 3\)"),
        (pair, (Y, X), r"the shape \(None, 3\), but `x` has the shape \(12, 4\)"),
        (distance, (Y,), r"The term 'l1' compares.*fit\(x, y\)"),
        (compiled(kerasmith.Adversarial(open_size, discriminator())), (Y,), r"leaves sizes open"),
        (compiled(frozen), (Y,), "discriminator has no trainable weights"),
        (compiled(kerasmith.Adversarial(two, discriminator())), (X, Y), "must give one tensor"),
    ):
        with pytest.raises(ValueError, match=message):
            one.fit(*data, batch_size=12, verbose=0)
    with pytest.raises(ValueError, match=r"sample_weight.*Expected"):
        model.fit(Y, sample_weight=np.ones((12, 7)), verbose=0)


@keras.saving.register_keras_serializable("tests.adversarial")
class Subclassed(keras.Model):
    """A network that tells its inputs to nobody."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.dense = keras.layers.Dense(size)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"size": self.size, "name": self.name}


def test_networks_that_are_built_by_the_first_batch(tmp_path):
    with pytest.raises(ValueError, match="functional model"):
        compiled(kerasmith.Adversarial(Subclassed(4), Subclassed(1))).fit(Y, verbose=0)
    model = compiled(kerasmith.Adversarial(Subclassed(4), Subclassed(1), ema=0.5, penalty="r1"), metrics=["mae"])
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    history = [one.fit(X, Y, shuffle=False, verbose=0).history for one in (model, loaded)]
    assert history[0] == history[1]
