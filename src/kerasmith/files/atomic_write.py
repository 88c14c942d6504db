"""Files that are whole or absent."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], content: str | bytes, *, make_directory: bool = False) -> None:
    """Replaces a file by text or bytes in one step: a reader, or a run that is killed, sees the old file or the new one.

    Args:
        path: the file.
        content: text is written as UTF-8.
        make_directory: make the directory anew if it is gone (since 0.2).
    """
    path = Path(path)
    if make_directory:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with put_in_place(path, draft):
        draft.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextlib.contextmanager
def put_in_place(path: str | os.PathLike[str], draft: Path) -> Iterator[None]:
    """A context that writes a file under another name, `draft`; in the end that takes the place of `path`, or is removed."""
    try:
        yield
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
