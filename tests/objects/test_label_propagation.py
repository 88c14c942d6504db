"""Counts on the device equal those of the host, eagerly and compiled."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.objects import label_propagation
from kerasmith.objects.label_propagation import object_counts_on_device
from kerasmith.objects.matching import detection_counts, object_counts
from tests.oracles import objects as oracle
from tests.support.cover import each_value

BACKEND = keras.backend.backend()
pytestmark = [
    pytest.mark.formula("operations on tensors beside an oracle"),
    pytest.mark.heavy("each size of pictures compiles anew", on=("tensorflow",), seconds=2),
    pytest.mark.skipif(BACKEND == "jax", reason="JAX can always call the host, and has no float64 by default"),
]


def detection_counts_on_device(*args, **kwargs):
    """True positives, false positives and false negatives of each image."""
    true_positives, actual, _, predicted = (object_counts_on_device(*args, **kwargs)[:, 0, k] for k in range(4))
    return ops.stack([true_positives, predicted - true_positives, actual - true_positives], axis=-1)


def compiled(**config):
    """The counts as the strictest compiler of the backend sees them."""
    return compiled_function(lambda truth, prediction: detection_counts_on_device(truth, prediction, **config))


def compiled_function(count):
    """A function as the strictest compiler of the backend sees it; PyTorch runs eagerly."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(count, jit_compile=True)
    return count


def on_device(function, truth, prediction):
    counts = function(ops.convert_to_tensor(truth, "bool"), ops.convert_to_tensor(prediction, "bool"))
    assert keras.backend.standardize_dtype(counts.dtype) == "int32"
    return ops.convert_to_numpy(counts).tolist()


def rings(size):
    """Squares within squares."""
    y, x = np.indices((size, size))
    return np.minimum.reduce([y, x, size - 1 - y, size - 1 - x]) % 2 == 0


def spiral(size):
    """One path of one pixel's width that winds to the middle, size 4k + 1."""
    mask = np.zeros((size, size), bool)
    y, x, dy, dx = 0, 0, 0, 1
    mask[0, 0] = True
    turns = 0
    while turns < 2:
        ahead = y + dy, x + dx
        beyond = y + 2 * dy, x + 2 * dx
        inside = all(0 <= c < size for c in ahead)
        free = inside and not (all(0 <= c < size for c in beyond) and mask[beyond])
        if free and not mask[ahead]:
            y, x = ahead
            mask[ahead] = True
            turns = 0
        else:
            dy, dx = dx, -dy
            turns += 1
    return mask


def lines(size):
    """Every second row."""
    return np.broadcast_to(np.arange(size)[:, None] % 2 == 0, (size, size))


def pictures():
    """Pairs of hard images, 17 x 17."""
    size = 17
    y, x = np.indices((size, size))
    full, empty = np.ones((size, size), bool), np.zeros((size, size), bool)
    checkers, corner, far_corner = (y + x) % 2 == 0, (y == 0) & (x == 0), (y == size - 1) & (x == size - 1)
    frame = (y == 0) | (x == 0) | (y == size - 1) | (x == size - 1)
    halves = (x != 8) & full
    winding = spiral(size)
    cut = winding & ~((y == 8) & (x < 3))
    images = [
        *[(full, full), (full, empty), (empty, full), (empty, empty), (checkers, checkers), (checkers, ~checkers)],
        *[(checkers, full), (rings(size), rings(size)), (rings(size), full), (rings(size), checkers), (winding, winding)],
        *[(winding, cut), (winding, ~winding), (winding, full), (corner, corner), (far_corner, far_corner)],
        *[(far_corner, corner), (full, far_corner), (frame, frame & halves), (halves, full), (halves, halves.T)],
        *[(lines(size), lines(size).T), (lines(size), full), (lines(size), checkers), (~frame, full)],
    ]
    return [np.stack(side) for side in zip(*images)]


def test_the_spiral_is_one_long_path():
    path = spiral(17)
    assert len(oracle.components(path, 1)) == 1
    assert path.sum() > 17 * 17 / 2
    assert not (path[1:, 1:] & path[1:, :-1] & path[:-1, 1:] & path[:-1, :-1]).any()


@pytest.mark.parametrize(
    "config",
    [
        {"threshold": 0.5},
        {"threshold": 0.5, "connectivity": 4},
        {"threshold": 0.7, "connectivity": 8, "min_size": 5},
        {"threshold": 0.9, "connectivity": 4, "min_size": 2},
    ],
    ids=str,
)
def test_hard_pictures(config):
    truth, prediction = pictures()
    assert on_device(compiled(**config), truth, prediction) == detection_counts(truth, prediction, **config).tolist()


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize(
    ("shape", "connectivity", "order"),
    [((6, 30), None, 1), ((6, 11, 9), 4, 1), ((4, 5, 6, 7), 6, 1), ((4, 5, 6, 7), 18, 2), ((4, 5, 6, 7), None, 3)],
)
@pytest.mark.parametrize(("threshold", "min_size"), [(0.5, 0), (0.6, 2)])
def test_random_masks_equal_plain_loops(shape, connectivity, order, threshold, min_size):
    rng = np.random.default_rng(0)
    function = compiled(threshold=threshold, connectivity=connectivity, min_size=min_size)
    for density in (0.15, 0.35, 0.5):
        truth = rng.random(shape) < density
        prediction = truth ^ (rng.random(shape) < 0.15)
        expected = [oracle.detection_counts(t, p, threshold, order, min_size) for t, p in zip(truth, prediction)]
        assert on_device(function, truth, prediction) == expected


@pytest.mark.parametrize("threshold", [0.5, 0.6, 2 / 3, 0.75])
def test_many_random_masks_equal_the_host(threshold):
    # Coarse masks are full of ties, among IoUs and with the threshold.
    rng = np.random.default_rng(1)
    density = rng.uniform(0.2, 0.65, (200, 1, 1))
    truth, prediction = rng.random((2, 200, 10, 12)) < density
    function = compiled(threshold=threshold, connectivity=4)
    expected = detection_counts(truth, prediction, threshold, connectivity=4)
    assert expected.min(axis=0).tolist() != expected.max(axis=0).tolist()
    assert on_device(function, truth, prediction) == expected.tolist()


@pytest.mark.parametrize(("threshold", "edges"), [(0.5, (1,)), (0.6, (3,)), (0.5, (2, 6, 20))])
def test_counts_by_size_equal_the_host(threshold, edges):
    rng = np.random.default_rng(2)
    truth = rng.random((40, 10, 12)) < 0.4
    prediction = truth ^ (rng.random(truth.shape) < 0.15)
    expected = object_counts(truth, prediction, threshold, connectivity=4, min_size=2, size_edges=edges)
    assert expected.shape == (40, len(edges) + 1, 4)
    assert (expected[:, 1:].sum(axis=0) > 0).all()

    def count(truth, prediction):
        return object_counts_on_device(truth, prediction, threshold, 4, 2, edges)

    assert on_device(compiled_function(count), truth, prediction) == expected.tolist()
    assert on_device(compiled_function(count), truth[:0], prediction[:0]) == []


def test_low_thresholds_say_what_to_write():
    masks = ops.zeros((2, 4, 4), "bool")
    with pytest.raises(ValueError, match=r"a threshold of 0\.5 or more, or .*jit_compile=False.* threshold=0\.49"):
        object_counts_on_device(masks, masks, 0.49)


@pytest.mark.parametrize("threshold", [0.5, 0.6, 2 / 3, 0.7, 0.9, 0.999])
def test_the_threshold_itself_is_no_match(threshold):
    size = 1000 if threshold == 0.999 else 300
    shared = round(threshold * size)
    assert shared / size == threshold
    truth = np.ones((3, size), bool)
    prediction = np.arange(size) < np.array([[shared - 1], [shared], [shared + 1]])
    expected = [[0, int(shared > 1), 1], [0, 1, 1], [1, 0, 0]]
    assert detection_counts(truth, prediction, threshold).tolist() == expected
    assert on_device(compiled(threshold=threshold), truth, prediction) == expected


def test_ious_that_float32_cannot_compare():
    size, shared = 16384, 8193  # 0.50006103515625
    threshold = np.nextafter(shared / size, 1)
    assert np.float32(threshold) == np.float32(shared / size)
    truth = np.ones((1, size), bool)
    prediction = np.arange(size)[None] < shared
    assert on_device(compiled(threshold=threshold), truth, prediction) == [[0, 1, 1]]
    assert on_device(compiled(threshold=np.nextafter(shared / size, 0)), truth, prediction) == [[1, 0, 0]]


def test_long_spirals_need_few_rounds(monkeypatch):
    rounds = []
    original = label_propagation._neighbour_maximum

    def counted(image, order):
        rounds.append(1)
        return original(image, order)

    monkeypatch.setattr(label_propagation, "_neighbour_maximum", counted)
    # Backends trace the body of a loop once; rounds are counted where it runs as it is written.
    monkeypatch.setattr(ops, "while_loop", python_while_loop)
    label = label_propagation._label(ops.convert_to_tensor(spiral(65)[None]), 1)
    values = np.unique(ops.convert_to_numpy(label))
    assert values.tolist() == [0, 65 * 65]
    assert len(rounds) <= 8


def python_while_loop(condition, body, state):
    while bool(condition(*state)):
        state = body(*state)
    return state


@pytest.mark.parametrize("shape", [(0, 5, 5), (2, 0, 5), (2, 5, 0), (0, 0, 0), (2, 1, 1), (3, 2, 0, 2), (1, 1)])
def test_sizes_zero_and_one(shape):
    function = compiled(threshold=0.5)
    for truth in (np.zeros(shape, bool), np.ones(shape, bool)):
        for prediction in (np.zeros(shape, bool), np.ones(shape, bool)):
            assert on_device(function, truth, prediction) == detection_counts(truth, prediction, 0.5).tolist()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow traces with unknown sizes")
@pytest.mark.parametrize(
    ("known", "jit_compile", "threshold"),
    [
        ((None, 17, 17), False, 0.5),
        ((None, 17, 17), True, 0.6),
        ((None, None, None), False, 0.6),
        ((None, None, None), True, 0.5),
        ((25, None, 17), True, 0.6),
    ],
)
def test_unknown_sizes(known, jit_compile, threshold):
    import tensorflow as tf

    traces = []

    @tf.function(input_signature=[tf.TensorSpec(known, tf.bool)] * 2, jit_compile=jit_compile)
    def count(truth, prediction):
        traces.append(truth.shape)
        return detection_counts_on_device(truth, prediction, threshold, 4, 2)

    truth, prediction = pictures()
    assert (
        on_device(count, truth, prediction)
        == detection_counts(truth, prediction, threshold, connectivity=4, min_size=2).tolist()
    )
    if known[0] is None:
        part = slice(20, 23)
        expected = detection_counts(truth[part], prediction[part], threshold, connectivity=4, min_size=2).tolist()
        assert on_device(count, truth[part], prediction[part]) == expected
        assert on_device(count, truth[:0], prediction[:0]) == []
    assert [tuple(shape) for shape in traces] == [known]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow traces with unknown sizes")
def test_unknown_rank_says_what_to_write():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec(None, tf.bool)] * 2)
    def count(truth, prediction):
        return detection_counts_on_device(truth, prediction, 0.5)

    with pytest.raises(ValueError, match="ensure_shape"):
        count(tf.zeros((1, 2, 2), tf.bool), tf.zeros((1, 2, 2), tf.bool))


def test_bad_masks_are_named():
    masks = ops.zeros((2, 4, 4), "bool")
    with pytest.raises(ValueError, match=r"2-D images must be None or one of 4, 8. Received: connectivity=6"):
        detection_counts_on_device(masks, masks, 0.5, 6)
    with pytest.raises(ValueError, match=r"\(2, 4, 4\) and \(2, 4, 3\)"):
        detection_counts_on_device(masks, masks[:, :, :3], 0.5)
    with pytest.raises(ValueError, match="4 spatial axes"):
        detection_counts_on_device(ops.zeros((1, 2, 2, 2, 2), "bool"), ops.zeros((1, 2, 2, 2, 2), "bool"), 0.5)


def test_too_many_pixels_are_refused_before_anything_is_allocated():
    masks = keras.KerasTensor((2**10, 2**10, 2**10), "bool")
    with pytest.raises(ValueError, match=r"in fewer than \d+ pixels"):
        detection_counts_on_device(masks, masks, 0.5)
