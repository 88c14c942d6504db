"""Batches of whatever `fit` takes, drawn as NumPy arrays, and the data where they were."""

import keras
import numpy as np
import pytest

from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.harness.fit_data import FitData

BACKEND = keras.config.backend()
X = np.arange(24.0, dtype="float32").reshape(12, 2)
Y = np.arange(12)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[index * 4 :][:4], Y[index * 4 :][:4], np.full(4, index)


@pytest.mark.host("arrays are arrays on each backend")
def test_arrays_in_any_nest():
    tensor = keras.ops.convert_to_tensor(X)
    data = FitData({"a": tensor, "b": (X.astype("float64"),)}, keras.ops.convert_to_tensor(Y), batch_size=5)
    x, y, weight = data.first()
    np.testing.assert_array_equal(x["a"], X[:5])
    assert x["b"][0].dtype == "float32"
    np.testing.assert_array_equal(y, Y[:5])
    assert weight is None
    assert [len(one[1]) for one in data.batches(9)] == [5, 5, 2]
    shuffled = FitData(X, Y, batch_size=12, shuffle=True).first()
    assert sorted(shuffled[1]) == list(Y)
    assert list(shuffled[1]) != list(Y)
    np.testing.assert_array_equal(shuffled[0][:, 0], 2 * shuffled[1])


@pytest.mark.host("a dataset of Keras is one on each backend")
def test_py_dataset_and_generator():
    _, y, weight = FitData(Batches()).batches(5)[2]
    np.testing.assert_array_equal(y, Y[8:])
    assert weight.tolist() == [2] * 4
    assert FitData(Batches(), class_weight={0: 2.0}).first()[2].tolist() == [0] * 4
    drawn = []
    data = FitData(drawn.append(i) or (X[i : i + 4], Y[i : i + 4]) for i in (0, 4, 8))
    assert data.first()[1].tolist() == [0, 1, 2, 3]
    assert drawn == [0]
    assert data.lost


@pytest.mark.skipif(BACKEND == "jax", reason="it has no datasets of its own")
def test_datasets_of_the_backend_stay_where_they_are():
    if BACKEND == "tensorflow":
        import tensorflow as tf

        def make():
            return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(12, seed=1).batch(4)
    else:
        import torch

        def make():
            data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
            return torch.utils.data.DataLoader(data, 4, num_workers=1, persistent_workers=True)

    orders = lambda data: [[y.numpy().tolist() for _, y in data] for _ in range(1 + (BACKEND == "tensorflow"))]  # noqa: E731
    looked_at, expected = make(), orders(make())
    data = FitData(looked_at)
    assert data.first()[1].tolist() == expected[0][0]
    assert not data.lost
    if BACKEND == "tensorflow":
        assert orders(looked_at) == expected
    else:
        assert looked_at._iterator is None


@pytest.mark.host("the same words on each backend")
def test_a_batch_that_cannot_be_drawn():
    class Broken(Batches):
        def __getitem__(self, index):
            if index == self.fails:
                raise OSError("no image 7.png")
            return super().__getitem__(index)

    data = Broken()
    data.fails = 0
    with pytest.raises(CannotCheck, match=r"cannot be drawn from the PyDataset: OSError: no image 7\.png"):
        FitData(data).first()
    data.fails = 1
    assert len(FitData(data).batches(3)) == 1
