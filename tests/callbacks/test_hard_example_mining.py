"""HardExampleMining: scores are the losses of single samples, and the next epoch draws by them."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Term
from kerasmith.callbacks.hard_example_mining import HardExampleMining
from kerasmith.callbacks.hardness_weights import hardness_weights
from kerasmith.callbacks.resume import Resume
from kerasmith.callbacks.sample_scores import loss_scores, margin_scores
from kerasmith.data.weighted_batches import WeightedBatches
from kerasmith.losses import Dice, DiceCE
from tests.support.seen_samples import SeenSamples

N = 20
X = np.arange(N, dtype="float32")[:, None]


def fixed_model(samples=N, batches=100, **options):
    """Predicts 0 and learns nothing; remembers the samples it saw, which are its labels."""
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    seen = SeenSamples(batches, samples)
    net.compile(keras.optimizers.SGD(0.0), "mse", metrics=[seen], **options)
    return net, lambda: ops.convert_to_numpy(seen.table).astype(int)


@pytest.mark.parametrize("workers", [1, 4])
def test_the_next_epoch_draws_by_the_scores(workers):
    data = WeightedBatches(X, X.copy(), batch_size=5, seed=1, workers=workers, samples_per_epoch=10 * N)
    net, table = fixed_model(batches=200)
    mining = HardExampleMining(data, every=2, temperature=0.4)
    history = net.fit(data, epochs=3, verbose=0, callbacks=[mining]).history
    np.testing.assert_allclose(mining.scores, X[:, 0] ** 2)
    weights = hardness_weights(X[:, 0] ** 2, 0.4)
    np.testing.assert_allclose(data.weights, weights)
    times = table()[:120].reshape(3, 40, N).sum(axis=1)
    assert (times[:2] == 10).all()
    np.testing.assert_array_less(np.abs(times[2] - 10 * N * weights / weights.sum()), 1 + 1e-6)
    assert times[2, -1] >= 8 * times[2, 0] > 0
    np.testing.assert_allclose(history["mining_effective_samples"], [N, *[weights.sum() ** 2 / (weights**2).sum()] * 2])
    # The step columns are those of training: scoring left no trace in metrics.
    assert history["seen"] == [40, 80, 120]


def test_epochs_of_scoring():
    rounds = []

    def score(y_true, y_pred):
        rounds.append(len(y_true))
        return np.abs(y_true[:, 0])

    def run(**options):
        rounds.clear()
        data = WeightedBatches(X, X.copy(), batch_size=N)
        net, _ = fixed_model()
        logged = []
        mining = HardExampleMining(data, score, **options)
        begins = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: logged.append(len(rounds)))
        net.fit(data, epochs=7, verbose=0, callbacks=[mining, begins])
        return [epoch for epoch, (a, b) in enumerate(zip(logged, [*logged[1:], len(rounds)])) if b > a]

    assert run(every=3) == [2, 5]
    assert run(every=3, start=1) == [0, 3, 6]
    assert run(every=1, start=5) == [4, 5, 6]


def test_weight_zero_and_other_weights_stay_a_factor():
    base = np.tile([0.0, 1.0, 4.0, 1.0], 5)
    data = WeightedBatches(X, X.copy(), batch_size=5, weights=base, seed=1)
    net, table = fixed_model()
    mining = HardExampleMining(data, every=1)
    net.fit(data, epochs=3, verbose=0, callbacks=[mining])
    drawn = base > 0
    expected = np.zeros(N)
    expected[drawn] = base[drawn] * hardness_weights(X[drawn, 0])
    np.testing.assert_allclose(data.weights, expected)
    assert not table()[:, ~drawn].any()
    assert np.isnan(mining.scores[~drawn]).all()
    net.fit(data, epochs=1, verbose=0, callbacks=[mining])  # weights of its own are no base
    np.testing.assert_allclose(data.weights, expected)
    data.set_weights(np.ones(N))
    net.fit(data, epochs=1, verbose=0, callbacks=[mining])
    np.testing.assert_allclose(data.weights, hardness_weights(X[:, 0]))


def test_a_rotating_part_is_scored():
    asked = []

    def score(y_true, y_pred):
        asked.append(y_true[:, 0].astype(int))
        return y_true[:, 0]

    data = WeightedBatches(X, X.copy(), batch_size=4)
    net, _ = fixed_model()
    mining = HardExampleMining(data, score, every=1, fraction=0.3)
    mining.set_model(net)
    known, states = [], []
    for _ in range(10):
        mining.mine()
        known.append(int(np.isfinite(mining.scores).sum()))
        states.append(mining.state_dict())
        unknown = np.isnan(mining.scores)
        assert (data.weights[unknown] == 1).all()
    assert known[:4] == [6, 12, 18, 20]
    turns = [np.concatenate(asked[2 * i : 2 * i + 2])[:6] for i in range(10)]  # batches of 4, the last padded
    assert len(np.unique(np.concatenate(turns[:3]))) == 18
    assert (np.bincount(np.concatenate(turns), minlength=N) == 3).all()

    again = WeightedBatches(X, X.copy(), batch_size=4)
    resumed = HardExampleMining(again, score, every=1, fraction=0.3)
    resumed.set_model(net)
    for _ in range(2):
        resumed.load_state_dict(states[4])
    for _ in range(5):
        resumed.mine()
    np.testing.assert_array_equal(resumed.scores, mining.scores)
    np.testing.assert_array_equal(again.weights, data.weights)
    with pytest.raises(ValueError, match="20 samples"):
        HardExampleMining(WeightedBatches(np.arange(3))).load_state_dict(states[0])


def trained(model, x, y, **options):
    """The model after a step of training, which changes nothing."""
    model.compile(keras.optimizers.SGD(0.0), **options)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    return model


def one_by_one(model, x, y):
    """The loss that Keras gives each sample alone."""

    def only(nest, i):
        return keras.tree.map_structure(lambda array: array[i : i + 1], nest)

    return [float(model.evaluate(only(x, i), only(y, i), verbose=0, return_dict=True)["loss"]) for i in range(6)]


def image_model(cls=keras.Model, outputs=1):
    inputs = keras.Input((4, 4, 1))
    heads = [keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid", name=f"head{i}")(inputs) for i in range(outputs)]
    return cls(inputs, heads[0] if outputs == 1 else heads)


IMAGES = np.random.default_rng(0).random((6, 4, 4, 1), "float32")
MASKS = (IMAGES > 0.6).astype("float32")


LOSSES = ["mse", "bce", keras.losses.Huber(0.2), Dice(), DiceCE(), 0.3 * Dice() + keras.losses.MeanAbsoluteError()]


@pytest.mark.parametrize("loss", LOSSES)
def test_scores_are_the_losses_of_single_samples(loss):
    loss = keras.losses.binary_crossentropy if loss == "bce" else loss
    model = trained(image_model(), IMAGES, MASKS, loss=loss)
    scores = loss_scores(model, (IMAGES, MASKS), model.predict_on_batch(IMAGES))
    np.testing.assert_allclose(scores, one_by_one(model, IMAGES, MASKS), rtol=1e-4)
    weighted = loss_scores(model, (IMAGES, MASKS, np.arange(6.0)), model.predict_on_batch(IMAGES))
    np.testing.assert_allclose(weighted, scores * np.arange(6), rtol=1e-6)


def test_scores_of_class_ids():
    x, y = np.random.default_rng(1).random((6, 3), "float32"), np.array([0, 1, 2, 2, 1, 0])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    trained(model, x, y, loss="sparse_categorical_crossentropy")
    p = model.predict_on_batch(x)
    np.testing.assert_allclose(loss_scores(model, (x, y), p), -np.log(p[np.arange(6), y]), rtol=1e-4)


@pytest.mark.parametrize("form", ["list", "dict"])
def test_scores_of_several_outputs(form):
    x, y = IMAGES, [MASKS, 1 - MASKS]
    options = {"loss": ["mse", Dice()], "loss_weights": [0.5, 2.0]}
    if form == "dict":
        y = {"head0": y[0], "head1": y[1]}
        options = {"loss": {"head0": "mse", "head1": Dice()}, "loss_weights": {"head0": 0.5, "head1": 2.0}}
    model = trained(image_model(outputs=2), x, y, **options)
    metrics = model.get_metrics_result()
    scores = loss_scores(model, (x, y), model.predict_on_batch(x))
    np.testing.assert_allclose(scores, one_by_one(model, x, y), rtol=1e-4)
    model.evaluate(x, y, verbose=0)
    before = model.get_metrics_result()
    loss_scores(model, (x, y), model.predict_on_batch(x))
    assert model.get_metrics_result() == before
    assert set(before) == set(metrics)


def test_scores_of_an_objective():
    model = image_model(Model)
    fade = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.7, 0.2])
    objective = Objective({"dice": Dice(), "fit": Term("mse", weight=fade)}, weights={"dice": 3.0})
    trained(model, IMAGES, MASKS, loss=objective)
    scores = loss_scores(model, (IMAGES, MASKS), model.predict_on_batch(IMAGES))
    np.testing.assert_allclose(scores, one_by_one(model, IMAGES, MASKS), rtol=1e-4)

    def rough(y_pred):
        return ops.mean(ops.abs(y_pred))

    model = trained(image_model(Model), IMAGES, MASKS, loss=Objective({"dice": Dice(), "rough": rough}))
    with pytest.raises(TypeError, match="'rough' is a function"):
        loss_scores(model, (IMAGES, MASKS), model.predict_on_batch(IMAGES))


def test_losses_without_samples_are_refused():
    model = trained(image_model(), IMAGES, MASKS, loss=keras.losses.Dice())
    with pytest.raises(TypeError, match="one value per sample"):
        loss_scores(model, (IMAGES, MASKS), MASKS)
    with pytest.raises(ValueError, match="needs labels"):
        loss_scores(model, (IMAGES,), MASKS)
    bare = image_model()
    bare.compile("sgd")
    with pytest.raises(TypeError, match="without a loss"):
        loss_scores(bare, (IMAGES, MASKS), MASKS)


def test_margin():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    y = np.array([0, 1, 1, 0])
    expected = [0.5, 1.5, 0.0, 1.0]
    for labels in (y, y[:, None], np.eye(3)[y]):
        np.testing.assert_allclose(margin_scores(labels, p), expected)
    np.testing.assert_allclose(margin_scores(y[:2], np.log(p[:2]) + 3, from_logits=True), expected[:2])
    binary = margin_scores(np.array([1, 0]), np.array([[0.9], [0.9]]))
    np.testing.assert_allclose(binary, [0.2, 1.8])
    np.testing.assert_allclose(margin_scores(np.array([1, 0]), np.log([[9.0], [9.0]]), from_logits=True), binary)
    pixels = margin_scores(np.array([[[0, 1]], [[1, 1]]]), np.broadcast_to(p[0, :2] + [0, 0.1], (2, 1, 2, 2)))
    np.testing.assert_allclose(pixels, [1.0, 1.4])
    for labels, predictions, message in (
        (y, p * 5, "from_logits=True"),
        (np.array([0, 3, 1, 0]), p, "0 to 2"),
        (y[:3], p, "do not belong"),
        (y, p[:, 0], r"\(B, ..., C\)"),
    ):
        with pytest.raises(ValueError, match=message):
            margin_scores(labels, predictions)
    with pytest.raises(TypeError, match="one output"):
        margin_scores(y, [p, p])


def test_margin_in_fit():
    x, y = np.eye(4, dtype="float32"), np.array([0, 0, 1, 2])
    data = WeightedBatches(x, y, batch_size=3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    mining = HardExampleMining(data, "margin", every=1)
    model.fit(data, verbose=0, callbacks=[mining])
    np.testing.assert_allclose(mining.scores, np.ones(4), atol=1e-6)


@pytest.mark.parametrize("workers", [1, 2])
def test_training_goes_on_as_without_a_look(workers):
    """Scoring changes neither weights, optimizer, metrics nor seeds: with weights that stay, the run is the same."""

    def run(callbacks):
        keras.utils.set_random_seed(3)
        data = WeightedBatches(X / N, X.copy() / N, batch_size=5, seed=1, workers=workers)
        inputs = keras.Input((1,))
        h = keras.layers.BatchNormalization()(keras.layers.Dense(4, activation="relu")(inputs))
        net = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dropout(0.3, seed=1)(h)))
        net.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
        history = net.fit(data, epochs=3, verbose=0, callbacks=callbacks(data)).history
        history.pop("mining_effective_samples", None)
        return history, net.get_weights(), [ops.convert_to_numpy(v) for v in net.optimizer.variables]

    def same(y_true, y_pred):
        return np.zeros(len(y_true))

    plain = run(lambda data: [])
    mined = run(lambda data: [HardExampleMining(data, same, every=1), _Reset(data)])
    assert plain[0] == mined[0]
    for a, b in zip([*plain[1], *plain[2]], [*mined[1], *mined[2]]):
        np.testing.assert_array_equal(a, b)


class _Reset(keras.callbacks.Callback):
    """Even weights draw each sample once, but in another order than no weights."""

    def __init__(self, data):
        super().__init__()
        self.data = data

    def on_epoch_end(self, epoch, logs=None):
        np.testing.assert_array_equal(self.data.weights, np.ones(N))
        self.data.set_weights(None)


def test_scores_that_are_not_finite():
    def score(y_true, y_pred):
        return np.where(y_true[:, 0] == 7, np.nan, np.where(y_true[:, 0] == 3, -np.inf, y_true[:, 0]))

    data = WeightedBatches(X, X.copy(), batch_size=8)
    net, _ = fixed_model()
    mining = HardExampleMining(data, score, every=1)
    mining.set_model(net)
    with pytest.warns(UserWarning, match="2 of 20 scores are not finite, the first that of sample 3: -inf"):
        mining.mine()
    assert mining.scores[[3, 7, 19]].tolist() == [19, 19, 19]
    mining.score = lambda y_true, y_pred: np.full(len(y_true), np.nan)
    before = data.weights
    with pytest.warns(UserWarning, match="the weights stay"):
        mining.mine()
    assert data.weights is before


def test_bad_input():
    data = WeightedBatches(X, X.copy())
    with pytest.raises(TypeError, match="WeightedBatches"):
        HardExampleMining(X)
    for arguments, named in (
        ({"score": "hinge"}, "score"),
        ({"every": 0}, "every"),
        ({"start": 0}, "start"),
        ({"temperature": 0}, "temperature"),
        ({"floor": 2}, "floor"),
        ({"cap": 0.5}, "cap"),
        ({"normalize": "max"}, "normalize"),
        ({"fraction": 0}, "fraction"),
        ({"batch_size": 0}, "batch_size"),
    ):
        with pytest.raises(ValueError, match=named):
            HardExampleMining(data, **arguments)
    net, _ = fixed_model()
    mining = HardExampleMining(data, lambda y_true, y_pred: y_true, every=1)
    mining.set_model(net)
    with pytest.raises(ValueError, match=r"\(32,\). It returned shape \(32, 1\)"):
        mining.mine()
    with pytest.warns(UserWarning, match="does not train on"):
        net.fit(X, X, verbose=0, callbacks=[HardExampleMining(data)])


@pytest.mark.parametrize("interrupted_at", ["epoch", "step"])
def test_goes_on_as_if_never_interrupted(tmp_path, interrupted_at):
    """With `Resume`: scores, base weights and the weights of the data come back, also in the middle of an epoch."""

    class Interrupted(Exception):
        pass

    def interrupt(batch, logs):
        if steps.append(batch) is None and len(steps) == 11:
            raise Interrupted

    def run(directory, epochs, *callbacks):
        keras.utils.set_random_seed(5)
        data = WeightedBatches(X / N, np.sin(X), batch_size=5, weights=np.arange(N) % 5, seed=1)
        net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
        net.compile(keras.optimizers.Adam(0.05), "mse")
        mining = HardExampleMining(data, every=1, fraction=0.4)
        resume = Resume(directory, every=1 if interrupted_at == "step" else "epoch", verbose=0)
        history = net.fit(data, epochs=epochs, verbose=0, callbacks=[mining, resume, *callbacks]).history
        return history, net.get_weights(), mining.scores, data.weights

    whole = run(tmp_path / "whole", 5)
    steps = []
    if interrupted_at == "epoch":
        run(tmp_path / "parts", 3)
    else:
        with pytest.raises(Interrupted):
            run(tmp_path / "parts", 5, keras.callbacks.LambdaCallback(on_train_batch_end=interrupt))
    parts = run(tmp_path / "parts", 5)
    assert parts[0] == whole[0]
    np.testing.assert_array_equal(parts[2], whole[2])
    np.testing.assert_array_equal(parts[3], whole[3])
    for a, b in zip(parts[1], whole[1]):
        np.testing.assert_array_equal(a, b)
