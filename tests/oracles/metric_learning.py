"""Embedding losses of pytorch-metric-learning, anchor by anchor, and triplet mining as plain loops; float64 PyTorch.

The library averages over pairs or triplets of the whole batch. Given the pairs of one anchor at a time it yields the value of
that anchor, whatever the sizes of the classes.
"""

import importlib.util
import sys
import types

import numpy as np
import torch

if importlib.util.find_spec("tqdm") is None:  # its progress bars are for loops that nothing here runs
    sys.modules["tqdm"] = types.SimpleNamespace(tqdm=iter)

from pytorch_metric_learning import distances, losses, miners, reducers


def value_and_grad(function, x):
    """Value and gradient of `function(float64 tensor)`, which gives one value an anchor; the mean of them counts."""
    x = torch.tensor(np.asarray(x, "float64"), requires_grad=True)
    each = function(x)
    each.mean().backward()
    return each.detach().numpy(), x.grad.numpy()


def distance(kind, normalize=False):
    """The distance of the library that `losses.Triplet(distance=kind)` means."""
    if kind == "cosine":
        return distances.CosineSimilarity()
    return distances.LpDistance(normalize_embeddings=normalize, power=2 if kind == "squared" else 1)


def triplet(ids, margin, mining, kind, normalize=False):
    """TripletMarginLoss on the triplets of each anchor that a miner of the library, or the plain list of all, gives."""
    ids = torch.tensor(ids)
    measure = distance(kind, normalize)
    soft = margin == "soft"
    loss = losses.TripletMarginLoss(
        margin=0.0 if soft else margin, smooth_loss=soft, distance=measure, reducer=reducers.MeanReducer()
    )
    miner = {
        "hard": lambda: miners.BatchHardMiner(distance=measure),
        "active": lambda: miners.TripletMarginMiner(margin=margin, type_of_triplets="all", distance=measure),
        "all": lambda: _every_triplet,
    }[mining]()

    def each(x):
        return _by_anchor(lambda chosen: loss(x, ids, chosen), miner(x, ids), x)

    return each


def semi_hard_of_twos(ids, x, margin, kind):
    """Anchors that have a semi-hard negative, and their losses, for classes of two samples."""
    x, measure = torch.tensor(x, dtype=torch.float64), distance(kind)
    miner = miners.BatchEasyHardMiner(pos_strategy="easy", neg_strategy="semihard", distance=measure)
    a, p, _, n = miner(x, torch.tensor(ids))
    far = measure(x)
    return a.numpy(), torch.relu(measure.margin(far[a, p], far[a, n]) + margin).numpy()


def pairs(name, ids, epsilon=None, **config):
    """NTXentLoss, SupConLoss or MultiSimilarityLoss on the pairs of each anchor, mined for the last one."""
    ids = torch.tensor(ids)
    loss = getattr(losses, name)(reducer=reducers.MeanReducer(), **config)
    if name == "NTXentLoss":
        return lambda x: _by_anchor(lambda chosen: loss(x, ids, chosen), _every_pair(x, ids), x)
    miner = _every_pair if epsilon is None else miners.MultiSimilarityMiner(epsilon=epsilon)
    loss.reducer = reducers.DoNothingReducer()
    return lambda x: loss(x, ids, miner(x, ids))["loss"]["losses"].reshape(-1)


def whole(name, ids, **config):
    """A loss of the library as its users call it, reduced by its own reducer."""
    loss = getattr(losses, name)(**config)
    return lambda x: loss(x, torch.tensor(ids)).reshape(1)


def arc_face(ids, weights, margin, scale):
    """ArcFaceLoss with given class directions (D, C), `margin` in radians: one value a sample."""
    loss = losses.ArcFaceLoss(weights.shape[1], weights.shape[0], margin=float(np.degrees(margin)), scale=scale)
    loss.W.data = torch.tensor(weights)
    loss.reducer = reducers.DoNothingReducer()
    return lambda x: loss(x, torch.tensor(ids))["loss"]["losses"]


def loops(ids, margin, mining, kind, normalize=False):
    """The triplet loss of each anchor as a person would write it down."""

    def each(x):
        d = _distances(x, kind, normalize)
        values = []
        for a in range(len(ids)):
            positives = [j for j in range(len(ids)) if j != a and ids[j] == ids[a]]
            negatives = [j for j in range(len(ids)) if ids[j] != ids[a]]
            chosen = _MINED[mining](d[a], positives, negatives, margin) if positives and negatives else []
            gaps = [d[a, p] - d[a, n] for p, n in chosen]
            costs = [torch.nn.functional.softplus(gap) if margin == "soft" else torch.relu(gap + margin) for gap in gaps]
            values.append(torch.stack(costs).mean() if costs else 0.0 * x.sum())
        return torch.stack(values)

    return each


def _semi_hard(d, positives, negatives, margin):
    chosen = []
    for p in positives:
        farther = [n for n in negatives if d[n] > d[p]]
        chosen.append((p, min(farther, key=lambda n: d[n]) if farther else max(negatives, key=lambda n: d[n])))
    return chosen


def _all(d, positives, negatives, margin):
    return [(p, n) for p in positives for n in negatives]


def _active(d, positives, negatives, margin):
    return [(p, n) for p in positives for n in negatives if d[p] - d[n] + margin > 0]


def _hard(d, positives, negatives, margin):
    return [(max(positives, key=lambda p: d[p]), min(negatives, key=lambda n: d[n]))]


_MINED = {"semi_hard": _semi_hard, "all": _all, "active": _active, "hard": _hard}


def _distances(x, kind, normalize):
    if normalize or kind == "cosine":
        x = x / x.norm(dim=1, keepdim=True)
    if kind == "cosine":
        return 1 - x @ x.T
    square = ((x[:, None] - x[None]) ** 2).sum(-1)
    if kind == "squared":
        return square
    return torch.sqrt(square + torch.eye(len(x))) * (1 - torch.eye(len(x)))


def _by_anchor(loss, chosen, x):
    values = []
    for a in range(len(x)):
        own = tuple(column[chosen[0 if i < 2 or len(chosen) == 3 else 2] == a] for i, column in enumerate(chosen))
        values.append(loss(_twice(own)) if len(own[0]) and len(own[-1]) else 0.0 * x.sum())
    return torch.stack(values)


def _twice(own):
    """The same pairs twice: the library takes lists of one pair for empty ones. Only positives of NT-Xent may double."""
    if len(own) == 4:
        a, p, b, n = own
        return torch.cat([a, a]), torch.cat([p, p]), b, n
    return tuple(torch.cat([column, column]) for column in own)


def _every_triplet(x, ids):
    same = ids[:, None] == ids[None]
    positive = same & ~torch.eye(len(ids), dtype=torch.bool)
    return torch.where(positive[:, :, None] & ~same[:, None, :])


def _every_pair(x, ids):
    same = ids[:, None] == ids[None]
    return *torch.where(same & ~torch.eye(len(ids), dtype=torch.bool)), *torch.where(~same)
