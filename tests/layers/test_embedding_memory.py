"""EmbeddingMemory: what it keeps, and what a term with one compares each batch with."""

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith import Model, Objective, Term
from kerasmith.layers import EmbeddingMemory
from kerasmith.losses import CrossEntropy, Triplet
from tests.oracles import metric_learning as pml

RNG = np.random.default_rng(0)
X, VALIDATION = RNG.normal(size=(14, 5)).astype("float32"), RNG.normal(size=(6, 5)).astype("float32")
IDS, VALIDATION_IDS = RNG.integers(0, 3, 14), RNG.integers(0, 3, 6)
KERNEL = RNG.normal(size=(5, 3)).astype("float32")


def stored(memory):
    ids, vectors, valid = (np.asarray(ops.convert_to_numpy(x)) for x in memory.references())
    return ids[valid].tolist(), vectors[valid]


def test_the_oldest_give_way():
    memory, every = EmbeddingMemory(5, 2), np.arange(40, dtype="float32").reshape(20, 2)
    ids = np.arange(20)
    start = 0
    for size in (2, 2, 3, 1, 7, 4):  # more than there is room for, too
        memory.add(ids[start : start + size], every[start : start + size])
        start += size
        kept, vectors = stored(memory)
        last = set(range(max(0, start - 5), start))
        assert set(kept) == last
        np.testing.assert_array_equal(vectors, every[kept])


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX makes 32 bits of ids before they come here")
def test_ids_are_not_narrowed():
    memory = EmbeddingMemory(2, 1)
    memory.add(np.array([2**40, 2**40 + 1]), np.zeros((2, 1)))
    assert stored(memory)[0] == [2**40, 2**40 + 1]


def test_saved_and_refused():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(EmbeddingMemory(7, 3, name="past")))
    assert (again.capacity, again.dimension, again.name) == (7, 3, "past")
    with pytest.raises(TypeError, match=r"Term\(Triplet\(\), memory=EmbeddingMemory\(4096, 128\)\)"):
        Term(CrossEntropy(), memory=EmbeddingMemory(2, 2))
    with pytest.raises(TypeError, match="memory"):
        Term(Triplet(), memory=4096)
    with pytest.raises(ValueError, match="capacity"):
        EmbeddingMemory(0, 2)


def expected(x, ids, past, past_ids):
    """The loss of a batch that is compared with the past too, by plain loops."""
    both = torch.tensor(np.concatenate([x, past]).astype("float64"))
    return pml.loops([*ids, *past_ids], 1.0, "semi_hard", "euclidean")(both)[: len(x)].numpy().mean()


@pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=5)
def test_each_step_of_fit_compares_with_the_steps_before(tmp_path):
    inputs = keras.Input((5,))
    model = Model(inputs, keras.layers.Dense(3, use_bias=False)(inputs))
    model.layers[-1].set_weights([KERNEL])
    model.compile(keras.optimizers.SGD(0.0), Objective({"apart": Term(Triplet(), memory=EmbeddingMemory(8, 3))}))
    seen = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(float(logs["loss"])))
    data = (VALIDATION, VALIDATION_IDS)
    logs = model.fit(
        X, IDS, batch_size=4, shuffle=False, verbose=0, callbacks=[watch], validation_data=data, validation_batch_size=6
    ).history
    past, values, sizes = [], [], []
    for start in range(0, 14, 4):
        batch = list(range(start, min(start + 4, 14)))
        values.append(expected(X[batch] @ KERNEL, IDS[batch], X[past] @ KERNEL, IDS[past]))
        sizes.append(len(batch))
        past = [*past, *batch][-8:]
    # The column is the mean so far.
    np.testing.assert_allclose(seen, np.cumsum(np.multiply(values, sizes)) / np.cumsum(sizes), rtol=1e-4)
    of_validation = expected(VALIDATION @ KERNEL, VALIDATION_IDS, X[past] @ KERNEL, IDS[past])
    assert logs["val_loss"][0] == pytest.approx(of_validation, rel=1e-4)
    assert sorted(stored(model.objective.terms[0].memory)[0]) == sorted(IDS[past])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert stored(again.objective.terms[0].memory)[0] == stored(model.objective.terms[0].memory)[0]
    assert again.evaluate(*data, verbose=0) == pytest.approx(model.evaluate(*data, verbose=0), rel=1e-5)
