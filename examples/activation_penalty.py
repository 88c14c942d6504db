"""Handwritten digits with few active units: cross-entropy and an L1 penalty on a hidden layer, switched on by a schedule.

KERAS_BACKEND=tensorflow python examples/activation_penalty.py        # needs: pip install scikit-learn
"""

import keras
from keras import layers, ops
from sklearn.datasets import load_digits

import kerasmith
from kerasmith import Objective, Tap, Term


@keras.saving.register_keras_serializable("examples")
def activity(features):
    """Mean activation of a sample. `features` holds what flows through the taps of the model."""
    return ops.mean(ops.abs(features["hidden"]), axis=-1)


def data():
    """((x, y) to train, (x, y) held out): 8 x 8 pixels between 0 and 1, digits as integers."""
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target.astype("int32")
    return (x[:1500], y[:1500]), (x[1500:], y[1500:])


def build():
    """One hidden layer, with a tap behind it."""
    pixels = keras.Input((64,))
    hidden = Tap("hidden")(layers.Dense(64, activation="relu")(pixels))
    return kerasmith.Model(pixels, layers.Dense(10)(hidden))


def main(epochs=8):
    keras.utils.set_random_seed(0)
    (x, y), held_out = data()
    model = build()
    # The weight of the penalty: 0 in the first step, 0.3 after 150. Its column in the history is `activity_weight`.
    rising = keras.optimizers.schedules.PolynomialDecay(0.0, decay_steps=150, end_learning_rate=0.3)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.Adam(3e-3),
        Objective({"ce": cross_entropy, "activity": Term(activity, weight=rising)}),
        metrics=["accuracy"],
    )
    history = model.fit(x, y, batch_size=50, epochs=epochs, validation_data=held_out, verbose=2).history
    print({name: round(values[-1], 4) for name, values in history.items()})
    return model, history


if __name__ == "__main__":
    main()
