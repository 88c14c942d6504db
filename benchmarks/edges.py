"""What `layers.EdgeEnhancement` costs: Sobel beside kornia (PyTorch) and `tf.image`, as multiples of one pass of NumPy."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

SHAPE = (8, 256, 256, 3)
KINDS = ("sobel", "laplacian", "log", "canny", "wavelet")


class Contender(NamedTuple):
    """What `modes.prepare` runs: a scalar of an image, whose gradient reaches every pixel of the response."""

    loss: Callable[..., Any]
    y_true: np.ndarray
    y_pred: np.ndarray


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the table for the backend in use; arguments as of `losses.run`."""
    import keras
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from benchmarks import modes, timing

    rows = [row for row in _rows(keras.backend.backend()) if only in row[0]]
    table = Table(title=f"edges, {SHAPE}, {keras.backend.backend()}", box=box.MARKDOWN if markdown else box.SIMPLE)
    for column in ("edges", "mode", "fwd", "fwd+bwd"):
        table.add_column(column)
    image, weight = np.random.default_rng(0).random((2, *SHAPE)).astype("float32")
    out = np.empty_like(image)
    for mode in modes.modes():
        calls = {}
        for name, edges in rows:
            forward, both = modes.prepare(Contender(lambda y, x, edges=edges: _sum(y * edges(x)), weight, image), mode)
            calls[name, "fwd"], calls[name, "fwd+bwd"] = forward, both
        _require_equal({name: call for (name, part), call in calls.items() if part == "fwd" and "sobel" in name})
        ratios = timing.ratios(calls, lambda: np.multiply(image, weight, out=out), blocks=3 if quick else 9)
        for name, _ in rows:
            table.add_row(name, mode, *(f"{np.median(ratios[name, part]):.1f}" for part in ("fwd", "fwd+bwd")))
    Console().print(table)


def _sum(x):
    from keras import ops

    return ops.sum(x)


def _rows(backend):
    """[(name, function of images)]."""
    from kerasmith.layers import EdgeEnhancement

    found = []
    for kind in KINDS:
        layer = EdgeEnhancement(kind, data_format="channels_last")
        layer.build(SHAPE)
        # Only the response: what "concat" adds is a copy of the image.
        found.append((f"kerasmith {kind}", lambda x, layer=layer: layer(x)[..., SHAPE[-1] :]))
    return [*found, *{"torch": _kornia, "tensorflow": _tensorflow}.get(backend, list)()]


def _kornia():
    import kornia

    def filtered(function):
        # kornia's layout is its users' layout: the images are moved without a copy, as a view.
        return lambda x: function(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    # Both weigh alike: kornia sums the squares of slopes, scikit-image and kerasmith take the mean of those of differences.
    sobel = filtered(lambda x: kornia.filters.sobel(x, eps=1e-12) * 2**0.5)
    return [("kornia sobel", sobel)]


def _tensorflow():
    import tensorflow as tf

    def sobel(x):
        return tf.sqrt(tf.reduce_sum(tf.square(tf.image.sobel_edges(x)), -1) + 1e-12) / (4 * 2**0.5)

    return [("tf.image.sobel_edges, its length", sobel)]


def _require_equal(calls):
    from benchmarks import modes

    values = [float(modes.to_numpy(call())) for call in calls.values()]
    # The border of tf.image is another one: 1.5 % of the pixels.
    if not np.allclose(values, values[0], rtol=2e-2):
        raise RuntimeError(f"Equal edges must have equal sums. Received: {dict(zip(calls, values))}")
