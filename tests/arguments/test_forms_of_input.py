"""Losses and metrics accept and refuse the same forms of labels, predictions and weights, and say what to write."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses, metrics

Y = np.array([[0.0], [1.0]], "float32")
P = np.array([[0.2], [0.8]], "float32")
PARTS = [
    losses.Dice(),
    losses.Charbonnier(),
    losses.Triplet(),
    losses.Contrastive(),
    losses.Dice() + losses.CrossEntropy(),
    losses.KerasLoss("mse"),
    metrics.AUC(bins=16),
    metrics.IoU(),
    metrics.RetrievalRecall([1], capacity=5),
    metrics.PSNR(),
    metrics.ConfusionMatrix(2),
]
_TEXTS = "holds texts"
FORMS = {
    "none": (None, "is None"),
    "list of arrays": ([Y[0], Y[1]], "list of 2 arrays"),
    "array of texts": (np.array(["a", "b"]), _TEXTS),
    "list of texts": (["a", "b"], _TEXTS),
    "texts as objects": (np.array(["a", "b"], dtype=object), _TEXTS),
    "arrays as objects": (np.array([np.zeros(1), np.zeros(2)], dtype=object), "list of 2 arrays"),
    "numbers as objects": (np.array([[0], [1]], dtype=object), "astype"),
    "lists as objects": (np.array([[0], [1, 2]], dtype=object), "unequal lengths"),
    "lists of unequal lengths": ([[0.0], [1.0, 0.0]], "unequal lengths"),
    "dict": ({"mask": Y}, re.escape("['mask']")),
    "list with None": ([[None], [1.0]], "holds None"),
}


def _of_backend():
    """Ragged and sparse tensors, and texts in tensors, as far as the backend has them."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return {
            "ragged": (tf.ragged.constant([[0.0], [1.0, 1.0]]), "to_tensor"),
            "sparse": (tf.sparse.from_dense(Y), re.escape("tf.sparse.to_dense")),
            "tensor of texts": (tf.constant(["a", "b"]), _TEXTS),
        }
    if keras.backend.backend() == "jax":
        from jax.experimental import sparse

        return {"sparse": (sparse.BCOO.fromdense(Y), "todense")}
    return {"sparse": (ops.convert_to_tensor(Y).to_sparse(), "to_dense")}


def _call(part, *arguments):
    return (part if isinstance(part, keras.losses.Loss) else part.update_state)(*arguments)


@pytest.mark.parametrize("form", [*FORMS, *_of_backend()])
def test_other_forms_are_refused_by_all_alike(form):
    bad, message = (FORMS | _of_backend())[form]
    for part in PARTS:
        for place, what in enumerate(("y_true", "y_pred", "sample_weight")):
            if what == "sample_weight" and bad is None:
                continue
            arguments = [Y, P, np.ones(2, "float32")]
            arguments[place] = bad
            with pytest.raises((TypeError, ValueError), match=f"^`{what}`.*{message}"):
                _call(part, *arguments)


@pytest.mark.parametrize("part", [losses.Dice(), metrics.IoU()], ids=["loss", "metric"])
def test_nested_lists_of_numbers_are_accepted(part):
    _call(part, [[0.0], [1]], [[np.float32(0.2)], [0.8]], [1, 2.0])
    _call(part, tuple(map(tuple, Y)), P.tolist(), ops.convert_to_tensor([1.0, 2.0]))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow has ragged tensors in a graph")
def test_ragged_labels_are_refused_in_a_graph():
    import tensorflow as tf

    for part in (losses.Dice(), metrics.IoU()):
        traced = tf.function(lambda y, part=part: _call(part, y, P))
        with pytest.raises(ValueError, match="to_tensor"):
            traced(tf.ragged.constant([[0.0], [1.0, 1.0]]))


def test_the_advice_works():
    bad = [[0.0], [1.0, 0.0]]
    padded = keras.utils.pad_sequences(bad, padding="post", dtype="float32")
    np.testing.assert_array_equal(padded, [[0, 0], [1, 0]])
    ids = np.unique(np.array(["b", "a", "b"]), return_inverse=True)[1]
    np.testing.assert_array_equal(ids, [1, 0, 1])
    same = losses.Dice()(ops.stack([Y[0], Y[1]]), P)
    assert float(same) == pytest.approx(float(losses.Dice()(Y, P)))


def test_weights_of_one_channel_may_stand_first_like_the_channels():
    rng = np.random.default_rng(0)
    truth, scores, weight = (rng.random((2, 1, 3, 4)).astype("float32") for _ in range(3))
    truth = np.round(truth)
    last = [np.moveaxis(x, 1, -1) for x in (truth, scores, weight)]
    assert float(losses.Dice(axis=1)(truth, scores, weight)) == pytest.approx(float(losses.Dice()(*last)), rel=1e-6)
    first, other = metrics.DiceScore(axis=1), metrics.DiceScore()
    first.update_state(truth, scores, weight)
    other.update_state(*last)
    assert float(first.result()) == pytest.approx(float(other.result()), rel=1e-6)
    for part in (losses.Dice(), metrics.DiceScore()):
        with pytest.raises(ValueError, match=r"sample_weight.*Expected"):
            _call(part, last[0], last[1], weight)


def test_two_classes_and_one_channel():
    with pytest.raises(ValueError, match=r"IoU\(num_classes=1\).*ConfusionMatrix\(2\)"):
        metrics.IoU(2).update_state(Y, P)
    metrics.IoU(num_classes=1).update_state(Y, P)
    metrics.ConfusionMatrix(2).update_state(Y, P)
    with pytest.raises(ValueError, match=r"IoU\(num_classes=3\)"):
        metrics.IoU(2).update_state(np.eye(3)[:2], np.eye(3, dtype="float32")[:2])
