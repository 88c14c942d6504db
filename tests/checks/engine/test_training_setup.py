"""`kerasmith.check(model, x, y)`: what it takes and refuses, and that nothing is different behind it."""

import random

import keras
import numpy as np
import pytest

import kerasmith
from kerasmith.checks.engine.training_setup import setup_of_model

BACKEND = keras.config.backend()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def model_of(*layers, loss="mse", **options):
    model = keras.Sequential([keras.Input((3,)), *(layers or [keras.layers.Dense(1)])])
    model.compile("sgd", loss, **options)
    return model


def ask(model, *data, **options):
    return kerasmith.check(model, *data, select=["T000"], **options)


NOT_COMPILED = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


@pytest.mark.host("refused before anything is computed")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ask(model_of()), r"There are no data.*kerasmith.check\(sequential.*check train.py"),
        (lambda: ask(NOT_COMPILED, X, Y), r"not compiled: write `model.compile\(optimizer, loss\)`"),
        (lambda: ask(model_of(), [1, 2, 3], Y), r"np.array\(x\).*Received: list"),
        (lambda: ask(model_of(), "x", Y), "Received: str"),
        (lambda: ask(model_of(), iter([(X, Y)])), "what `fit` takes"),
        (lambda: ask(model_of(), X, Y[:5]), r"as many samples.*x \(64, 3\), y \(5, 1\)"),
        (lambda: ask(model_of(), X[:0], Y[:0]), "hold no sample"),
        (lambda: ask(model_of(), np.float32(3), Y), "samples along its first axis"),
        (lambda: ask(model_of(), (pair for pair in [(X, Y)]), Y), "`y` is part of the data where they are a generator"),
        (lambda: ask(model_of(), (pair for pair in [])), "no batch"),
        (lambda: ask(model_of(), X, Y, y=Y), "`y` was given twice"),
        (lambda: ask(model_of(), y=Y), "come with `x`"),
        (lambda: ask(model_of(), X, Y, batch_size=0), "batch_size"),
        (lambda: ask(model_of(), X, Y, validation_split=1.5), "validation_split"),
        (lambda: ask(model_of(), X, Y, class_weight=[1, 2]), "class_weight"),
        (lambda: ask(model_of(), X, Y, sample_weight=Y[:, 0], class_weight={0: 1.0}), "not both"),
        (lambda: ask(model_of(), X, Y, backends=["jax"]), "own backend.*check train.py --backends"),
        (lambda: ask(model_of(), X, Y, budget=0), "budget"),
        (lambda: ask(keras.losses.MeanSquaredError, X, Y), "belong to a compiled model.*the class MeanSquaredError"),
        (lambda: ask(keras.losses.MeanSquaredError(), y=Y), "`y` belongs to a compiled model.*a MeanSquaredError"),
        (lambda: ask(keras.Sequential, X, Y), "Give an instance of it, compiled"),
        (lambda: ask("train.py:model", x=X), "belongs to a compiled model"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        call()


@pytest.mark.host("the kind of what is given, no numbers")
def test_the_kind_decides_what_stands_behind_it():
    assert kerasmith.check(keras.losses.MeanSquaredError, {}, None, select=["X102"]).kind == "loss"
    report = ask(model_of(), X, Y, Y[:, 0])
    assert (report.kind, report.ok, report.inputs) == (
        "setup",
        True,
        "x=float32[32,3] y=float32[32,1] sample_weight=float32[32]",
    )
    assert ask(model_of(), x={"sequential": X}["sequential"], y=Y, class_weight={0: 1.0, 1: 3.0}).ok
    assert ask(model_of(), X, Y, validation_split=0.25, batch_size=np.int64(8)).inputs == "x=float32[8,3] y=float32[8,1]"
    alone = model_of(keras.layers.Dense(1, activation="softmax"))
    assert setup_of_model(alone).setup.x is None


@pytest.mark.host("the same words on each backend")
def test_what_stops_fit_is_told_with_shapes():
    report = ask(model_of(keras.layers.Dense(5)), X, np.zeros((64, 2)))
    (finding,) = report.findings
    assert finding.id == "T000"
    assert "(32, 2)" in finding.expected
    assert "(32, 5)" in finding.expected
    assert not report.ok
    report = ask(model_of(keras.layers.Dense(1)), np.zeros((64, 4)), Y)
    assert "does not take these inputs" in report.findings[0].title
    report = ask(model_of(loss=None), X, Y)
    assert "fit" in report.findings[0].title


@pytest.mark.host("SciPy's matrices, the same on each backend")
def test_sparse_data_are_written_out():
    import scipy.sparse

    sparse = scipy.sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0))
    for matrix in (sparse, sparse.tocoo()):
        report = ask(model_of(), matrix, Y, validation_split=0.25)
        assert (report.ok, report.inputs) == (True, "x=float32[32,3] y=float32[32,1]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasmith.checks.harness.fit_data._MOST_DENSE", 10)
        assert kerasmith.check(model_of(), sparse.tocoo(), Y, select=["T000", "T16"], validation_split=0.25).ok


@pytest.mark.host("refused before anything is computed")
def test_ragged_data_are_refused_with_what_to_write():
    class Ragged:
        row_splits, shape = (0, 1), (64, None)

    with pytest.raises(ValueError, match=r"`x.to_tensor\(\)`.*Received: Ragged"):
        ask(model_of(), Ragged(), Y)


@pytest.mark.host("the same words on each backend")
def test_what_stops_fit_is_one_error_with_its_cause():
    ids = np.arange(64)[:, None] % 9
    words = keras.Sequential([keras.Input((1,)), keras.layers.Embedding(8, 2), keras.layers.Flatten(), keras.layers.Dense(1)])
    words.compile("sgd", "mse")
    cases = [
        ("T125", model_of(keras.layers.Dense(4), loss="sparse_categorical_crossentropy"), X, np.eye(4)[np.arange(64) % 4])
    ]
    if BACKEND == "torch":  # the others do not stop
        cases.append(("T172", words, ids, Y))
    for cause, model, *data in cases:
        report = kerasmith.check(model, *data, select=["T000", "T12", "T172"])
        assert {finding.id: finding.severity for finding in report.findings} == {"T000": "note", cause: "error"}
        assert not report.ok
        alone = ask(model, *data)
        assert [finding.severity for finding in alone.findings] == ["error"]


class Lazy(keras.Model):
    """Makes its layers in `build`, counts its calls, and draws in them."""

    def __init__(self):
        super().__init__()
        self.calls, self.seen = 0, []

    def build(self, shape):
        self.hidden, self.norm = keras.layers.Dense(4, activation="relu"), keras.layers.BatchNormalization()
        self.drop, self.last = keras.layers.Dropout(0.3), keras.layers.Dense(1, activation="sigmoid")
        self.built = True

    def call(self, x, training=None):
        self.calls += 1
        self.seen.append(np.random.random())  # noqa: NPY002  the state of this generator is put back
        return self.last(self.drop(self.norm(self.hidden(x), training=training), training=training))


class Growing(keras.utils.PyDataset):
    """Draws and counts in each batch."""

    def __init__(self):
        super().__init__()
        self.given = np.zeros(4)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        self.given[index] += 1
        noise = np.random.normal(size=(16, 3)) * self.given.sum()  # noqa: NPY002
        return (X[index * 16 :][:16] + noise).astype("float32"), Y[index * 16 :][:16]


def _dataset():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(64, seed=3)
    return data.map(lambda x, y: (x + tf.random.normal(tf.shape(x)), y)).batch(16)


def _loader():
    import torch

    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    return torch.utils.data.DataLoader(data, 16, shuffle=True, generator=torch.Generator().manual_seed(4))


DATA = {"arrays": lambda: (X, Y), "PyDataset": lambda: (Growing(),)}
DATA |= {"tensorflow": {"tf.data": lambda: (_dataset(),)}, "torch": {"DataLoader": lambda: (_loader(),)}}.get(BACKEND, {})


def trained(make_data, check):
    """All that a training ends with."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(5)
    model = Lazy()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    data = make_data()
    if check:
        assert kerasmith.check(model, *data).called
        assert not model.built
    name = keras.layers.Dense(1).name
    history = model.fit(*data, epochs=2, verbose=0).history
    of_keras = keras.ops.convert_to_numpy(keras.random.normal((2,))).tolist()
    drawn = random.random(), np.random.random(), of_keras  # noqa: NPY002
    arrays = [keras.ops.convert_to_numpy(one).tobytes() for one in [*model.variables, *model.optimizer.variables]]
    return name, history, drawn, arrays, model.calls, model.seen


@pytest.mark.heavy("trains each kind of data twice, and asks all questions once", seconds=25)
@pytest.mark.parametrize("kind", DATA)
def test_a_training_behind_a_check_is_the_same_bit_for_bit(kind):
    assert trained(DATA[kind], True) == trained(DATA[kind], False)


@pytest.mark.host("a generator is one on each backend")
def test_what_a_generator_has_given_is_told():
    batches = ((X[i : i + 8], Y[i : i + 8]) for i in range(0, 64, 8))
    report = ask(model_of(), batches)
    assert "1 batch drawn, which it does not give again" in report.inputs
    np.testing.assert_array_equal(next(batches)[0], X[8:16])
