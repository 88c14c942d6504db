"""Pictures of how far a model is from a solution, as training goes on."""

from collections.abc import Sequence
from typing import Any

from kerasmith._types import Function
from kerasmith.callbacks import quiet_prediction
from kerasmith.callbacks.epoch_pictures import Drawing, EpochPictures
from kerasmith.physics import Verification, verify
from kerasmith.report._image_grid import image_grid
from kerasmith.report.field_picture import draw_field


class FieldPictures(EpochPictures):
    """Compares the model with a solution every n epochs: reference, prediction and error side by side (since 0.2).

    The caption says what `physics.verify` found. No metric, weight or random generator of the training changes.

    Args:
        field, reference: where, and with what; see `physics.verify`. Without a reference the equation is solved for each
            picture, as its unknown coefficients change.
        output, names, points: see `physics.verify`.
        name, every, directory, report, tensorboard: see `EpochPictures`.

    Attributes:
        result: the `physics.Verification` of the last picture, None before the first.

    Raises:
        ValueError: without a directory, a report and a TensorBoard. What `physics.verify` refuses is a warning instead.

    Example:

    >>> import keras, tempfile
    >>> from kerasmith.physics import Box
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     pictures = FieldPictures(Box(0, 1), lambda x: x[:, 0], directory=scratch)
    ...     _ = model.fit(x, x, epochs=2, verbose=0, callbacks=[pictures])
    ...     sorted(path.name for path in (pictures.directory / "field").iterdir())
    ['epoch_0001.png', 'epoch_0002.png']
    """

    kerasmith_contract: dict[str, object] = {"continues": True}

    def __init__(
        self,
        field: Any,
        reference: Function | Any | None = None,
        *,
        output: str | int | None = None,
        names: str | Sequence[str] | None = None,
        points: int | None = None,
        name: str = "field",
        every: int = 1,
        **places: Any,
    ):
        super().__init__(name=name, every=every, **places)
        self.field: Any = field
        self.reference: Any = reference
        self.options: dict[str, Any] = {"output": output, "names": names, "points": points}
        self.result: Verification | None = None

    def draw(self) -> Drawing:
        model = self.model
        with quiet_prediction.without_trace(model):
            self.result = verify(model, self.field, self.reference, **self.options)
        picture = draw_field(self.result.x, self.result.reference_values, self.result.prediction)
        return Drawing(image_grid([picture], [str(self.result)]), {self.name: [picture]})
