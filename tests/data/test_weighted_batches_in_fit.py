"""WeightedBatches in `fit`: the model sees the batches that the data names, epoch by epoch, with any number of workers."""

import keras
import numpy as np
import pytest

from kerasmith.data.weighted_batches import WeightedBatches
from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.stale_batches import forget_stale_batches
from tests.support.seen_samples import model_that_remembers, numbered

N, BATCH = 64, 2
STEPS = N // BATCH
QUEUE = 5


def batches(**options):
    return WeightedBatches(*numbered(N), **{"batch_size": BATCH, "seed": 3, "max_queue_size": QUEUE, **options})


def named(data, epoch, weights=None):
    """The table of an epoch as the data gives it."""
    twin = batches(weights=weights)
    twin.epoch = epoch
    return np.array([np.bincount(twin.indices(i), minlength=N) for i in range(len(data))])


class At(keras.callbacks.Callback):
    """Calls a function at the end of one step (epoch, batch), or of one epoch (epoch, None)."""

    def __init__(self, epoch, batch, function):
        super().__init__()
        self.place, self.function, self.now = (epoch, batch), function, None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == self.place:
            self.function()

    def on_epoch_end(self, epoch, logs=None):
        if (epoch, None) == self.place:
            self.function()


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("built", [True, False])
def test_epochs_read_the_order_and_new_weights(workers, built):
    """Also with the model built by a look at the first batch, and with Keras' own shuffling on, its default."""
    old, new = np.arange(N) % 4, np.arange(N) % 3
    data = batches(workers=workers, weights=old)
    net, table = model_that_remembers(4 * STEPS, N, built=built)
    net.fit(data, epochs=3, verbose=0, callbacks=[At(1, None, lambda: data.set_weights(new))])
    assert data.epoch == 3
    np.testing.assert_array_equal(table(), np.concatenate([named(data, 0, old), named(data, 1, old), named(data, 2, new)]))


@pytest.mark.parametrize("workers", [1, 4])
def test_weights_after_a_step_count_within_the_bound(workers):
    old, new = np.arange(N) < N // 2, np.arange(N) >= N // 2
    data = batches(workers=workers, weights=old)
    net, table = model_that_remembers(2 * STEPS, N)
    states = []

    def change():
        data.set_weights(new)
        states.append(data.state_dict())

    net.fit(data, epochs=2, verbose=0, callbacks=[At(0, 9, change)])
    seen = table()
    of_new = seen[:, N // 2 :].sum(axis=1)
    first = int(np.argmax(of_new > 0))
    assert (of_new[:first] == 0).all()
    assert (of_new[first:] == BATCH).all()
    # Where they begin is known at once, and a run that goes on from the state draws the same.
    assert states[0]["from_batch"] == [0, first]
    resumed = batches()
    resumed.load_state_dict(states[0])
    rows = [np.bincount(resumed.indices(i), minlength=N) for i in range(STEPS)]
    np.testing.assert_array_equal(rows, seen[:STEPS])
    if workers > 1:
        assert 10 <= first <= 10 + QUEUE + 2
    elif keras.backend.backend() != "tensorflow":  # JAX may have moved one batch ahead to the device
        assert first in ((10, 11) if keras.backend.backend() == "jax" else (10,))


@pytest.mark.parametrize("workers", [1, 4])
def test_what_is_no_epoch_of_training_does_not_count(workers):
    data = batches(workers=workers)
    net, table = model_that_remembers(8 * STEPS, N, built=False)
    net.evaluate(data, verbose=0)
    net.predict(data, verbose=0)
    assert data.epoch == 0
    net.fit(data, epochs=2, verbose=0, validation_data=data)
    assert data.epoch == 2
    net.evaluate(data, verbose=0)
    net.fit(data, verbose=0)
    assert data.epoch == 3
    seen = table()
    for place, epoch in ((1, 0), (3, 1), (6, 2)):  # between them evaluate, which draws the epoch that is next
        np.testing.assert_array_equal(seen[place * STEPS : (place + 1) * STEPS], named(data, epoch))


@pytest.mark.parametrize("workers", [1, 4])
def test_a_fit_that_stops_has_used_its_epoch_up(workers):
    data = batches(workers=workers)
    net, table = model_that_remembers(3 * STEPS, N)

    def stop():
        net.stop_training = True

    net.fit(data, epochs=5, verbose=0, callbacks=[At(1, 3, stop)])
    net.fit(data, epochs=1, verbose=0)
    assert data.epoch == 3
    expected = np.concatenate([named(data, 0), named(data, 1)[:4], named(data, 2)])
    np.testing.assert_array_equal(table(), expected)


def test_epoch_can_be_set():
    data = batches()
    data.epoch = 41
    net, table = model_that_remembers(STEPS, N)
    net.fit(data, verbose=0)
    np.testing.assert_array_equal(table(), named(data, 41))
    assert data.epoch == 42


def test_steps_per_epoch_is_refused():
    data = batches()
    net, _ = model_that_remembers(STEPS, N)
    with pytest.raises(ValueError, match=r"samples_per_epoch=10\)"):
        net.fit(data, steps_per_epoch=5, verbose=0)
    net.fit(data, steps_per_epoch=STEPS, verbose=0)


class Plain(keras.utils.PyDataset):
    """A dataset of a user."""

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        x, y = numbered(N)
        return x[index * BATCH : index * BATCH + BATCH], y[index * BATCH : index * BATCH + BATCH]


def test_stale_batches_of_other_datasets():
    """JAX and PyTorch look at a first batch to build the model; what workers had ready by then must not be trained on."""
    dropped = []

    class Forget(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            dropped.append(forget_stale_batches(fit_call.find().epoch_iterator.data_adapter))

    net, table = model_that_remembers(2 * STEPS, N, built=False)
    net.fit(Plain(workers=3, max_queue_size=QUEUE), epochs=2, verbose=0, shuffle=False, callbacks=[Forget()])
    right = np.repeat(np.eye(STEPS, dtype=int), BATCH, axis=1)
    np.testing.assert_array_equal(table(), np.concatenate([right, right]))
    assert len(dropped) == 2
    assert dropped[1] == 0
    assert forget_stale_batches(None) == 0
