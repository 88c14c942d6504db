"""The embedding losses against pytorch-metric-learning, optax and plain loops: value of each anchor, and gradient."""

import itertools

import numpy as np
import pytest
import torch
from keras import ops

from kerasmith import losses
from kerasmith.numerics.pairwise_distances import unit_length
from tests.oracles import metric_learning as pml
from tests.support import float64
from tests.support.cover import each_value
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

IDS = {
    "unbalanced": [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, -5, -5],  # class 3 has one sample
    "twos": [4, 1, 2, 3, 4, 1, 2, 3],
    "two classes": [1, 0, 0, 1, 1, 1],
}
MARGINS = {"euclidean": 1.0, "squared": 3.0, "cosine": 0.3}


def embeddings(ids, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, 6))
    return (centres[np.asarray(ids)] + rng.normal(size=(len(ids), 6))).astype("float32")


def agree(loss, ids, x, oracle):
    """Compares the values of all anchors and the gradient of their mean."""
    expected, slope = pml.value_and_grad(oracle, x)
    labels = np.asarray(ids)
    each = ops.convert_to_numpy(type(loss).from_config({**loss.get_config(), "reduction": "none"})(labels, x))
    np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())
    got, other = value_and_grad(lambda x: loss(labels, x), x)
    np.testing.assert_allclose(got, expected.mean(), rtol=1e-5)
    np.testing.assert_allclose(other, slope, rtol=0, atol=1e-5 * np.abs(slope).max())


TRIPLETS = list(itertools.product(IDS, MARGINS, ("semi_hard", "all", "active", "hard"), (False, True)))


@pytest.mark.thinned("each row compiles anew")
@pytest.mark.parametrize(("ids", "kind", "mining", "normalize"), TRIPLETS)
def test_triplet(ids, kind, mining, normalize):
    ids = IDS[ids]
    x, margin = embeddings(ids), MARGINS[kind] * (0.3 if normalize else 1.0)
    loss = losses.Triplet(margin, mining, kind, normalize)
    agree(loss, ids, x, pml.loops(ids, margin, mining, kind, normalize))
    if mining != "semi_hard":
        agree(loss, ids, x, pml.triplet(ids, margin, mining, kind, normalize))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("kind", MARGINS)
@pytest.mark.parametrize("mining", ["semi_hard", "all", "hard"])
def test_triplet_with_a_soft_margin(mining, kind):
    ids = IDS["unbalanced"]
    x, loss = embeddings(ids), losses.Triplet("soft", mining, kind)
    agree(loss, ids, x, pml.loops(ids, "soft", mining, kind))
    if mining != "semi_hard":
        agree(loss, ids, x, pml.triplet(ids, "soft", mining, kind))


def test_other_soft_margins_are_refused():
    with pytest.raises(ValueError, match="mining='all'"):
        losses.Triplet("soft", "active")
    with pytest.raises(ValueError, match="'soft'"):
        losses.Triplet("hard")


@pytest.mark.parametrize("kind", MARGINS)
def test_semi_hard_against_the_library(kind):
    # The library's miner takes one positive an anchor, and drops an anchor without a semi-hard negative.
    ids = np.repeat(np.arange(8), 2)
    x = embeddings(ids, seed=3)
    anchors, expected = pml.semi_hard_of_twos(ids, x, MARGINS[kind], kind)
    got = ops.convert_to_numpy(losses.triplet(ids, x, margin=MARGINS[kind], distance=kind))
    assert len(anchors) >= 8
    np.testing.assert_allclose(got[anchors], expected, rtol=1e-5, atol=1e-5)


def test_batch_average_of_semi_hard_is_that_of_tensorflow_addons():
    # There: the sum over all positive pairs over their number, each pair counted from both ends.
    ids = np.repeat(np.arange(4), 3)
    x = embeddings(ids, seed=4)
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")
    d = np.sqrt(((x[:, None].astype("float64") - x[None]) ** 2).sum(-1))
    total, number = 0.0, 0
    for a, p in itertools.permutations(range(12), 2):
        if ids[a] == ids[p]:
            others = d[a][ids != ids[a]]
            outside = others[others > d[a, p]]
            total += max(0.0, d[a, p] - (outside.min() if len(outside) else others.max()) + 1.0)
            number += 1
    assert float(losses.Triplet()(ids, x)) == pytest.approx(total / number, rel=1e-5)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_nt_xent(ids, temperature):
    ids = IDS[ids]
    agree(losses.NTXent(temperature), ids, embeddings(ids), pml.pairs("NTXentLoss", ids, temperature=temperature))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_sup_con(ids, temperature):
    ids = IDS[ids]
    agree(losses.SupCon(temperature), ids, embeddings(ids), pml.pairs("SupConLoss", ids, temperature=temperature))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("epsilon", [None, 0.0, 0.1, 0.5])
def test_multi_similarity(ids, epsilon):
    ids, config = IDS[ids], {"alpha": 2.0, "beta": 10.0, "base": 0.4}
    oracle = pml.pairs("MultiSimilarityLoss", ids, epsilon, **config)
    agree(losses.MultiSimilarity(**config, epsilon=epsilon), ids, embeddings(ids), oracle)


@pytest.mark.parametrize("name", ["NTXent", "SupCon"])
def test_two_views_as_the_libraries_call_it(name):
    ids = np.tile(np.arange(6), 2)
    x = embeddings(ids, seed=1)
    expected, slope = pml.value_and_grad(pml.whole(f"{name}Loss", ids, temperature=0.2), x)
    got, other = value_and_grad(lambda x: getattr(losses, name)(0.2)(ids, x), x)
    assert got == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(other, slope, atol=1e-5 * np.abs(slope).max())


@pytest.mark.heavy("imports optax and with it another backend", on=("tensorflow",), seconds=3)
def test_nt_xent_of_optax():
    import jax
    import optax

    ids = np.tile(np.arange(5), 2)
    x = embeddings(ids, seed=2)
    with float64.jax_enabled():
        expected, slope = jax.value_and_grad(lambda x: optax.losses.ntxent(x, jax.numpy.asarray(ids), 0.1))(
            jax.numpy.asarray(x, "float64")
        )
        expected, slope = float(expected), np.asarray(slope)
    got, other = value_and_grad(lambda x: losses.NTXent(0.1)(ids, x), x)
    assert got == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(other, slope, atol=1e-5 * np.abs(slope).max())


def test_mean_over_anchors_that_have_pairs():
    ids = IDS["unbalanced"]
    x = embeddings(ids)
    # The library's own reducer for SupCon leaves out zeros.
    expected, slope = pml.value_and_grad(pml.whole("SupConLoss", ids, temperature=0.3), x)
    loss = losses.SupCon(0.3, reduction="mean_with_sample_weight")
    got, other = value_and_grad(lambda x: loss(np.asarray(ids), x), x)
    assert got == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(other, slope, atol=1e-5 * np.abs(slope).max())


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.2])
@pytest.mark.parametrize("scale", [1.0, 64.0])
def test_arc_face(margin, scale):
    rng = np.random.default_rng(0)
    x, weights, ids = rng.normal(size=(40, 3)), rng.normal(size=(3, 5)), rng.integers(0, 5, 40)
    weights /= np.linalg.norm(weights, axis=0)
    angles = np.arccos((x / np.linalg.norm(x, axis=1, keepdims=True) @ weights)[np.arange(40), ids])
    assert margin == 0 or (angles > np.pi - margin).any()  # both branches are taken
    x = x.astype("float32")
    expected, slope = pml.value_and_grad(pml.arc_face(ids, weights, margin, scale), x)
    kernel = ops.convert_to_tensor(weights, "float32")
    for labels in (ids, ids[:, None], np.eye(5, dtype="int32")[ids], np.eye(5, dtype="float32")[ids]):
        loss = losses.ArcFace(margin, scale)
        got, other = value_and_grad(lambda x, y=labels, f=loss: f(y, ops.matmul(unit_length(x), kernel)), x)
        assert got == pytest.approx(expected.mean(), rel=1e-5)
        np.testing.assert_allclose(other, slope, atol=1e-5 * np.abs(slope).max())


@pytest.mark.parametrize(("margin", "pos_margin"), [(0.5, 0.0), (1.0, 0.0), (2.0, 0.0), (1.0, 0.4), (0.5, 0.9)])
def test_contrastive(margin, pos_margin):
    rng = np.random.default_rng(0)
    d, y = rng.uniform(0, 2, 30), rng.integers(0, 2, 30)
    over, under = np.maximum(0.0, d - pos_margin), np.maximum(0.0, margin - d)
    expected = [far**2 if same == 0 else near**2 for far, near, same in zip(over, under, y)]
    slope = [2 * far if same == 0 else -2 * near for far, near, same in zip(over, under, y)]
    for shape in ((30,), (30, 1)):
        for labels in (y, y[:, None], y.astype(bool), y.astype("float32")):
            got, other = value_and_grad(
                lambda d, y=labels: losses.Contrastive(margin, pos_margin)(y, d), d.reshape(shape).astype("float32")
            )
            assert got == pytest.approx(np.mean(expected), rel=1e-6)
            np.testing.assert_allclose(other.reshape(-1) * 30, slope, atol=1e-5)


REFERENCES = {
    "Triplet all": (losses.Triplet(1.0, "all"), lambda ids: pml.loops(ids, 1.0, "all", "euclidean")),
    "Triplet active": (losses.Triplet(1.0, "active"), lambda ids: pml.triplet(ids, 1.0, "active", "euclidean")),
    "Triplet hard": (losses.Triplet(3.0, "hard", "squared"), lambda ids: pml.triplet(ids, 3.0, "hard", "squared")),
    "Triplet semi-hard": (
        losses.Triplet(0.3, "semi_hard", "cosine", True),
        lambda ids: pml.loops(ids, 0.3, "semi_hard", "cosine", True),
    ),
    "NTXent": (losses.NTXent(0.5), lambda ids: pml.pairs("NTXentLoss", ids, temperature=0.5)),
    "SupCon": (losses.SupCon(0.5), lambda ids: pml.pairs("SupConLoss", ids, temperature=0.5)),
    "MultiSimilarity": (
        losses.MultiSimilarity(2.0, 10.0, 0.5, 0.1),
        lambda ids: pml.pairs("MultiSimilarityLoss", ids, 0.1, alpha=2.0, beta=10.0, base=0.5),
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_references_are_partners_and_no_anchors(name):
    """As the loss of both together, of which the first values count and the references are constants."""
    loss, oracle = REFERENCES[name]
    ids, others = np.array([0, 1, 1, 2, 7]), np.array([0, 0, 1, 2, 3, 2, 5, 5])
    x, references = embeddings(ids), embeddings(others, seed=5)
    fixed = torch.tensor(references.astype("float64"))
    both = oracle([*ids.tolist(), *others.tolist()])
    expected, slope = pml.value_and_grad(lambda x: both(torch.cat([x, fixed]))[: len(ids)], x)
    got, other = value_and_grad(lambda x: loss.against(ids, x, others, references), x)
    np.testing.assert_allclose(got, expected.mean(), rtol=1e-5)
    np.testing.assert_allclose(other, slope, rtol=0, atol=1e-5 * np.abs(slope).max())
    # What is not valid is not there.
    more, rubbish = np.append(others, [0, 1]), np.concatenate([references, np.full((2, 6), 3.0, "float32")])
    valid = np.arange(len(more)) < len(others)
    assert float(loss.against(ids, x, more, rubbish, valid)) == pytest.approx(float(got), rel=1e-5)
    assert float(loss.against(ids, x, others, references, valid[:-2] & False)) == pytest.approx(float(loss(ids, x)), rel=1e-5)
    weight = np.array([1.0, 0.0, 2.0, 1.0, 1.0], "float32")
    weighted = float(loss.against(ids, x, others, references, sample_weight=weight))
    assert weighted == pytest.approx(np.mean(weight * expected), rel=1e-5)


def test_references_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"`references` must be \(R, 6\)"):
        losses.Triplet().against([0, 1], embeddings([0, 1]), [0], np.zeros((1, 5)))
