"""MRR, MAP and NDCG against scikit-learn, torchmetrics and plain loops, as lists and by query ids."""

import keras
import numpy as np
import pytest
import torch
from keras import ops
from sklearn.metrics import average_precision_score, ndcg_score
from torchmetrics import retrieval

from kerasmith import metrics
from tests.oracles import query_loops
from tests.support.metric_runs import fresh, read, run

KINDS = {"mrr": metrics.MRR, "map": metrics.MAP, "ndcg": metrics.NDCG}
THEIRS = {
    "mrr": (metrics.MRR(), retrieval.RetrievalMRR),
    "map": (metrics.MAP(), retrieval.RetrievalMAP),
    "ndcg": (metrics.NDCG(), retrieval.RetrievalNormalizedDCG),
    "mrr_2": (metrics.MRR(2), retrieval.RetrievalMRR),
    "ndcg_3": (metrics.NDCG(3), retrieval.RetrievalNormalizedDCG),
    "query_recall_2": (metrics.QueryRecall(2), retrieval.RetrievalRecall),
    "query_recall_3": (metrics.QueryRecall(3, definition="any"), retrieval.RetrievalHitRate),
    "query_precision_4": (metrics.QueryPrecision(4), retrieval.RetrievalPrecision),
    "query_precision": (metrics.QueryPrecision(), retrieval.RetrievalRPrecision),
}


def candidates(queries=9, seed=0, ties=False):
    """Query ids, graded relevance and scores in any order; queries 3 and 4 have nothing relevant."""
    rng = np.random.default_rng(seed)
    query = np.repeat(np.arange(queries) * 1000 - 2000, rng.integers(2, 9, queries))
    relevance = rng.choice([0, 0, 1, 3], len(query))
    relevance[np.isin(query, [1000, 2000])] = 0
    relevance[np.unique(query, return_index=True)[1][5:]] = 2
    scores = rng.choice([0.1, 0.3, 0.3, 0.7], len(query)) if ties else rng.permutation(len(query)) / len(query)
    order = rng.permutation(len(query))
    return query[order], relevance[order], scores.astype("float32")[order]


def by_ids(query, relevance, scores, weight=None, size=None):
    """Batches of the form with query ids."""
    y_true = np.stack([query, relevance], -1)
    edges = range(0, len(query), size or len(query))
    cut = (slice(a, a + (size or len(query))) for a in edges)
    return [(y_true[part], scores[part, None], None if weight is None else weight[part]) for part in cut]


def lists(query, relevance, scores, length=10):
    """The same as one list for each query, padded."""
    y_true, y_pred = np.full((len(set(query)), length), -1.0, "float32"), np.full((len(set(query)), length), 9.0, "float32")
    for row, each in enumerate(np.unique(query)):
        count = np.sum(query == each)
        y_true[row, :count], y_pred[row, :count] = relevance[query == each], scores[query == each]
    return y_true, y_pred


def expected(kind, query, relevance, scores, k=None, absent="skip", weight=None):
    values, weights = [], []
    for each in np.unique(query):
        y, p = relevance[query == each], scores[query == each]
        if not (y > 0).any():
            if absent == "zero":
                values.append(0.0)
                weights.append(1.0 if weight is None else weight[each])
            continue
        if kind == "ndcg":
            value = ndcg_score([y], [p], k=k)
        else:
            value = (query_loops.reciprocal_rank if kind == "mrr" else query_loops.average_precision)(y, p, k)
        values.append(value)
        weights.append(1.0 if weight is None else weight[each])
    return np.average(values, weights=weights), len(values)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_loops_and_scikit_learn_in_both_forms(kind):
    for ties, k, absent in ((False, None, "skip"), (True, 3, "zero"), (True, None, "skip"), (False, 2, "skip")):
        data = candidates(ties=ties)
        value, cases = expected(kind, *data, k, absent)
        name = kind if k is None else f"{kind}_{k}"
        for batches in (
            by_ids(*data, size=7),
            by_ids(*data),
            [lists(*data)],
            [[x[rows : rows + 3] for x in lists(*data)] for rows in (0, 3, 6)],
        ):
            got = run(KINDS[kind](k, absent=absent, capacity=100), *batches)
            assert got == {name: pytest.approx(value, abs=1e-6), f"{name}_cases": cases}


@pytest.mark.parametrize("key", THEIRS)
def test_equals_torchmetrics(key):
    query, relevance, scores = candidates(seed=3)
    ours, theirs = THEIRS[key]
    given = torch.tensor(relevance if "ndcg" in key else relevance > 0)
    for absent, action in (("skip", "skip"), ("zero", "neg")):
        more = {} if ours.k is None else {"top_k": ours.k}
        oracle = theirs(empty_target_action=action, **more)(torch.tensor(scores), given, indexes=torch.tensor(query))
        metric = type(ours).from_config({**ours.get_config(), "absent": absent})
        assert run(metric, *by_ids(query, relevance, scores, size=9))[key] == pytest.approx(float(oracle), abs=1e-6)


def test_ties_of_map_equal_scikit_learn():
    query, relevance, scores = candidates(ties=True, seed=5)
    each = [
        average_precision_score(relevance[query == q] > 0, scores[query == q])
        for q in np.unique(query)
        if (relevance[query == q] > 0).any()
    ]
    assert run(metrics.MAP(), *by_ids(query, relevance, scores))["map"] == pytest.approx(np.mean(each), abs=1e-6)
    constant = np.zeros(8, "float32")
    assert run(metrics.MRR(), *by_ids(np.zeros(8, int), np.eye(8, dtype=int)[0], constant))["mrr"] == pytest.approx(1 / 8)


def test_exponential_gain():
    query, relevance, scores = candidates(ties=True)
    got = run(metrics.NDCG(gain="exponential"), *by_ids(query, relevance, scores))["ndcg"]
    assert got == pytest.approx(expected("ndcg", query, 2**relevance - 1, scores)[0], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_weigh_queries_and_delete_candidates(kind):
    query, relevance, scores = candidates(ties=True, seed=7)
    of_query = {each: float(w) for w, each in enumerate(np.unique(query))}
    weight = np.array([of_query[each] for each in query], "float32")
    value, _ = expected(kind, query, relevance, scores, weight=of_query)
    assert run(KINDS[kind](), *by_ids(query, relevance, scores, weight, 5))[kind] == pytest.approx(value, abs=1e-6)
    got = run(KINDS[kind](), (*lists(query, relevance, scores), np.array(list(of_query.values()), "float32")))
    assert got[kind] == pytest.approx(value, abs=1e-6)
    kept = np.arange(len(query)) % 3 > 0
    spoiled = np.where(kept, scores, np.nan).astype("float32")
    value, _ = expected(kind, query[kept], relevance[kept], scores[kept])
    got = run(KINDS[kind](), *by_ids(query, relevance, spoiled, kept.astype("float32")))
    assert got[kind] == pytest.approx(value, abs=1e-6)
    y_true, y_pred = lists(query, relevance, scores)
    kept = np.random.default_rng(2).random(y_true.shape) < 0.8
    expect = run(KINDS[kind](), (np.where(kept, y_true, -1), y_pred))
    assert run(KINDS[kind](), (y_true, y_pred, kept.astype("float32"))) == expect


def test_state_moves_resets_and_shows_nan():
    data = candidates()
    first, second = by_ids(*data, size=30)[:2]
    metric, metric_of_copy = metrics.NDCG(5, gain="exponential", capacity=80), None
    run(metric, first)
    metric_of_copy = fresh(metric)
    assert metric_of_copy.get_config() == metric.get_config()
    run(metric_of_copy, second)
    for target, source in zip(metric_of_copy.variables, metric.variables, strict=True):
        target.assign(source.value)
    whole = run(metric, second)
    assert run(metric_of_copy, second) == whole
    metric.reset_state()
    assert np.isnan(read(metric)["ndcg_5"])
    assert run(metric, first, second) == whole
    scores = first[1].copy()
    scores[2] = np.nan
    assert np.isnan(run(metrics.MRR(), (first[0], scores))["mrr"])
    assert np.isnan(run(metrics.MAP(), (np.array([[1.0, np.nan]]), np.array([[0.3, 0.2]])))["map"])


@pytest.mark.heavy("compiles sorting in a step", on=("tensorflow",), seconds=5)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_evaluate(jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    query, relevance, scores = candidates(ties=True)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation("linear")])
    model.compile(
        loss=lambda y, p: 0.0 * ops.sum(p, axis=-1), metrics=[metrics.NDCG(4), metrics.MRR()], jit_compile=jit_compile
    )
    y_true = np.stack([query, relevance], -1).astype("int32")
    got = model.evaluate(scores[:, None], y_true, batch_size=8, verbose=0, return_dict=True)
    assert got["ndcg_4"] == pytest.approx(expected("ndcg", query, relevance, scores, 4)[0], abs=1e-6)
    assert got["mrr"] == pytest.approx(expected("mrr", query, relevance, scores)[0], abs=1e-6)


def test_bad_input_is_named(monkeypatch):
    query, relevance, scores = candidates()
    for y_true, y_pred in ((relevance, scores), (relevance[:, None], scores[:, None]), (np.zeros((4, 3)), np.zeros((4, 2)))):
        with pytest.raises(ValueError, match=r"`np.stack\(\[query, relevance\], axis=-1\)`"):
            metrics.MRR().update_state(y_true, y_pred)
    for ids in (query * 1e7, query + 0.5, query.astype("int64") * 2**30):
        y_true = np.stack([ids, relevance.astype(ids.dtype)], -1)
        with pytest.raises(ValueError, match=r"Number the queries|np\.unique"):
            metrics.MRR().update_state(y_true.astype("float32") if ids.dtype.kind == "f" else y_true, scores)
    metric = metrics.MAP(capacity=20)
    with pytest.raises(ValueError, match=rf"room for 20 candidates and received {len(query)}.*capacity={len(query)}"):
        metric.update_state(*by_ids(query, relevance, scores)[0])
    metric = metrics.MAP()
    metric.update_state(*lists(query, relevance, scores))
    with pytest.raises(ValueError, match="has received lists of candidates so far"):
        metric.update_state(*by_ids(query, relevance, scores)[0])
    with pytest.raises(ValueError, match="no statistics of single samples"):
        metrics.Bootstrap(metrics.MAP()).update_state(*by_ids(query, relevance, scores)[0])
    for config, words in (({"k": 0}, "`k`"), ({"absent": "nan"}, "`absent`"), ({"gain": "log"}, "`gain`")):
        with pytest.raises(ValueError, match=words):
            metrics.NDCG(**config)
    monkeypatch.setattr("kerasmith.metrics.query_metric.replica_count", lambda: 2)
    with pytest.raises(RuntimeError, match="2 replicas"):
        metrics.MRR().update_state(*by_ids(query, relevance, scores)[0])
