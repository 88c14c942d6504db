"""WeightAveraging against plain loops and PyTorch's AveragedModel and update_bn; what it leaves as it was; resumed."""

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith.callbacks.resume import Resume
from kerasmith.callbacks.weight_averaging import WeightAveraging

RNG = np.random.default_rng(5)
X = RNG.normal(1.0, 2.0, (24, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
DATA = {"batch_size": 6, "shuffle": False, "verbose": 0}


def model(norm=False, dtype=None, **keywords):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((3,)), keras.layers.Dense(4, activation="tanh", dtype=dtype)]
    if norm:
        layers += [keras.layers.BatchNormalization(), keras.layers.Dropout(0.3, seed=2)]
    net = keras.Sequential([*layers, keras.layers.Dense(1, dtype=dtype)])
    net.compile(keras.optimizers.Adam(0.05), "mse", **keywords)
    return net


class Watch(keras.callbacks.Callback):
    """The weights after each step, each epoch, and during each validation."""

    def __init__(self):
        super().__init__()
        self.steps, self.epochs, self.tested = [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(weights(self.model))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(weights(self.model))

    def on_test_batch_end(self, batch, logs=None):
        self.tested.append(weights(self.model))


def weights(net):
    return [np.array(ops.convert_to_numpy(v), "float64") for v in net.trainable_variables]


def close(got, expected, rtol=2e-6):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)


def same(got, expected):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def ema(sequence, decay, warmup=False):
    average = None
    for t, values in enumerate(sequence):
        d = min(decay, (1 + t) / (10 + t)) if warmup else decay
        average = values if average is None else [d * a + (1 - d) * w for a, w in zip(average, values, strict=True)]
    return average


@pytest.mark.parametrize(("every", "start", "warmup", "taken"), [
    (1, 0, False, list(range(12))), (1, 5, True, list(range(5, 12))), (3, 0, False, [2, 5, 8, 11]), (5, 4, False, [8]),
])  # fmt: skip
def test_exponential_average_of_steps(every, start, warmup, taken):
    net, watch = model(), Watch()
    net.fit(X, Y, epochs=3, callbacks=[watch, WeightAveraging("ema", 0.7, every=every, start=start, warmup=warmup)], **DATA)
    close(weights(net), ema([watch.steps[i] for i in taken], 0.7, warmup))


def test_equal_average_of_epochs_and_validation_with_it():
    net, watch = model(), Watch()
    history = net.fit(
        X, Y, epochs=4, validation_data=(X, Y), callbacks=[watch, WeightAveraging("swa", start=1)], **DATA
    ).history
    means = [[np.mean(w, 0) for w in zip(*watch.epochs[1 : n + 1], strict=True)] for n in (1, 2, 3)]
    same(watch.tested[0], watch.epochs[0])
    for epoch, mean in zip((1, 2, 3), means, strict=True):
        close(watch.tested[4 * epoch], mean)
    close(weights(net), means[-1])
    assert net.evaluate(X, Y, batch_size=6, verbose=0) == pytest.approx(history["val_loss"][-1], rel=1e-5)


@pytest.mark.parametrize("method", ["ema", "swa"])
def test_equals_pytorch(method):
    net, watch = model(), Watch()
    net.fit(X, Y, epochs=2, callbacks=[watch, WeightAveraging(method, 0.9, unit="step")], **DATA)
    shadow = torch.nn.ParameterList([torch.nn.Parameter(torch.zeros(tuple(v.shape))) for v in net.trainable_variables])
    rule = {"multi_avg_fn": torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)} if method == "ema" else {}
    averaged = torch.optim.swa_utils.AveragedModel(shadow, **rule)
    for values in watch.steps:
        for parameter, value in zip(shadow, values, strict=True):
            parameter.data = torch.tensor(value, dtype=torch.float32)
        averaged.update_parameters(shadow)
    close(weights(net), [p.detach().numpy() for p in averaged.module], rtol=1e-5)


def test_training_is_the_same_to_the_bit():
    runs = []
    for callbacks in ([], [WeightAveraging("ema", 0.5, at_end="keep", update_batch_norm=X, batch_size=6)]):
        net = model(norm=True)
        watch = Watch()
        history = net.fit(X, Y, epochs=3, validation_data=(X, Y), callbacks=[watch, *callbacks], **DATA).history
        everything = [np.array(ops.convert_to_numpy(v)) for v in [*net.variables, *net.optimizer.variables]]
        runs.append((watch, history, everything))
    plain, with_average = runs
    for a, b in zip(plain[0].steps, with_average[0].steps, strict=True):
        same(a, b)
    same(plain[2], with_average[2])
    assert plain[1]["loss"] == with_average[1]["loss"]
    assert plain[1]["val_loss"] != with_average[1]["val_loss"]


def test_weights_that_are_measured_are_those_of_the_context():
    net, watch, averaging = model(), Watch(), WeightAveraging("ema", 0.8, at_end="keep")
    with_none = []

    class Early(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            with averaging.averaged() as same_model:
                with_none.append(weights(same_model))

    net.fit(X, Y, epochs=2, callbacks=[watch, averaging, Early()], **DATA)
    same(weights(net), watch.steps[-1])
    with averaging.averaged() as averaged:
        close(weights(averaged), ema(watch.steps, 0.8))
        with averaging.averaged():
            close(weights(net), ema(watch.steps, 0.8))
    same(weights(net), watch.steps[-1])
    assert len(with_none) == 1


@pytest.mark.parametrize("form", ["array", "batches", "dataset"])
def test_batch_norm_statistics_are_the_mean_over_the_batches(form):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]

    data = {"array": X, "batches": [X[:8], X[8:16], X[16:]], "dataset": Batches()}[form]
    net = model(norm=True)
    net.fit(X, Y, epochs=2, callbacks=[WeightAveraging("swa", update_batch_norm=data, batch_size=8)], **DATA)
    dense, norm = net.layers[0], net.layers[1]
    hidden = np.tanh(X @ ops.convert_to_numpy(dense.kernel) + ops.convert_to_numpy(dense.bias))
    theirs = torch.nn.Sequential(torch.nn.BatchNorm1d(4))
    torch.optim.swa_utils.update_bn([torch.from_numpy(hidden[8 * i : 8 * i + 8]) for i in range(3)], theirs)
    np.testing.assert_allclose(ops.convert_to_numpy(norm.moving_mean), theirs[0].running_mean.numpy(), rtol=1e-4, atol=1e-6)
    # PyTorch divides the squares by n - 1.
    np.testing.assert_allclose(ops.convert_to_numpy(norm.moving_variance), theirs[0].running_var.numpy() * 7 / 8, rtol=1e-4)
    assert norm.momentum == 0.99


def test_validation_uses_fresh_statistics_and_training_its_own():
    net, averaging = model(norm=True), WeightAveraging("swa", update_batch_norm=X, batch_size=12)
    history = net.fit(X, Y, epochs=2, validation_data=(X, Y), callbacks=[averaging], **DATA).history
    assert net.evaluate(X, Y, batch_size=6, verbose=0) == pytest.approx(history["val_loss"][-1], rel=1e-5)


def test_averages_of_half_precision_are_float32():
    net, watch, averaging = model(dtype="float16"), Watch(), WeightAveraging("ema", 0.99)
    net.fit(X / 8, Y / 8, epochs=3, callbacks=[watch, averaging], **DATA)
    averages = averaging.state_dict()["averages"]
    assert {a.dtype.name for a in averages} == {"float32"}
    close(averages, ema(watch.steps, 0.99), rtol=1e-5)
    same(weights(net), [a.astype("float16") for a in averages])


def test_what_is_not_trained_is_left_alone():
    net = model(norm=True)
    net.layers[0].trainable = False
    net.compile("sgd", "mse")
    frozen = np.array(ops.convert_to_numpy(net.layers[0].kernel))
    twin = keras.models.clone_model(net)
    twin.set_weights(net.get_weights())
    twin.layers[0].trainable = False
    twin.compile("sgd", "mse")
    net.fit(X, Y, callbacks=[WeightAveraging("ema", 0.5)], **DATA)
    twin.fit(X, Y, **DATA)
    np.testing.assert_array_equal(ops.convert_to_numpy(net.layers[0].kernel), frozen)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(net.layers[1].moving_mean), ops.convert_to_numpy(twin.layers[1].moving_mean)
    )


def test_a_second_fit_goes_on_and_another_model_begins_anew():
    net, watch, averaging = model(), Watch(), WeightAveraging("ema", 0.6)
    for _ in range(2):
        net.fit(X, Y, epochs=1, callbacks=[watch, averaging], **DATA)
    assert averaging.count == 8
    close(weights(net), ema(watch.steps, 0.6))
    other = model()
    other.fit(X, Y, callbacks=[averaging], **DATA)
    assert averaging.count == 4


@pytest.mark.parametrize("every", ["epoch", 3])
@pytest.mark.parametrize("method", ["ema", "swa"])
def test_goes_on_in_another_process(method, every, tmp_path):
    def run(epochs, *resume):
        net = model(norm=True)
        averaging = WeightAveraging(method, 0.8, start=1, update_batch_norm=X)
        history = net.fit(X, Y, epochs=epochs, validation_data=(X, Y), callbacks=[averaging, *resume], **DATA).history
        return net, history

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.params["epochs"] == 3 and batch == 2 and self.epoch == 1:
                raise KeyboardInterrupt

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    whole, history = run(3)
    with pytest.raises(KeyboardInterrupt):
        run(3, Resume(tmp_path, every, verbose=0), Interrupt())
    again, resumed = run(3, Resume(tmp_path, every, verbose=0))
    assert resumed == history
    same([ops.convert_to_numpy(v) for v in again.variables], [ops.convert_to_numpy(v) for v in whole.variables])


def test_averages_of_another_model_are_refused():
    averaging, other = WeightAveraging(), WeightAveraging()
    model().fit(X, Y, callbacks=[averaging], **DATA)
    small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    small.compile("sgd", "mse")
    small.fit(X, Y, callbacks=[other], **DATA)
    with pytest.raises(ValueError, match="belong to other weights"):
        other.load_state_dict(averaging.state_dict())


@pytest.mark.parametrize(("arguments", "words"), [
    ({"method": "mean"}, "method"), ({"decay": 1.0}, "decay"), ({"every": 0}, "every"), ({"start": -1}, "start"),
    ({"unit": "batch"}, "unit"), ({"at_end": "swap"}, "at_end"), ({"update_batch_norm": iter([X])}, "update_batch_norm"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=f"`{words}`"):
        WeightAveraging(**arguments)


def test_an_optimizer_that_averages_itself_is_refused():
    net = model()
    net.compile(keras.optimizers.SGD(use_ema=True), "mse")
    with pytest.raises(ValueError, match="use_ema=True"):
        net.fit(X, Y, callbacks=[WeightAveraging()], **DATA)


class Weights(keras.callbacks.Callback):
    """The kernels after each epoch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append([np.array(ops.convert_to_numpy(layer.kernel)) for layer in self.model.layers])


def three_alike():
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4, use_bias=False) for _ in range(3))])


def train_only(net, trained, averaging, epochs):
    """The kernels after each epoch of a fit in which the layers at some positions are trained."""
    for i, layer in enumerate(net.layers):
        layer.trainable = i in trained
    net.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    weights = Weights()
    x = np.random.default_rng(1).normal(size=(8, 4)).astype("float32")
    net.fit(x, x[:, ::-1], epochs=epochs, batch_size=8, verbose=0, callbacks=[weights, averaging])
    return weights.seen


def test_each_average_belongs_to_its_layer_whatever_is_trained(capsys):
    net, averaging = three_alike(), WeightAveraging("swa", at_end="keep")
    first = train_only(net, {0, 1}, averaging, 2)
    assert "WeightAveraging" not in capsys.readouterr().out
    second = train_only(net, {1, 2}, averaging, 3)
    said = capsys.readouterr().out
    assert f"the average of {net.layers[2].kernel.path} begins now at its value; {net.layers[0].kernel.path} is not" in said
    before = [np.array(ops.convert_to_numpy(layer.kernel)) for layer in net.layers]
    expected = [
        before[0],
        np.mean([epoch[1] for epoch in first + second], axis=0),
        np.mean([epoch[2] for epoch in second], axis=0),
    ]
    with averaging.averaged():
        for layer, wanted in zip(net.layers, expected):
            np.testing.assert_allclose(ops.convert_to_numpy(layer.kernel), wanted, rtol=1e-5, atol=1e-7)
    # The one that was frozen is unfrozen again: it begins anew.
    third = train_only(net, {0, 1, 2}, averaging, 1)
    with averaging.averaged():
        np.testing.assert_allclose(ops.convert_to_numpy(net.layers[0].kernel), third[0][0], rtol=1e-6)
        wanted = np.mean([epoch[1] for epoch in first + second + third], axis=0)
        np.testing.assert_allclose(ops.convert_to_numpy(net.layers[1].kernel), wanted, rtol=1e-5, atol=1e-7)


def test_a_state_is_loaded_by_the_names_of_the_weights():
    net, averaging = three_alike(), WeightAveraging("swa", at_end="keep")
    train_only(net, {0, 1}, averaging, 1)
    state = averaging.state_dict()
    other, goes_on = three_alike(), WeightAveraging("swa", at_end="keep")
    goes_on.set_model(other)
    goes_on.load_state_dict(state)
    seen = train_only(other, {1}, goes_on, 1)
    with goes_on.averaged():
        wanted = (state["averages"][1] + seen[0][1]) / 2
        np.testing.assert_allclose(ops.convert_to_numpy(other.layers[1].kernel), wanted, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(ops.convert_to_numpy(other.layers[0].kernel), seen[0][0])


def test_resume_refuses_moments_of_another_layer(tmp_path):
    def train(trained, epochs):
        net = three_alike()
        for i, layer in enumerate(net.layers):
            layer.trainable = i in trained
        net.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse", run_eagerly=True)
        net.fit(
            np.ones((8, 4)), np.ones((8, 4)), epochs=epochs, shuffle=False, verbose=0, callbacks=[Resume(tmp_path, verbose=0)]
        )

    train({0}, 1)
    with pytest.raises(ValueError, match=r"`model\.optimizer` trains model:dense/kernel#2 here, model:dense/kernel#0 in the"):
        train({2}, 2)
