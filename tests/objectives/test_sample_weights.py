"""What `sample_weight`, `class_weight` and masks do to each kind of term, against a run written out in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Term
from kerasmith.losses import CrossEntropy, Dice
from tests.objectives.helpers import SGD, assert_trains_as, close, fit, samples, trained, weights_of

X, VAL_X = samples((7, 3), (5, 3))
Y, VAL_Y = samples((7, 2), (5, 2), seed=1)
W, VAL_W = (np.abs(w) for w in samples((7,), (5,), seed=2))


def linear(**kwargs):
    inputs = keras.Input((3,))
    return Model(inputs, keras.layers.Dense(2, **kwargs)(inputs))


def compiled(model, *args, **kwargs):
    model.compile(keras.optimizers.SGD(0.1), Objective(*args, **kwargs))
    return model


def of_samples(y_pred):  # (B,)
    return ops.mean(ops.square(y_pred), axis=-1)


def of_elements(y, y_pred):  # (B, T)
    return ops.abs(y - y_pred)


def one_number(y, y_pred):  # a scalar
    return ops.mean(ops.square(y - y_pred))


def weighs_itself(y, y_pred, sample_weight):
    return ops.square(sample_weight) * ops.mean(ops.square(y - y_pred), axis=-1)


def test_weights_of_samples():
    """sum(w l) / B for losses and functions; a scalar and a function that asks for the weights are taken as they are."""
    model = compiled(
        linear(),
        {
            "loss_of_keras": "mse",
            "samples": of_samples,
            "elements": of_elements,
            "scalar": one_number,
            "itself": Term(weighs_itself, weight=0.5),
            "sum": Term(of_samples, weight=0.1, reduction="sum"),
            "mean": Term(of_samples, reduction="mean_with_sample_weight"),
        },
    )

    def columns(v, x, y, w, step, training):
        p = x @ v[0] + v[1]
        errors, squares, count = np.mean((y - p) ** 2, 1), np.mean(p**2, 1), len(x)
        parts = {
            "loss_of_keras": np.sum(w * errors) / count,
            "samples": np.sum(w * squares) / count,
            "elements": np.sum(w * np.mean(np.abs(y - p), 1)) / count,
            "scalar": np.mean(errors),
            "itself": np.sum(w**2 * errors) / count,
            "sum": np.sum(w * squares),
            "mean": np.sum(w * squares) / np.sum(w),
        }
        factors = (1, 1, 1, 1, 0.5, 0.1, 1)
        return {"loss": sum(f * part for f, part in zip(factors, parts.values(), strict=True)), **parts}

    assert_trains_as(model, columns, (X, Y, W), validation=(VAL_X, VAL_Y, VAL_W))


def of_pixels(y, y_pred):  # (B, H, W, 1)
    return ops.square(y - y_pred)


def of_places(y_pred):  # (B, H, W)
    return ops.sum(y_pred, axis=-1)


@pytest.mark.parametrize("shape", [(7, 2, 3), (7, 2, 3, 1), (7,)], ids=["places", "places and a 1", "samples"])
def test_weights_of_pixels(shape):
    """Inside the sums of a region loss; sum(w l) / pixels of a sample for the others."""
    x, y = samples((7, 2, 3, 2), (7, 2, 3, 1), seed=4)
    w = np.abs(samples(shape, seed=5)[0])
    y = (y > 0).astype("float32")
    inputs = keras.Input((2, 3, 2))
    model = Model(inputs, keras.layers.Dense(1, activation="sigmoid")(inputs))
    mean = "mean_with_sample_weight"
    terms = {"overlap": Dice(), "pixels": CrossEntropy(), "keras": "binary_crossentropy", "fine": of_pixels}
    terms |= {"places": Term(of_places, reduction=mean), "exact": CrossEntropy(reduction=mean)}
    compiled(model, terms)

    def columns(v, x, y, w, step, training):
        p = 1 / (1 + np.exp(-(x @ v[0] + v[1])))
        w = w.reshape(len(x), *((2, 3) if w.size > len(x) else (1, 1)), 1) * np.ones_like(p)
        cross, axes = -(y * np.log(p) + (1 - y) * np.log(1 - p)), (1, 2, 3)
        if len(shape) == 1:  # a weight of the whole sample weighs its loss
            common, both = np.sum(y * p, axes), np.sum(y + p, axes) / 2
            overlap = np.mean(w[:, 0, 0, 0] * (1 - (common + 1e-5) / (both + 1e-5)))
        else:
            overlap = np.mean(1 - (np.sum(w * y * p, axes) + 1e-5) / (np.sum(w * (y + p), axes) / 2 + 1e-5))
        parts = {
            "overlap": overlap,
            "pixels": np.mean(w * cross),
            "keras": np.mean(w * cross),
            "fine": np.mean(w * (y - p) ** 2),
            "places": np.sum(w * p) / np.sum(w),
            "exact": np.sum(w * cross) / np.sum(w),
        }
        return {"loss": sum(parts.values()), **parts}

    assert_trains_as(model, columns, (x, y, w), epochs=1)


def test_class_weight():
    labels = np.array([0, 2, 1, 1, 0, 2, 2])
    inputs = keras.Input((3,))
    model = Model(inputs, keras.layers.Dense(3)(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    compiled(model, {"ce": loss, "l2": Term(of_samples, weight=0.1), "scalar": largest})
    factors = {0: 0.5, 1: 2.0, 2: 3.0}

    def columns(v, x, y, step, training):
        logits, y = x @ v[0] + v[1], y.astype(int)
        w = np.array([factors[i] for i in y])
        log_p = logits - np.log(np.sum(np.exp(logits), 1, keepdims=True))
        ce = np.mean(-w * log_p[np.arange(len(y)), y])
        parts = {"ce": ce, "l2": np.mean(w * np.mean(logits**2, 1)), "scalar": np.mean(logits.max(1))}
        return {"loss": ce + 0.1 * parts["l2"] + parts["scalar"], **parts}

    expected, history = trained(columns, weights_of(model), (X, labels), SGD(0.1), epochs=2)
    close(fit(model, (X, labels), epochs=2, class_weight=factors), history)
    close(weights_of(model), expected)


def largest(y_pred):
    return ops.mean(ops.max(y_pred, axis=-1))


# --- several outputs ------------------------------------------------------------------------------------------------------


def tied(y_pred):
    return ops.square(y_pred["left"][:, 0] - y_pred["right"][:, 0])


def mass(sample_weight):
    """What a function receives: the weights in the structure of y."""
    return ops.sum(sample_weight["left"]) + 10.0 * ops.sum(sample_weight["right"])


@pytest.mark.parametrize("kind", ["dict", "one array"])
def test_weights_of_several_outputs(kind):
    """Each term takes the weights of its own output; one array goes to every output."""
    inputs = keras.Input((3,))
    heads = {name: keras.layers.Dense(2, name=name)(inputs) for name in ("left", "right")}
    terms = {"left": "mse", "right": "mae", "tied": Term(tied, output="right"), "mass": Term(mass, weight=0.01)}
    model = compiled(Model(inputs, heads), terms)
    w = {"left": W, "right": W[::-1].copy()} if kind == "dict" else W
    y = {"left": Y, "right": Y[::-1].copy()}

    def columns(v, x, y, w, step, training):
        left, right = x @ v[0] + v[1], x @ v[2] + v[3]
        w = w if isinstance(w, dict) else {"left": w, "right": w}
        parts = {
            "left": np.mean(w["left"] * np.mean((y["left"] - left) ** 2, 1)),
            "right": np.mean(w["right"] * np.mean(np.abs(y["right"] - right), 1)),
            "tied": np.mean(w["right"] * (left[:, 0] - right[:, 0]) ** 2),
            "mass": np.sum(w["left"]) + 10 * np.sum(w["right"]),
        }
        return {"loss": parts["left"] + parts["right"] + parts["tied"] + 0.01 * parts["mass"], **parts}

    assert_trains_as(model, columns, (X, y, w))


# --- weight 0 and masks ---------------------------------------------------------------------------------------------------


def test_weight_0_is_deletion_and_2_is_repetition_under_the_weighted_mean():
    mean = "mean_with_sample_weight"
    terms = {"keras": keras.losses.MeanSquaredError(reduction=mean), "function": Term(of_elements, reduction=mean)}
    weight = np.array([1, 0, 2, 1, 0, 1, 2], "float32")
    poisoned, repeated = Y.copy(), np.repeat(np.arange(7), weight.astype(int))
    poisoned[[1, 4]] = 1e6
    first = compiled(linear(), terms)
    second = compiled(linear(), terms)
    second.set_weights(first.get_weights())
    got = fit(first, (X, poisoned, weight), epochs=3, size=7)
    close(got, fit(second, (X[repeated], Y[repeated]), epochs=3, size=7), rtol=1e-5)
    close(weights_of(first), weights_of(second), rtol=1e-5)


def of_tokens(y, y_pred):  # (B, T)
    return ops.mean(ops.square(y - y_pred), axis=-1)


def of_sequences(y_pred):  # (B,), the mask no longer fits
    return ops.mean(ops.square(y_pred), axis=(1, 2))


@pytest.mark.parametrize("weighted", [False, True], ids=["mask", "mask and weights"])
def test_the_mask_of_the_predictions(weighted):
    """Masked places are in neither sum, samples count once; functions that have taken the mean over places keep theirs."""
    tokens = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [2, 2, 1, 3], [1, 0, 0, 0], [1, 1, 2, 0]])
    (y,) = samples((5, 4, 2), seed=6)
    y[tokens == 0] = 50.0
    inputs = keras.Input((4,), dtype="int32")
    embedding = keras.layers.Embedding(4, 2, mask_zero=True, embeddings_initializer="normal")
    model = compiled(
        Model(inputs, keras.layers.Dense(2)(embedding(inputs))),
        {
            "keras": "mse",
            "tokens": of_tokens,
            "sequences": of_sequences,
            "exact": Term(of_tokens, reduction="mean_with_sample_weight"),
        },
    )
    data = (tokens, y, W[:5]) if weighted else (tokens, y)

    def columns(v, x, y, *w, step, training):
        p, valid = v[0][x.astype(int)] @ v[1] + v[2], x > 0
        w, errors = w[0] if w else np.ones(len(x)), np.mean((y - p) ** 2, -1) * valid
        each = errors.sum(1) / valid.sum(1)
        parts = {
            "keras": np.mean(w * each),
            "tokens": np.mean(w * each),
            "sequences": np.mean(w * np.mean(p**2, (1, 2))),
            "exact": np.sum(w * each) / np.sum(w),
        }
        return {"loss": sum(parts.values()), **parts}

    assert_trains_as(model, columns, data)


def of_both_labels(y, y_pred):
    return ops.mean(ops.square(y["left"] - 2 * y["right"] - y_pred), axis=-1)


def test_one_array_of_weights_beside_labels_of_several_parts():
    """Keras copies the array to each part; a term that reads all of `y` gets it, in `fit`, `evaluate` and validation."""
    model = compiled(linear(use_bias=False), {"both": of_both_labels})
    model.layers[-1].set_weights([np.zeros((3, 2))])
    y, w, ones = {"left": Y, "right": Y[::-1].copy()}, W, np.ones(7, "float32")
    values = np.mean((y["left"] - 2 * y["right"]) ** 2, axis=-1)
    history = model.fit(X, y, batch_size=7, verbose=0, sample_weight=w, validation_data=(0 * X, y, ones)).history
    assert history["loss"][0] == pytest.approx(np.mean(w * values), rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(np.mean(values), rel=1e-5)
    logs = model.evaluate(0 * X, y, batch_size=7, verbose=0, sample_weight=w, return_dict=True)
    assert logs["loss"] == pytest.approx(np.mean(w * values), rel=1e-5)
    with pytest.raises(ValueError, match="'both' needs one array, but `sample_weight` has 2 parts"):
        model.fit(X, y, batch_size=7, verbose=0, sample_weight={"left": w, "right": ones})  # compiled before for copies
