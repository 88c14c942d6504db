"""Images of one class each, against indexing."""

import numpy as np
import pytest
from keras import ops

from kerasmith.labels.pixels import encode
from kerasmith.objects.binary_images import as_images, binary_images, image_classes
from tests.support.cover import each_value

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")

RNG = np.random.default_rng(0)
class_ids = RNG.integers(0, 3, (2, 4, 5))
probabilities = RNG.random((2, 4, 5, 3)).astype("float32")


def arrays(images, classes):
    return [ops.convert_to_numpy(x).reshape(2, classes, 4, 5) for x in images]


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("ignore_class", [None, 2])
@pytest.mark.parametrize("include_background", [False, True])
def test_competing_classes(axis, ignore_class, include_background):
    scores = ops.convert_to_tensor(np.moveaxis(probabilities, -1, axis))
    pixels = encode(ops.convert_to_tensor(class_ids), scores, axis=axis, ignore_class=ignore_class)
    classes = [0, 1, 2] if include_background else [1, 2]
    assert list(image_classes(pixels, include_background)) == classes
    truth, decision = arrays(binary_images(pixels, 0.5, include_background), len(classes))
    counts = class_ids != ignore_class
    for i, c in enumerate(classes):
        np.testing.assert_array_equal(truth[:, i], (class_ids == c) & counts)
        np.testing.assert_array_equal(decision[:, i], (probabilities.argmax(-1) == c) & counts)


def test_independent_channels():
    masks = RNG.random(probabilities.shape) < 0.5
    pixels = encode(ops.convert_to_tensor(masks), ops.convert_to_tensor(probabilities), multi_label=True)
    assert list(image_classes(pixels)) == [0, 1, 2]
    truth, decision = arrays(binary_images(pixels, 0.3), 3)
    np.testing.assert_array_equal(np.moveaxis(truth, 1, -1), masks)
    np.testing.assert_array_equal(np.moveaxis(decision, 1, -1), np.float32(0.3) < probabilities)


def test_one_channel_with_values_of_ignored_pixels():
    ids, scores = (
        ops.convert_to_tensor(np.where(class_ids == 2, 255, class_ids)),
        ops.convert_to_tensor(probabilities[..., :1]),
    )
    pixels = encode(ids, scores, ignore_class=255)
    assert list(image_classes(pixels)) == [0]
    for ignored in (False, True):
        values = ops.convert_to_numpy(as_images(pixels, pixels.scores, ignored=ignored))
        np.testing.assert_array_equal(values, np.where((class_ids == 2) & (not ignored), 0, probabilities[..., 0]))


def test_no_batch_and_no_images():
    pixels = encode(ops.convert_to_tensor(class_ids[:0]), ops.convert_to_tensor(probabilities[:0]))
    assert [tuple(x.shape) for x in binary_images(pixels, 0.5)] == [(0, 4, 5)] * 2
    pixels = encode(ops.convert_to_tensor(class_ids[:, 0, 0]), ops.convert_to_tensor(probabilities[:, 0, 0]))
    with pytest.raises(ValueError, match=r"y_pred of shape \(B, 3\)"):
        binary_images(pixels, 0.5)
