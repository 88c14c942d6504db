"""A random layer draws from a generator of its own, anew for each step and each sample."""

import random
from typing import Any

import numpy as np

from kerasmith.checks.engine.comparison import differ, farthest
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.layer_weights import generators, reset_generators, values
from kerasmith.checks.rules.layers.case import LayerCase

# Whether to flip an image is one bit: equal samples may well get the same once.
CALLS = 4


@check("Y130", "layer", "error", requires=("base", "Y118"), since="0.1.0")
def draws_in_the_graph(case: LayerCase) -> None:
    """The layer draws with NumPy or Python's `random`: compiled, it draws once.

    A compiled step runs Python only while it is traced. The numbers of that moment become constants: the "random" factors
    are the same in every step of the training.

    Fix: `self.seed_generator = keras.random.SeedGenerator(seed)` in `__init__`, and
    `keras.random.uniform(..., seed=self.seed_generator)` in `call`.
    """
    from kerasmith.keras_internals.layers import all_layers

    layer = case.prepared()
    generator = lambda place: isinstance(place, np.random.Generator | np.random.RandomState | random.Random)  # noqa: E731
    own = [value for part in all_layers(layer) for value in vars(part).values() if generator(value)]
    before = _host_state(own)
    first = case.run(layer, training=True)
    if _host_state(own) == before:
        return
    second = case.run(layer, training=True)
    if not differ(first, second):
        raise Inconclusive("numbers are drawn, but two training steps give the same output")
    a, b = farthest(first, second)
    raise Failed(
        "random numbers from `keras.random` and a `SeedGenerator`",
        f"the call moves a generator of NumPy or Python; eager calls give {a} and {b}, compiled ones would repeat the first",
        [f"for _ in range(2): print(np.random.get_state()[2], {case.call_code(training=True)})"],
    )


@check("Y105", "layer", "warning", requires=("base", "Y112", "Y130"), since="0.1.0")
def owns_its_generator(case: LayerCase) -> None:
    """The random numbers do not come from a generator of the layer.

    Without a `SeedGenerator` that is an attribute, the draws come from a global state: on JAX a compiled step raises, a
    saved or resumed training goes on with other numbers, and the seed that the layer was given does not fix them.

    Fix: `self.seed_generator = keras.random.SeedGenerator(seed)` in `__init__`, and `seed=self.seed_generator` in every draw.
    """
    from kerasmith.keras_internals.random_state import seeded_generators

    layer = case.prepared()
    outputs = _under_two_seeds(case, layer)
    if differ(*outputs):
        a, b = farthest(*outputs)
        own = generators(layer)
        keras_does_it = False
        if own and backend() == "torch":
            # `keras.random.dropout` of Keras 3.15 passes over a generator that was made with seed=None, also in Keras' layers.
            with seeded_generators(layer):
                keras_does_it = not differ(*_under_two_seeds(case, layer))
        raise Failed(
            "the same output from the same state of the layer's own generators",
            f"{a} and {b} at the same place under two global seeds; generators of the layer's own: {len(own)}",
            [
                f"{case.call_code()}; state = [keras.ops.convert_to_numpy(v).copy() for v in layer.variables]",
                "for seed in (1, 2):",
                "    keras.utils.set_random_seed(seed)",
                "    for v, s in zip(layer.variables, state): v.assign(s)",
                f"    print({case.call_code(training=True)})",
            ],
            fix="Nothing is to mend in the layer. To repeat its noise on PyTorch, give the dropout in it a seed."
            if keras_does_it
            else None,
            severity="note" if keras_does_it else None,
            title="On PyTorch the dropout of Keras draws from a generator of its own only if that has a seed"
            if keras_does_it
            else None,
        )


def _under_two_seeds(case: LayerCase, layer: Any) -> list[list[np.ndarray]]:
    """Outputs in training from one state of the layer, under two global seeds."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    weights = values(layer.weights)
    outputs = []
    try:
        for seed in (1, 2):
            keras.utils.set_random_seed(seed)
            for variable, value in zip(layer.weights, weights):
                variable.assign(value)
            outputs.append(case.run(layer, training=True))
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
    return outputs


@check("Y120", "layer", "note", requires=("base", "Y105"), since="0.1.0")
def draws_for_each_sample(case: LayerCase) -> None:
    """All samples of a batch get the same noise.

    A mask of shape (1, features) drops the same features of every sample, which is weaker than dropping each sample's own.

    Fix: draw with `keras.ops.shape(inputs)`. If it is meant, declare `random_per_sample=False`.
    """
    case.contract.require("random_per_sample")
    if any(leaf.dtype.kind != "f" and name != "mask" for name, leaf in _named(case.inputs)):
        raise NotApplicable("noise is compared on inputs of floats")
    layer = case.prepared()
    if not generators(layer):
        raise NotApplicable("the layer has no random generator")
    same = keras.tree.map_structure(lambda array: np.repeat(array[:1], len(array), axis=0), case.inputs)
    retained = values(layer.weights)
    reset_generators(layer, case.seed)
    outputs = []
    for _ in range(CALLS):
        for variable, value in zip(layer.weights, retained):
            variable.assign(value)
        outputs.append(case.arrays(case.call(layer, same, training=True)))
    if not any(differ(outputs[0], other) for other in outputs[1:]):
        return
    if any(a.ndim == 0 or len(a) != case.batch or case.batch < 2 for a in outputs[0]):
        raise Inconclusive("the output has no batch axis")
    rows = [[a[:1] for _ in a[1:]] for arrays in outputs for a in arrays]
    others = [[a[index : index + 1] for index in range(1, len(a))] for arrays in outputs for a in arrays]
    if not any(differ(first, rest) for first, rest in zip(rows, others)):
        raise Failed(
            "another draw for each of several equal samples",
            f"{case.batch} equal samples stay equal in each of {CALLS} calls, while the calls differ",
            [f"inputs[:] = inputs[:1]; print({case.call_code(training=True)})"],
        )


def _named(arrays):
    return [(name, leaf) for name, part in arrays.items() for leaf in keras.tree.flatten(part)]


def _host_state(own):
    """What the generators of NumPy and Python would draw next."""
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    return (position, keys[:8].tobytes(), random.getstate(), [_peek(generator) for generator in own])


def _peek(generator):
    state = generator.getstate() if isinstance(generator, random.Random) else None
    return state or str(
        getattr(generator, "bit_generator", generator).state if hasattr(generator, "bit_generator") else generator.get_state()
    )
