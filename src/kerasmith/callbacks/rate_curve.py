"""The loss over the learning rate, as a range test has found it, and the rates to begin with that it suggests."""

import dataclasses
from typing import NamedTuple

import numpy as np

from kerasmith.report.curves import line_chart
from kerasmith.report.numbers import format_number
from kerasmith.report.page import Section, render
from kerasmith.report.static_curve import static_curve


class Suggestion(NamedTuple):
    """Learning rates to begin with.

    Attributes:
        steepest: where the smoothed loss falls fastest; None if it never falls.
        tenth_of_minimum: a tenth of the rate at which the smoothed loss is lowest.
    """

    steepest: float | None
    tenth_of_minimum: float


@dataclasses.dataclass(frozen=True)
class RateCurve:
    """What a test has found.

    Attributes:
        rates, losses: one number for each step.
        smoothing: share of the neighbouring step in a smoothed loss, 0 to 1.
        diverge: a loss of so many times the lowest is as bad as any beyond it.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothing: float
    diverge: float

    @property
    def cut_losses(self) -> np.ndarray:
        """The losses without what is beyond `diverge`, all of them finite.

        Raises:
            ValueError: if there are none, or the first is not finite.
        """
        losses = self.losses
        if not len(losses):
            raise ValueError("There is no test yet. Call `run(model, x, y)` first.")
        if not np.isfinite(losses[0]):
            raise ValueError(f"The loss is not finite from the first step on. Received: losses={losses[:5].tolist()}")
        lowest = int(np.nanargmin(losses))
        most = max(losses[: lowest + 1].max(), losses[lowest] + (self.diverge - 1) * abs(losses[lowest]))
        return np.where(np.isfinite(losses), np.minimum(losses, most), most)

    @property
    def smoothed(self) -> np.ndarray:
        """The cut losses, each a mean over its neighbours."""
        losses = self.cut_losses
        distance = np.abs(np.subtract.outer(np.arange(len(losses)), np.arange(len(losses))))
        kernel = np.power(float(self.smoothing), distance)
        return kernel @ losses / kernel.sum(1)

    @property
    def suggestion(self) -> Suggestion:
        """The rates to begin with."""
        index, lowest = self._steepest()
        return Suggestion(None if index is None else float(self.rates[index]), float(self.rates[lowest]) / 10)

    def picture(self) -> str:
        """The curve with the suggested rate as a chart, HTML for a page of `report.render` or `RunReport.add_section`."""
        series, title, index = self._drawing()
        marks = {} if index is None else {"smoothed": index}
        return line_chart(series, x=self.rates, title=title, x_label="learning rate", y_label="loss", log_x=True, marks=marks)

    def svg(self) -> str:
        """The same as the text of an SVG file."""
        series, title, index = self._drawing()
        return static_curve(series, self.rates.tolist(), title=title, x_label="learning rate", ring=index)

    def _drawing(self):
        """(series, title, where the ring is or None)."""
        index, _ = self._steepest()
        suggestion = self.suggestion
        title = f"Minimum / 10 at {format_number(suggestion.tenth_of_minimum)}"
        if index is not None:
            title = f"Steepest descent at {format_number(suggestion.steepest)} (ring), {title.lower()}"
        return {"loss": self.cut_losses.tolist(), "smoothed": self.smoothed.tolist()}, title, index

    def page(self) -> str:
        """The same as a page of its own."""
        return render("Learning rate", [Section("Loss over the learning rate", self.picture())])

    def _steepest(self):
        """(index of the steepest descent or None, index of the lowest smoothed loss)."""
        smoothed = self.smoothed
        lowest = int(np.argmin(smoothed))
        if lowest < 2:
            return None, lowest
        slopes = np.gradient(smoothed[: lowest + 1], np.log(self.rates[: lowest + 1]))
        steepest = int(np.argmin(slopes))
        return (steepest if slopes[steepest] < 0 else None), lowest
