"""Sequences and text: masks, time in its order, CTC, the next word."""

import keras
import numpy as np
from keras import layers, ops

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, healthy


@healthy
def words_with_a_mask():
    x, y = data.sentences()
    model = keras.Sequential([layers.Input((12,), dtype="int32"), layers.Embedding(40, 8, mask_zero=True), layers.LSTM(8)])
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y})


@healthy
def padded_values():
    x, _ = data.waves(160)
    lengths = np.random.default_rng(0).integers(6, 17, len(x))
    x = np.where(np.arange(16)[None, :, None] < lengths[:, None, None], x, -9.0).astype("float32")
    y = np.array([row[:size].mean() for row, size in zip(x, lengths, strict=True)], "float32")
    model = keras.Sequential([layers.Input((16, 1)), layers.Masking(-9.0), layers.GRU(8, reset_after=True), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": y[:, None]})


@healthy
def forecast_in_order():
    x, y = data.waves()
    model = keras.Sequential([layers.Input((16, 1)), layers.SimpleRNN(12), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), "mae")
    return Setup(model, {"x": x, "y": y, "shuffle": False, "validation_split": 0.2})


@healthy
def value_after_each_step():
    x, y = data.waves()
    target = np.concatenate([x[:, 1:], y[:, None]], axis=1)
    model = keras.Sequential(
        [layers.Input((16, 1)), layers.Conv1D(8, 3, padding="causal", activation="tanh"), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": target})


@healthy
def steps_with_weights():
    x, _ = data.sentences()
    high = (x > 20).astype("int32")
    words = keras.Input((12,), dtype="int32")
    hidden = layers.Bidirectional(layers.GRU(6, return_sequences=True))(layers.Embedding(40, 8)(words))
    model = keras.Model(words, layers.Dense(2, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": high, "sample_weight": (x > 0).astype("float32")})


@healthy
def next_word():
    x, _ = data.sentences()
    words = keras.Input((11,), dtype="int32")
    place = ops.cumsum(ops.ones_like(words), axis=1) - 1
    hidden = layers.Embedding(40, 16)(words) + layers.Embedding(11, 16)(place)
    hidden = hidden + layers.MultiHeadAttention(2, 8)(hidden, hidden, use_causal_mask=True)
    model = keras.Model(words, layers.Dense(40)(layers.LayerNormalization()(hidden)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.AdamW(1e-2), loss)
    return Setup(model, {"x": x[:, :-1], "y": x[:, 1:]})


@healthy
def labels_without_places():
    random = np.random.default_rng(0)
    labels = random.integers(1, 4, (96, 3)).astype("int32")
    frames = np.eye(4, dtype="float32")[np.repeat(labels, 4, axis=1)] + 0.1 * random.normal(size=(96, 12, 4))
    model = keras.Sequential([layers.Input((12, 4)), layers.Conv1D(8, 3, padding="same", activation="relu"), layers.Dense(4)])
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.CTC())
    return Setup(model, {"x": frames.astype("float32"), "y": labels})


@healthy
def generator_without_end():
    x, y = data.sentences()
    model = keras.Sequential([layers.Input((12,), dtype="int32"), layers.Embedding(40, 8), layers.Conv1D(8, 3)])
    model.add(layers.GlobalMaxPooling1D())
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    return Setup(model, {"x": data.endless(x, y[:, None].astype("float32")), "steps_per_epoch": 6})


@healthy
def several_steps_ahead():
    x, y = data.waves(180)
    ahead = np.stack([y[start : start + 4, 0] for start in range(170)])
    steps = keras.Input((16, 1), name="history")
    hidden = layers.LSTM(10)(steps)
    model = keras.Model(steps, layers.Dense(1)(layers.GRU(8, return_sequences=True)(layers.RepeatVector(4)(hidden))))
    model.compile(keras.optimizers.Adam(1e-2), "huber")
    return Setup(model, {"x": {"history": x[:170]}, "y": ahead[..., None], "batch_size": 34})
