"""Labels that a loss leaves out, such as the id of void pixels, by what the loss does."""

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, to_arrays
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.harness.fit_data import leaves_of, map_leaves
from kerasmith.checks.rules.setups.case import SetupCase


def ignores(case: SetupCase, position: int, value: float) -> bool:
    """Whether the loss does not look at predictions where the label is `value`.

    Labels of nothing else then have the same loss whatever is predicted.

    Args:
        case: the set-up.
        position: of the array among those of `y`.
        value: a label.
    """
    from kerasmith.objectives.step_record import recording

    leaves = iter(range(len(leaves_of(case.y))))
    y = map_leaves(
        lambda leaf: (
            np.full(leaf.shape, value, leaf.dtype if leaf.dtype.kind == "f" else "int32") if next(leaves) == position else leaf
        ),
        case.y,
    )
    rng, losses = np.random.default_rng(0), []
    try:
        with case.restored(), without_gradients(), recording():
            outputs = case.model(as_tensors(case.x))
            # Keras sorts the names of a dict, which the data do not.
            place = sorted(case.y).index(list(case.y)[position]) if isinstance(case.y, dict) else position
            for _ in range(2):
                flat = keras.tree.flatten(outputs)
                flat[place] = keras.ops.cast(rng.uniform(0.1, 0.9, flat[place].shape), flat[place].dtype)
                y_pred = keras.tree.pack_sequence_as(outputs, flat)
                loss = case.model.compute_loss(as_tensors(case.x), as_tensors(y), y_pred, as_tensors(case.sample_weight))
                losses.append(float(to_arrays([loss])[0]))
    except Exception:  # a loss that refuses such a label counts it
        return False
    return bool(np.isclose(*losses, rtol=1e-6, atol=1e-7))
