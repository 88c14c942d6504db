"""A file as a subject: its text is read, nothing of it is run."""

import os
import pathlib


class SourceSubject:
    """The text of a Python file.

    Attributes:
        kind: "source".
        component: the text.
        name: as it is printed.
        file, line: of the file; None if the text comes from elsewhere.
        is_function, is_instance, cls, init: as `Subject` has them.
    """

    kind = "source"
    is_function = is_instance = False
    cls = None

    def __init__(self, text, name, file=None):
        self.component, self.name, self.file = text, name, file
        self.line = None if file is None else 1
        self.init = {}

    def source(self):
        """(text, first line)."""
        return self.component, 1


def source_subject(path_or_text):
    """The subject of a `.py` file, or of Python text.

    Raises:
        FileNotFoundError: for a path without a file.
    """
    text = str(path_or_text)
    if "\n" in text or not (isinstance(path_or_text, os.PathLike) or text.endswith(".py")):
        return SourceSubject(text, "text")
    path = pathlib.Path(text)
    return SourceSubject(path.read_text(encoding="utf-8"), path.name, str(path.resolve()))
