"""What Resume says of a data order that cannot be repeated, of other settings, other data, and a second training."""

import os
import re
import signal
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

from kerasmith import losses
from kerasmith.callbacks import HistoryCSV, Resume, RunReport, ScheduleLR, TopKCheckpoints
from kerasmith.checkpoints import data_fingerprint
from kerasmith.checkpoints.training_lock import NAME
from kerasmith.data import WeightedBatches
from kerasmith.schedules import CosineRestarts
from tests.callbacks.interruption import InterruptAt, Interrupted

pytestmark = pytest.mark.host("what is said before a training goes on: the backend computes the same")

RNG = np.random.default_rng(5)
X = RNG.random((40, 3)).astype("float32")
Y = RNG.random((40, 1)).astype("float32")
FOLDS = [np.setdiff1d(np.arange(40), np.arange(8 * k, 8 * k + 8)) for k in range(5)]


def fit(directory, x, y=None, *others, epochs=2, loss="mse", optimizer=None, every="epoch", activation=None, **options):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation)])
    model.compile(optimizer or keras.optimizers.Adam(0.05), loss)
    resume = Resume(directory, every=every, verbose=0)
    try:
        history = model.fit(x, y, epochs=epochs, verbose=0, callbacks=[*others, resume], **options)
    finally:
        resume.wait()
    return history.history["loss"], model


def said(*arguments, **options):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        fit(*arguments, **options)
    return [str(one.message) for one in found if str(one.message).startswith("Resume")]


class Shuffled(keras.utils.PyDataset):
    """As in many tutorials: a new order of the samples after each epoch."""

    def __init__(self, x=X, seed=1):
        super().__init__()
        self.x, self.rng, self.order = x, np.random.default_rng(seed), np.arange(len(x))
        self.seen = []

    def __len__(self):
        return len(self.x) // 8

    def __getitem__(self, i):
        samples = self.order[8 * i : 8 * i + 8]
        self.seen.append(samples.tolist())
        return self.x[samples], Y[samples]

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


class Kept(Shuffled):
    """With what the warning says to write."""

    def state_dict(self):
        return {"order": self.order, "generator": self.rng.bit_generator.state}

    def load_state_dict(self, state):
        self.order, self.rng.bit_generator.state = state["order"], state["generator"]


def test_a_dataset_that_shuffles_itself(tmp_path):
    (text,) = said(tmp_path / "own", Shuffled())
    assert "Shuffled changes in `on_epoch_begin` or `on_epoch_end`" in text
    written = re.search(r"`def state_dict.*?}` and `def load_state_dict.*\['generator'\]`", text)
    assert written is not None
    assert not said(tmp_path / "kept", Kept())
    assert not said(tmp_path / "weighted", WeightedBatches(X, Y, 8))


@pytest.mark.parametrize("every", ["epoch", 3])
def test_the_advice_for_it_works(tmp_path, every):
    whole, model = fit(tmp_path / "whole", Kept(), epochs=4, every=every, shuffle=False)
    with pytest.raises(Interrupted):
        fit(tmp_path / "cut", Kept(), None, InterruptAt(2), epochs=4, every=every, shuffle=False)
    again, other = fit(tmp_path / "cut", Kept(), epochs=4, every=every, shuffle=False)
    assert again == whole
    assert [a.tobytes() for a in model.get_weights()] == [b.tobytes() for b in other.get_weights()]


def test_tf_data_that_shuffles(tmp_path):
    tf = pytest.importorskip("tensorflow")

    def data(*shuffle, **options):
        found = tf.data.Dataset.from_tensor_slices((X, Y))
        return (found.shuffle(*shuffle, **options) if shuffle else found).batch(8).prefetch(1)

    (text,) = said(tmp_path / "1", data(40, seed=1))
    assert "`shuffle` of this _PrefetchDataset draws another order" in text
    assert "`dataset.shuffle(buffer_size, seed=1, reshuffle_each_iteration=False)`" in text
    assert said(tmp_path / "2", data(40, reshuffle_each_iteration=True))
    either = tf.data.Dataset.sample_from_datasets([data(), data()], [0.5, 0.5], seed=1, rerandomize_each_iteration=True)
    assert "chooses at random, and otherwise in each process" in said(tmp_path / "5", either, steps_per_epoch=2)[0]
    assert not said(
        tmp_path / "6", tf.data.Dataset.sample_from_datasets([data(), data()], [0.5, 0.5], seed=1), steps_per_epoch=2
    )
    options = tf.data.Options()
    options.deterministic = False
    assert "as they are ready" in said(tmp_path / "7", data().with_options(options))[0]
    assert not said(tmp_path / "3", data())
    fixed = {"seed": 1, "reshuffle_each_iteration": False}
    assert not said(tmp_path / "4", data(40, **fixed))
    whole, _ = fit(tmp_path / "whole", data(40, **fixed), epochs=3, every=2)
    with pytest.raises(Interrupted):
        fit(tmp_path / "cut", data(40, **fixed), None, InterruptAt(1, 3), epochs=3, every=2)
    assert fit(tmp_path / "cut", data(40, **fixed), epochs=3, every=2)[0] == whole


def test_a_loader_with_a_generator_of_its_own(tmp_path):
    torch = pytest.importorskip("torch")
    if keras.backend.backend() != "torch":
        pytest.skip("PyTorch's loader")
    samples = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader
    (text,) = said(tmp_path / "1", loader(samples, 8, shuffle=True, generator=torch.Generator().manual_seed(1)))
    assert "a `generator` of its own" in text
    assert not said(tmp_path / "2", loader(samples, 8, shuffle=True))
    whole, _ = fit(tmp_path / "whole", loader(samples, 8, shuffle=True), epochs=3, every=2)
    with pytest.raises(Interrupted):
        fit(tmp_path / "cut", loader(samples, 8, shuffle=True), None, InterruptAt(1, 3), epochs=3, every=2)
    assert fit(tmp_path / "cut", loader(samples, 8, shuffle=True), epochs=3, every=2)[0] == whole


def test_other_settings(tmp_path):
    adam, sgd = keras.optimizers.Adam, keras.optimizers.SGD
    with pytest.raises(Interrupted):
        fit(tmp_path, X, Y, InterruptAt(1, 0), shuffle=False)
    (text,) = said(tmp_path, X, Y, epochs=3, loss=losses.Charbonnier(), shuffle=False)
    assert "the loss was mse when this training began and is Charbonnier" in text
    assert "the loss of this script trains on" in text
    texts = said(tmp_path, X, Y, epochs=4, optimizer=adam(0.2, beta_1=0.5), shuffle=False)
    assert any("the learning rate was 0.05 when this training began and is 0.2" in text for text in texts)
    assert any("`keras.callbacks.LearningRateScheduler(lambda epoch: 0.2)`" in text for text in texts)
    assert any("the optimizer was Adam(" in text and "beta_1=0.5" in text for text in texts)
    _, model = fit(tmp_path, X, Y, epochs=5, optimizer=adam(0.2), shuffle=False)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)
    asked = keras.callbacks.LearningRateScheduler(lambda epoch: 0.2)
    _, model = fit(tmp_path, X, Y, asked, epochs=6, optimizer=adam(0.2), shuffle=False)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.2)
    (text,) = said(tmp_path, X, Y, epochs=6, loss="mae", shuffle=False)
    assert "nothing is left to train" in text
    (text,) = said(tmp_path, X, Y, epochs=7, shuffle=False, activation="tanh")
    assert re.search(r"the layers were Dense\(.*activation=linear.* and are Dense\(.*activation=tanh.* in this script", text)
    (text,) = said(tmp_path, X, Y, epochs=8, shuffle=True)
    assert "the shuffling was off when this training began and is on in this script" in text
    # A schedule of a callback is the same one in both runs.
    schedule = CosineRestarts(T_0=2, eta_max=0.1, steps_per_epoch=2)
    assert not said(tmp_path / "2", X, Y, ScheduleLR(schedule), optimizer=sgd(0.1), epochs=2, shuffle=False)
    assert not said(tmp_path / "2", X, Y, ScheduleLR(schedule), optimizer=sgd(0.1), epochs=3, shuffle=False)
    longer = CosineRestarts(T_0=4, eta_max=0.1, steps_per_epoch=2)
    (text,) = said(tmp_path / "2", X, Y, ScheduleLR(longer), optimizer=sgd(0.1), epochs=4, shuffle=False)
    assert "the schedule of this script counts" in text


def loss_of(power, note="one"):
    if note == "one":

        def mine(y_true, y_pred):
            """The loss."""
            return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** power)
    else:

        def mine(y_true, y_pred):
            """The same loss."""
            # Said otherwise.
            return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** power)

    return mine


def test_a_loss_that_was_changed_under_its_name(tmp_path):
    fit(tmp_path, X, Y, epochs=1, loss=loss_of(1), shuffle=False)
    assert not said(tmp_path, X, Y, epochs=2, loss=loss_of(1, "two"), shuffle=False)
    (text,) = said(tmp_path, X, Y, epochs=3, loss=loss_of(2), shuffle=False)
    assert re.search(r"the code of the loss \(Python 3\.\d+\) was mine \w+ .* and is mine \w+ in this script", text)


@pytest.mark.parametrize("epochs", [2, 3], ids=["over", "goes on"])
@pytest.mark.parametrize("kind", ["arrays", "batches"])
def test_another_fold_is_refused(tmp_path, kind, epochs):
    def data(fold):
        x, y = X[FOLDS[fold]], Y[FOLDS[fold]]
        return (x, y) if kind == "arrays" else (WeightedBatches(x, y, 8), None)

    fit(tmp_path, *data(2))
    for other in (0, 1, 3, 4):
        with pytest.raises(ValueError, match=r"Its data had other samples \(another fold"):
            fit(tmp_path, *data(other), epochs=epochs)
    fit(tmp_path, *data(2), epochs=epochs)


class Numbered(Shuffled):
    """Keeps whole arrays and the numbers of its fold, in a list that it shuffles when it is made, without a seed."""

    def __init__(self, fold, **options):
        super().__init__(X)
        self.ids = FOLDS[fold].tolist()
        np.random.default_rng().shuffle(self.ids)
        self.order = np.array(self.ids)
        vars(self).update(options)

    def __len__(self):
        return len(self.ids) // 8

    on_epoch_end = keras.utils.PyDataset.on_epoch_end


class Augmented(Shuffled):
    """Draws other samples after each epoch, and fills a memory as it goes; its labels stay."""

    def __init__(self, fold):
        super().__init__(X[FOLDS[fold]])
        self.labels, self.memory, self.whole = Y[FOLDS[fold]], {}, self.x
        self.on_epoch_end()

    def __getitem__(self, i):
        self.memory[i] = self.x[8 * i : 8 * i + 8], self.labels[8 * i : 8 * i + 8]
        return self.memory[i]

    def on_epoch_end(self):
        self.x = self.whole + np.random.default_rng().normal(size=self.whole.shape)


class Around(Kept):
    """Has the samples in an object of its own."""

    class Store:
        def __init__(self, x):
            self.tables = {"x": x}

    def __init__(self, fold):
        super().__init__(X[FOLDS[fold]])
        self.store, self.x = self.Store(self.x), np.zeros((32, 3), "float32")


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda fold: Kept(X[FOLDS[fold]]), "`x`"),
        (Numbered, "`order`, `ids`"),
        (Augmented, "`labels`, `whole`"),
        (Around, "`store.tables`"),
    ],
    ids=["x", "ids", "augmented", "around"],
)
def test_another_fold_of_a_dataset_of_the_user(tmp_path, make, place):
    fit(tmp_path / "1", make(1))
    for epochs in (2, 4):  # over, or not
        with pytest.raises(ValueError, match=rf"Its dataset had other samples in {place} \(another fold") as refused:
            fit(tmp_path / "1", make(2), epochs=epochs)
    # What it says to write works.
    there = re.search(r'Resume\("(.*)"\)', str(refused.value)).group(1)
    fit(there, make(2), epochs=2)
    # The same fold goes on, however it is shuffled or drawn anew.
    assert not any("samples in" in text or "fold" in text for text in said(tmp_path / "1", make(1), epochs=3))
    fit(tmp_path / "1", make(1), epochs=4)
    with pytest.raises(ValueError, match="Its dataset had other samples"):
        fit(tmp_path / "1", make(2), epochs=5)


def test_a_dataset_before_its_first_epoch_ended(tmp_path):
    """Whether it draws its samples anew is not known yet."""
    for _ in range(2):
        with pytest.raises(Interrupted):
            fit(tmp_path, Augmented(1), None, InterruptAt(0, 2), every=1)
    texts = said(tmp_path, Augmented(2), every=1)
    (text,) = [text for text in texts if "give another directory" in text]
    assert re.search("holds other samples in `x`, `labels`.*, `whole`", text)


def test_a_memory_that_was_filled_before_the_interrupt(tmp_path):
    """In a notebook: the same object goes on; one of another fold is refused, as the class has no way to draw anew."""

    class Remembering(Augmented):
        on_epoch_end = keras.utils.PyDataset.on_epoch_end

        def __init__(self, fold):
            keras.utils.PyDataset.__init__(self)
            self.x, self.memory = X[FOLDS[fold]], {}
            self.labels = Y[FOLDS[fold]]

    data = Remembering(1)
    with pytest.raises(Interrupted):
        fit(tmp_path, data, None, InterruptAt(0, 3), every=1)
    with pytest.raises(ValueError, match="Its dataset had other samples"):
        fit(tmp_path, Remembering(2), every=1)
    assert len(fit(tmp_path, data, every=1)[0]) == 2
    with pytest.raises(ValueError, match="Its dataset had other samples in `x`, `labels`"):
        fit(tmp_path, Remembering(2), every=1, epochs=3)


def test_options_and_order_of_a_dataset_are_told(tmp_path):
    fit(tmp_path, Numbered(1, number=1))
    texts = said(tmp_path, Numbered(1, number=2), epochs=3)
    assert "`number` was 1 and is 2" in texts[-1]
    assert "holds `order`, `ids` in another order" in texts[0]


def test_another_fold_of_other_kinds_of_data(tmp_path):
    tf = pytest.importorskip("tensorflow")
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))

    def loader(fold):
        return torch.utils.data.DataLoader(torch.utils.data.Subset(tensors, FOLDS[fold].tolist()), 8, shuffle=True)

    def dataset(fold):
        return tf.data.Dataset.from_tensor_slices((X[FOLDS[fold]], Y[FOLDS[fold]])).batch(8)

    for name, make in {"loader": loader, "dataset": dataset}.items():
        fit(tmp_path / name, make(1))
        with pytest.raises(ValueError, match=r"Its dataset had other samples in `(dataset\.indices|tensors)`"):
            fit(tmp_path / name, make(2))
        assert not said(tmp_path / name, make(1), epochs=3)


def test_fingerprints():
    of = data_fingerprint.of_arrays
    same = [X, X.copy(), X.astype("float64"), keras.ops.convert_to_tensor(X)]
    assert len({of(one, Y) for one in same}) == 1
    assert len({of(X[fold], Y[fold]) for fold in FOLDS}) == 5
    assert of(X, None) != of(None, X)
    assert of({"a": X, "b": Y}, Y) != of({"a": X, "b": Y + 1}, Y)
    assert of(object()) is None
    volumes = np.zeros((3, 200, 100, 10), "float32")
    other = volumes.copy()
    other[1, 90:110, 40:60] = 1
    assert of(volumes) != of(other)


def test_fingerprints_of_tables():
    tables = pytest.importorskip("pandas").DataFrame({"a": X[:, 0], "b": X[:, 1]})
    of = data_fingerprint.of_arrays
    assert of(tables) == of(tables.copy()) != of(tables[::-1])
    assert of(X[:0]) != of(X)


SCRIPT = """
import sys, time, keras, numpy as np
from kerasmith.callbacks import Resume
class Wait(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        resume.wait()  # The first checkpoint is written by a thread: it is there, and nothing is half written.
        print("there", flush=True)
        time.sleep(120)
resume = Resume(sys.argv[1])
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("adam", "mse")
x = np.load(sys.argv[2])
model.fit(x, x[:, :1], epochs=2, verbose=0, shuffle=False, callbacks=[Wait(), resume])
"""


def test_a_second_training_in_the_directory_is_refused_while_the_first_one_lives(tmp_path):
    np.save(tmp_path / "x.npy", X)
    directory = tmp_path / "checkpoints"
    command = [sys.executable, "-c", SCRIPT, str(directory), str(tmp_path / "x.npy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout.readline() == "there\n"
            files = sorted(path.name for path in directory.iterdir())
            with pytest.raises(
                ValueError, match=rf"just now: process {first.pid} on .*Wait for it, end it, or give"
            ) as refused:
                fit(directory, X, X[:, :1], shuffle=False)
            assert f'Resume("{directory.resolve()}-2")' in str(refused.value)
            assert sorted(path.name for path in directory.iterdir()) == files
        finally:
            os.kill(first.pid, signal.SIGKILL)
    assert (directory / NAME).exists()
    loss, _ = fit(directory, X, X[:, :1], shuffle=False, optimizer="adam")
    assert len(loss) == 2
    assert not (directory / NAME).exists()


def test_a_second_training_of_the_process(tmp_path):
    class Another(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with pytest.raises(ValueError, match="just now: another `fit` of this process"):
                fit(tmp_path, X, Y)
            fit(tmp_path / "own", X, Y, epochs=1)

    fit(tmp_path, X, Y, Another(), epochs=1)
    # One that an exception has ended is over, also while its traceback is there.
    with pytest.raises(Interrupted) as held:
        fit(tmp_path / "cut", X, Y, InterruptAt(0, 1))
    assert held.traceback
    fit(tmp_path / "cut", X, Y)
    assert len(fit(tmp_path / "cut", X, Y, epochs=3)[0]) == 3


def test_models_of_another_fold_in_the_directory(tmp_path):
    def told(fold):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            best = TopKCheckpoints(tmp_path / "best", "loss", k=2)
            keras.Sequential.fit(model, X[FOLDS[fold]], Y[FOLDS[fold]], epochs=1, verbose=0, callbacks=[best])
        return [str(one.message) for one in found if "TopK" in str(one.message)]

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert not told(1)
    assert not told(1)
    assert "are of a training on other samples" in told(2)[0]


@pytest.mark.parametrize("make", [HistoryCSV, RunReport])
def test_the_history_of_another_run_is_renamed(tmp_path, make):
    """A checkpoint goes on, and the run directory is that of another run."""

    def report(name):
        (tmp_path / name).mkdir(exist_ok=True)
        return HistoryCSV(tmp_path / name / "history.csv") if make is HistoryCSV else RunReport(tmp_path / name, keep=True)

    fit(tmp_path / "checkpoints", X, Y, report("first"), shuffle=False)
    fit(tmp_path / "others", X, Y, report("second"), loss="mae", shuffle=False)
    other = (tmp_path / "second" / "history.csv").read_text()
    if make is HistoryCSV:
        # Killed in its first epoch, with a checkpoint: there are no rows yet to know the file by.
        os.utime(tmp_path / "second" / "history.csv", (1e9, 1e9))
        with pytest.raises(Interrupted):
            fit(tmp_path / "short", X, Y, report("second"), InterruptAt(0, 2), every=1, shuffle=False, batch_size=8)
        fit(tmp_path / "short", X, Y, report("second"), every=1, shuffle=False, batch_size=8)
        assert (tmp_path / "second" / "history.csv.bak").read_text() == other
        (tmp_path / "second" / "history.csv.bak").replace(tmp_path / "second" / "history.csv")
    fit(tmp_path / "checkpoints", X, Y, report("second"), epochs=3, shuffle=False)
    assert (tmp_path / "second" / "history.csv.bak").read_text() == other
    assert len((tmp_path / "second" / "history.csv").read_text().splitlines()) == 4
    fit(tmp_path / "checkpoints", X, Y, report("second"), epochs=4, shuffle=False)
    names = {path.name for path in (tmp_path / "second").iterdir()}
    assert "history.csv.bak2" not in names
    assert make is HistoryCSV or {"model.keras.bak", "report.html.bak", "summary.json.bak"} <= names


def test_no_epochs_leave_nothing_and_do_no_harm(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    for epochs in (0, 2):
        history = model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[Resume(tmp_path, verbose=0)])
        assert len(history.history.get("loss", [])) == epochs
        assert any(tmp_path.rglob("*.state")) == bool(epochs)
