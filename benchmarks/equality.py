"""Only equal things are compared: values and gradients are checked before anything is timed."""

import numpy as np

from benchmarks import modes


def runnable(runs):
    """({library: run} of those that run at all, {library: why not} of the others); the first one must run."""
    works, failures = {}, {}
    for library, run in runs.items():
        try:
            run()
            works[library] = run
        except Exception as error:
            if not works:
                raise
            failures[library] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return works, failures


def check(runs, contenders):
    """Raises AssertionError unless all contenders have the value and the gradient of the first.

    Keras divides class probabilities by their sum, other libraries do not, so gradients by probabilities of several classes
    agree up to one number per pixel; it vanishes behind a softmax. It is taken out of both before comparing.

    Args:
        runs: {library: () -> (value, gradient)}.
        contenders: {library: Contender}; their `tolerance` is the largest difference, relative to the largest entry.
    """
    reference = None
    for library, run in runs.items():
        value, gradient = (modes.to_numpy(x).astype("float64") for x in run())
        axis = contenders[library].channel_axis
        if axis is not None:
            gradient = np.moveaxis(gradient, axis, -1)
            if gradient.shape[-1] > 1:
                gradient = gradient - gradient.mean(axis=-1, keepdims=True)
        if reference is None:
            first, reference = library, (value, gradient)
        for what, got, expected in zip(("value", "gradient"), (value, gradient), reference, strict=True):
            error = np.max(np.abs(got - expected)) / np.max(np.abs(expected))
            tolerance = contenders[library].tolerance
            if not error <= tolerance:
                raise AssertionError(
                    f"{library} and {first} do not compute the same {what}: relative difference {error:.1e}, "
                    f"allowed {tolerance:.0e}"
                )
