"""WeightedBatches: exact counts, an order that is a pure function, checked input."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from kerasmith.data._balanced_weights import balanced_weights
from kerasmith.data.weighted_batches import WeightedBatches
from tests.support import fresh_process

ORDER = [[8, 6, 2, 7], [5, 3, 5, 8], [4]]


def epoch_of(data, epoch=0):
    """All samples of an epoch, in order."""
    data.epoch = epoch
    return np.concatenate([data.indices(i) for i in range(len(data))])


def counts(data, epoch=0):
    return np.bincount(epoch_of(data, epoch), minlength=data.samples)


@pytest.mark.parametrize("n", [1, 7, 1000, 70_001])
def test_unweighted_each_once_in_another_order(n):
    data = WeightedBatches(np.arange(n), batch_size=33, seed=4)
    orders = [epoch_of(data, epoch) for epoch in range(3)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(n))
    if n > 7:
        assert np.mean(orders[0] == orders[1]) < 0.01
        assert np.mean(orders[0] == epoch_of(WeightedBatches(np.arange(n), batch_size=33, seed=5))) < 0.01


@pytest.mark.parametrize("samples_per_epoch", [None, 20, 333])
@pytest.mark.parametrize("n", [50, 66_000])
def test_weighted_floor_or_ceil(n, samples_per_epoch):
    weights = np.random.default_rng(0).pareto(1.5, n)
    weights[::3] = 0
    data = WeightedBatches(np.arange(n), batch_size=16, weights=weights, samples_per_epoch=samples_per_epoch)
    expected = (samples_per_epoch or n) * weights / weights.sum()
    for epoch in range(4):
        times = counts(data, epoch)
        assert times.sum() == (samples_per_epoch or n)
        assert (times >= np.floor(expected - 1e-6)).all()
        assert (times <= np.ceil(expected + 1e-6)).all()
        assert not times[::3].any()


def test_integer_expectations_are_met_exactly():
    data = WeightedBatches(np.arange(5), batch_size=4, weights=[1, 2, 1, 0, 4], samples_per_epoch=16)
    for epoch in range(20):
        assert counts(data, epoch).tolist() == [2, 4, 2, 0, 8]
    even = WeightedBatches(np.arange(1001), weights=np.full(1001, 0.1))
    assert (counts(even, 3) == 1).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "draws"), [(40, 10), (40, 40), (66_000, 20_000)])
def test_without_replacement_never_twice(n, draws, weighted):
    weights = np.random.default_rng(1).pareto(1.0, n) + 1e-3 if weighted else None
    data = WeightedBatches(np.arange(n), batch_size=7, weights=weights, samples_per_epoch=draws, replace=False)
    seen = np.zeros(n, int)
    for epoch in range(8):
        times = counts(data, epoch)
        assert times.max() == 1
        assert times.sum() == draws
        seen += times
    if not weighted and draws < n:
        assert len({tuple(epoch_of(data, epoch)) for epoch in range(8)}) == 8


def test_without_replacement_average():
    weights = np.array([8.0, 1, 1, 0, 2, 2, 4])
    data = WeightedBatches(np.arange(7), weights=weights, samples_per_epoch=4, replace=False, seed=2)
    mean = sum(counts(data, epoch) for epoch in range(3000)) / 3000
    # 8 and 4 are always drawn, the others share the two places left.
    np.testing.assert_allclose(mean, [1, 1 / 3, 1 / 3, 0, 2 / 3, 2 / 3, 1], atol=0.03)
    assert (mean[0], mean[3], mean[6]) == (1, 0, 1)


@pytest.mark.parametrize("samples_per_epoch", [5, 12, 31])
def test_unweighted_of_another_length(samples_per_epoch):
    data = WeightedBatches(np.arange(12), batch_size=4, samples_per_epoch=samples_per_epoch)
    total = np.zeros(12, int)
    for epoch in range(600):
        times = counts(data, epoch)
        assert set(times) <= {samples_per_epoch // 12, -(-samples_per_epoch // 12)}
        total += times
    assert stats.chisquare(total).pvalue > 1e-3


def test_places_and_pairs_are_uniform():
    """Over 3000 epochs: every sample at every place as often as its weight says, neighbours independent."""
    weights = np.array([1.0, 2, 3, 4, 2, 0, 4, 4])
    share = weights[weights > 0] / weights.sum()
    data = WeightedBatches(np.arange(8), batch_size=8, weights=weights, samples_per_epoch=40, seed=11)
    orders = np.array([epoch_of(data, epoch) for epoch in range(3000)])
    assert not (orders == 5).any()
    p_values = []
    for place in (0, 1, 7, 8, 23, 39):
        times = np.bincount(orders[:, place], minlength=8)[weights > 0]
        p_values.append(stats.chisquare(times, 3000 * share).pvalue)
    times_an_epoch = 40 * share  # whole numbers: each epoch is an exact hand of cards
    joint = np.outer(times_an_epoch, times_an_epoch) - np.diag(times_an_epoch)
    joint = joint / joint.sum()
    for first, second in ((0, 1), (7, 8), (0, 20), (38, 39)):
        table = np.bincount(orders[:, first] * 8 + orders[:, second], minlength=64).reshape(8, 8)[weights > 0][:, weights > 0]
        p_values.append(stats.chisquare(table.ravel(), 3000 * joint.ravel()).pvalue)
    assert min(p_values) > 1e-3, p_values


def test_weights_do_not_pick_one_class_of_alternating_data():
    """Small even weights on data sorted A B A B: in the order of the data a step of two would see only one of them."""
    data = WeightedBatches(np.arange(1000), weights=1 + 1e-9 * np.arange(1000), samples_per_epoch=500)
    share = np.mean([(epoch_of(data, epoch) % 2).mean() for epoch in range(20)])
    assert 0.4 < share < 0.6
    assert all(0.3 < (epoch_of(data, epoch) % 2).mean() < 0.7 for epoch in range(20))


def test_the_order_is_written_in_stone():
    # The same on every backend, machine and version of NumPy.
    data = WeightedBatches(np.arange(9), batch_size=4, weights=np.arange(9), seed=12)
    data.epoch = 3
    assert [data.indices(i).tolist() for i in range(3)] == ORDER


@pytest.mark.host("the order is drawn by NumPy on every backend")
def test_same_order_in_a_fresh_process():
    code = (
        "import json; import numpy as np; from kerasmith.data.weighted_batches import WeightedBatches\n"
        "data = WeightedBatches(np.arange(70000), batch_size=1000, weights=np.arange(70000) % 11, seed=2**70)\n"
        "data.epoch = 5; print(json.dumps(data.indices(68).tolist()))"
    )
    data = WeightedBatches(np.arange(70_000), batch_size=1000, weights=np.arange(70_000) % 11, seed=2**70)
    epoch_of(data, 4)  # what was drawn before changes nothing
    data.epoch = 5
    assert json.loads(fresh_process.run(code, PYTHONHASHSEED="3")) == data.indices(68).tolist()


def test_batches_are_read_in_any_order():
    data = WeightedBatches(np.arange(200_000), batch_size=512, weights=np.arange(200_000))
    whole = epoch_of(data)
    for batch in (300, 5, 390, 129, 128, 127, 300):
        np.testing.assert_array_equal(data.indices(batch), whole[batch * 512 : batch * 512 + 512])


def test_ascending_without_shuffle():
    assert epoch_of(WeightedBatches(np.arange(5), shuffle=False), 2).tolist() == [0, 1, 2, 3, 4]
    weighted = WeightedBatches(np.arange(3), weights=[1, 0, 2], samples_per_epoch=6, shuffle=False)
    assert epoch_of(weighted).tolist() == [0, 0, 2, 2, 2, 2]


def test_forms_of_data(tmp_path):
    on_disk = np.memmap(tmp_path / "x", dtype="float16", mode="w+", shape=(10, 2))
    on_disk[:] = np.arange(20).reshape(10, 2)
    x = {"a": on_disk, "b": [np.arange(10), ops.arange(10, dtype="int32")]}
    y = ops.reshape(ops.arange(10, dtype="float32"), (10, 1))
    data = WeightedBatches(x, y, 4, sample_weight=list(range(10)))
    batch_x, batch_y, weight = data[1]
    samples = data.indices(1)
    assert type(batch_x["a"]) is np.ndarray
    assert batch_x["a"].dtype == "float16"
    np.testing.assert_array_equal(batch_x["a"], np.arange(20).reshape(10, 2)[samples])
    assert batch_x["b"][1].dtype == "int32"
    for values in (batch_x["b"][0], batch_x["b"][1], batch_y[:, 0], weight):
        np.testing.assert_array_equal(values, samples)
    assert isinstance(batch_y, np.ndarray)
    assert batch_y.dtype == "float32"
    assert len(WeightedBatches(np.arange(3))[0]) == 1
    assert len(WeightedBatches([1.0, 2.0], [3, 4])[0]) == 2


def test_lengths():
    data = WeightedBatches(np.arange(10), batch_size=4)
    assert (len(data), data.num_batches) == (3, 3)
    assert [len(data[i][0]) for i in range(3)] == [4, 4, 2]
    data = WeightedBatches(np.arange(10), batch_size=4, drop_remainder=True)
    assert [len(batch) for (batch,) in data] == [4, 4]
    for batch in (-1, 2):
        with pytest.raises(IndexError, match="2 batches"):
            data[batch]


def test_transform_is_seeded_by_epoch_and_batch():
    def noisy(x, y, rng):
        return x + rng.normal(size=x.shape), y

    data = WeightedBatches(np.zeros(8), np.arange(8), batch_size=4, transform=noisy)
    first, again = data[0], data[0]
    np.testing.assert_array_equal(first[0], again[0])
    assert (data[1][0] != first[0]).any()
    data.epoch = 1
    assert (data[0][0] != first[0]).any()


def test_custom_loop_counts_epochs():
    data = WeightedBatches(np.arange(6), batch_size=3)
    seen = []
    for _ in range(2):
        data.on_epoch_begin()
        seen.append(np.concatenate([batch for (batch,) in data]))
        data.on_epoch_end()
    assert data.epoch == 2
    for epoch in range(2):
        np.testing.assert_array_equal(seen[epoch], epoch_of(data, epoch))


def test_weights_within_an_epoch_count_from_the_next_batch():
    data = WeightedBatches(np.arange(100), batch_size=10, weights=np.arange(100) < 50, seed=1)
    data.on_epoch_begin()
    before = [data[i][0] for i in range(4)]
    data.set_weights(np.arange(100) >= 50)
    data.set_weights(np.arange(100) >= 90)  # no batch has read the ones before
    after = [data[i][0] for i in range(4, 10)]
    assert np.concatenate(before).max() < 50
    assert np.concatenate(after).min() >= 90
    # The epoch is still a pure function: it can be read again.
    for i, batch in enumerate(before + after):
        np.testing.assert_array_equal(data.indices(i), batch)
    state = data.state_dict()
    assert state["from_batch"] == [0, 4]
    data.on_epoch_end()
    assert counts(data, 1)[90:].tolist() == [10] * 10


def test_weights_after_every_step():
    data = WeightedBatches(np.arange(100), batch_size=1, weights=np.eye(100)[0])
    data.on_epoch_begin()
    for i in range(100):
        data.set_weights(np.eye(100)[i])
        assert data[i][0].tolist() == [i]
    assert data.indices(40).tolist() == [40]
    with pytest.raises(IndexError, match="no longer there"):
        data.indices(10)


def test_weights_between_epochs():
    data = WeightedBatches(np.arange(4), batch_size=2)
    data[1]  # a look is no batch of the epoch
    given = np.array([0, 0, 1.0, 1.0])
    data.weights = given
    given[:] = 5
    assert data.weights.tolist() == [0, 0, 1, 1]
    assert counts(data).tolist() == [0, 0, 2, 2]
    with pytest.raises(ValueError, match="read-only"):
        data.weights[0] = 1
    data.set_weights(None)
    assert data.weights is None
    assert counts(data).tolist() == [1] * 4


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"\(4,\).*shape=\(2,\)"),
        ([[1, 2, 3, 4]], r"shape=\(1, 4\)"),
        ([1, -1, 1, 1], r"weights\[1\]=-1"),
        ([1, 1, np.nan, 1], r"weights\[2\]=nan"),
        ([1, 1, 1, np.inf], r"weights\[3\]=inf"),
        ([0, 0, 0, 0], "above 0"),
    ],
)
def test_bad_weights_change_nothing(weights, message):
    with pytest.raises(ValueError, match=message):
        WeightedBatches(np.arange(4), weights=weights)
    data = WeightedBatches(np.arange(4), weights=[1, 2, 3, 4])
    with pytest.raises(ValueError, match=message):
        data.set_weights(weights)
    assert data.weights.tolist() == [1, 2, 3, 4]


def test_too_few_weights_above_zero():
    data = WeightedBatches(np.arange(4), samples_per_epoch=3, replace=False)
    with pytest.raises(ValueError, match="2 weights above 0"):
        data.set_weights([1, 0, 1, 0])
    assert data.weights is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": np.arange(5)}, r"shapes=\[\(4,\), \(5,\)\]"),
        ({"y": np.float32(1)}, "first dimension"),
        ({"sample_weight": np.arange(4)}, "needs `y`"),
        ({"samples_per_epoch": 5, "replace": False}, "at most 4"),
        ({"batch_size": 5, "drop_remainder": True}, "no whole batch"),
        ({"batch_size": 0}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"workers": 0}, "workers"),
        ({"use_multiprocessing": True}, "workers=4"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightedBatches(np.arange(4), **arguments)


def test_no_processes_later_either():
    data = WeightedBatches(np.arange(4))
    data.use_multiprocessing = False
    with pytest.raises(ValueError, match="threads"):
        data.use_multiprocessing = True
    with pytest.raises(TypeError, match="transform"):
        WeightedBatches(np.arange(4), transform=3)


def test_state_goes_round_within_an_epoch():
    def make(weights=None, **changes):
        return WeightedBatches(np.arange(50), **{"batch_size": 5, "weights": weights, "seed": 3, **changes})

    data = make(np.arange(50))
    data.epoch = 7
    data.on_epoch_begin()
    for i in range(4):
        data[i]
    data.set_weights(np.arange(50)[::-1])
    state = data.state_dict()
    rest = [data[i][0].tolist() for i in range(2, 10)]
    data.on_epoch_end()
    after = epoch_of(data, 8).tolist()

    again = make()
    for _ in range(2):  # twice is as once
        again.load_state_dict(state)
    assert again.epoch == 7
    again.on_epoch_begin()
    assert [again[i][0].tolist() for i in range(2, 10)] == rest
    assert [s.tolist() for s in again.state_dict()["weights"]] == [s.tolist() for s in state["weights"]]
    again.on_epoch_end()
    assert (again.epoch, epoch_of(again, 8).tolist()) == (8, after)

    for changes, named in (({"batch_size": 6}, "batch_size=5 then, 6 now"), ({"seed": 4}, "seed=3 then, 4 now")):
        other = make(np.ones(50), **changes)
        with pytest.raises(ValueError, match=named):
            other.load_state_dict(state)
        assert other.epoch == 0
        assert other.weights.tolist() == [1] * 50
    with pytest.raises(ValueError, match="samples=50 then, 9 now"):
        WeightedBatches(np.arange(9), batch_size=5, seed=3).load_state_dict(state)


def test_balanced_weights_draw_classes_equally():
    labels = np.repeat([0, 1, 2], [90, 9, 3])
    for form in (labels, labels[:, None], np.eye(3)[labels], np.array(["a", "b", "c"])[labels], labels.astype("float32")):
        weights = balanced_weights(form)
        assert weights.mean() == pytest.approx(1)
        np.testing.assert_allclose(np.bincount(labels, weights=weights), [34, 34, 34])
    data = WeightedBatches(labels, weights=weights)
    drawn = sum(np.bincount(labels, weights=counts(data, epoch)) for epoch in range(300)) / 300
    np.testing.assert_allclose(drawn, [34, 34, 34], atol=0.5)
    half = balanced_weights(labels, power=0.5)
    np.testing.assert_allclose(
        np.bincount(labels, weights=half) / half.sum(), np.sqrt([90, 9, 3]) / np.sqrt([90, 9, 3]).sum(), rtol=1e-12
    )
    np.testing.assert_array_equal(balanced_weights(labels, power=0), np.ones(102))


@pytest.mark.parametrize("labels", [[], [[1, 1], [0, 1]], [0.5, 1.0], np.zeros((2, 2, 2))])
def test_balanced_weights_refuses(labels):
    with pytest.raises(ValueError, match="labels"):
        balanced_weights(labels)


def test_is_a_dataset_of_keras():
    assert isinstance(WeightedBatches(np.arange(4)), keras.utils.PyDataset)
