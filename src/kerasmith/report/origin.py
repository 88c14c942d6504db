"""How a run was started, and from which state of the sources."""

import functools
import os
import shlex
import subprocess
import sys
from pathlib import Path


@functools.cache
def origin() -> dict[str, str]:
    """{"command", "git commit"} of this process as text; the home directory is `~`.

    The commit is that of the current directory, with "and changes" where files differ from it; it is left out without Git.

    >>> sorted(set(origin()) - {"git commit"})
    ['command']
    """
    found = {"command": _command(sys.argv)}
    commit = _git("rev-parse", "HEAD")
    if commit:
        changed = _git("status", "--porcelain", "--untracked-files=no")
        found["git commit"] = commit + (" and changes" if changed else "")
    return found


def _command(arguments: list[str]) -> str:
    """A command line in which nothing tells who the user is.

    >>> _command([os.path.join(os.path.expanduser("~"), "bin", "train.py"), "--out", "a b"])
    "train.py --out 'a b'"
    """
    home = str(Path.home())
    name, *rest = arguments or [""]
    hidden = [text.replace(home, "~") if len(home) > 1 else text for text in rest]
    return shlex.join([os.path.basename(name) or "python", *hidden])


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
