"""What the features of true images cost `losses.Perceptual`: beside a loss that differentiates both images' features."""

import json
import subprocess
import sys

import numpy as np

from benchmarks import memory

SHAPE = (2, 128, 128, 3)
LAYERS = [f"block{block}_conv2" for block in range(1, 5)]
NAMES = ("both with gradient", "Perceptual")


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the table for the backend in use; arguments as of `losses.run`."""
    import keras
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from benchmarks import timing

    calls = {name: prepared(name) for name in NAMES}
    values = [float(np.asarray(value_of(call))) for call in calls.values()]
    if not np.isclose(*values, rtol=1e-4):
        raise RuntimeError(f"The two losses must have one value. Received: {values}")
    ratios = timing.ratios({NAMES[1]: calls[NAMES[1]]}, calls[NAMES[0]], blocks=3 if quick else 9)
    table = Table(title=f"perceptual, VGG16, {keras.backend.backend()}", box=box.MARKDOWN if markdown else box.SIMPLE)
    for column in ("loss", "CPU time", "peak memory"):
        table.add_column(column)
    peaks = {name: peak(name) for name in NAMES} if with_memory and memory.LINUX else {}
    for name, time in zip(NAMES, (1.0, float(np.median(ratios[NAMES[1]])))):
        table.add_row(name, f"{time:.2f}", f"{peaks[name] / peaks[NAMES[0]]:.2f}" if peaks else "")
    Console().print(table)


def value_of(call):
    """The value that a call computes, of a pair (value, gradients)."""
    value = call()[0]
    return value.detach() if hasattr(value, "detach") else value


def peak(name):
    """Peak growth of the resident set in bytes, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.perceptual", json.dumps(name)],
        env=memory.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Measuring the memory of {name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def prepared(name):
    """A call without arguments that computes value and gradients."""
    import keras
    from keras import ops

    from kerasmith import losses

    keras.utils.set_random_seed(0)
    network = keras.applications.VGG16(include_top=False, weights=None)
    rng = np.random.default_rng(0)
    images = [rng.uniform(-1, 1, SHAPE).astype("float32") for _ in range(2)]
    if name == NAMES[1]:
        loss = losses.Perceptual(network, LAYERS, alpha=1.0, preprocess=None)
        return differentiated(loss, images, (1,))
    features = keras.Model(network.input, [network.get_layer(layer).output for layer in LAYERS])

    def both(y_true, y_pred):
        pairs = zip(features(y_true), features(y_pred))
        return sum(ops.mean(ops.abs(a - b)) for a, b in pairs) / len(LAYERS)

    return differentiated(both, images, (0, 1))


def differentiated(loss, images, by):
    """Value and gradients by some of the images, compiled where `fit` compiles."""
    import keras

    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        gradient = jax.jit(jax.value_and_grad(loss, argnums=by))
        arrays = [jax.numpy.asarray(image) for image in images]
        return lambda: jax.block_until_ready(gradient(*arrays))
    if backend == "torch":
        import torch

        torch.set_num_threads(1)
        tensors = [torch.from_numpy(image).requires_grad_(i in by) for i, image in enumerate(images)]

        def call():
            value = loss(*tensors)
            return value, torch.autograd.grad(value, [tensors[i] for i in by])

        return call
    import tensorflow as tf

    constants = [tf.constant(image) for image in images]

    @tf.function
    def compute(y_true, y_pred):
        with tf.GradientTape() as tape:
            given = [(y_true, y_pred)[i] for i in by]
            tape.watch(given)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, given)

    return lambda: compute(*constants)


def _measure(name):
    from benchmarks import one_thread

    one_thread.pin()
    call = prepared(name)
    call()
    call()
    return min(memory.peak_growth(call) for _ in range(3))


if __name__ == "__main__":
    print(json.dumps(_measure(json.loads(sys.argv[1]))))
