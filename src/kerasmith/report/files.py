"""Files that are whole or absent: JSON, text and the history table."""

import contextlib
import csv
import io
import json
import math
import numbers
import os
from pathlib import Path

import numpy as np


def write_atomically(path, content):
    """Replaces a file by text or bytes in one step: a reader, or a run that is killed, sees the old file or the new one."""
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with put_in_place(path, draft):
        draft.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextlib.contextmanager
def put_in_place(path, draft):
    """A context that writes a file under another name, `draft`; in the end that takes the place of `path`, or is removed."""
    try:
        yield
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def json_text(value):
    """Strict JSON of plain data: what is not finite becomes null, an unknown object its text.

    >>> json_text({"loss": float("nan"), "shape": (2, np.int64(3))}).split()
    ['{', '"loss":', 'null,', '"shape":', '[', '2,', '3', ']', '}']
    """
    return json.dumps(plain(value), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def plain(value):
    """`value` as dicts, lists, str, bool, int, float or None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    return str(value)


def flat_text(value):
    """A configuration value as one cell of a table: numbers as they are, anything else as text."""
    if isinstance(value, (str, int, float)) or value is None:
        return value
    return ", ".join(f"{k}: {flat_text(v)}" for k, v in value.items()) if isinstance(value, dict) else str(plain(value))


class HistoryFile:
    """`history.csv`: one row for each epoch, readable after each of them.

    A row is appended and flushed; when it brings a new column the file is replaced in one step by one with the wider
    header. Floats are written so that they read back exactly.

    Args:
        path: the file; a missing one is created with the first row.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.rows = []
        self.columns = []

    def append(self, row):
        """Adds {column: number}."""
        fresh = [name for name in row if name not in self.columns]
        self.rows.append(dict(row))
        if fresh or not self.path.exists():
            self.columns += fresh
            self.rewrite()
            return
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            file.write(self._text([row]))

    def rewrite(self):
        """Writes the whole table."""
        header = self._text([dict(zip(self.columns, self.columns, strict=True))])
        write_atomically(self.path, header + self._text(self.rows))

    def replace(self, rows):
        """Forgets all rows and takes these; without any the file is gone."""
        self.rows = [dict(row) for row in rows]
        self.columns = list(dict.fromkeys(name for row in self.rows for name in row))
        if self.rows:
            self.rewrite()
        else:
            self.path.unlink(missing_ok=True)

    def _text(self, rows):
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        for row in rows:
            writer.writerow(["" if row.get(c) is None else row[c] for c in self.columns])
        return buffer.getvalue()
