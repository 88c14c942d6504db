"""Numbers of the data that are not finite, and ids that an embedding does not have."""

import contextlib
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import leaves_of, map_leaves
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.learning import samples_of
from kerasmith.checks.rules.setups.signals import few, signals

_BATCHES = 3


@check("T160", "setup", "error", since="0.2.0")
def data_are_finite(case: SetupCase) -> None:
    """The data hold NaN or infinite numbers, and the model or the loss does not leave them out.

    One of them makes the loss of its batch NaN, and with the next step every weight. What a model masks or fills in, and what
    a loss leaves out, is not reported.

    Fix: `np.isfinite(x).all()` before `fit`; fill in or leave out what is missing, `np.nan_to_num(x)`, a `Masking` layer,
    `x.std(axis=0) + 1e-7` where columns are divided by their spread.
    """
    parts = [case.arrays] if case.arrays is not None else [(case.x, case.y, case.sample_weight), *case.more_batches(_BATCHES)]
    for part in parts:
        count = samples_of(part)
        rows = np.zeros(count, bool)
        texts = []
        for name, data in zip(("x", "y"), part):
            for place, leaf in enumerate(leaves_of(data)):
                if not isinstance(leaf, np.ndarray) or leaf.dtype.kind != "f" or len(leaf) != count:
                    continue
                bad = ~np.isfinite(leaf)
                if bad.any():
                    rows |= bad.reshape(count, -1).any(axis=1)
                    what = "NaN" if np.isnan(leaf).any() else "infinite"
                    where = f"{name}[{place}]" if len(leaves_of(data)) > 1 else name
                    columns = (
                        f", column {int(np.argmax(bad.sum(axis=0)))} most" if leaf.ndim == 2 and leaf.shape[1] > 1 else ""
                    )
                    texts.append(f"{int(bad.sum())} of {bad.size} numbers of {where} are {what}{columns}")
        if rows.any():
            _ask(case, part, np.flatnonzero(rows)[:8], texts)


def _ask(case, part, rows, texts):
    """Raises the finding if predictions or loss of samples with such numbers are not finite either."""
    x, y, _ = (map_leaves(lambda leaf: leaf[rows], one) for one in part)
    answers = [np.asarray(keras.ops.convert_to_numpy(a)) for a in keras.tree.flatten(case.call(x))]
    shows = None
    if not all(np.isfinite(a).all() for a in answers if a.dtype.kind == "f"):
        shows = "the predictions for them are not finite"
    elif y is not None:
        labels = leaves_of(y)
        for output, predicted in zip(case.outputs, answers):
            if output.loss is None or len(labels) != len(case.outputs):
                continue
            if not np.isfinite(case.loss_values(output, labels[output.index], predicted)).all():
                shows = f"the loss of {output.name!r} is not finite for them"
    if shows is None:
        return
    raise Failed(
        "finite numbers",
        f"{'; '.join(texts)}, first in sample {rows[0]}; {shows}",
        ["print(np.argwhere(~np.isfinite(x))[:5])"],
        place=case.place("fit"),
    )


@check("T171", "setup", "error", since="0.2.0")
def samples_differ(case: SetupCase) -> None:
    """All samples are the same, though their labels differ: nothing can be learned from them.

    A generator that returns one buffer, a preprocessing that cuts everything to 0, ids that are all unknown words.

    Fix: print `x[0]` and `x[1]` as they come out of the preprocessing; return copies from a generator.
    """
    leaves = [leaf for leaf in leaves_of(case.x) if isinstance(leaf, np.ndarray)]
    labels = [leaf for leaf in leaves_of(case.y) if isinstance(leaf, np.ndarray)]
    if not leaves or not labels or len(leaves[0]) < 4:
        raise NotApplicable("fewer than four samples with labels")
    if not all(_all_same(leaf) for leaf in leaves) or all(_all_same(leaf) for leaf in labels):
        return
    whole = case.arrays
    if whole is not None and not all(_all_same(leaf) for leaf in leaves_of(whole[0])):
        raise Inconclusive("other batches differ")
    if whole is None and any(not _all_same(leaf) for batch in case.more_batches(_BATCHES) for leaf in leaves_of(batch[0])):
        raise Inconclusive("other batches differ")
    raise Failed(
        "samples that differ",
        f"{len(leaves[0])} samples are the same number for number (first numbers {np.ravel(leaves[0][0])[:4].tolist()}), "
        f"their labels are not",
        ["print(x[0], x[1], y[:2])"],
        place=case.place("fit"),
    )


@check("T172", "setup", "error", requires=(), since="0.2.0")
def ids_are_in_the_embedding(case: SetupCase) -> None:
    """Ids of the inputs are not in the embedding: it has fewer rows than there are words.

    PyTorch and TensorFlow on a CPU stop with an index out of range; JAX takes the last row in silence, TensorFlow on a GPU
    zeros. Ids below 0 count from the end.

    Fix: `Embedding(input_dim=largest id + 1, ...)`: the size of the vocabulary, and one more for the padding and one for
    unknown words where these have ids.
    """
    pairs = _ids_of_embeddings(case)
    for layer, ids in pairs:
        rows = int(layer.input_dim)
        if ids.size and (ids.max() >= rows or ids.min() < 0):
            wrong = float(np.mean((ids >= rows) | (ids < 0)))
            raise Failed(
                f"ids from 0 to {rows - 1}",
                f"from {int(ids.min())} to {int(ids.max())}; {wrong:.2%} are outside",
                [f"print(x.min(), x.max())  # `{layer.name}` has {rows} rows"],
                place=case.place(layer) or case.place("fit"),
            )


def _ids_of_embeddings(case) -> list[tuple[Any, np.ndarray]]:
    """[(embedding, the ids that reach it)], as far as inputs go to embeddings as they are."""
    from kerasmith.keras_internals.layers import all_layers

    found = [layer for layer in all_layers(case.model, include_self=False) if isinstance(layer, keras.layers.Embedding)]
    if not found:
        raise NotApplicable("there is no embedding")
    leaves = leaves_of(case.x if case.arrays is None else case.arrays[0])
    pairs = []
    inputs = list(getattr(case.model, "inputs", None) or [])
    for layer in found:
        with contextlib.suppress(AttributeError, ValueError):  # of a subclass, or called several times
            places = [k for k, one in enumerate(inputs) if layer.input is one]
            if len(places) == 1 and len(inputs) == len(leaves):
                pairs.append((layer, _fitting(case, inputs, leaves, places[0])))
    if not inputs and len(found) == len(leaves) == 1 and _gets_as_it_is(case, found[0]):
        pairs = [(found[0], leaves[0])]
    pairs = [(layer, ids) for layer, ids in pairs if isinstance(ids, np.ndarray) and ids.dtype.kind in "iuf"]
    if not pairs:
        raise Inconclusive("which inputs go to which embedding is not known")
    return pairs


def _gets_as_it_is(case, layer) -> bool:
    """Whether the only input reaches an embedding unchanged; a model that stops at it is taken for one."""
    try:
        calls = [signal for signal in signals(case) if signal.layer is layer]
    except Inconclusive:
        return True
    (ids,) = leaves_of(few(case))
    return any(np.array_equal(signal.inputs[0], ids) for signal in calls if signal.inputs)


def _fitting(case, inputs, leaves, place):
    """The leaf that goes to an input: by its name in a dict, else by its place."""
    x = case.x if case.arrays is None else case.arrays[0]
    return x.get(inputs[place].name) if isinstance(x, dict) else leaves[place]


def _all_same(leaf) -> bool:
    leaf = np.asarray(leaf)
    return bool((leaf[1:] == leaf[:1]).all())
