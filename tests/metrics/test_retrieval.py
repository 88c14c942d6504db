"""RetrievalRecall and RPrecision against scikit-learn's neighbours; what happens at the limits of the gallery."""

import keras
import numpy as np
import pytest
import torch
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

from kerasmith import metrics
from tests.oracles import retrieval_loops
from tests.support.metric_runs import evaluated, read, run

SIMILARITIES = {"cosine": "cosine", "euclidean": "euclidean"}


def vectors(n=60, classes=7, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    labels[:2] = 100, 101  # two classes of one sample
    return labels.astype("int32"), (rng.normal(0, 1, (n, 5)) + rng.normal(0, 1, (102, 5))[labels]).astype("float32")


# Five equal batches of `vectors()`: JAX compiles each operation for each shape.
def batches(*arrays, size=12):
    return [tuple(a[i : i + size] for a in arrays) for i in range(0, len(arrays[0]), size)]


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("absent", ["skip", "zero"])
@pytest.mark.parametrize("definition", ["any", "share"])
def test_recall_equals_neighbours(similarity, absent, definition):
    labels, x = vectors()
    options = {"absent": absent, "definition": definition}
    metric = metrics.RetrievalRecall([1, 3, 10], 60, similarity=similarity, **options)
    got = run(metric, *batches(labels[:, None], x))
    for k in (1, 3, 10):
        expected = retrieval_loops.recall(x, labels, k, similarity, **options)
        assert got[f"retrieval_recall_{k}"] == pytest.approx(expected, abs=1e-6)
    assert got["retrieval_recall_cases"] == (58 if absent == "skip" else 60)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("absent", ["skip", "zero"])
def test_r_precision_equals_neighbours(similarity, absent):
    labels, x = vectors()
    got = run(metrics.RPrecision(20, 60, similarity=similarity, absent=absent), *batches(labels, x))
    expected = retrieval_loops.r_precision(x, labels, similarity, absent)
    assert got["r_precision"] == pytest.approx(expected, abs=1e-6)


def test_equal_pytorch_metric_learning():
    labels, x = vectors()

    def nearest(query, count, reference, ref_includes_query):
        order = torch.cdist(query, reference).argsort(dim=1)[:, 1 : count + 1]
        return torch.zeros(order.shape), order

    oracle = AccuracyCalculator(include=("precision_at_1", "r_precision"), knn_func=nearest, k="max_bin_count")
    expected = oracle.get_accuracy(torch.tensor(x), torch.tensor(labels))
    got = run(metrics.RetrievalRecall(1, 60, similarity="euclidean"), *batches(labels, x))
    assert got["retrieval_recall_1"] == pytest.approx(expected["precision_at_1"], abs=1e-6)
    got = run(metrics.RPrecision(20, 60, similarity="euclidean"), *batches(labels, x))
    assert got["r_precision"] == pytest.approx(expected["r_precision"], abs=1e-6)


def test_weights_are_those_of_queries():
    labels, x = vectors()
    weight = np.random.default_rng(1).random(60).astype("float32") + 0.1
    got = run(metrics.RetrievalRecall(2, 70), *batches(labels, x, weight, size=7))  # room to spare, and a smaller last batch
    assert got["retrieval_recall_2"] == pytest.approx(retrieval_loops.recall(x, labels, 2, weight=weight), abs=1e-6)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_one_point_for_everything_scores_0_in_any_order(similarity):
    rng = np.random.default_rng(2)
    labels, x = rng.integers(0, 2, 30).astype("int32"), np.full((30, 4), 0.3, "float32")
    labels[:3], labels[3:6] = 0, 1
    for order in (np.arange(30), np.argsort(labels)):
        got = run(metrics.RetrievalRecall([1, 5], 30, similarity=similarity), *batches(labels[order], x[order]))
        assert got["retrieval_recall_1"] == got["retrieval_recall_5"] == 0


def test_direction_and_length_differ():
    x = np.array([[1, 0], [10, 1], [0.5, 0.5]], "float32")
    labels = np.array([0, 0, 1], "int32")
    assert run(metrics.RetrievalRecall(1, 3), (labels, x))["retrieval_recall_1"] == 1
    assert run(metrics.RetrievalRecall(1, 3, similarity="euclidean"), (labels, x))["retrieval_recall_1"] == 0.5


def test_the_gallery_is_not_the_batch():
    labels, x = vectors()
    whole = evaluated(metrics.RetrievalRecall(1, 60), labels, x, batch_size=60)
    assert evaluated(metrics.RetrievalRecall(1, 60), labels, x, batch_size=32) == pytest.approx(whole, abs=1e-6)


def test_more_vectors_than_capacity_is_an_error():
    labels, x = vectors()
    metric = metrics.RetrievalRecall(1, 59)
    run(metric, *batches(labels[:48], x[:48]))
    before = read(metric)
    with pytest.raises(ValueError, match=r"room for 59 vectors and received 60.*capacity=60"):
        metric.update_state(labels[48:], x[48:])
    assert read(metric) == before
    with pytest.raises(Exception, match="room for 59 vectors and received 60"):
        evaluated(metrics.RetrievalRecall(1, 59), labels, x)
    with pytest.raises(Exception, match="keeps 3 neighbours of each vector"):
        evaluated(metrics.RPrecision(3, 60), labels, x)


def test_k_larger_than_the_gallery():
    with pytest.raises(ValueError, match=r"`k` must be smaller than `capacity`.*k=10, capacity=10"):
        metrics.RetrievalRecall(10, 10)
    labels, x = vectors()
    metric = metrics.RetrievalRecall([1, 5], 60)
    with pytest.warns(UserWarning, match="5 vectors so far, and the 5 nearest of a query need 6"):
        got = run(metric, (labels[2:7], x[2:7]))
    assert np.isnan(got["retrieval_recall_5"])
    assert not np.isnan(got["retrieval_recall_1"])
    assert not np.isnan(run(metric, (labels[7:8], x[7:8]))["retrieval_recall_5"])


def test_replicas_are_refused(monkeypatch):
    labels, x = vectors()
    monkeypatch.setattr("kerasmith.metrics.retrieval_metric.replica_count", lambda: 2)
    with pytest.raises(RuntimeError, match="2 replicas"):
        metrics.RetrievalRecall(1, 60).update_state(labels, x)


def test_bad_input_is_named():
    labels, x = vectors()
    with pytest.raises(ValueError, match=r"one class id a sample.*argmax"):
        metrics.RetrievalRecall(1, 60).update_state(np.eye(3)[labels % 3], x)
    with pytest.raises(ValueError, match="one vector a sample"):
        metrics.RetrievalRecall(1, 60).update_state(labels, x[:, None])
    metric = metrics.RetrievalRecall(1, 120)
    metric.update_state(labels, x)
    with pytest.raises(ValueError, match="vectors of 5 numbers"):
        metric.update_state(labels, x[:, :4])
    for arguments in ({"k": 0}, {"k": []}, {"k": 1, "similarity": "dot"}, {"k": 1, "definition": "all"}):
        with pytest.raises(ValueError, match=f"`{list(arguments)[-1]}`"):
            metrics.RetrievalRecall(**arguments)
    with pytest.raises(ValueError, match="max_relevant=60, capacity=60"):
        metrics.RPrecision(60, 60)


def test_in_fit_the_history_has_the_result_of_the_whole_validation_set():
    labels, x = vectors()
    inputs = keras.Input((5,))
    model = keras.Model(inputs, keras.layers.Dense(5, kernel_initializer="identity", trainable=False)(inputs))
    model.compile("sgd", lambda y, p: 0.0 * keras.ops.sum(p, axis=-1), metrics=[metrics.RetrievalRecall(1, 60)])
    history = model.fit(x, labels, batch_size=16, epochs=2, verbose=0, validation_data=(x[:40], labels[:40])).history
    np.testing.assert_allclose(history["retrieval_recall_1"], retrieval_loops.recall(x, labels, 1), atol=1e-6)
    np.testing.assert_allclose(history["val_retrieval_recall_1"], retrieval_loops.recall(x[:40], labels[:40], 1), atol=1e-6)
