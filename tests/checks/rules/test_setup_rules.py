"""Training set-ups of odd make: what a check must name, and what none may call an error. The zoo has the usual ones."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasmith
from kerasmith import Objective, Term

DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(48, 6)).astype("float32")
YES = (X[:, 0] > 0).astype("int32")
IDS = np.clip(X[:, 0] * 1.2 + 1.5, 0, 2.99).astype("int32")
ROWS = np.eye(3, dtype="float32")[IDS]
TAGS = (X[:, :4] > 0).astype("float32")
PRICES = (30 * X[:, 0] + 50).astype("float32")
STEPS = DRAWS.normal(size=(16, 5, 6)).astype("float32")
FAULTY, HEALTHY = {}, {}


def faulty(check):
    return lambda build: FAULTY.setdefault(build.__name__, (check, build))[1]


def healthy(build):
    return HEALTHY.setdefault(build.__name__, build)


def head(*last, loss, shape=(6,), **compiled):
    model = keras.Sequential([keras.Input(shape), layers.Dense(8, activation="relu"), *last])
    model.compile("adam", loss, **compiled)
    return model


def yes_or_no(**compiled):
    return head(layers.Dense(1, activation="sigmoid"), loss="binary_crossentropy", **compiled)


def two_heads(**compiled):
    inputs = keras.Input((6,))
    outputs = [layers.Dense(1, name="price")(inputs), layers.Dense(1, activation="sigmoid", name="age")(inputs)]
    model = keras.Model(inputs, outputs)
    model.compile("adam", **compiled)
    return model


class OwnClass(keras.Model):
    def __init__(self, units, last):
        super().__init__()
        self.layer, self.last = layers.Dense(units), last

    def call(self, x):
        return self.last(self.layer(x))


class Writes(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["own_score"] = 0.5


@faulty("T103")
def sigmoid_as_an_operation():
    model = OwnClass(1, ops.sigmoid)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return model, X, YES, {}


@faulty("T102")
def normalised_behind_the_sigmoid():
    last = [layers.Dense(1, activation="sigmoid"), layers.BatchNormalization()]
    return head(*last, loss="binary_crossentropy"), X, YES, {}


@faulty("T105")
def sigmoids_of_ids():
    return head(layers.Dense(3, activation="sigmoid"), loss="sparse_categorical_crossentropy"), X, IDS, {}


@faulty("T107")
def sparse_loss_of_one_unit():
    return head(layers.Dense(1, activation="sigmoid"), loss="categorical_crossentropy"), X, YES[:, None], {}


@faulty("T108")
def samples_compete():
    last = [layers.Dense(3), layers.Lambda(lambda z: ops.softmax(z, axis=0))]
    return head(*last, loss="categorical_crossentropy"), X, ROWS, {}


@faulty("T109")
def logarithm_without_a_floor():
    loss = lambda y, p: -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p), -1)  # noqa: E731
    return head(layers.Dense(1, activation="sigmoid"), loss=loss), 1000 * X, YES[:, None].astype("float32"), {}


@faulty("T110")
def counts_of_a_linear_head():
    return head(layers.Dense(1), loss="poisson"), X, DRAWS.poisson(3, len(X)).astype("float32"), {}


@faulty("T121")
def overlap_of_255():
    x = DRAWS.normal(size=(8, 8, 8, 1)).astype("float32")
    last = layers.Dense(1, activation="sigmoid")
    return head(last, loss=keras.losses.Dice(), shape=(8, 8, 1)), x, (255.0 * (x > 0)).astype("float32"), {}


@faulty("T124")
def more_units():
    return head(layers.Dense(9, activation="softmax"), loss="sparse_categorical_crossentropy"), X, IDS, {}


@faulty("T127")
def steps_compete():
    y = np.eye(3, dtype="float32")[np.clip(STEPS[..., 0] + 1, 0, 2.9).astype(int)]
    last = [layers.Dense(3), layers.Softmax(axis=1)]
    return head(*last, loss="categorical_crossentropy", shape=(5, 6)), STEPS, y, {}


@faulty("T130")
def scaled_ids():
    y = (IDS / 3 + 0.3).astype("float32")
    return head(layers.Dense(3, activation="softmax"), loss="sparse_categorical_crossentropy"), X, y, {}


@faulty("T138")
def weights_by_name_losses_by_place():
    model = two_heads(loss=["mse", "binary_crossentropy"], loss_weights={"price": 1.0, "age": 0.1})
    return model, X, [PRICES, YES], {}


@faulty("T138")
def labels_of_other_names():
    return two_heads(loss=["mse", "binary_crossentropy"]), X, {"preis": PRICES, "alter": YES}, {}


@faulty("T146")
def units_against_an_id():
    last = layers.Dense(3, activation="softmax")
    model = head(last, loss="sparse_categorical_crossentropy", metrics=["binary_accuracy"])
    return model, X, IDS[:, None], {}


@faulty("T147")
def rows_for_a_sparse_metric():
    last = layers.Dense(3, activation="softmax")
    model = head(last, loss="categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return model, X, ROWS, {}


@faulty("T148")
def first_of_several_tags():
    last = layers.Dense(4, activation="sigmoid")
    return head(last, loss="binary_crossentropy", metrics=["accuracy"]), X, TAGS, {}


@healthy
def mean_of_sigmoids():
    inputs = keras.Input((6,))
    model = keras.Model(inputs, layers.Average()([layers.Dense(1, activation="sigmoid")(inputs) for _ in range(2)]))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, X, YES, {}


@healthy
def similarity_of_a_distance():
    inputs = keras.Input((6,))
    model = keras.Model(inputs, ops.exp(-ops.sum(ops.abs(layers.Dense(4)(inputs)), -1, keepdims=True)))
    model.compile("adam", "binary_crossentropy")
    return model, X, YES, {}


@healthy
def softmax_by_hand():
    model = OwnClass(3, lambda z: ops.exp(z) / ops.sum(ops.exp(z), -1, keepdims=True))
    model.compile("adam", "categorical_crossentropy")
    return model, X, ROWS, {}


@healthy
def stretched_tanh():
    return head(layers.Dense(1, activation="tanh"), layers.Rescaling(1000.0), loss="mse"), X, PRICES, {}


@healthy
def quantiles():
    def pinball(y, p):
        q = ops.convert_to_tensor([0.1, 0.5, 0.9])
        return ops.mean(ops.maximum(q * (y - p), (q - 1) * (y - p)), -1)

    return head(layers.Dense(3), loss=pinball), X, PRICES[:, None], {}


@healthy
def five_members_of_one_target():
    return head(layers.Dense(5), loss=lambda y, p: ops.mean(ops.square(y - p), -1)), X, PRICES[:, None], {}


@healthy
def rewards_in_place_of_ones():
    y = ROWS * DRAWS.normal(size=(len(X), 1)).astype("float32")
    return head(layers.Dense(3, activation="softmax"), loss="categorical_crossentropy"), X, y, {}


@healthy
def unknown_tags_left_out():
    def known_only(y, p):
        known, p = ops.cast(y >= 0, "float32"), ops.clip(p, 1e-7, 1 - 1e-7)
        y = ops.maximum(y, 0.0)
        return -ops.sum(known * (y * ops.log(p) + (1 - y) * ops.log(1 - p))) / ops.sum(known)

    y = np.where(DRAWS.uniform(size=TAGS.shape) < 0.3, -1, TAGS).astype("float32")
    return head(layers.Dense(4, activation="sigmoid"), loss=known_only), X, y, {}


@healthy
def critic():
    y = (2 * YES - 1).astype("float32")[:, None]
    return head(layers.Dense(1), loss=lambda y, p: -ops.mean(y * p, -1)), X, y, {}


@healthy
def key_of_an_own_callback():
    stopping = keras.callbacks.EarlyStopping(monitor="own_score", mode="max")
    return yes_or_no(), X, YES, {"callbacks": [Writes(), stopping]}


@faulty("T113")
def overlap_without_its_minus():
    def overlap(y, p):
        return (2 * ops.sum(y * p) + 1) / (ops.sum(y) + ops.sum(p) + 1)

    return head(layers.Dense(4, activation="sigmoid"), loss=overlap), X, TAGS, {}


@faulty("T113")
def likelihood_without_its_minus():
    def likelihood(y, p):
        return ops.mean(ops.log(ops.sum(y * p, -1) + 1e-6))

    return head(layers.Dense(3, activation="softmax"), loss=likelihood), X, ROWS, {}


@faulty("T127")
def softmax_of_tags_over_time():
    model = keras.Sequential([keras.Input((5, 6)), layers.Dense(3), layers.Softmax(axis=1)])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, STEPS, np.arange(80).reshape(16, 5) % 3, {}


@healthy
def margin_of_distances():
    def contrast(y, p):
        return ops.mean(y * ops.square(p) + (1 - y) * ops.square(ops.maximum(1 - p, 0.0)))

    return head(layers.Dense(1, activation="sigmoid"), loss=contrast), X, YES[:, None].astype("float32"), {}


def part_of(cases, part):
    """Half of them on PyTorch, a few on the others, where each costs compilations."""
    return list(cases)[part::2] if keras.config.backend() == "torch" else list(cases)[part::10]


def own_model(terms, *last, shape=(6,)):
    inputs = keras.Input(shape)
    hidden = layers.Dense(8, activation="relu")(inputs)
    model = kerasmith.Model(inputs, [one(hidden) for one in last] if len(last) > 1 else last[0](hidden))
    model.compile("adam", terms)
    return model


@faulty("T103")
def second_term_reads_logits_of_a_sigmoid():
    entropy = kerasmith.losses.CrossEntropy(from_logits=True)
    terms = [Term("mse", output=0), Term(entropy, weight="learned", output=1)]
    model = own_model(Objective(terms), layers.Dense(1), layers.Dense(1, activation="sigmoid"))
    return model, X, [PRICES[:, None], YES[:, None]], {}


@faulty("T121")
def masks_of_255_for_terms():
    terms = {"dice": kerasmith.losses.Dice(), "entropy": "binary_crossentropy"}
    return own_model(Objective(terms), layers.Dense(1, activation="sigmoid")), X, 255 * YES[:, None], {}


@healthy
def term_that_is_wished_away():
    terms = [kerasmith.losses.CrossEntropy(from_logits=True), Term(kerasmith.losses.Dice(), weight=-0.1)]
    return own_model(Objective(terms), layers.Dense(1)), X, YES[:, None], {}


@pytest.mark.heavy("asks ten small models each about output, loss and labels", seconds=4)
@pytest.mark.parametrize("part", range(2))
def test_faults_are_named(part):
    for name in part_of(FAULTY, part):
        check, build = FAULTY[name]
        model, x, y, arguments = build()
        report = kerasmith.check(model, x, y, select=[check], **arguments)
        assert check in [finding.id for finding in report.findings], name


@pytest.mark.heavy("asks five small models each all of output, loss, labels and metrics", seconds=5)
@pytest.mark.parametrize("part", range(2))
def test_odd_designs_get_no_error(part):
    for name in part_of(HEALTHY, part):
        model, x, y, arguments = HEALTHY[name]()
        report = kerasmith.check(model, x, y, select=["T000", "T10", "T11", "T12", "T13", "T14"], **arguments)
        assert not [finding for finding in report.findings if finding.severity == "error"], name
