"""Confusion matrices and reliability diagrams of a data set of one's own."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import tree

from kerasmith._types import Tensor, Tensors
from kerasmith.callbacks import quiet_prediction
from kerasmith.callbacks.epoch_pictures import Drawing, EpochPictures
from kerasmith.callbacks.metric_pictures import has_picture, metric_html, metric_image
from kerasmith.metrics import CalibrationError
from kerasmith.report.templating import Markup, render_template


class EvaluationPictures(EpochPictures):
    """Predicts a data set every n epochs and shows what metrics draw of it, for training without such metrics in `compile`.

    The predictions leave no trace in the training: no metric, weight or random generator of it changes.

    Args:
        x: the model's inputs, an array or a dict or tuple of arrays.
        y: the targets of one output.
        metrics: metrics with a picture, such as `metrics.ConfusionMatrix(3)` or `metrics.CalibrationError()`, or one of them;
            made for this and not given to `compile`.
        sample_weight: as in the metrics.
        output: name or number of the output that `y` belongs to, if there are several.
        batch_size: of a prediction.
        name, every, directory, report, tensorboard: see `EpochPictures`.

    Raises:
        ValueError: for metrics without a picture, other data than arrays, or nowhere to show the pictures.

    Example:

    >>> import keras, tempfile
    >>> from kerasmith.metrics import ConfusionMatrix
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    >>> model.compile("sgd", "sparse_categorical_crossentropy")
    >>> x, y = keras.ops.ones((6, 2)), keras.ops.array([0, 1, 2, 0, 1, 2])
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     pictures = EvaluationPictures(x, y, ConfusionMatrix(3), directory=scratch)
    ...     _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[pictures])
    ...     sorted(path.name for path in (pictures.directory / "evaluation").iterdir())
    ['epoch_0001.png', 'epoch_0002.png']
    """

    kerasmith_contract: dict[str, object] = {"continues": True}

    def __init__(
        self,
        x: Tensors,
        y: Tensor,
        metrics: keras.metrics.Metric | Sequence[keras.metrics.Metric],
        *,
        sample_weight: Tensor | None = None,
        output: str | int | None = None,
        batch_size: int = 32,
        name: str = "evaluation",
        every: int = 1,
        **places: Any,
    ):
        super().__init__(name=name, every=every, **places)
        self.metrics: list[keras.metrics.Metric] = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        without = [metric for metric in self.metrics if not has_picture(metric) or not hasattr(metric, "update_state")]
        if not self.metrics or without:
            raise ValueError(
                "`metrics` must be a ConfusionMatrix, a CalibrationError, or have a method `picture` that returns HTML. "
                f"Received: {', '.join(map(repr, without)) or 'none'}"
            )
        names = [metric.name for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ValueError(f"Metrics need names of their own, such as CalibrationError(name=...). Received: {names}")
        self.x: Any = quiet_prediction.samples(x, "x")
        self.output: str | int | None = output
        self.batch_size: int = batch_size
        given = {"y": y, "sample_weight": sample_weight}
        self.data: tuple[Any, ...] = tuple(
            None if d is None else quiet_prediction.one_array(quiet_prediction.samples(d, n), n) for n, d in given.items()
        )
        lengths = [len(tree.flatten(d)[0]) for d in (self.x, *self.data) if d is not None]
        if len(set(lengths)) > 1:
            raise ValueError(f"`x`, `y` and `sample_weight` must be as long as each other. Received: lengths {lengths}")

    def draw(self) -> Drawing:
        predictions = quiet_prediction.predict(self.model, self.x, self.batch_size)
        predictions = quiet_prediction.output_of(predictions, self.output)
        blocks, pictures = [], {}
        for metric in self.metrics:
            metric.reset_state()
            for start in range(0, len(predictions), self.batch_size):
                rows = slice(start, start + self.batch_size)
                y, weight = (None if d is None else d[rows] for d in self.data)
                metric.update_state(y, predictions[rows], weight)
            title = metric.name.replace("_", " ")
            # A chart has its title inside.
            blocks.append(("" if isinstance(metric, CalibrationError) else title, Markup(metric_html(metric, title))))
            image = metric_image(metric)
            if image is not None:
                pictures[f"{self.name}/{metric.name}"] = [image]
        return Drawing(render_template("evaluation.html", blocks=blocks), pictures)
