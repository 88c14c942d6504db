"""How far a prediction of many images is: a bar on a terminal, a short line an image elsewhere."""

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kerasmith.callbacks.epoch_lines import clock
from kerasmith.recipes.unfinished_run import show

_NAME_WIDTH = 34


class PredictionProgress:
    """A context that speaks on a console while images are predicted.

    Args:
        console: a `rich.console.Console`.
        pixels: of each image, in order: what the time left is estimated by.

    Attributes:
        images: how many are done.
    """

    def __init__(self, console: Console, pixels: list[int]) -> None:
        self._console, self._pixels = console, pixels
        self._done, self._start = 0.0, time.perf_counter()
        self.images: int = 0
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> "PredictionProgress":
        if self._console.is_terminal:
            columns = [TextColumn("{task.description}", markup=False), BarColumn(20), TextColumn("{task.percentage:>3.0f} %")]
            self._bar = Progress(*columns, TimeRemainingColumn(), TextColumn("left"), console=self._console, transient=True)
            self._task = self._bar.add_task("", total=sum(self._pixels))
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def windows(self, path: Path, done: int, total: int) -> None:
        """Some windows of the image are predicted."""
        if self._bar is not None:
            place = f"{self.images + 1}/{len(self._pixels)} {shortened(path.name, 24)}"
            share = self._pixels[self.images] * done / total
            self._bar.update(self._task, description=place, completed=self._done + share)

    def image(self, path: Path, objects: int | None) -> None:
        """The image is complete, or could not be predicted (`objects` None)."""
        self._done += self._pixels[self.images]
        self.images += 1
        result = "failed" if objects is None else f"{objects} object{'s' * (objects != 1)}"
        line = f"{self.images}/{len(self._pixels)} {shortened(path.name, _NAME_WIDTH)}: {result}"
        left = (time.perf_counter() - self._start) * (sum(self._pixels) / self._done - 1) if self._done else 0
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        else:
            show(self._console, line + (f", {clock(left)} left" if self.images < len(self._pixels) else ""))


def shortened(name: str, width: int) -> str:
    """A name in at most so many characters; its end says more than its middle.

    >>> shortened("a_very_long_name_of_an_image.png", 20)
    'a_very_l...image.png'
    """
    if len(name) <= width:
        return name
    tail = (width - 3) // 2 + 1
    return name[: width - 3 - tail] + "..." + name[-tail:]
