"""What training and validation hold: order, duplicates, scales, and labels among the features."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import leaves_of
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.ignored_labels import ignores

_FEWEST = 40
# The share of validation samples that also train; how many times larger or smaller the numbers of validation may be.
_SHARED, _LARGER, _OTHER_UNIT = 0.2, 5.0, 30.0
_MOST_CLASSES = 200


@check("T164", "setup", "warning", since="0.2.0")
def no_feature_is_the_label(case: SetupCase) -> None:
    """A column of the inputs is the label, or gives it away.

    The score is perfect and says nothing: at prediction time the column is not known. Often the target was left in the table,
    or a column was computed from it.

    Fix: take the column out: `x = table.drop(columns=["target"])`.
    """
    arrays = case.arrays or (case.x, case.y, None)
    ids = _classes(arrays[1])
    y = arrays[1]
    tables = [x for x in leaves_of(arrays[0]) if isinstance(x, np.ndarray) and x.ndim == 2 and x.dtype.kind in "biuf"]
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "biuf" or not tables or len(y) < _FEWEST:
        raise NotApplicable("no table of numbers with 40 samples and more")
    target = ids if ids is not None else y.reshape(len(y), -1)[:, 0] if y.size == len(y) else None
    if target is None or np.ptp(target) == 0:
        raise NotApplicable("the labels are no single column")
    for x in tables:
        if x.shape[1] < 2:
            continue
        for column in range(x.shape[1]):
            values = x[:, column].astype("float64")
            if not np.isfinite(values).all() or np.ptp(values) == 0:
                continue
            if _gives_away(values, target.astype("float64"), ids is not None):
                raise Failed(
                    "features that are not the label",
                    f"column {column} of {x.shape[1]} is the label in all {len(y)} samples, or a shift and multiple of it",
                    [f"print(np.corrcoef(x[:, {column}], np.ravel(y)))"],
                    place=case.place("fit"),
                )


def _gives_away(values, target, are_ids) -> bool:
    if are_ids:
        if len(np.unique(values)) != len(np.unique(target)):
            return False
        pairs = {tuple(pair) for pair in np.stack([values, target], axis=1)}
        return len(pairs) == len(np.unique(target))
    return abs(np.corrcoef(values, target)[0, 1]) > 1 - 1e-9


@check("T165", "setup", "warning", since="0.2.0")
def accuracy_is_not_alone(case: SetupCase) -> None:
    """One class has nearly all samples, and accuracy is the only metric: answering with that class scores as much.

    Fix: `metrics=["accuracy", keras.metrics.AUC(curve="PR")]`, recall, or `kerasmith.metrics.BalancedAccuracy`; class weights
    or a focal loss.
    """
    for output in case.outputs:
        y = output.y_true if case.arrays is None or len(case.outputs) > 1 else case.arrays[1]
        ids = _classes(y)
        names = [str(getattr(metric, "name", metric)) for metric in output.metrics]
        if ids is None or len(ids) < _FEWEST or not names or not all("acc" in name for name in names):
            continue
        if case.fit.class_weight or case.sample_weight is not None or any("balanced" in name for name in names):
            continue
        found, counts = np.unique(ids, return_counts=True)
        share = counts.max() / counts.sum()
        if len(found) > 1 and share >= 0.9:
            raise Failed(
                "a metric that an answer with one class does not satisfy",
                f"class {found[np.argmax(counts)]} has {share:.1%} of {len(ids)} samples; the metrics of {output.name!r} are "
                f"{', '.join(names)}",
                ["print(np.unique(y, return_counts=True))"],
                place=case.place("compile"),
            )


@check("T166", "setup", "warning", since="0.2.0")
def order_is_mixed(case: SetupCase) -> None:
    """The samples are sorted by their label, and `fit` takes them in this order.

    `shuffle=False` makes batches of one class each; `validation_split` cuts off the end before anything is shuffled: it then
    holds classes that the training part lacks, which is an error.

    Fix: shuffle once before `fit`: `order = np.random.permutation(len(x)); x, y = x[order], y[order]`; or
    `train_test_split(x, y, stratify=y)`.
    """
    if case.arrays is None:
        _ask_batches(case)
        return
    ids = _classes(case.arrays[1])
    if ids is None or len(ids) < 8:
        raise NotApplicable("the labels are no classes")
    tail = None if case.validation_arrays is None or not case.fit.validation_split else _classes(case.validation_arrays[1])
    if tail is not None and len(tail) and len(np.unique(np.concatenate([ids, tail]))) <= _MOST_CLASSES:
        unseen = sorted(set(np.unique(tail).tolist()) - set(np.unique(ids).tolist()))
        share = float(np.isin(tail, unseen).mean())
        if unseen and share > 0.2 and len(tail) >= 4:
            raise Failed(
                "the same classes in both parts",
                f"{share:.0%} of the {len(tail)} validation samples, the end of the data, have classes that the training part "
                f"lacks: {', '.join(map(str, unseen[:6]))}",
                ["print(np.unique(y[:-n]), np.unique(y[-n:]))  # n = int(len(y) * validation_split)"],
                severity="error",
                title="`validation_split` cuts off classes: the samples are sorted by their label",
                place=case.place("fit"),
            )
        if len(np.unique(tail)) == 1 and len(np.unique(ids)) > 1 and len(tail) >= 20 and np.mean(ids == tail[0]) < 0.7:
            raise Failed(
                "all classes in the validation part",
                f"its {len(tail)} samples are all of class {tail[0]}, {np.mean(ids == tail[0]):.0%} of the training part are",
                ["print(np.unique(y[:-n]), np.unique(y[-n:]))  # n = int(len(y) * validation_split)"],
                place=case.place("fit"),
            )
    if not case.fit.shuffle and _is_sorted(ids):
        raise Failed(
            "samples in a mixed order, or shuffle=True",
            f"{int(np.sum(ids[1:] != ids[:-1]))} changes of the class in {len(ids)} samples of {len(np.unique(ids))} classes, "
            "with shuffle=False",
            ["print(np.flatnonzero(np.diff(np.ravel(y))))"],
            place=case.place("fit"),
        )


def _ask_batches(case):
    batches = [(case.x, case.y, case.sample_weight), *case.more_batches(6)]
    labels = [_classes(batch[1]) for batch in batches]
    if len(labels) < 3 or any(ids is None or len(ids) < 8 for ids in labels):
        raise NotApplicable("fewer than three batches of classes")
    if all(len(np.unique(ids)) == 1 for ids in labels):
        seen = [str(ids[0]) for ids in labels]
        if case.outputs and case.outputs[0].units in (None, 1) and len(set(seen)) == 1:
            raise NotApplicable("all labels are the same")
        raise Failed(
            "several classes in a batch",
            f"each of the first {len(labels)} batches has one class only: {', '.join(seen)}",
            ["for x, y in dataset: print(np.unique(y))"],
            place=case.place("fit"),
        )


def _is_sorted(ids) -> bool:
    count, classes = len(ids), len(np.unique(ids))
    changes = int(np.sum(ids[1:] != ids[:-1]))
    return 1 < classes <= count // 8 and changes < 2 * classes


@check("T167", "setup", "warning", since="0.2.0")
def validation_is_not_training(case: SetupCase) -> None:
    """Samples of the validation data are in the training data too: the score says how much is known by heart.

    Duplicates in the source, augmentation before the split, windows of a series that overlap, or the same array given twice.

    Fix: split first, then augment; `np.unique(x, axis=0)` before the split; split series at one point in time, and people,
    not their pictures.
    """
    known, other = case.arrays, case.validation_arrays
    if known is None or other is None:
        raise NotApplicable("no validation arrays")
    train, held = _rows(known[0]), _rows(other[0])
    if train is None or held is None or len(held) < 8:
        raise NotApplicable("no rows to compare")
    if _is_discrete(known[0]) and len(set(train)) < 0.9 * len(train):
        raise NotApplicable("the samples repeat, as short discrete ones do")
    seen = set(train)
    share = float(np.mean([row in seen for row in held]))
    if share > _SHARED:
        first = next(k for k, row in enumerate(held) if row in seen)
        raise Failed(
            "validation samples that do not train",
            f"{share:.0%} of {len(held)} are in the training data, number for number; sample {first} is training sample "
            f"{train.index(held[first])}",
            [f"print(np.abs(x_train - x_val[{first}]).reshape(len(x_train), -1).max(axis=1).min())"],
            place=case.place("fit"),
        )


@check("T168", "setup", "warning", since="0.2.0")
def validation_has_the_same_scale(case: SetupCase) -> None:
    """The validation data are scaled otherwise than the training data.

    A division by 255 or a scaler that was applied to one of them alone: the validation score says nothing. It is an error
    where the numbers of one are 30 times those of the other.

    Fix: the same preprocessing for both; put it into the model, `keras.layers.Rescaling(1 / 255)`.
    """
    if case.validation is None:
        raise NotApplicable("no validation data")
    parts = [(case.x, case.y), case.validation[:2]]
    if case.arrays is not None and case.validation_arrays is not None:
        parts = [case.arrays[:2], case.validation_arrays[:2]]
    for which, name in ((0, "x"), (1, "y")):
        for position, (train, held) in enumerate(zip(leaves_of(parts[0][which]), leaves_of(parts[1][which]))):
            if not all(isinstance(a, np.ndarray) and a.dtype.kind in "iuf" and a.size >= 8 for a in (train, held)):
                continue
            if not (np.isfinite(train).all() and np.isfinite(held).all()):
                continue
            if name == "y" and len(np.unique(train)) > 20:
                continue
            if name == "y" and train.shape[1:] != held.shape[1:]:
                continue
            counted = (train, held)
            while name == "y" and _differ(*counted, name) and (void := _largest(*counted)) and ignores(case, position, void):
                counted = (counted[0][counted[0] != void], counted[1][counted[1] != void])
            ratio = _differ(*counted, name)
            if ratio:
                raise Failed(
                    f"{name} of one scale in training and validation",
                    f"{_range(counted[0])} in training, {_range(counted[1])} in validation",
                    [f"print({name}_train.max(), {name}_val.max())"],
                    severity="error" if ratio > _OTHER_UNIT else None,
                    place=case.place("fit"),
                )


def _differ(train: np.ndarray, held: np.ndarray, name: str) -> float:
    """How many times larger the numbers of one are, 0 where that is no finding."""
    if not train.size or not held.size:
        return 0.0
    sizes = [float(np.sqrt(np.mean(np.square(a, dtype="float64")))) for a in (train, held)]
    if min(sizes) == 0 or max(sizes) <= _LARGER * min(sizes):
        return 0.0
    return max(sizes) / min(sizes) if name == "x" or np.abs(held).max() != np.abs(train).max() else 0.0


def _largest(*arrays: np.ndarray) -> float:
    """The number farthest from 0."""
    return max((float(a.flat[np.argmax(np.abs(a))]) for a in arrays), key=abs)


def _range(a: np.ndarray) -> str:
    return f"{a.min():.4g} to {a.max():.4g} (mean {a.mean():.4g})"


def _is_discrete(x: Any) -> bool:
    """Whether the inputs have few values, so that equal samples may be others."""
    return all(
        not isinstance(leaf, np.ndarray) or leaf.dtype.kind not in "f" or len(np.unique(leaf[:64])) <= 20
        for leaf in leaves_of(x)
    )


def _rows(x: Any) -> list[bytes] | None:
    """A digest of each sample, None for samples of fewer than four numbers."""
    leaves = [leaf for leaf in leaves_of(x) if isinstance(leaf, np.ndarray)]
    if not leaves or sum(int(np.prod(leaf.shape[1:])) for leaf in leaves) < 4:
        return None
    import hashlib

    leaves = [
        np.ascontiguousarray(leaf, "float32") if leaf.dtype.kind in "fiub" else np.ascontiguousarray(leaf) for leaf in leaves
    ]
    if any(leaf.dtype == object for leaf in leaves):
        return None
    return [
        hashlib.blake2b(b"".join(leaf[k].tobytes() for leaf in leaves), digest_size=12).digest() for k in range(len(leaves[0]))
    ]


def _classes(y: Any) -> np.ndarray | None:
    """The class of each sample, None where the labels are no classes: ids, 0 and 1, or one column that is 1."""
    if isinstance(y, (list, tuple, dict)):
        leaves = leaves_of(y)
        y = leaves[0] if len(leaves) == 1 else None
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "biuf" or y.ndim not in (1, 2) or not y.size:
        return None
    if y.ndim == 2 and y.shape[1] > 1:
        is_hot = bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
        return np.argmax(y, axis=1) if is_hot else None
    flat = y.reshape(-1)
    if not np.isfinite(flat).all() or (flat != np.round(flat)).any():
        return None
    ids = flat.astype("int64")
    return ids if len(np.unique(ids)) <= max(2, min(_MOST_CLASSES, len(ids) // 4)) else None
