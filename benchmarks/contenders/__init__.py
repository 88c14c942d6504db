"""Who competes: the same losses in several libraries, set to equal values and gradients."""

import keras

from benchmarks.contenders import builtin, kerasmith, kornia, metric_learning, monai, smp


def contenders(loss, case):
    """The libraries that have this loss for this batch, as {library: Contender}; kerasmith is always the first."""
    libraries = {"kerasmith": kerasmith, "keras": builtin}
    if keras.backend.backend() == "torch":
        libraries |= {"MONAI": monai, "smp": smp, "kornia": kornia, "PML": metric_learning}
    made = {name: library.contender(loss, case) for name, library in libraries.items()}
    return {name: contender for name, contender in made.items() if contender is not None}
