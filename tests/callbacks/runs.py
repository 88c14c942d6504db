"""Small real fits for the callbacks that watch a run."""

import keras
import numpy as np

RNG = np.random.default_rng(11)
X = RNG.random((32, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 1.5).astype("float32")


def model(optimizer=None, metrics=("accuracy",)):
    net = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
    )
    net.compile(optimizer or keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=list(metrics))
    return net


def fit(net, callbacks, *, epochs=3, **keywords):
    keywords = {"validation_data": (X[:8], Y[:8]), "batch_size": 8, "verbose": 0, **keywords}
    return net.fit(X, Y, epochs=epochs, callbacks=callbacks, **keywords).history
