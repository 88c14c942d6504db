"""Object detection counts on the device, for the one place that cannot call the host: TensorFlow under XLA.

Components are found by passing the smallest pixel index on to neighbours, hooking whole trees onto it and jumping along
pointers, so long winding objects need few rounds. The counts equal those of `matching.detection_counts` with greedy matching.
"""

import itertools

from kerasmith.numerics.components import connectivity_order


def detection_counts_on_device(truth, prediction, threshold, connectivity=None, min_size=0):
    """Found, invented and missed objects of each image, an int32 tensor (B, 3).

    Args:
        truth, prediction: boolean TensorFlow tensors (B, *spatial).
        threshold: the IoU that a match must exceed; matching is greedy, the largest IoU first.
        connectivity, min_size: see `components.label_objects`.
    """
    import tensorflow as tf

    order = connectivity_order(connectivity, truth.shape.rank - 1)
    size = tf.size(truth)
    images = tf.shape(truth)[0]
    pixels_per_image = tf.maximum(size // tf.maximum(images, 1), 1)
    roots, kept, areas = [], [], []
    for mask in (truth, prediction):
        root = _roots(mask, order)
        inside = tf.reshape(mask, [-1])
        area = tf.math.unsorted_segment_sum(tf.cast(inside, tf.int32), root, size)
        large = inside & (tf.gather(area, root) >= max(min_size, 1))
        roots.append(root)
        kept.append(large)
        areas.append(area)
    index = tf.range(size)
    per_image = []
    for root, large in zip(roots, kept):
        is_root = tf.cast(large & (root == index), tf.int32)
        per_image.append(tf.math.unsorted_segment_sum(is_root, index // pixels_per_image, images))
    first, second, shared = _pairs(roots, kept[0] & kept[1], size)
    union = tf.gather(areas[0], first) + tf.gather(areas[1], second) - shared
    # Same double-precision ratio as on the host, so that a tie at the threshold falls the same way.
    iou = tf.where(shared > 0, tf.cast(shared, tf.float64) / tf.cast(tf.maximum(union, 1), tf.float64), 0.0)
    candidate = (shared > 0) & (iou > threshold)
    image = first // pixels_per_image
    if threshold >= 0.5:
        found = tf.math.unsorted_segment_sum(tf.cast(candidate, tf.int32), image, images)
    else:
        found = _greedy(first, second, iou, candidate, image, images, size)
    return tf.stack([found, per_image[1] - found, per_image[0] - found], axis=-1)


def _roots(mask, order):
    """The smallest flat index of each pixel's component, (size,); a background pixel is its own root."""
    import tensorflow as tf

    shape, size = tf.shape(mask), tf.size(mask)
    inside = tf.reshape(mask, [-1])
    index = tf.range(size)

    def one_round(root, _):
        image = tf.reshape(tf.where(inside, root, size), shape)
        lowest = tf.minimum(tf.reshape(_neighbour_minimum(image, order, size), [-1]), root)
        lowest = tf.where(inside, lowest, root)
        # Hook the whole tree onto the lowest root that any of its pixels has seen, then flatten it.
        hooked = tf.minimum(tf.math.unsorted_segment_min(lowest, root, size), index)
        new = tf.minimum(lowest, tf.gather(hooked, root))
        for _ in range(2):
            new = tf.gather(tf.minimum(new, hooked), new)
        return new, tf.reduce_any(new != root)

    return tf.while_loop(lambda _, changed: changed, one_round, (index, tf.constant(True)))[0]


def _neighbour_minimum(image, order, outside):
    """The minimum over neighbours that differ along at most `order` axes."""
    import tensorflow as tf

    axes = range(1, image.shape.rank)
    candidates = []
    for subset in itertools.combinations(axes, order):
        low = image
        for axis in subset:
            low = _window_minimum(low, axis, outside)
        candidates.append(low)
    result = candidates[0]
    for other in candidates[1:]:
        result = tf.minimum(result, other)
    return result


def _window_minimum(image, axis, outside):
    """The minimum of each pixel and its two neighbours along one axis."""
    import tensorflow as tf

    rank = image.shape.rank
    edge = tf.fill(tf.concat([tf.shape(image)[:axis], [1], tf.shape(image)[axis + 1 :]], 0), outside)
    head = [slice(None)] * rank
    tail = [slice(None)] * rank
    head[axis], tail[axis] = slice(None, -1), slice(1, None)
    before = tf.concat([edge, image[tuple(head)]], axis)
    after = tf.concat([image[tuple(tail)], edge], axis)
    return tf.minimum(tf.minimum(before, after), image)


def _pairs(roots, both, size):
    """Roots and shared pixels of all overlapping pairs, in the order of the roots, padded to (size,) with shared = 0."""
    import tensorflow as tf

    wide = tf.cast(size, tf.int64)
    key = tf.cast(roots[0], tf.int64) * wide + tf.cast(roots[1], tf.int64)
    key = tf.sort(tf.where(both, key, wide * wide))
    valid = key < wide * wide
    new = tf.concat([tf.ones_like(key[:1], tf.bool), key[1:] != key[:-1]], 0)
    run = tf.cumsum(tf.cast(new, tf.int32)) - 1
    shared = tf.math.unsorted_segment_sum(tf.cast(valid, tf.int32), run, size)
    key = tf.maximum(tf.math.unsorted_segment_min(tf.where(valid, key, 0), run, size), 0)
    key = tf.where(shared > 0, key, 0)
    return tf.cast(key // wide, tf.int32), tf.cast(key % wide, tf.int32), shared


def _greedy(first, second, iou, candidate, image, images, size):
    """Matches of each image, one per round: the candidate of largest IoU, the first one of equals."""
    import tensorflow as tf

    position = tf.range(size)

    def one_round(candidate, found):
        value = tf.where(candidate, iou, 0.0)
        best = tf.math.unsorted_segment_max(value, image, images)
        is_best = candidate & (value == tf.gather(best, image))
        chosen = tf.math.unsorted_segment_min(tf.where(is_best, position, size), image, images)
        exists = chosen < size
        winner = tf.gather(chosen, image)
        safe = tf.minimum(winner, size - 1)
        taken = (first == tf.gather(first, safe)) | (second == tf.gather(second, safe))
        return candidate & ~(taken & (winner < size)), found + tf.cast(exists, tf.int32)

    loop = tf.while_loop(lambda candidate, _: tf.reduce_any(candidate), one_round, (candidate, tf.zeros_like(image[:images])))
    return loop[1]
