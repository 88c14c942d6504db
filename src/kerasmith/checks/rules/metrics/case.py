"""A metric and its (y_true, y_pred): how the checks feed it batches and read its result."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.lazy_keras import keras, ops, to_tensors
from kerasmith.checks.engine.spec import map_specs
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.harness.archetypes import PAIRS, Archetype
from kerasmith.checks.rules.metrics import inputs as archetypes
from kerasmith.checks.rules.metrics.results import Results

# Fewer samples cannot be split into two unequal batches of which each says something.
FEWEST = 4
TWO_DEVICES = "import tensorflow as tf; cpu = tf.config.list_physical_devices('CPU')[0]"
# So many draws are tried until one can show a fault.
DRAWS = 6


class MetricCase(Case):
    """See `Case`. A plain function is wrapped in Keras' `MeanMetricWrapper`, as `compile` would.

    Inputs are {"y_true": ..., "y_pred": ...} of arrays, possibly nested; a batch is a pair (inputs, weights or None).
    """

    kind: str | None = "metric"
    archetypes: tuple[Any, ...] = PAIRS

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        self._specs = None
        super().__init__(subject, contract, seed)

    @property
    def specs(self) -> Any:
        return self._specs

    @specs.setter
    def specs(self, specs: Any) -> Any:
        self.cache.pop("wholes", None)
        grow = lambda spec: spec.with_batch(max(FEWEST, spec.shape[0]))  # noqa: E731
        self._specs = None if specs is None else map_specs(grow, specs)

    def preferred(self) -> list[Archetype]:
        return archetypes.ordered(self.subject)

    def metric(self, component: Any = None, **changed: Any) -> Any:
        """A `keras.metrics.Metric`: a fresh component, or Keras' wrapper around a function."""
        if component is None:
            keras.utils.set_random_seed(self.seed)
            component = self.make(**changed)
        return component if isinstance(component, keras.metrics.Metric) else keras.metrics.MeanMetricWrapper(component)

    def half_variables(self, metric: Any) -> list[Any]:
        """Those of its variables, once it has seen a batch, that are in half precision."""
        return [v for v in metric.variables if keras.backend.standardize_dtype(v.dtype) in ("float16", "bfloat16")]

    def require_full_sums(self) -> None:
        """Raises `Inconclusive` where sums in half precision alone would make numbers differ, which M117 says."""
        metric = self.metric()
        self.update(metric, self.draw(0))
        half = self.half_variables(metric)
        if half:
            raise Inconclusive(f"`{half[0].name}` is {half[0].dtype}, so that rounding alone makes numbers differ (M117)")

    @functools.cached_property
    def takes_values(self) -> bool:
        """Whether `update_state` takes one array, as `keras.metrics.Mean` does; it is given `y_pred`."""
        if self.subject.is_function:
            return False
        names = list(inspect.signature(self.subject.cls.update_state).parameters)
        return len(names) > 1 and "y_pred" not in names and names[2:3] in ([], ["sample_weight"])

    @property
    def arguments(self) -> str:
        """What `update_state` is called with, as text."""
        return "y_pred" if self.takes_values else "y_true, y_pred"

    @functools.cached_property
    def is_lazy(self) -> bool:
        """Whether the metric makes variables with its first batch."""
        metric = self.metric()
        before = len(metric.variables)
        self.update(metric, self.draw(0))
        return len(metric.variables) != before

    def given(self, inputs: Any) -> list[Any]:
        """The tensors that `update_state` takes of `inputs`."""
        names = ("y_pred",) if self.takes_values else ("y_true", "y_pred")
        return to_tensors([inputs[name] for name in names])

    def update(self, metric: Any, inputs: Any, weight: Any = None) -> None:
        """One batch of arrays; weights (B,) are only handed over if there are some, as Keras does."""
        weights = [] if weight is None else [ops.convert_to_tensor(np.asarray(weight, "float32"))]
        metric.update_state(*self.given(inputs), *weights)

    def result(self, metric: Any) -> Results:
        """The `Results` of a metric."""
        return self.read(metric.result())

    def read(self, result: Any) -> Results:
        """`Results` of what `result()` returned, copied."""
        pairs = result.items() if isinstance(result, dict) else [("", result)]
        return Results({key: np.array(self.number(value)) for key, value in pairs})

    def run(self, *batches: Any, metric: Any = None) -> Results:
        """The result after these batches.

        Args:
            *batches: pairs (inputs, weights or None).
            metric: by default a fresh one.
        """
        metric = self.metric() if metric is None else metric
        for inputs, weight in batches:
            self.update(metric, inputs, weight)
        return self.result(metric)

    def whole(self, draw: int = 0) -> Results:
        """The result of a fresh metric on one draw, computed once."""
        found = self.cache.setdefault("wholes", {})
        if draw not in found:
            found[draw] = self.run((self.draw(draw), None))
        return found[draw]

    def revealing_draw(self, reveals: Callable[[int], bool], reason: str) -> int:
        """The first draw of which `reveals(draw)` is true.

        Raises:
            Inconclusive: if none of the draws can show the fault, for this `reason`.
        """
        for draw in range(DRAWS):
            if reveals(draw):
                return draw
        raise Inconclusive(reason)

    def outputs(self, component: Any) -> list[np.ndarray]:
        metric = self.metric(component)
        results = self.run(*((self.draw(draw), None) for draw in (0, 1)), metric=metric)
        return [np.atleast_1d(value) for _, value in sorted(results.values.items())]

    def try_inputs(self, specs: Any) -> None:
        # Two draws: a metric that says the same of both may have broadcast its way through inputs that it is not made for.
        results = [self.run((self.draw(draw), None)) for draw in (0, 1, 2)]
        if not any(result.has_finite for result in results):
            raise ValueError(f"the result is {results[0]}")
        if not any(results[0].differs(result) for result in results[1:]):
            raise ValueError(f"the result is always {results[0]}")

    def lines(self, *body: str, inputs: bool = True, draw: int = 0) -> str:
        lines = super().lines(*body, inputs=inputs, draw=draw).splitlines()
        # Devices are set before anything is computed, and a metric that is made computes.
        first = [line for line in lines if line.startswith(TWO_DEVICES)]
        others = [line for line in lines if line not in first]
        return "\n".join([*others[:2], *first, *others[2:]])

    def preparation(self, draw: int = 0, batch: int | None = None) -> list[str]:
        """Lines of a reproducer before the first update: inputs of another draw or size, tensors, a wrapped function."""
        lines = []
        if draw or batch:
            specs = self._specs
            if batch:
                self._specs = map_specs(lambda spec: spec.with_batch(batch), specs)
            lines = self.lines(draw=draw).splitlines()[-len(specs) :]
            self._specs = specs
        if self.subject.is_function:
            lines.append("metric = keras.metrics.MeanMetricWrapper(metric)")
        lines.append("y_true, y_pred = keras.tree.map_structure(keras.ops.convert_to_tensor, (y_true, y_pred))")
        return lines

    def part_text(self, part: str) -> str:
        """The arguments of `update_state` for a part of the samples, as text: `y_true[:3], y_pred[:3]`."""
        names = self.arguments.split(", ")
        if any(isinstance(self.specs[name], (dict, list)) for name in names):
            return f"*keras.tree.map_structure(lambda x: x[{part}], ({self.arguments},))"
        return ", ".join(f"{name}[{part}]" for name in names)


def part(inputs: Any, chosen: Any) -> Any:
    """The samples `chosen`, a slice or indices, of nested arrays."""
    return keras.tree.map_structure(lambda array: array[chosen], inputs)


def mixed(inputs: Any, others: Any, taken: np.ndarray) -> Any:
    """`inputs` with the samples of `others` where `taken` is true."""
    return keras.tree.map_structure(
        lambda a, b: np.where(np.reshape(taken, (-1,) + (1,) * (a.ndim - 1)), b, a), inputs, others
    )
