"""A generator of two moons: adversarial training in plain `fit`, and a score that tells a generator which has lost a mode.

A hinge loss, an R1 penalty and an average of the generator's weights. The score is coverage: the share of held-out points that
have a generated one within the distance of their fifth neighbour (Naeem et al., "Reliable fidelity and diversity metrics for
generative models", 2020).

    KERAS_BACKEND=torch python examples/two_moons.py          # needs: pip install "kerasmith[test]"
"""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import make_moons

import kerasmith
from kerasmith.losses import GradientPenalty

LATENT = 4


def data(count, seed):
    """Points of two moons around 0, (count, 2)."""
    points, _ = make_moons(count, noise=0.05, random_state=seed)
    return (points - [0.5, 0.25]).astype("float32")


def build():
    """Two small networks; the discriminator gives a raw number, without a sigmoid."""

    def network(size, out):
        hidden = [layers.Dense(64, activation="leaky_relu") for _ in range(3)]
        return keras.Sequential([keras.Input((size,)), *hidden, layers.Dense(out)])

    return kerasmith.Adversarial(
        network(LATENT, 2),
        network(2, 1),
        generator_loss="hinge",
        discriminator_loss="hinge",
        penalty=GradientPenalty("r1", weight=0.2),
        ema=0.99,
        seed=0,
    )


def coverage(real, generated, neighbours=5):
    """The share of real points with a generated one within the distance of their neighbour of this number."""
    among = np.linalg.norm(real[:, None] - real[None], axis=-1)
    radius = np.sort(among, axis=1)[:, neighbours]
    nearest = np.linalg.norm(real[:, None] - generated[None], axis=-1).min(axis=1)
    return float(np.mean(nearest <= radius))


def score(model, count=500):
    """Coverage of held-out points by as many generated ones, and of each moon alone."""
    real = data(count, seed=1)
    latent = np.random.default_rng(2).normal(size=(count, LATENT)).astype("float32")
    generated = model.predict(latent, verbose=0)
    upper, lower = (make_moons(count, noise=0.05, random_state=1)[1] == moon for moon in (0, 1))
    return coverage(real, generated), coverage(real[upper], generated), coverage(real[lower], generated)


def main(epochs=60):
    keras.utils.set_random_seed(0)
    model = build()
    model.compile(
        generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
    )
    print("coverage before: {:.2f} (upper moon {:.2f}, lower {:.2f})".format(*score(model)))
    history = model.fit(data(4000, seed=0), batch_size=128, epochs=epochs, verbose=2 if epochs < 5 else 0).history
    print({name: round(values[-1], 4) for name, values in history.items()})
    print("coverage after: {:.2f} (upper moon {:.2f}, lower {:.2f})".format(*score(model)))
    return model, history


if __name__ == "__main__":
    main()
