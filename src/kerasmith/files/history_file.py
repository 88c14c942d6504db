"""The history of a run as a table in a file."""

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasmith.files.atomic_write import write_atomically


class HistoryFile:
    """`history.csv`: one row for each epoch, readable after each of them.

    A row is appended and flushed; when it brings a new column the file is replaced in one step by one with the wider
    header. Floats are written so that they read back exactly. A row that could not be written, as the disk was full, leaves no
    part of itself behind and is written with the next one.

    Args:
        path: the file; a missing one is created with the first row.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path: Path = Path(path)
        self.rows: list[dict[str, Any]] = []
        self.columns: list[str] = []
        self._is_behind = False
        self._known: tuple[int, int] | None = None

    def is_taken(self) -> bool:
        """Whether somebody else has written the file since this object wrote it last."""
        return self._known is not None and self._state() not in (self._known, None)

    def append(self, row: Mapping[str, Any]) -> None:
        """Adds {column: number}."""
        fresh = [name for name in row if name not in self.columns]
        self.rows.append(dict(row))
        self.columns += fresh
        if fresh or self._is_behind or not self.path.exists():
            self.rewrite()
            return
        self._is_behind = True
        length = self.path.stat().st_size
        try:
            with open(self.path, "ab") as file:
                file.write(self._text([row]).encode())
        except OSError:
            # Half a row reads as another number.
            os.truncate(self.path, length)
            raise
        self._is_behind, self._known = False, self._state()

    def rewrite(self) -> None:
        """Writes the whole table."""
        self._is_behind = True
        header = self._text([dict(zip(self.columns, self.columns, strict=True))])
        write_atomically(self.path, header + self._text(self.rows), make_directory=True)
        self._is_behind, self._known = False, self._state()

    def catch_up(self) -> None:
        """Writes the rows that could not be written before, if there are any."""
        if self.rows and (self._is_behind or not self.path.exists()):
            self.rewrite()

    def replace(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Forgets all rows and takes these; without any the file is gone."""
        self.rows = [dict(row) for row in rows]
        self.columns = list(dict.fromkeys(name for row in self.rows for name in row))
        if self.rows:
            self.rewrite()
        else:
            self.path.unlink(missing_ok=True)

    def belongs_to(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the file is not there, or begins with these rows; it may have later ones, or less.

        Args:
            rows: at least one, as `append` took them.
        """
        try:
            with open(self.path, encoding="utf-8", newline="") as file:
                there = list(csv.DictReader(file))
        except FileNotFoundError:
            return True
        except (OSError, UnicodeError, csv.Error):
            return False
        pairs = zip(rows, there, strict=False)
        return all(
            found.get(name) == ("" if value is None else str(value)) for row, found in pairs for name, value in row.items()
        )

    def _state(self):
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size

    def _text(self, rows):
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        for row in rows:
            writer.writerow(["" if row.get(c) is None else row[c] for c in self.columns])
        return buffer.getvalue()
