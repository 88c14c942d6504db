"""What a terminal shows, in the characters that its encoding has."""

from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

from kerasmith.files.messages import printable


class PrintableRenderable:
    """A renderable of Rich with `?` for characters that the console's encoding lacks, such as the `…` of a cut text.

    Args:
        renderable: anything that Rich prints.
    """

    def __init__(self, renderable: RenderableType):
        self.renderable: Any = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.renderable, options):
            yield segment if segment.control else Segment(printable(segment.text, options.encoding), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self.renderable)
