"""Weights of samples and classes: whether they reach the loss, and as what."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import ops
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.harness.fit_data import cut, leaves_of, map_leaves
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.learning import samples_of, trial, weight_penalty

# A mean weight outside of these changes the size of the steps.
_LIGHT, _HEAVY = 0.1, 10.0
# Parts by which the ratio of two samples' losses is off where something else was weighed.
_APART = 2e-3


@check("T150", "setup", "error", since="0.2.0")
def weights_reach_the_loss(case: SetupCase) -> None:
    """The weights of samples or classes reach nothing, or only make the whole loss larger or smaller.

    A loss that returns one number for the batch is multiplied by the mean of the weights: a sample of weight 0 counts as
    much as any other. A `compute_loss` or an objective that does not take them leaves them out. Asked with all weights but
    one sample's set to 0, for two samples.

    Fix: return one value a sample from the loss, of shape `(batch,)`, and let Keras weigh and average; in a `compute_loss`
    of your own pass `sample_weight` on.
    """
    if case.sample_weight is None:
        raise NotApplicable("there are no weights")
    count, weights = samples_of((case.x, None, None)), leaves_of(case.sample_weight)
    if count < 3 or any(len(leaf) != count for leaf in weights):
        raise Inconclusive("fewer than three samples")
    picked = _two_samples(case, count)
    alone = [_loss(case, map_leaves(lambda leaf, k=k: _only(leaf, k), case.sample_weight)) for k in picked]
    ones, double = (
        _loss(case, map_leaves(lambda leaf, f=f: np.full_like(leaf, f, "float32"), case.sample_weight)) for f in (1, 2)
    )
    if not np.isfinite([*alone, ones, double]).all():
        raise Inconclusive("the loss is not finite")
    known = case.is_objective or case.has_own_step or case.has_own_loss or _samples_differ(case, picked)
    if known and np.allclose(alone, ones, rtol=1e-5) and np.isclose(double, ones, rtol=1e-5):
        raise Failed(
            "another loss with other weights",
            f"{ones:.6g} with all weights 1, {double:.6g} with 2, {alone[0]:.6g} where only sample {picked[0]} counts",
            [],
            title="The weights of samples or classes reach nothing",
            place=case.place("compile"),
        )
    if _samples_differ(case, picked) and np.isclose(*alone, rtol=1e-5, atol=1e-12) and not np.isclose(double, ones, rtol=1e-5):
        raise Failed(
            f"other losses where only sample {picked[0]} or only sample {picked[1]} counts",
            f"{alone[0]:.6g} for both; {ones:.6g} with all weights 1, {double:.6g} with all weights 2",
            [],
            title="The weights of samples or classes only change the scale of the loss",
            place=case.place("compile"),
        )
    _other_samples(case, picked, alone)


@check("T151", "setup", "error", requires=("base",), since="0.2.0")
def class_weights_meet_their_classes(case: SetupCase) -> None:
    """`class_weight` does not meet the labels: Keras ignores it, or takes it for something else.

    Keras rounds labels of one column to ids and takes the largest of several columns. An id that the dict does not have
    gets 1.0. Labels of many classes at once get the weight of the first one that is set; labels along time or space are not
    meant at all.

    Fix: keys that are the ids in `y`, `{0: 1.0, 1: 5.0}`. For several labels at once, masks and sequences: a loss with
    weights of its own, or `sample_weight` of the shape of the labels.
    """
    given = case.fit.class_weight
    if not given:
        raise NotApplicable("there is no class_weight")
    y = case.y if case.arrays is None else case.arrays[1]
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "biuf":
        raise NotApplicable("the labels are no single array")
    listed = {key: float(value) for key, value in given.items()}
    if y.ndim > 2 or (y.ndim == 2 and _along_time(case, y)):
        raise Failed(
            "labels with one class for each sample",
            f"y has the shape {y.shape}: Keras has no class of a sample to look up",
            ["print(y.shape)"],
            place=case.place("fit"),
        )
    hot = y.ndim == 2 and y.shape[1] > 1
    ids = np.argmax(y, axis=1) if hot else np.round(y.reshape(-1)).astype("int64")
    present, missing = np.unique(ids), [key for key in np.unique(ids) if int(key) not in listed]
    unused = [key for key in listed if key not in present]
    if len(set(listed.values())) > 1 and len(missing) == len(present):
        raise Failed(
            f"keys among the ids {_short(present)}",
            f"{_short(list(listed))}: every sample has the weight 1",
            ["print(np.unique(y), class_weight)"],
            title="`class_weight` reaches nothing: none of its keys is the id of a class",
            place=case.place("fit"),
        )
    if hot and float((np.sum(y > 0.5, axis=1) > 1).mean()) > 0.02:
        share = float((np.sum(y > 0.5, axis=1) > 1).mean())
        raise Failed(
            "one class for each sample",
            f"{share:.0%} of the samples have several classes, and get the weight of the first of them alone",
            ["print((y > 0.5).sum(axis=1)[:20])"],
            place=case.place("fit"),
        )
    if not hot and y.dtype.kind == "f" and np.abs(y - np.round(y)).max() > 0.05 and len(np.unique(y)) > 10:
        raise Failed(
            "labels that are ids",
            f"numbers from {y.min():.4g} to {y.max():.4g}, which are rounded to look up a weight",
            ["print(np.unique(y)[:10])"],
            severity="warning",
            place=case.place("fit"),
        )
    if missing or unused:
        raise Failed(
            f"a weight for each of the ids {_short(present)} and no other",
            (f"none for {_short(missing)}, which get 1.0" if missing else "")
            + ("; " if missing and unused else "")
            + (f"{_short(unused)} occur in no label" if unused else ""),
            ["print(np.unique(y), class_weight)"],
            severity="warning" if missing else "note",
            place=case.place("fit"),
        )


@check("T152", "setup", "warning", requires=("base", "T151"), since="0.2.0")
def class_weights_lift_the_rare_classes(case: SetupCase) -> None:
    """The class weights make frequent classes count more and rare ones less: they are turned over.

    Weights against imbalance are inverse to the counts of the classes.

    Fix: `{k: len(y) / (classes * count) for k, count in enumerate(np.bincount(y))}`.
    """
    given, y = case.fit.class_weight, case.y if case.arrays is None else case.arrays[1]
    if not given or not isinstance(y, np.ndarray) or y.ndim > 2 or y.dtype.kind not in "biuf":
        raise NotApplicable("there is no class_weight of single labels")
    ids = np.argmax(y, axis=1) if y.ndim == 2 and y.shape[1] > 1 else np.round(y.reshape(-1)).astype("int64")
    names, counts = np.unique(ids, return_counts=True)
    weights = np.array([float(given.get(int(name), 1.0)) for name in names])
    if len(names) < 2 or counts.max() < 3 * counts.min() or np.ptp(weights) == 0:
        return
    common, rare = int(np.argmax(counts)), int(np.argmin(counts))
    slope = np.corrcoef(np.log(counts), np.log(np.maximum(weights, 1e-9)))[0, 1]
    if weights[common] > weights[rare] and slope > 0.5:
        raise Failed(
            f"a larger weight for class {names[rare]} with {counts[rare]} samples",
            f"{weights[rare]:.4g}; class {names[common]} with {counts[common]} samples has {weights[common]:.4g}",
            ["print(np.unique(y, return_counts=True), class_weight)"],
            place=case.place("fit"),
        )


@check("T153", "setup", "error", since="0.2.0")
def weights_are_usable(case: SetupCase) -> None:
    """The weights are 0 for all samples, below 0, or no numbers.

    With 0 everywhere nothing is trained; a negative weight makes the loss of its samples grow without a bound. Weights with
    a mean far from 1 make every step larger or smaller with plain SGD and move the loss against penalties.

    Fix: weights above 0 with a mean of 1: `w = w / w.mean()`.
    """
    if case.sample_weight is None:
        raise NotApplicable("there are no weights")
    given = case.sample_weight if case.arrays is None or case.arrays[2] is None else case.arrays[2]
    for leaf in leaves_of(given):
        w = np.asarray(leaf, "float64")
        text = f"from {np.min(w):.4g} to {np.max(w):.4g}, mean {np.mean(w):.4g}"
        if not np.isfinite(w).all():
            raise Failed("finite weights", f"{int((~np.isfinite(w)).sum())} of {w.size} are NaN or infinite")
        if not w.any():
            raise Failed("weights above 0", "all are 0: nothing is trained", ["print(sample_weight)"], place=case.place("fit"))
        if w.min() < 0:
            raise Failed("weights that are not negative", text, severity="warning", place=case.place("fit"))
        if not _LIGHT < w.mean() < _HEAVY:
            raise Failed("a mean weight near 1", text, severity="warning", place=case.place("fit"))


def _other_samples(case, picked, alone) -> None:
    """Raises the finding where a weight for one sample does not leave that sample's loss."""
    if len(case.outputs) != 1 or case.is_objective or case.has_own_step or case.outputs[0].loss is None:
        return
    output, predicted = case.outputs[0], case.predictions()[0]
    whole = case.loss_values(output, output.y_true, predicted)
    own = np.array([whole[k] for k in picked])
    single = np.array([case.cache["losses of two"]]).ravel()
    if not np.allclose(own, single, rtol=1e-3):
        return  # a loss of the whole batch
    none = _loss(case, map_leaves(lambda leaf: np.zeros(leaf.shape, "float32"), case.sample_weight))
    found = np.array(alone) - none
    if own.min() <= 0 or found.min() < 0:
        return
    # Losses of a model that begins are close to each other; single precision still tells them apart.
    apart = _APART if predicted.dtype in ("float32", "float64") else 10 * _APART
    if abs(found[1] / max(found[0], 1e-30) / (own[1] / own[0]) - 1) > apart:
        shape = ", ".join(str(np.shape(leaf)) for leaf in leaves_of(case.sample_weight))
        raise Failed(
            f"the loss of sample {picked[0]}, {own[0]:.4g}, where only it counts, and of sample {picked[1]}, {own[1]:.4g}",
            f"{found[0]:.4g} and {found[1]:.4g}: weights of shape {shape} meet outputs of shape {predicted.shape} elsewhere",
            [],
            title="The weights of samples weigh something else: they lie along another axis",
            fix="Weights with the axes of the loss: `sample_weight[:, None, None]` for losses of pixels.",
            place=case.place("fit"),
        )


def _loss(case, weight) -> float:
    if case.has_own_step or case.is_objective:
        return trial(case).step(*cut((case.x, case.y, weight), samples_of((case.x, None, None))))
    if "trained predictions" not in case.cache:
        case.cache["trained predictions"] = case.call(case.x)
    y_pred = case.cache["trained predictions"]
    try:
        with case.restored(), without_gradients():
            value = case.model.compute_loss(as_tensors(case.x), as_tensors(case.y), y_pred, as_tensors(weight))
            return float(ops.convert_to_numpy(value)) - weight_penalty(case.model)
    except Exception as error:
        raise Inconclusive(f"the loss cannot be computed with other weights: {error}") from error


def _only(leaf: Any, k: int) -> np.ndarray:
    found = np.zeros(leaf.shape, "float32")
    found[k] = len(leaf)
    return found


def _two_samples(case, count):
    """The samples with the lowest and the highest loss, as far as losses of samples are known."""
    values = np.zeros(count)
    for output, predicted in zip(case.outputs, case.predictions()):
        try:
            for k in range(min(count, 16)):
                values[k] += float(np.mean(case.loss_values(output, output.y_true[k : k + 1], predicted[k : k + 1])))
        except (Inconclusive, TypeError):
            continue
    low, high = int(np.argmin(values[:16])), int(np.argmax(values[:16]))
    case.cache["losses of two"] = (values[low], values[high])
    return (low, high) if low != high else (0, 1)


def _samples_differ(case, picked) -> bool:
    low, high = case.cache["losses of two"]
    return bool(np.isfinite([low, high]).all() and abs(high - low) > 1e-3 * max(abs(high), abs(low)))


def _along_time(case, y) -> bool:
    """Whether the second axis of integer labels is time: the output has one more axis."""
    predicted = case.predictions()[0]
    return predicted.ndim == 3 and predicted.shape[1] == y.shape[1] and len(case.outputs) == 1


def _short(values) -> str:
    texts = [str(value) for value in values]
    return ", ".join(texts[:6]) + (f", ... ({len(texts)})" if len(texts) > 6 else "")
