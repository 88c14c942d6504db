"""An equation and the fields it is asked with."""

import functools
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import REARRANGED, Tolerance, differ
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.lazy_keras import ops
from kerasmith.checks.engine.spec import Spec
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.harness import fields
from kerasmith.checks.harness.archetypes import Archetype
from kerasmith.checks.harness.gradients import value_and_gradients

POINTS = 8
# What a residual's equation may ask for beside its unknowns; the rest needs a model.
GIVEN = ("x", "y", "y_true", "y_pred", "sample_weight", "step")
_SEED = 1
FIELDS = 4
# Numbers that are not the same ones, though they may be near: a small coefficient is one, too.
SMALL = Tolerance(1e-6, 1e-9)


class Layout(NamedTuple):
    """The names of the coordinates and of the outputs of a field."""

    names: tuple[str, ...]
    outputs: tuple[str, ...]


def points_of(axes: int) -> Archetype:
    """Points in (0.1, 0.9) of every axis."""
    return Archetype(f"points of {axes} coordinates", {"points": Spec("float32", (POINTS, axes), ("interval", 0.1, 0.9))})


class EquationCase(Case):
    """See `Case`. The inputs are points; the fields at them are of a small network with random weights.

    Names of coordinates and outputs are those that the equation asks for, or those of the contract.
    """

    kind: str | None = "equation"
    archetypes: tuple[Any, ...] = (points_of(2),)

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        super().__init__(subject, contract, seed)
        self._layout: Layout | None = None
        self._strict = True
        self.fixed: dict[str, Any] = dict(subject.init.get("fixed") or {})
        self.names: Any = contract.names or subject.init.get("names")
        self.named_outputs: Any = contract.outputs or subject.init.get("outputs")
        parameters = list(inspect.signature(subject.component).parameters.values())[1:]
        self.arguments: list[str] = [
            p.name
            for p in parameters
            if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in self.fixed
        ]
        self.unknowns: list[str] = [name for name in self.arguments if name not in GIVEN]

    @property
    def layout(self) -> Layout:
        """The names; for declared points those of their coordinates."""
        if self._layout is None:
            self._layout = next(iter(self._layouts(self.specs["points"].shape[1])))
        return self._layout

    def preferred(self) -> Iterator[Archetype]:
        """Points for the coordinates that the equation names; with more outputs if it does not run with one."""
        layouts = list(self._layouts())
        # If it runs with none of them, the first call says why.
        for strict, layout in [*((True, one) for one in layouts), (False, layouts[0])]:
            self._strict, self._layout = strict, layout
            yield points_of(len(layout.names))

    def try_inputs(self, specs: Any) -> None:
        if self._strict:
            self.residual()

    def _layouts(self, axes=None):
        for names in (self.names,) if self.names else ("xt", "xyt", "xyzt"):
            recorder = fields.Recorder(POINTS, names)
            try:
                self.make()(recorder, **self._given(np.ones((POINTS, 2), "float32"), None))
                break
            except Exception:  # what was asked until then is known; other names may lead further
                continue
        found = sorted(set(recorder.coordinates) - {"t"}) + ["t"] * ("t" in recorder.coordinates)
        if axes is not None and axes != len(found):
            found = list("xyzt"[:axes]) if axes != 2 else ["x", "t"]
        names = tuple(self.names or found or "xt")
        if self.named_outputs:
            return [Layout(names, tuple(self.named_outputs))]
        named = list(dict.fromkeys(recorder.named))
        count = max(recorder.positions, 1)
        choices = (
            [named] if named else [list("uvwp"[:n]) for n in dict.fromkeys((count, len(names), len(names) + 1)) if n <= 4]
        )
        return [Layout(names, tuple(outputs)) for outputs in choices]

    @property
    def points(self) -> np.ndarray:
        """(B, D)."""
        return self.inputs["points"]

    def weights(self, field: int = 0) -> fields.Weights:
        """Of the network of a field; another one for each number."""
        return fields.random_weights(len(self.layout.names), len(self.layout.outputs), _SEED + field)

    def unknown(self, name: str) -> float:
        """The value of an unknown coefficient."""
        return 0.5 + 0.25 * self.unknowns.index(name)

    def _given(self, points, weights, changed=None):
        numbers = {name: np.float32(self.unknown(name)) for name in self.unknowns}
        labels = np.random.default_rng(3).uniform(0.5, 1.5, len(points)).astype("float32")
        given = {"x": points, "y": labels, "y_true": labels, "sample_weight": np.ones(len(points), "float32"), "step": 3}
        given["y_pred"] = (
            labels[:, None] if weights is None else fields.Differences(points, weights).function(points).astype("float32")
        )
        given = {**given, **numbers, **(changed or {})}
        return {**self.fixed, **{name: ops.convert_to_tensor(given[name]) for name in self.arguments}}

    def parts(self, points: Any = None, weights: Any = None, changed: Any = None, differences: Any = None) -> list[Any]:
        """[tensor]: what the equation returns, once for each equation of a system.

        Args:
            points: others than `self.points`.
            weights: of another network.
            changed: {name: value} of unknowns.
            differences: a `fields.Differences` whose numbers take the place of what the backend derives.
        """
        points = self.points if points is None else points
        weights = self.weights() if weights is None else weights
        if differences is None:
            field = fields.derived_field(ops.convert_to_tensor(points), weights, *self.layout)
            self.cache["source"] = field._source
        else:
            field = fields.prescribed_field(differences, *self.layout)
        left = self.make()(field, **self._given(points, self.weights(), changed))
        return list(left.values()) if isinstance(left, dict) else list(left) if isinstance(left, (list, tuple)) else [left]

    def residual(self, **options: Any) -> list[np.ndarray]:
        """`parts` as float64 arrays; (B, 1) as (B,), as a `Residual` takes it."""
        arrays = [self.number(ops.stop_gradient(ops.convert_to_tensor(part))) for part in self.parts(**options)]
        return [array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array for array in arrays]

    @functools.cached_property
    def point_sets(self) -> list[np.ndarray]:
        """Points: those of the inputs, many in the unit cube, many around it. What matters nowhere there matters nowhere."""
        rng, axes = np.random.default_rng(13), len(self.layout.names)
        return [self.points, *(rng.uniform(*ends, (512, axes)).astype("float32") for ends in ((0.0, 1.0), (-3.0, 3.0)))]

    @functools.cached_property
    def answers(self) -> list[list[np.ndarray]]:
        """The residual of two fields at `points`."""
        return [self.residual(weights=self.weights(field)) for field in (0, 1)]

    @functools.cached_property
    def situations(self) -> list[tuple[np.ndarray, fields.Weights]]:
        """(points, weights): each of `point_sets` with several networks, as one may lie where a hinge is flat."""
        return [(points, self.weights(field)) for points in self.point_sets for field in range(FIELDS)]

    @functools.cached_property
    def field_matters(self) -> list[list[bool]]:
        """For each equation, and each of `point_sets`, whether any two fields leave other numbers."""
        found = []
        for points in self.point_sets:
            first, *others = (self.residual(points=points, weights=self.weights(field)) for field in range(FIELDS))
            found.append([any(differ(a, b, REARRANGED) for b in column) for a, *column in zip(first, *others, strict=True)])
        return [list(column) for column in zip(*found, strict=True)]

    def require_power(self) -> None:
        """Ends a check whose points cannot show anything, as where the equation is a mask that is 0 at all of them."""
        if not all(matters[0] for matters in self.field_matters):
            raise Inconclusive("the field does not matter at these points; declare others as `points` of `like`")

    def gradient(self, unknown: str | None = None, field: int = 0) -> tuple[float, np.ndarray | None]:
        """(loss, gradient) of the mean square by the last layer of the network, or by an unknown; None where it is cut."""

        def loss(tensor):
            weights, changed = self.weights(field), {}
            if unknown is None:
                weights = weights._replace(a=tensor)
            else:
                changed[unknown] = tensor
            parts = [ops.convert_to_tensor(part) for part in self.parts(weights=weights, changed=changed)]
            return sum(ops.mean(ops.square(ops.cast(part, "float32"))) for part in parts)

        start = self.weights(field).a if unknown is None else np.float32(self.unknown(unknown))
        value, (gradient,) = value_and_gradients(loss, [np.asarray(start)])
        return value, gradient

    def loss(self, **options: Any) -> float:
        """The sum over the equations of the mean square, in float64 from what they return."""
        return float(sum(np.mean(np.square(part)) for part in self.residual(**options)))

    def outputs(self, component: Any) -> list[np.ndarray]:
        return self.residual()

    def field_lines(self, field: int = 0) -> list[str]:
        """[lines] of a reproducer that make the field `f`; `points` is drawn before."""
        names, outputs = self.layout
        return [
            "from kerasmith.physics import Field",
            *fields.weights_code(len(names), len(outputs), _SEED + field),
            f"f = Field(net, points, {list(names)!r}, {list(outputs)!r})",
        ]

    def call_text(self, **changed: Any) -> str:
        """`equation(f, nu=0.5)`."""
        given = {name: repr(value) for name, value in self.fixed.items()}
        given |= {name: repr(self.unknown(name)) for name in self.unknowns}
        labels = "keras.ops.ones(len(points))"
        texts = {"x": "points", "step": "3", "y_pred": "keras.ops.ones((len(points), 1))"}
        given |= {name: texts.get(name, labels) for name in self.arguments if name in GIVEN}
        return f"equation({', '.join(['f', *(f'{name}={text}' for name, text in {**given, **changed}.items())])})"
