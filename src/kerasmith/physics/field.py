"""A function or model at points, with its values and derivatives."""

from collections.abc import Sequence
from typing import Any

from kerasmith._types import Tensor
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.physics import dependence
from kerasmith.physics.derivatives import Derivatives
from kerasmith.physics.names import checked_names, derivative_axes
from kerasmith.physics.nests import Coordinates, coordinates_of
from kerasmith.physics.passes import evaluate


class Field(KnowsKeywords):
    """Values of a function or model at points, and their derivatives by the coordinates (since 0.2).

    f.d("x"), f.d("xx"), f.d("xt") are du/dx, d2u/dx2 and d2u/(dx dt), up to order four. Each is computed once: f.d("xx")
    uses what f.d("x") has found, and f.d("tx") is f.d("xt"). Everything has shape (B,), one number a point: values,
    derivatives and coordinates, so that a product of two of them cannot broadcast to (B, B).

    It works where a training step, `evaluate` or you yourself call it, compiled or not. Gradients reach the weights.

    Args:
        fn_or_model: a function of the coordinates, written with `keras.ops`, or a Keras model or layer. It gets `x` as it is,
            and returns (B,), (B, K), or a dict or list of such. Its value at a point must depend on this point alone.
        x: coordinates of the points, (B, D) or, for one axis, (B,); an object that has them as its attribute `x`; a dict or
            list of arrays, for a model with several inputs.
        names: one name for each axis: letters, "xt", or a list, ["x1", "x2"]. Longer names are put together in a tuple:
            f.d(("x1", "x1")). The keys of a dict `x` are its names. Two axes without names are "xt", a single one is "x".
        outputs: one name for each of the K outputs, as `names`. A single one is "u"; a dict of outputs has its keys; others
            without a name are read by position.
        training: whether the layers of a model are in training mode. One pass gives values and derivatives, so that the
            randomness of `Dropout` is the same in all of them; of a function that calls such layers, on PyTorch only.

    Reading it:
        f.d(which, output): a derivative. Leave out `output` where there is one only.
        f.u, or f.value("u"): the values of an output.
        f["x"]: a coordinate.

    Raises:
        ValueError: for an unknown name, which lists the known ones; for an input that no output depends on, where
            this can be told: of models always, of functions outside of compiled code; for `BatchNormalization` in training
            mode, which mixes points; for shapes that do not fit.
        TypeError: for coordinates that are no floating point numbers.

    Example:

    >>> from keras import ops
    >>> f = Field(lambda x: x[:, 0] ** 3 * x[:, 1], [[2.0, 5.0], [1.0, 1.0]], names="xt")
    >>> [float(v) for v in f.d("xx")], [float(v) for v in f.d("xt")], [float(v) for v in f.u * f["x"]]
    ([60.0, 6.0], [12.0, 3.0], [80.0, 1.0])
    """

    def __init__(
        self,
        fn_or_model: Any,
        x: Any,
        names: str | Sequence[str] | None = None,
        outputs: str | Sequence[str] | None = None,
        *,
        training: bool = False,
    ) -> None:
        if not callable(fn_or_model):
            raise TypeError(
                "A field is of a function of the coordinates or a Keras model. "
                f"Received: {fn_or_model!r} of type {type(fn_or_model).__name__}"
            )
        coordinates = coordinates_of(x)
        derivatives, keys = evaluate(fn_or_model, coordinates, training, square=outputs is not None)
        names = names if names is not None else getattr(x, "names", None)
        self._bind(fn_or_model, derivatives, names, outputs, keys)

    @classmethod
    def of_derivatives(cls, source: Any, derivatives: Derivatives, names: Any, outputs: Any, keys: Any) -> "Field":
        """A field of values that are there already; see `passes.evaluate`."""
        field = cls.__new__(cls)
        field._bind(source, derivatives, names, outputs, keys)
        return field

    def _bind(self, source, derivatives, names, outputs, keys):
        coordinates: Coordinates = derivatives.coordinates
        self.names_given: bool = names is not None or bool(coordinates.keys)
        names = names if names is not None else coordinates.keys or ("x" if len(coordinates.columns) == 1 else "xt")
        self._source = source
        self._derivatives = derivatives
        self.names: tuple[str, ...] = checked_names(names, len(coordinates.columns), "names", "inputs")
        count = derivatives.outputs
        given = outputs if outputs is not None else keys or ("u" if count == 1 else None)
        self.outputs: tuple[str, ...] = () if given is None else checked_names(given, count, "outputs", "outputs")

    def d(self, which: str | Sequence[str], output: str | int | None = None) -> Tensor:
        """A derivative at each point, (B,).

        Args:
            which: names of coordinates, one after another: "x", "xx", "xt"; or a list of names.
            output: its name or position, where there are several.
        """
        return self.derivative(derivative_axes(which, self.names), output)

    def derivative(self, axes: tuple[int, ...], output: str | int | None = None) -> Tensor:
        """As `d`, by the positions of the axes in rising order."""
        k = self._position(output)
        value = self._derivatives.get(k, axes)
        for axis in dict.fromkeys(axes):
            dependence.require(self._source, self._derivatives, axis, value, self.names)
        return value

    @property
    def output_count(self) -> int:
        """The number K of outputs."""
        return self._derivatives.outputs

    def value(self, output: str | int | None = None) -> Tensor:
        """The values of an output, (B,)."""
        return self._derivatives.get(self._position(output), ())

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_") or name in ("names", "names_given", "outputs"):
            raise AttributeError(name)
        if name not in self.outputs:
            raise AttributeError(
                f"A field has no {name!r}. Its outputs are: {self._known_outputs()}; derivatives are f.d('{self.names[0]}'), "
                f"coordinates f[{self.names[0]!r}]."
            )
        return self.value(name)

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.names:
            raise KeyError(
                f"There is no coordinate {name!r}. The coordinates are: {', '.join(map(repr, self.names))}; outputs are read "
                "as f.value('u')."
            )
        return self._derivatives.coordinate(self.names.index(name))

    def _position(self, output):
        count = self._derivatives.outputs
        if output is None and count == 1:
            return 0
        if isinstance(output, str) and output in self.outputs:
            return self.outputs.index(output)
        if isinstance(output, int) and not isinstance(output, bool) and 0 <= output < count:
            return output
        if output is None:
            raise ValueError(f"There are {count} outputs. Name the one that you mean: {self._known_outputs()}.")
        raise ValueError(f"There is no output {output!r}. The outputs are: {self._known_outputs()}.")

    def _known_outputs(self):
        count = self._derivatives.outputs
        if self.outputs:
            return ", ".join(map(repr, self.outputs))
        return f"positions 0 to {count - 1}; to name them, write outputs={'uvwp'[:count] if count <= 4 else ['u1', '...']!r}"
