"""A layer and its inputs: how the checks build it, give it known weights, call it, and differentiate it."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case, drawn
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras, ops, to_tensors
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.harness import layer_weights as weights
from kerasmith.checks.harness.archetypes import LAYER_INPUTS, Archetype
from kerasmith.checks.harness.compiled import compiled
from kerasmith.checks.harness.gradients import value_and_gradients
from kerasmith.checks.rules.layers.inputs import usual_inputs

# What Keras says to a layer that adds weights or children after `build`.
LOCKED = "cannot add new elements of state"


class LayerCase(Case):
    """See `Case`. `specs["inputs"]` is the first argument of `call`: an array, or a list or dict of them.

    "mask" is the Keras mask of `inputs`, the one that an `Embedding(mask_zero=True)` before the layer would attach. Other
    names are arguments of `call`.
    """

    kind: str | None = "layer"
    archetypes: tuple[Any, ...] = LAYER_INPUTS

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        super().__init__(subject, contract, seed)
        self._programs, self._differentiated = {}, {}

    def preferred(self) -> Iterable[Archetype]:
        try:
            layer = self.make()
        except Exception:
            layer = None
        return usual_inputs(self.call_arguments, layer)

    @functools.cached_property
    def call_arguments(self) -> dict[str, inspect.Parameter]:
        """{name: parameter} of `call`, without `self`."""
        parameters = dict(inspect.signature(self.subject.cls.call).parameters)
        return dict(list(parameters.items())[1:])

    @functools.cached_property
    def constructor_arguments(self) -> list[str]:
        """Names that the constructor of the class itself takes."""
        if self.subject.cls.__init__ is keras.layers.Layer.__init__:
            return []
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return [
            name
            for name, p in inspect.signature(self.subject.cls.__init__).parameters.items()
            if p.kind in kinds and name != "self"
        ]

    # Calls

    def call(self, layer: Any, arrays: Any = None, training: bool = False) -> Any:
        """The output structure of tensors for {name: array}, by default `inputs`."""
        return self.call_on_tensors(layer, to_tensors(self.inputs if arrays is None else arrays), training)

    def call_on_tensors(self, layer: Any, tensors: dict[str, Any], training: bool = False) -> Any:
        """`call` on tensors; can be compiled and differentiated."""
        tensors = dict(tensors)
        first = tensors.pop("inputs")
        if "mask" in tensors:
            mask = tensors.pop("mask")
            _attach_mask(first, mask)
            if tensors and "mask" in self.call_arguments:
                # Keras hands a mask over by itself to layers with one argument only.
                tensors["mask"] = mask
        return layer(first, training=training, **tensors)

    def arrays(self, output: Any) -> list[np.ndarray]:
        """[array] of the leaves of an output."""
        return [self.number(leaf) for leaf in keras.tree.flatten(output) if leaf is not None]

    def run(self, layer: Any, arrays: Any = None, training: bool = False) -> list[np.ndarray]:
        """The arrays of a call with the layer's random generators at a known state, so that two runs draw the same."""
        weights.reset_generators(layer, self.seed)
        return self.arrays(self.call(layer, arrays, training))

    def run_compiled(self, layer: Any, arrays: Any = None) -> list[np.ndarray]:
        """`run` at inference, in one piece on JAX, which otherwise compiles each operation for each new shape or dtype."""
        if backend() != "jax":
            return self.run(layer, arrays)
        if id(layer) not in self._programs:
            self._programs[id(layer)] = (layer, compiled(self.on_leaves(layer), layer.variables))
        weights.reset_generators(layer, self.seed)
        flat = keras.tree.flatten(self.inputs if arrays is None else arrays)
        try:
            return [self.number(leaf) for leaf in self._programs[id(layer)][1](*to_tensors(flat))]
        except Exception:
            return self.run(layer, arrays)  # What cannot be compiled is a question of its own.

    def on_leaves(self, layer: Any, training: bool = False) -> Callable[..., list[Any]]:
        """`(*tensors) -> [tensor]`: a call on flat inputs, for compilers."""
        structure = self.inputs

        def function(*leaves):
            output = self.call_on_tensors(layer, keras.tree.pack_sequence_as(structure, list(leaves)), training)
            return [leaf for leaf in keras.tree.flatten(output) if leaf is not None]

        return function

    # Layers

    def prepared(self, arrays: Any = None, **changed: Any) -> Any:
        """A fresh layer, built, with the weights that depend on nothing but the seed."""
        return self.prepare(self.make(**changed), arrays)

    def prepare(self, layer: Any, arrays: Any = None) -> Any:
        """Builds a layer that is not built and gives it seeded weights; one that was loaded keeps its own."""
        if layer.built and not self._starts_built:
            return layer
        self._build(layer, self.inputs if arrays is None else arrays)
        if self._seedable:
            weights.set_seeded(layer, self.seed)
        return layer

    def _build(self, layer, arrays):
        if backend() == "jax":
            # On symbols, as in a Functional model: a real call would compile each of its operations.
            symbols = keras.tree.map_structure(lambda array: keras.KerasTensor(array.shape, str(array.dtype)), arrays)
            try:
                layer(symbols.pop("inputs"), **{name: symbol for name, symbol in symbols.items() if name != "mask"})
            except Exception:
                if layer.weights:
                    raise  # Half built: a second try would complain of something else.
            if layer.built:
                return
        self.call(layer, arrays)

    @functools.cached_property
    def _starts_built(self):
        return bool(self.make().built)

    def _find_out(self):
        """Looks at a layer under the usual policy before one is made under another."""
        return self._starts_built, self._seedable

    @functools.cached_property
    def _seedable(self):
        """Whether the layer computes finite numbers with the seeded weights, if it does with its own."""
        layer = self.make()
        before = self.arrays(self.call(layer))
        weights.set_seeded(layer, self.seed)
        after = self.arrays(self.call(layer))
        return finite(after) or not finite(before)

    def outputs(self, component: Any) -> list[np.ndarray]:
        """See `Case`. The same for each fresh layer, on every backend: the weights are seeded, the generators too."""
        return self.run(self.prepare(component))

    def try_inputs(self, specs: Any) -> None:
        try:
            output = self.arrays(self.call(self.make()))
        except ValueError as error:
            if LOCKED in str(error):
                return
            raise
        if not output or not finite(output):
            raise ValueError("the output is not finite")

    @contextlib.contextmanager
    def policy(self, name: str) -> Iterator[None]:
        """Layers that are made inside have this dtype policy, and so have their children."""
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(name)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)

    def prepared_in(self, policy: str) -> Any:
        """A `prepared` layer under another dtype policy.

        Raises:
            NotApplicable: for one that has a policy of its own.
        """
        self._find_out()
        with self.policy(policy):
            layer = self.make(dtype=policy) if self.subject.is_instance else self.make()
            if layer.dtype_policy.name != policy:
                raise NotApplicable(f"the layer has a dtype policy of its own, {layer.dtype_policy.name}")
            return self.prepare(layer)

    # Inputs

    def draw_of(self, specs: Any) -> dict[str, Any]:
        """{name: array} of other specs with the same names."""
        return {name: drawn(part, self.seed_of(name)) for name, part in specs.items()}

    def float_leaves(self, arrays: Any) -> list[int]:
        """Indices of the arrays of floats among the flat inputs."""
        return [index for index, leaf in enumerate(keras.tree.flatten(arrays)) if leaf.dtype.kind == "f"]

    def replaced(self, arrays: Any, leaves: dict[int, np.ndarray]) -> Any:
        """`arrays` with {index: array} of the flat inputs replaced."""
        flat = keras.tree.flatten(arrays)
        return keras.tree.pack_sequence_as(arrays, [leaves.get(index, leaf) for index, leaf in enumerate(flat)])

    @functools.cached_property
    def differentiated(self) -> Any:
        """A `prepared` layer that several checks take gradients of; its weights must be left as they were."""
        return self.prepared()

    def gradients(self, layer: Any, arrays: Any) -> tuple[float, list[Any], list[Any]]:
        """(value, gradients by the float inputs, by the trainable weights) of a weighted sum of the outputs at inference.

        The weights of the sum are fixed and uneven: the plain sum of a softmax has no gradient.
        """
        flat, floats = keras.tree.flatten(arrays), self.float_leaves(arrays)
        others = [index for index in range(len(flat)) if index not in floats]
        variables = list(layer.trainable_variables)
        call = self.on_leaves(layer)

        def function(*tensors):
            leaves = dict(zip([*floats, *others], tensors))
            mapping = list(zip(variables, tensors[len(flat) :]))
            with keras.StatelessScope(state_mapping=mapping):
                return weighted_sum(call(*[leaves[index] for index in range(len(flat))]))

        weights.reset_generators(layer, self.seed)
        inputs, constants = [flat[index] for index in floats], [flat[index] for index in others]
        current = weights.values(variables)
        if backend() == "jax":
            if id(layer) not in self._differentiated:
                self._differentiated[id(layer)] = (layer, compiled_gradients(function, len(floats), len(flat)))
            value, found = self._differentiated[id(layer)][1](*inputs, *constants, *current)
        else:
            fixed = to_tensors(constants)
            free = lambda *tensors: function(*tensors[: len(floats)], *fixed, *tensors[len(floats) :])  # noqa: E731
            value, found = value_and_gradients(free, inputs + current)
        return value, found[: len(floats)], found[len(floats) :]

    # Text

    def call_code(self, layer: str = "layer", inputs: str = "inputs", training: bool | None = None) -> str:
        """`layer(inputs, context=context, training=True)`: the call as a reproducer writes it."""
        names = [
            name for name in self.specs if name not in ("inputs", "mask") or (name == "mask" and "mask" in self.call_arguments)
        ]
        options = [f"{name}={name}" for name in names]
        if training is not None and "training" in self.call_arguments:
            options.append(f"training={training}")
        return f"{layer}({', '.join([inputs, *options])})"


def finite(arrays: Any) -> bool:
    """Whether all numbers of all arrays are."""
    return all(np.isfinite(array).all() for array in arrays)


def weighted_sum(output: Any) -> Any:
    """A scalar that each number of the floating outputs moves, by factors between 0.5 and 1.5 that look random."""
    total = 0.0
    for leaf in keras.tree.flatten(output):
        if leaf is None or "float" not in keras.backend.standardize_dtype(leaf.dtype):
            continue
        size = int(np.prod(leaf.shape))
        factors = 1.0 + 0.5 * np.sin(12.9898 * np.arange(1, size + 1)).reshape(tuple(leaf.shape))
        total = total + ops.sum(ops.cast(leaf, "float32") * ops.convert_to_tensor(factors.astype("float32")))
    return ops.convert_to_tensor(total)


def compiled_gradients(function: Callable[..., Any], count: int, total: int) -> Callable[..., tuple[float, list[np.ndarray]]]:
    """`value_and_gradients` on JAX, compiled: by the first `count` arguments and those after `total`."""
    import jax

    def run(*arrays: Any) -> list[np.ndarray]:
        by = (*range(count), *range(total, len(arrays)))
        if not by:
            return float(function(*arrays)), []
        value, found = programs.setdefault(by, jax.jit(jax.value_and_grad(function, argnums=by)))(*arrays)
        return float(value), [np.array(gradient) for gradient in found]

    programs = {}
    return run


def _attach_mask(inputs, mask):
    from kerasmith.keras_internals.tensors import set_keras_mask

    leaves, masks = keras.tree.flatten(inputs), keras.tree.flatten(mask)
    for leaf, own in zip(leaves, masks if len(masks) == len(leaves) else masks * len(leaves)):
        set_keras_mask(leaf, own)
