"""Objects on the device, for the one place that cannot call the host: TensorFlow under XLA.

The results equal those of `matching.object_counts` with greedy matching and of `components.surplus_pixels`, to the last
tie. All arithmetic is in int32: JAX has no 64-bit types by default, and IoUs that differ may be equal in float32.

Each pixel of the flattened batch has a rank, falling from the number of pixels to 1; background counts as 0. An object is
known by the rank of its first pixel, its largest. So objects are found, and partners chosen, by maxima to which 0 is neutral.
Nothing is sorted: under XLA on a CPU one sort costs as much as forty segment maxima.
"""

import itertools
import math
from fractions import Fraction

import keras
from keras import ops

from kerasmith.numerics.tensors import compatible, static_shape
from kerasmith.objects.components import connectivity_order

# An IoU is held in three digits of 20 bits: IoUs that differ do so within 60 bits if unions are below 2**30 pixels, and a
# digit survives the float32 in which keras.ops reduces segments of PyTorch tensors.
_DIGITS, _BITS = 3, 20


def detection_counts_on_device(truth, prediction, threshold, connectivity=None, min_size=0):
    """Found, invented and missed objects of each image, int32 (B, 3): see `matching.detection_counts`."""
    counts = object_counts_on_device(truth, prediction, threshold, connectivity, min_size)
    found, actual, _, predicted = (counts[:, 0, k] for k in range(4))
    return ops.stack([found, predicted - found, actual - found], axis=-1)


def object_counts_on_device(truth, prediction, threshold, connectivity=None, min_size=0, size_edges=()):
    """How many objects of each size there are in an image, and how many of them have a partner.

    Args:
        truth, prediction: boolean tensors (B, *spatial) of one shape, 1-D to 3-D images; sizes may be unknown where TensorFlow
            traces, the rank must be known.
        threshold: the IoU that a match must exceed, 0 <= threshold < 1; matching is greedy, the largest IoU first, ties in the
            order of the objects.
        connectivity, min_size: see `components.label_objects`.
        size_edges: n ascending numbers of pixels, which separate n + 1 groups.

    Returns:
        int32 (B, n + 1, 4), see `matching.object_counts`.

    Raises:
        ValueError: for shapes that differ, unknown rank, a connectivity that the images do not have, or too many pixels.
    """
    static, other = static_shape(truth, "truth"), static_shape(prediction, "prediction")
    if not compatible(static, other):
        raise ValueError(f"Expected masks of one shape (B, *spatial). Received: shapes {static} and {other}")
    order = connectivity_order(connectivity, len(static) - 1)
    shape = ops.shape(truth)
    batch, pixels, size = shape[0], math.prod(shape[1:]), math.prod(shape)
    if isinstance(size, int):
        if size == 0:
            return ops.zeros((batch, len(size_edges) + 1, 4), "int32")
        limit = 2 ** (24 if keras.backend.backend() == "torch" else 30)
        if size >= limit:
            raise ValueError(
                f"On the device, objects are counted in fewer than {limit} pixels. Received: masks of shape {static}. "
                "Pass fewer images at once, or use `matching.detection_counts`."
            )
    first, size_a, count_a = _objects(truth, order, min_size)
    second, size_b, count_b = _objects(prediction, order, min_size)
    at_a, at_b = _position(first), _position(second)
    size_a, size_b = ops.take(size_a, at_a), ops.take(size_b, at_b)
    shared = _shared(first, second, at_a, at_b)
    digits = _iou_digits(shared, ops.maximum(size_a + size_b - shared, 1))
    enough = shared > 0
    for digit, least in reversed(list(zip(digits, _least_digits(threshold)))):
        enough = (digit > least) | ((digit == least) & enough)
    found = ops.cast(enough & (shared > 0), "int32")
    if threshold < 0.5:  # from there on, no object is in two such pairs
        found = _greedy(found, (*digits, first, second), at_a, at_b)
    counted = ((found, size_a), (count_a, size_a), (found, size_b), (count_b, size_b))
    return ops.stack([_per_group(at, size, size_edges, batch, pixels) for at, size in counted], axis=-1)


def surplus_pixels_on_device(masks, keep=None, min_size=0, connectivity=None):
    """Where a mask breaks a rule on its components, see `components.surplus_pixels`."""
    if 0 in static_shape(masks, "masks"):
        return ops.zeros_like(masks)
    label, area, _ = _objects(masks, connectivity_order(connectivity, len(masks.shape) - 1), 0)
    size = ops.take(area, _position(label)) * ops.cast(label > 0, "int32")
    surplus = size < min_size
    if keep is not None:
        rest = _rows(size, masks)
        rows = _rows(label, masks)
        for _ in range(keep):  # the largest that is left is no surplus; of equal ones the first has the higher rank
            largest = rest == ops.max(rest, axis=1, keepdims=True)
            first = ops.max(ops.where(largest, rows, 0), axis=1, keepdims=True)
            rest = ops.where(rows == first, 0, rest)
        surplus = surplus | ops.reshape(rest > 0, (-1,))
    return ops.reshape(surplus & (label > 0), ops.shape(masks))


def _rows(flat, masks):
    return ops.reshape(flat, (ops.shape(masks)[0], -1))


def _objects(mask, order, min_size):
    """Flat: the object of each pixel (0 for none or a small one); sizes, held at first pixels; 1 at first pixels."""
    label = _label(mask, order)
    area = ops.segment_sum(ops.cast(label > 0, "int32"), _position(label), num_segments=_length(label))
    if min_size > 1:
        label = ops.where(ops.take(area, _position(label)) >= min_size, label, 0)
    return label, area, ops.cast((label > 0) & (label == _ranks(label)), "int32")


def _label(mask, order):
    """The largest rank of each pixel's component, flat; 0 for background.

    In each round labels pass to neighbours, all pixels of a label follow the best among them (hooking), and labels are
    replaced by those of the pixels they name (pointer jumping). So long winding objects need few rounds.
    """
    inside = ops.cast(ops.reshape(mask, (-1,)), "int32")

    def spread(label):
        return ops.reshape(_neighbour_maximum(ops.reshape(label, ops.shape(mask)), order), (-1,)) * inside

    def jump(label):
        return ops.take(label, _position(label)) * inside

    def one_round(label, best):
        at = _position(label)
        label = ops.take(_segment_max(best, at), at) * inside
        # A loop, not a chain: XLA would fuse the chain and compute its first links again for every later one.
        label = _until_stable(jump, label)
        return label, spread(label)

    label = _ranks(inside) * inside
    return ops.while_loop(lambda label, best: ops.any(label != best), one_round, (label, spread(label)))[0]


def _until_stable(function, value):
    start = value, function(value)
    return ops.while_loop(lambda old, new: ops.any(old != new), lambda _, new: (new, function(new)), start)[0]


def _neighbour_maximum(image, order):
    """The maximum over a pixel and its neighbours that differ along at most `order` axes."""
    maximum = image
    for axes in itertools.combinations(range(1, len(image.shape)), order):
        box = image
        for axis in axes:
            head = tuple(slice(None, -1) if a == axis else slice(None) for a in range(len(image.shape)))
            tail = tuple(slice(1, None) if a == axis else slice(None) for a in range(len(image.shape)))
            before = [(int(a == axis), 0) for a in range(len(image.shape))]
            after = [(0, int(a == axis)) for a in range(len(image.shape))]
            box = ops.maximum(box, ops.maximum(ops.pad(box[head], before), ops.pad(box[tail], after)))
        maximum = ops.maximum(maximum, box)
    return maximum


def _shared(first, second, at_a, at_b):
    """Shared pixels of each pair of objects, held at the first pixel of their intersection; 0 elsewhere.

    In each round every object counts the pixels it shares with one of its partners, so k partners take at most k rounds, and
    fewer as the partners count too.
    """
    rank = _ranks(first)

    def one_round(todo, shared):
        for partner, at in ((second, at_a), (first, at_b)):
            partner = partner * todo
            pair = ops.cast((partner > 0) & (partner == ops.take(_segment_max(partner, at), at)), "int32")
            pixels = ops.segment_sum(pair, at, num_segments=_length(at))
            is_first = pair * ops.cast(rank == ops.take(_segment_max(rank * pair, at), at), "int32")
            shared = shared + is_first * ops.take(pixels, at)
            todo = todo - pair
        return todo, shared

    todo = ops.cast((first > 0) & (second > 0), "int32")
    return ops.while_loop(lambda todo, _: ops.any(todo > 0), one_round, (todo, ops.zeros_like(todo)))[1]


def _iou_digits(shared, union):
    """shared / union, at most 1, in fixed point: digits of `_BITS` bits, the first with the 1 in front."""

    def some_bits(_, state):
        digit, rest = state
        for _ in range(5):  # long division; rest + rest could overflow
            bit = ops.cast(rest >= union - rest, "int32")
            digit, rest = digit + digit + bit, rest + (rest - union * bit)
        return digit, rest

    digits = []
    digit = ops.cast(shared >= union, "int32")
    rest = shared - union * digit
    for _ in range(_DIGITS):
        digit, rest = ops.fori_loop(0, _BITS // 5, some_bits, (digit, rest))
        digits.append(digit)
        digit = ops.zeros_like(digit)
    return digits


def _least_digits(threshold):
    """The digits of the smallest IoU whose nearest float64 exceeds the threshold, which is what the host compares."""
    middle = (Fraction(float(threshold)) + Fraction(math.nextafter(threshold, 1.0))) / 2
    rest, digits = math.ceil(middle * 2 ** (_DIGITS * _BITS)), []
    for k in reversed(range(_DIGITS)):
        digit, rest = divmod(rest, 2 ** (k * _BITS))
        digits.append(digit)
    return digits


def _greedy(open_pairs, criteria, at_a, at_b):
    """Which pairs are matched, in rounds: every pair that is the best of both its objects is.

    Args:
        open_pairs: 0 or 1.
        criteria: integers >= 0, the more important first; no two pairs agree in all.
    """

    def best_of(pairs, at):
        for values in criteria:
            values = (values + 1) * pairs
            pairs = pairs * ops.cast(values == ops.take(_segment_max(values, at), at), "int32")
        return pairs

    def one_round(todo, found):
        matched = best_of(todo, at_a) * best_of(todo, at_b)
        for at in (at_a, at_b):
            todo = todo * (1 - ops.take(_segment_max(matched, at), at))
        return todo, found + matched

    return ops.while_loop(lambda todo, _: ops.any(todo > 0), one_round, (open_pairs, ops.zeros_like(open_pairs)))[1]


def _segment_max(values, at):
    """The maximum of the values >= 0 sent to each place, 0 where none was."""
    return ops.maximum(ops.segment_max(values, at, num_segments=_length(values)), 0)


def _per_group(flags, size, edges, batch, pixels):
    """How many flags of each image are set at sizes between the edges: (B, groups)."""
    # At or above each edge; groups are the differences.
    above = [flags] + [flags * ops.cast(size >= edge, "int32") for edge in edges]
    above = [ops.sum(ops.reshape(values, (batch, pixels)), axis=1) for values in above]
    return ops.stack([a - b for a, b in itertools.pairwise(above)] + above[-1:], axis=-1)


def _length(flat):
    return ops.shape(flat)[0]


def _ranks(flat):
    return _length(flat) - ops.arange(_length(flat), dtype="int32")


def _position(label):
    """Where the pixel of this rank is; the last place for background, whose values are 0."""
    return ops.minimum(_length(label) - label, _length(label) - 1)
