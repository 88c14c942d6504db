"""The bar of the running epoch in a terminal."""

import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from kerasmith.callbacks.printable_renderable import PrintableRenderable

_REFRESH_PER_SECOND = 4


class EpochBar(Progress):
    """The line of the running epoch: `_describe` of a `LiveProgress`.

    The thread that draws it reads what the training steps have left behind.
    """

    def __init__(self, owner: Any):
        self._owner = owner
        self._bar_column = BarColumn()
        self._last_error = getattr(sys, "last_value", None)
        columns = (
            TextColumn("{task.description}", style="bold", markup=False),
            self._bar_column,
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}", style="cyan", markup=False),
            TextColumn("{task.fields[values]}", style="dim", markup=False),
        )
        super().__init__(*columns, console=owner.console, refresh_per_second=_REFRESH_PER_SECOND, transient=True)
        self.add_task("", total=None, pace="", values="")
        self._refresh = self.live.refresh
        self.live.refresh = self._refresh_or_end

    def get_renderables(self) -> Iterable[RenderableType]:
        fields = self._owner._describe()
        self._bar_column.bar_width = fields.pop("bar_width")
        for task in self.task_ids:
            self.update(task, **fields)
        yield PrintableRenderable(self.make_tasks_table(self.tasks))
        if getattr(sys, "last_value", None) is not self._last_error:
            # An interactive session has shown an exception, and keeps it and all that `fit` had. Not from this thread, which
            # is in the middle of a drawing.
            self._last_error = sys.last_value
            threading.Thread(target=self._owner.close, daemon=True).start()

    def stop(self) -> None:
        # The terminal may be gone.
        with contextlib.suppress(Exception), without_exit():
            super().stop()

    def _refresh_or_end(self) -> None:
        """Draws; where that fails, takes the bar away. Not from this thread, which is in the middle of a drawing."""
        try:
            with without_exit():
                self._refresh()
        except Exception as problem:
            if self.live.is_started:
                with self._owner.sparing("drawing the bar"):
                    raise problem
                threading.Thread(target=self._owner.close, daemon=True).start()


@contextlib.contextmanager
def without_exit() -> Iterator[None]:
    """Rich ends the program when the reader of a pipe is gone; this makes it an error of the output again."""
    try:
        yield
    except SystemExit as leaving:
        if not isinstance(leaving.__context__, BrokenPipeError):
            raise
        raise leaving.__context__ from None
