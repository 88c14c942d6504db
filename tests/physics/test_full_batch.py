"""Whatever holds the data, all samples come as one batch."""

import keras
import numpy as np
import pytest

from kerasmith.physics.full_batch import full_batch

X, Y = np.arange(10.0).reshape(5, 2), np.arange(5)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        part = slice(2 * index, 2 * index + 2)
        return X[part], Y[part]


class Endless(Batches):
    @property
    def num_batches(self):
        return None


def tensorflow_batches():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)


def torch_batches():
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)), 2)


@pytest.mark.host("arrays and datasets alone")
@pytest.mark.parametrize("data", [lambda: (X, Y), Batches, tensorflow_batches, torch_batches])
def test_all_samples_once(data):
    x, y, weight = full_batch(data())
    np.testing.assert_array_equal(x, X.astype("float32"))
    np.testing.assert_array_equal(y, Y)
    assert x.dtype == keras.config.floatx()
    assert weight is None


@pytest.mark.host("arrays and datasets alone")
def test_kinds_of_data():
    x, y, weight = full_batch({"a": X, "b": X})
    assert sorted(x) == ["a", "b"]
    assert y is weight is None
    assert [part.shape for part in full_batch([X, X])[0]] == [(5, 2), (5, 2)]
    assert full_batch((X, Y, np.ones(5)))[2].shape == (5,)
    for bad, error, message in [
        (Endless(), ValueError, "does not end"),
        ((batch for batch in [X]), ValueError, "known end"),
        ((X, Y[:3]), ValueError, "the same number of samples"),
        (X[:0], ValueError, "at least one"),
        (3, TypeError, "must be x alone"),
    ]:
        with pytest.raises(error, match=message):
            full_batch(bad)
