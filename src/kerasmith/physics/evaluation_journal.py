"""What a minimisation has asked for so far, in a file: it is repeated from there without asking again.

An optimizer without randomness that gets the same answers goes the same way, so that the answers are its whole state. They are
written one after the other; what a killed process has left half written is not counted.
"""

import hashlib
import io
import json
import os
import uuid
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.files.atomic_write import write_atomically
from kerasmith.keras_internals.loss_and_gradient import Evaluation

_HEAD, _ANSWERS = "polish.npz", "polish.answers"
_MARK = 32  # letters that tell which round the answers belong to


class EvaluationJournal:
    """The evaluations of one round of a minimisation, in a directory or only in memory.

    Args:
        directory: a `Path` that exists, or None: nothing is kept.
        columns: names of the columns in the answers.
        size: number of weights.
        dtype: of the gradients, which come from the backend: nothing is lost.
    """

    def __init__(self, directory: Path | None, columns: list[str], size: int, dtype: str) -> None:
        self._directory = directory
        self._columns, self._dtype = columns, dtype
        self._record = np.dtype(
            [
                ("weights", "u8"),
                ("loss", "f8"),
                ("columns", "f8", (len(columns),)),
                ("gradient", dtype, (size,)),
                ("checksum", "u4"),
            ]
        )
        self._known: Any = []
        self._position = 0
        self._file: Any = None

    def begin(self, head: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Forgets all answers and begins a round.

        Args:
            head: plain data that `read_head` gives back.
            arrays: {name: array}, also given back.
        """
        self.close()
        self._known, self._position = [], 0
        if self._directory is None:
            return
        head = {**head, "round": uuid.uuid4().hex}
        buffer = io.BytesIO()
        np.savez(buffer, head=np.array(json.dumps(head)), **arrays)
        write_atomically(self._directory / _HEAD, buffer.getvalue())
        write_atomically(self._directory / _ANSWERS, head["round"].encode())
        self._file = (self._directory / _ANSWERS).open("ab")

    def go_on(self, head: dict[str, Any]) -> int:
        """Takes up the round of a head that `read_head` gave; returns the number of answers that are there."""
        path = self._directory / _ANSWERS
        mark = head["round"].encode()
        content = path.read_bytes() if path.exists() else b""
        if content[: len(mark)] != mark:
            write_atomically(path, mark)
            content = mark
        whole = (len(content) - len(mark)) // self._record.itemsize
        self._known = np.frombuffer(content, self._record, whole, offset=len(mark))
        sound = next((i for i, one in enumerate(self._known) if one["checksum"] != _checksum(one)), whole)
        self._known, self._position = self._known[:sound], 0
        self._file = path.open("r+b")
        self._file.truncate(len(mark) + sound * self._record.itemsize)
        self._file.seek(0, os.SEEK_END)
        return sound

    def next(self, weights: np.ndarray) -> Evaluation | None:
        """The answer that is known at these weights, the next of the file; None when there is none."""
        if self._position >= len(self._known):
            return None
        record = self._known[self._position]
        if record["weights"] != self._digest(weights):
            self._drop_rest()
            return None
        self._position += 1
        logs = dict(zip(self._columns, map(float, record["columns"]), strict=True))
        return Evaluation(float(record["loss"]), record["gradient"].astype("float64"), logs, np.zeros(0, bool))

    def has(self, weights: np.ndarray) -> bool:
        """Whether these weights were asked for."""
        digest = self._digest(weights)
        return any(record["weights"] == digest for record in self._known)

    def repeat(self) -> None:
        """Begins with the first known answer again."""
        self._position = 0

    def append(self, weights: np.ndarray, answer: Evaluation) -> None:
        """Adds an answer."""
        if self._file is None:
            return
        record = np.zeros((), self._record)
        record["weights"], record["loss"], record["gradient"] = self._digest(weights), answer.loss, answer.gradient
        record["columns"] = [answer.logs.get(name, np.nan) for name in self._columns]
        record["checksum"] = _checksum(record)
        self._file.write(record.tobytes())
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _digest(self, weights):
        # Of the weights that the model gets.
        there = np.ascontiguousarray(weights, self._dtype)
        return int.from_bytes(hashlib.blake2b(there.tobytes(), digest_size=8).digest(), "little")

    def _drop_rest(self):
        """Another SciPy, or another processor, goes another way from here on."""
        self._known = self._known[: self._position]
        if self._file is not None:
            self._file.truncate(_MARK + len(self._known) * self._record.itemsize)
            self._file.seek(0, os.SEEK_END)


def read_head(directory: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """(head, arrays) as `begin` got them, with the round's mark in the head; None where no minimisation has begun.

    Raises:
        ValueError: if the file is damaged.
    """
    path = directory / _HEAD
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        return json.loads(str(arrays.pop("head"))), arrays
    except Exception as problem:
        raise ValueError(
            f"{path} is damaged ({problem}). Remove the directory to begin from scratch, or give another one."
        ) from problem


def _checksum(record):
    return zlib.crc32(record.tobytes()[:-4])
