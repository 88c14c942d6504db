"""The losses of pytorch-metric-learning, with the means over triplets and pairs that kerasmith has for classes of one size."""

import numpy as np

from benchmarks.contenders.contender import Contender

try:
    from pytorch_metric_learning import distances, losses, miners, reducers
except ImportError:
    losses = None

_MOST_TRIPLETS = 2_000_000


def contender(loss, case):
    make = {
        "triplet_hard": _triplet_hard,
        "triplet_all": _triplet_all,
        "nt_xent": lambda: losses.NTXentLoss(temperature=0.2),
        "sup_con": lambda: losses.SupConLoss(temperature=0.2),
        "multi_similarity": _multi_similarity,
    }.get(loss)
    # It lists every triplet.
    too_many = loss == "triplet_all" and case.batch * 15 * (case.batch - 16) > _MOST_TRIPLETS
    if make is None or losses is None or too_many:
        return None
    made = make()
    return Contender(lambda y, x: made(x, y), case.truth().astype(np.int64), case.predictions(), channel_axis=None)


def _triplet_all():
    return losses.TripletMarginLoss(margin=1.0, distance=_euclidean(), reducer=reducers.MeanReducer())


def _triplet_hard():
    loss, miner = _triplet_all(), miners.BatchHardMiner(distance=_euclidean())
    return lambda x, y: loss(x, y, miner(x, y))


def _multi_similarity():
    loss, miner = losses.MultiSimilarityLoss(alpha=2.0, beta=10.0, base=0.5), miners.MultiSimilarityMiner(epsilon=0.1)
    return lambda x, y: loss(x, y, miner(x, y))


def _euclidean():
    return distances.LpDistance(normalize_embeddings=False, power=1)
