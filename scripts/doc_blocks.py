"""The blocks of a page: Python that runs, files that are written, commands with their output.

```python                      runs, in the order of the page, in one namespace
```python title="mine.py"      is written as that file, beside the others of the page
```console                     lines behind `$ ` are commands that run there; what follows is their output
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.M | re.S)
_TITLE = re.compile(r'title="([^"]+)"')
# Commands that read or install what is not there, and those whose time is that of a training.
_SECONDS = 600


def python_blocks(text: str) -> list[str]:
    """The code of blocks that run."""
    return [body for language, info, body in _BLOCK.findall(text) if language == "python" and not _TITLE.search(info)]


def files(text: str) -> dict[str, str]:
    """{name: code} of blocks that are files."""
    blocks = ((_TITLE.search(info), body) for _, info, body in _BLOCK.findall(text))
    return {title[1]: body for title, body in blocks if title}


def commands(text: str) -> list[str]:
    """Commands of console blocks."""
    bodies = [body for language, _, body in _BLOCK.findall(text) if language == "console"]
    return [line[2:] for body in bodies for line in body.splitlines() if line.startswith("$ ")]


def with_fresh_output(text: str) -> str:
    """The page with what its commands print now, one command a block."""
    with tempfile.TemporaryDirectory() as folder:
        for name, code in files(text).items():
            pathlib.Path(folder, name).write_text(code)

        def replaced(found):
            if found[1] != "console":
                return found[0]
            command = found[3].splitlines()[0]
            return f"```console{found[2]}\n{command}\n{run(command.removeprefix('$ '), folder)}```"

        return _BLOCK.sub(replaced, text)


def run(command: str, folder: str) -> str:
    """What a `kerasmith` command prints, 120 columns wide.

    Raises:
        RuntimeError: if it could not do its work, with what it said.
    """
    name, *arguments = shlex.split(command)
    if name != "kerasmith":
        raise ValueError(f"Only kerasmith commands run. Received: {command!r}")
    source = str(pathlib.Path(__file__).resolve().parents[1] / "src")
    environment = {**os.environ, "COLUMNS": "120", "PYTHONPATH": source, "NO_COLOR": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "kerasmith", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command}: {done.stderr}")
    # Neither the folder nor the seconds are those of the reader.
    text = re.sub(r"; \d+\.\d s$", "", done.stdout.replace(folder, "."), flags=re.M)
    return re.sub(r"[ \t]+$", "", text, flags=re.M).strip("\n") + "\n"
