"""The operators of vector calculus on a field."""

from collections.abc import Sequence

from keras import ops

from kerasmith._types import Tensor
from kerasmith.files.messages import warn
from kerasmith.physics.field import Field
from kerasmith.physics.names import derivative_axes

Names = str | Sequence[str] | None


def gradient(field: Field, output: str | int | None = None, over: Names = None) -> Tensor:
    """The derivatives of one output by the coordinates of space, (B, len(over)) (since 0.2).

    Args:
        field: the field.
        output: name or position, where there are several.
        over: names of coordinates: all but "t" by default.

    Example:

    >>> f = Field(lambda x: x[:, 0] ** 2 + 3 * x[:, 1], [[1.0, 2.0]], names="xy")
    >>> [float(v) for v in gradient(f)[0]]
    [2.0, 3.0]
    """
    return ops.stack([field.d((name,), output) for name in _over(field, over)], axis=-1)


def laplacian(field: Field, output: str | int | None = None, over: Names = None) -> Tensor:
    """The sum of the second derivatives of one output by the coordinates of space, (B,) (since 0.2).

    Args:
        field, output, over: see `gradient`.

    Example:

    >>> f = Field(lambda x: x[:, 0] ** 2 + 3 * x[:, 1] ** 2, [[1.0, 2.0]], names="xy")
    >>> float(laplacian(f)[0])
    8.0
    """
    return sum(field.d((name, name), output) for name in _over(field, over))


def divergence(field: Field, outputs: Names = None, over: Names = None) -> Tensor:
    """The sum over i of the derivative of output i by coordinate i, (B,) (since 0.2).

    Args:
        field: a field with several outputs.
        outputs: names of the outputs, one for each coordinate; all of them by default.
        over: see `gradient`.

    Raises:
        ValueError: if there are not as many outputs as coordinates.

    Example:

    >>> f = Field(lambda x: x * x, [[1.0, 2.0]], names="xy", outputs="uv")
    >>> float(divergence(f)[0])
    6.0
    """
    names, chosen = _over(field, over), _outputs(field, outputs)
    if len(chosen) != len(names):
        raise ValueError(
            f"A divergence needs one output for each coordinate. Received: outputs {chosen} and coordinates {tuple(names)}. "
            "Name them: divergence(f, 'uv', over='xy')."
        )
    return sum(field.d((name,), output) for name, output in zip(names, chosen, strict=True))


def jacobian(field: Field, outputs: Names = None, over: Names = None) -> Tensor:
    """The derivatives of all outputs by the coordinates of space, (B, outputs, coordinates) (since 0.2).

    Args:
        field, over: see `gradient`.
        outputs: names of the outputs; all of them by default.

    Example:

    >>> f = Field(lambda x: x * x, [[1.0, 2.0]], names="xy", outputs="uv")
    >>> [[float(v) for v in row] for row in jacobian(f)[0]]
    [[2.0, 0.0], [0.0, 4.0]]
    """
    return ops.stack([gradient(field, output, over) for output in _outputs(field, outputs)], axis=1)


def _over(field, over):
    if over is None:
        space = [name for name in field.names if name != "t"] or list(field.names)
        if not field.names_given and len(space) < len(field.names):
            warn(
                "The axes of this field have no names, so that the second one is taken for time and is left out of "
                'gradient, divergence, laplacian and jacobian. Write names="xt" if that is right, or names="xy" for a plane, '
                "where the Field, the Residual or its points are made.",
                stacklevel=3,
            )
        return space
    names = [over] if over in field.names else list(over)
    for name in names:
        derivative_axes((name,), field.names)
    return names


def _outputs(field, outputs):
    if outputs is not None:
        return (outputs,) if outputs in field.outputs else tuple(outputs)
    return field.outputs or tuple(range(field.output_count))
