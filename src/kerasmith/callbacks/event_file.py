"""One event file for TensorBoard, written without TensorFlow."""

import io
import os
import re
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.report.pixels import encode_png

_NAME = re.compile(r"events\.out\.tfevents\.(\d+)\.")
_BINS = 30  # as many as TensorBoard's own summaries have


class EventFile:
    """An event file: records of values, each whole when `write` returns.

    Args:
        directory: created if missing. The file's name sorts behind those that are there, because TensorBoard reads the files
            of a directory in the order of their names.
        writer: text in the name that tells whose file it is.
        purge_step: tells TensorBoard to forget values of this step and later ones that files before this one hold.

    Attributes:
        path: the file.
        length: its bytes so far.
    """

    def __init__(self, directory: str | os.PathLike[str], writer: str, purge_step: int | None = None) -> None:
        self._event_pb2, _, _ = event_parts()
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        known = [int(found[1]) for path in directory.iterdir() if (found := _NAME.match(path.name))]
        seconds = max([int(time.time()), *(number + 1 for number in known)])
        # The usual name has the host's name as fourth part; a run directory is often passed on, so it stays out.
        self.path: Path = directory / f"events.out.tfevents.{seconds:010d}.kerasmith.{writer}"
        self.length: int = 0
        self._lock = threading.Lock()
        self._append([self._event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2")])
        if purge_step is not None:
            log = self._event_pb2.SessionLog(status=self._event_pb2.SessionLog.START)
            self._append([self._event_pb2.Event(wall_time=time.time(), step=purge_step, session_log=log)])

    def write(self, values: Any, step: int) -> None:
        """Adds `Summary.Value`s of one step, all of them or none."""
        _, summary_pb2, _ = event_parts()
        self._append(
            [self._event_pb2.Event(wall_time=time.time(), step=step, summary=summary_pb2.Summary(value=list(values)))]
        )

    def _append(self, events: Iterable[Any]) -> None:
        buffer = io.BytesIO()
        writer = event_parts()[2](buffer)
        for event in events:
            writer.write(event.SerializeToString())
        # Callbacks may log from Keras' own threads.
        with self._lock:
            try:
                with open(self.path, "ab") as file:
                    file.write(buffer.getbuffer())
            except OSError:
                # Readers give up at half a record and would see nothing of what follows it.
                if self.path.exists():
                    os.truncate(self.path, self.length)
                raise
            self.length += len(buffer.getbuffer())


def scalar_value(tag: str, value: Any) -> Any:
    """A number, for the tabs SCALARS and TIME SERIES."""
    return _value(tag=tag, simple_value=float(value))


def histogram_value(tag: str, values: Any) -> Any:
    """The distribution of numbers, for the tabs HISTOGRAMS and DISTRIBUTIONS: rows of left edge, right edge, count."""
    rows = histogram_rows(values)
    return _tensor_value(tag, "histograms", 2, dtype="DT_DOUBLE", shape=rows.shape, tensor_content=rows.tobytes())


def image_value(tag: str, images: Sequence[np.ndarray]) -> Any:
    """Pictures of one size, for the tab IMAGES.

    Args:
        images: list of uint8 arrays that `report.encode_png` takes.
    """
    height, width = images[0].shape[:2]
    content = [str(width).encode(), str(height).encode(), *(encode_png(image) for image in images)]
    return _tensor_value(tag, "images", 3, dtype="DT_STRING", shape=(len(content),), string_val=content)


def text_value(tag: str, text: str) -> Any:
    """Markdown, for the tab TEXT."""
    return _tensor_value(tag, "text", 2, dtype="DT_STRING", shape=(), string_val=[str(text).encode()])


def histogram_rows(values: Any, bins: int = _BINS) -> np.ndarray:
    """(bins, 3) float64: left edge, right edge and count of equal bins; what is not finite is left out, (0, 3) if all is.

    >>> histogram_rows([0.0, 1.0, 1.0, 2.0], bins=2).tolist()
    [[0.0, 1.0, 1.0], [1.0, 2.0, 3.0]]
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        return np.zeros((0, 3))
    low, high = values.min(), values.max()
    edges = low + (high / bins - low / bins) * np.arange(bins + 1)
    edges[-1] = high
    if not np.all(np.diff(edges) > 0):
        # One value, or some too close to each other for edges between them.
        return np.array([[low - 0.5, high + 0.5, values.size]])
    counts, _ = np.histogram(values, edges)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


def event_parts() -> tuple[Any, Any, Any]:
    """The modules of the protocol buffers and the class that writes records."""
    try:
        # Not tensorboard's EventFileWriter nor its `tf` module: both import TensorFlow where it is installed.
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise ImportError("callbacks.TensorBoard needs the tensorboard package: `pip install tensorboard`") from error
    return event_pb2, summary_pb2, RecordWriter


def _value(**fields: Any) -> Any:
    return event_parts()[1].Summary.Value(**fields)


def _tensor_value(tag: str, plugin: str, data_class: int, *, dtype: str, shape: tuple[int, ...], **content: Any) -> Any:
    from tensorboard.compat.proto import tensor_pb2, tensor_shape_pb2, types_pb2

    _, summary_pb2, _ = event_parts()
    kind = summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin)
    size = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=n) for n in shape])
    tensor = tensor_pb2.TensorProto(dtype=getattr(types_pb2, dtype), tensor_shape=size, **content)
    return _value(tag=tag, tensor=tensor, metadata=summary_pb2.SummaryMetadata(plugin_data=kind, data_class=data_class))
