"""What callbacks that draw pictures after epochs have in common."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kerasmith._types import Logs
from kerasmith.callbacks.epoch_counter import EpochCounter
from kerasmith.callbacks.own_place import OwnPlace
from kerasmith.callbacks.watcher import Watcher
from kerasmith.files.atomic_write import write_atomically
from kerasmith.report.pixels import encode_png, sheet


class Drawing(NamedTuple):
    """What an epoch adds to the report and to the pictures.

    Attributes:
        html: a section of the report.
        pictures: {tag: list of uint8 pictures of one size}.
    """

    html: str
    pictures: dict[str, list[np.ndarray]]


class EpochPictures(Watcher):
    """Base of callbacks that draw every n epochs, and after the last one, for a directory, a report and TensorBoard.

    A subclass implements `draw`. Pictures that cannot be drawn or written are left out, with a warning.

    While another training writes to `<name>`, the pictures go to `<name>-2`.

    Args:
        name: of the files' directory and of the tags; the title of the section.
        every: epochs.
        directory: where `<name>/epoch_0001.png`, ... are written; made with the first picture.
        report: a `RunReport` or `ReportPage` that shows the latest ones.
        tensorboard: a `callbacks.TensorBoard`, or a `callbacks.Tracking`.

    Raises:
        ValueError: without a directory, a report and a TensorBoard.
    """

    def __init__(
        self,
        *,
        name: str,
        every: int = 1,
        directory: str | os.PathLike[str] | None = None,
        report: Any = None,
        tensorboard: Any = None,
    ):
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"`every` must be a number of epochs, at least 1. Received: every={every!r}")
        if directory is None and report is None and tensorboard is None:
            raise ValueError(
                f"{type(self).__name__} has nowhere to put its pictures: write directory=..., report=RunReport(...) or "
                "tensorboard=TensorBoard(...)"
            )
        for given, argument, method in ((report, "report", "add_section"), (tensorboard, "tensorboard", "image")):
            if given is not None and not hasattr(given, method):
                kind = f"{type(given).__module__}.{type(given).__qualname__}"
                raise ValueError(
                    f"`{argument}` must have a method `{method}`, as kerasmith.callbacks.RunReport and TensorBoard have. "
                    f"Received: a {kind}"
                )
        self.name = name
        self.every = every
        self.directory: Path | None = None if directory is None else Path(directory).expanduser()
        self.report = report
        self.tensorboard = tensorboard
        self._epochs = EpochCounter()
        self._section = None
        self._place = None if self.directory is None else OwnPlace(self.directory / name, type(self).__name__)

    def draw(self) -> Drawing:
        """The `Drawing` of the model as it is."""
        raise NotImplementedError(f"{type(self).__name__} must implement `draw`.")

    def on_train_begin(self, logs: Logs = None) -> None:
        self._epochs.begin_fit()
        if self.directory is not None:
            with self.sparing(f"locking {self.directory / self.name}", everything=False):
                self.directory.mkdir(parents=True, exist_ok=True)
                self._place.take()

    def on_train_end(self, logs: Logs = None) -> None:
        if self._place is not None:
            self._place.release()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        number = self._epochs.end(epoch)
        if number % self.every and epoch + 1 != (self.params or {}).get("epochs"):
            return
        drawing = None
        with self.sparing("drawing pictures"):
            drawing = self.draw()
        if drawing is None:
            return
        if self.directory is not None:
            with self.sparing(f"writing pictures to {self._place.path}"):
                self._write(drawing.pictures, number)
        if self.tensorboard is not None:
            with self.sparing("giving pictures to TensorBoard"):
                for tag, pictures in drawing.pictures.items():
                    self.tensorboard.image(tag, pictures, number - 1)
        if self.report is not None:
            self._section = f'<p class="legend">After epoch {number}.</p>{drawing.html}'
            self._add_section()

    def state_dict(self) -> dict[str, Any]:
        """The number of the epoch and the section of the report, as plain data."""
        return {"epochs": self._epochs.last, "section": self._section}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on after the epoch of the state; pictures of later epochs are drawn and written again."""
        self._epochs.load(state["epochs"])
        self._section = state["section"]
        self._add_section()

    def _add_section(self) -> None:
        if self.report is not None and self._section is not None:
            self.report.add_section(self.name.replace("_", " ").capitalize(), self._section)

    def _write(self, pictures: Mapping[str, Sequence[np.ndarray]], number: int) -> None:
        directory = self._place.path
        directory.mkdir(parents=True, exist_ok=True)
        for tag, images in pictures.items():
            ending = "" if len(pictures) == 1 else f"_{tag.rsplit('/', 1)[-1]}"
            write_atomically(directory / f"epoch_{number:04d}{ending}.png", encode_png(sheet(images)))
