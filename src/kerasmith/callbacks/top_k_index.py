"""The list of the kept models of a directory, which several callbacks may write to."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.lock import exclusive
from kerasmith.files.messages import warn
from kerasmith.files.plain_data import json_text

INDEX = "index.json"
_LOCK = ".index.lock"


class TopKIndex:
    """`index.json`: read again before each change, which one thread of one process makes at a time.

    Args:
        directory: an existing one.
        monitor: what the models are ordered by.

    Attributes:
        entries: list of {"file", "epoch", "value"}, the best first.
        ahead: entries of epochs that a resumed run is going to train again: their files stay until then.
        writers: {file: who has written it}.
        samples: by what the data of the training that wrote last are known; None before the first.

    Raises:
        ValueError: if the directory has another index, or that of another monitor.
    """

    def __init__(self, directory: Path, monitor: str):
        self.path: Path = directory / INDEX
        self.monitor = monitor
        self.entries: list[dict[str, Any]] = []
        self.ahead: list[dict[str, Any]] = []
        self.writers: dict[str, str] = {}
        self.samples: dict[str, str] | None = None
        self._half_done: list[str] = []
        self._is_behind = False
        self.read(strict=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """A context in which nobody else changes the index or the files; what others have changed has been read."""
        with exclusive(self.path.with_name(_LOCK)):
            self.read()
            yield

    def read(self, strict: bool = False) -> None:
        """Reads the file; one that is not there, or older than what could not be written to it, changes nothing.

        Args:
            strict: whether a file that is no index is an error.
        """
        if self._is_behind:
            return
        try:
            index = json.loads(self.path.read_text(encoding="utf-8"))
            parts = (index["monitor"], index["entries"], index["ahead"], index["writing"], index["removing"])
        except OSError:
            return
        except (ValueError, KeyError, TypeError):
            if strict:
                raise ValueError(f"{self.path} is not an index of TopKCheckpoints. Choose another directory.") from None
            return
        if parts[0] != self.monitor:
            if strict:
                raise ValueError(
                    f"{self.path.parent} keeps the best epochs by {parts[0]!r}. Choose another directory for {self.monitor!r}."
                )
            return
        _, self.entries, self.ahead, writing, removing = parts
        self.writers, self.samples = dict(index.get("writers", {})), index.get("samples")  # (since 0.2)
        self._half_done = [*([] if writing is None else [writing, draft_name(writing)]), *removing]

    def half_done(self) -> list[str]:
        """The files that a run which was killed had begun to write or to remove. A draft, or one that was just renamed."""
        return self._half_done

    def write(self, writing: str | None = None, removing: Iterable[str] = ()) -> None:
        """Replaces the file; warns where that is not possible.

        Args:
            writing: the file that is written next.
            removing: those that are removed next.
        """
        listed = {entry["file"] for entry in [*self.entries, *self.ahead]} | {writing}
        self.writers = {name: writer for name, writer in self.writers.items() if name in listed}
        state = {"monitor": self.monitor, "entries": self.entries, "ahead": self.ahead, "writers": self.writers}
        state |= {"samples": self.samples}
        self._is_behind = True
        try:
            text = json_text({**state, "writing": writing, "removing": list(removing)})
            write_atomically(self.path, text, make_directory=True)
            self._is_behind = False
        except OSError as problem:
            warn(f"TopKCheckpoints could not write {self.path}: {problem.strerror or problem}", stacklevel=5)


def draft_name(name: str) -> str:
    """The name that a file has while it is written. Keras wants its own endings."""
    stem, suffix = (name[: -len(end)], end) if name.endswith(end := ".weights.h5") else (name[: -len(".keras")], ".keras")
    return f".{stem}.draft{suffix}"
