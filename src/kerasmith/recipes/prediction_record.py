"""Which files of a directory a prediction wrote, so that it goes on where it stopped and touches nothing else."""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

NAME = "predictions.jsonl"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One image: what it was predicted with and which files that gives.

    Attributes:
        name: of the image, without its suffix.
        image: [its path, bytes, time of its last change].
        settings: what else the result depends on.
        files: names in the directory.
    """

    name: str
    image: list[Any]
    settings: dict[str, Any]
    files: list[str]


class PredictionRecord:
    """The entries of a directory, one line each in `predictions.jsonl`.

    An entry is written before its files, each of which is whole or absent: an image is complete when all its files are there.

    Args:
        directory: where the predictions are written.
    """

    def __init__(self, directory: Path) -> None:
        self.path: Path = directory / NAME
        self.entries: dict[str, Entry] = {}
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for line in lines:
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue  # the line that a killed process was writing
            self.entries[entry.name] = entry

    def files(self) -> set[str]:
        """The names of all files that are recorded."""
        return {name for entry in self.entries.values() for name in entry.files}

    def missing(self, wanted: Entry) -> list[str]:
        """The files of an image that are not there yet.

        Raises:
            ValueError: where files of its are there that were made by somebody else, or with other settings or another image.
        """
        directory = self.path.parent
        there = [name for name in wanted.files if (directory / name).exists()]
        earlier = self.entries.get(wanted.name)
        strange = [name for name in there if earlier is None or name not in earlier.files]
        if strange:
            raise ValueError(
                f"{directory / strange[0]} is there and was not written by `kerasmith predict`. "
                "Give another directory, or `--overwrite` to replace it"
            )
        if there and earlier.image != wanted.image:
            raise ValueError(
                f"{directory / there[0]} was predicted from {earlier.image[0]}, which is another file or has changed since. "
                "Give another directory, or `--overwrite` to replace it"
            )
        if there and earlier.settings != wanted.settings:
            raise ValueError(
                f"{directory / there[0]} was predicted with {_difference(earlier.settings, wanted.settings)}. "
                "Give another directory, or `--overwrite` to replace it"
            )
        return [name for name in wanted.files if name not in there]

    def begin(self, entry: Entry) -> None:
        """Writes down whose files these will be."""
        if self.entries.get(entry.name) == entry:
            return
        self.entries[entry.name] = entry
        with open(self.path, "a+b") as file:
            file.seek(0, os.SEEK_END)
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write((json.dumps(dataclasses.asdict(entry), ensure_ascii=False) + "\n").encode())


def same_names(names: Iterable[tuple[str, Path]]) -> list[str]:
    """The images whose predictions would have one name, on a disk that does not tell capitals apart either."""
    by_name: dict[str, list[Path]] = {}
    for name, path in names:
        by_name.setdefault(name.casefold(), []).append(path)
    return [f"{', '.join(map(str, paths))}" for paths in by_name.values() if len(paths) > 1]


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if "run" in names:
        return "another model"
    return ", ".join(f"{name}={before.get(name)} instead of {now.get(name)}" for name in names)
