"""Pictures of a few predictions as training goes on."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import tree

from kerasmith._types import Tensor, Tensors
from kerasmith.callbacks import quiet_prediction
from kerasmith.callbacks.epoch_pictures import Drawing, EpochPictures
from kerasmith.report._image_grid import OVERLAY_LEGEND, image_grid
from kerasmith.report.case_pictures import CasePicture, case_grid, stored_pictures
from kerasmith.report.prediction_pictures import class_legend, classified, segmented, translated
from kerasmith.report.segmentation_panels import scored_panels
from kerasmith.report.templating import Markup

KINDS = ("auto", "segmentation", "image", "classification")


class PredictionSnapshots(EpochPictures):
    """Predicts the same few samples every n epochs and keeps pictures of them.

    - "segmentation": outlines of the true and the predicted mask; for more than two classes the image with the classes in
      colour, truth beside prediction.
    - "image": input, prediction, truth (denoising, reconstruction), prediction and truth on one scale of grey.
    - "classification": the image with a bar for the probability of each class, the true one marked.

    The predictions leave no trace in the training: no metric, weight or random generator of it changes.

    Args:
        x: the model's inputs, an array or a dict or tuple of arrays; the first `max_images` samples are used.
        y: their truth for one output, or None.
        kind: one of the above. "auto": classification for predictions (B,) or (B, C); of maps segmentation if `y` holds labels
            (booleans, class numbers, one-hot, two values), or the maps have other than 1 or 3 channels; else "image".
        images: what to draw on, (B, H, W) or (B, H, W, 1 | 3), if that is not `x`.
        max_images: how many samples.
        output: name or number of the output to show, if there are several.
        from_logits: whether the model ends without sigmoid or softmax.
        threshold: probability from which on a pixel of a single map is an object.
        class_names: C texts.
        name, every, directory, report, tensorboard: see `EpochPictures`.

    Raises:
        ValueError: for data that are no pictures, lengths that differ, or nowhere to show the pictures; when an epoch ends for
            predictions that are none of the above.

    Example:

    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).random((4, 8, 8, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     snapshots = PredictionSnapshots(x, x, every=2, directory=scratch)
    ...     _ = model.fit(x, x, epochs=4, verbose=0, callbacks=[snapshots])
    ...     sorted(path.name for path in (snapshots.directory / "snapshots").iterdir())
    ['epoch_0002.png', 'epoch_0004.png']
    """

    kerasmith_contract: dict[str, object] = {"continues": True}

    def __init__(
        self,
        x: Tensors,
        y: Tensor | None = None,
        *,
        kind: str = "auto",
        images: Tensor | None = None,
        max_images: int = 8,
        output: str | int | None = None,
        from_logits: bool = False,
        threshold: float = 0.5,
        class_names: Sequence[str] | None = None,
        name: str = "snapshots",
        every: int = 1,
        **places: Any,
    ):
        super().__init__(name=name, every=every, **places)
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(KINDS)}. Received: kind={kind!r}")
        if isinstance(max_images, bool) or not isinstance(max_images, int) or max_images < 1:
            raise ValueError(f"`max_images` must be a number of samples, at least 1. Received: max_images={max_images!r}")
        if not 0 < threshold < 1:
            raise ValueError(
                "`threshold` is a probability between 0 and 1, also for a model of logits (from_logits=True). "
                f"Received: threshold={threshold!r}"
            )
        self.kind: str = kind
        self.output: str | int | None = output
        self.class_names: Sequence[str] | None = class_names
        self.from_logits: bool = from_logits
        self.threshold: float = threshold
        given = {"x": x, "y": y, "images": images}
        lengths = {n: len(tree.flatten(quiet_prediction.samples(d, n))[0]) for n, d in given.items() if d is not None}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"`x`, `y` and `images` must be as long as each other. Received: {lengths}")
        self.x: Any = quiet_prediction.samples(x, "x", max_images)
        self.y: np.ndarray | None = (
            None if y is None else quiet_prediction.one_array(quiet_prediction.samples(y, "y", max_images), "y")
        )
        self.images: np.ndarray = _images(self.x if images is None else quiet_prediction.samples(images, "images", max_images))

    def draw(self) -> Drawing:
        predictions = quiet_prediction.predict(self.model, self.x, len(self.images))
        predictions = quiet_prediction.output_of(predictions, self.output)
        kind = self._kind(predictions)
        picture = {"segmentation": self._segmented, "image": self._translated, "classification": self._classified}[kind]
        maps = kind != "classification"
        truths = [None] * len(predictions) if self.y is None else _channels_last(self.y) if maps else self.y
        drawn = [picture(*each) for each in zip(self.images, truths, _channels_last(predictions) if maps else predictions)]
        pictures, captions = [p for p, _ in drawn], [c for _, c in drawn]
        if kind == "segmentation":
            return Drawing(self._panels(truths, _channels_last(predictions)), {self.name: pictures})
        return Drawing(image_grid(pictures, captions), {self.name: pictures})

    def _panels(self, truths: Any, predictions: np.ndarray) -> Markup:
        """Raw image and probability beside what `segmented` draws."""
        classes = predictions.shape[-1]
        legend = class_legend(self.class_names or range(classes)) if classes > 2 else OVERLAY_LEGEND
        options: dict[str, Any] = {"threshold": self.threshold, "from_logits": self.from_logits}
        displayed = [
            CasePicture(f"sample {i + 1}", scored_panels(*each, **options))
            for i, each in enumerate(zip(self.images, truths, predictions, strict=True))
        ]
        return case_grid(stored_pictures(displayed, legend))

    def _kind(self, predictions: np.ndarray) -> str:
        maps = predictions.ndim in (3, 4)
        if (
            predictions.ndim not in (1, 2, 3, 4)
            or (maps and self.kind == "classification")
            or (not maps and self.kind in ("segmentation", "image"))
        ):
            raise ValueError(
                "PredictionSnapshots shows predictions (B,) or (B, C) of classes, or maps (B, H, W) or (B, H, W, C). "
                f"Received: kind={self.kind!r}, predictions of shape {predictions.shape}"
            )
        if self.kind != "auto":
            return self.kind
        if not maps:
            return "classification"
        channels = _channels_last(predictions).shape[-1]
        if self.y is None:
            return "segmentation" if channels not in (1, 3) else "image"
        return "segmentation" if _are_labels(self.y, channels) else "image"

    def _segmented(self, image: np.ndarray, truth: Any, prediction: np.ndarray) -> tuple[np.ndarray, str]:
        picture = segmented(image, truth, prediction, threshold=self._logit(self.threshold))
        return picture, "truth, prediction" if prediction.shape[-1] > 2 and truth is not None else ""

    def _translated(self, image: np.ndarray, truth: Any, prediction: np.ndarray) -> tuple[np.ndarray, str]:
        return translated(image, truth, prediction), "input, prediction" + ("" if truth is None else ", truth")

    def _classified(self, image: np.ndarray, truth: Any, prediction: np.ndarray) -> tuple[np.ndarray, str]:
        scores = prediction.astype(float).ravel()
        if self.from_logits:
            scores = np.append(0.0, scores) if scores.size == 1 else scores
            scores = np.exp(scores - scores.max())
            scores /= scores.sum()
        return classified(image, truth, scores, self.class_names)

    def _logit(self, probability: float) -> float:
        return np.log(probability / (1 - probability)) if self.from_logits else probability


def _images(x: Any) -> np.ndarray:
    """(B, H, W, 1 | 3) to draw on."""
    shapes = [array.shape for array in tree.flatten(x)]
    images = _channels_last(tree.flatten(x)[0]) if len(shapes) == 1 and len(shapes[0]) in (3, 4) else None
    if images is None or images.shape[-1] not in (1, 3):
        raise ValueError(
            "PredictionSnapshots draws on images (B, H, W), (B, H, W, 1) or (B, H, W, 3). For other inputs, such as volumes, "
            f"spectra or several arrays, write images=... with one image for each sample. Received: shapes {shapes}"
        )
    return images


def _are_labels(y: np.ndarray, channels: int) -> bool:
    """Whether the truth of a map (B, H, W, channels) is labels rather than brightness."""
    if y.dtype == bool or channels not in (1, 3):
        return True
    if not np.array_equal(y, np.round(y)):
        return False
    few = y.max() <= max(1, channels - 1) or len(np.unique(y)) <= 2
    return few or _channels_last(y).shape[-1] != channels or (y.dtype.kind in "iu" and y.dtype != np.uint8)


def _is_channels_first(array: np.ndarray) -> bool:
    return array.ndim == 4 and keras.config.image_data_format() == "channels_first"


def _channels_last(array: np.ndarray) -> np.ndarray:
    if array.ndim == 3:
        return array[..., None]
    return np.moveaxis(array, 1, -1) if _is_channels_first(array) else array
