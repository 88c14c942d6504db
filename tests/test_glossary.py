"""Identifiers use the field's words: none of those that docs/glossary.md refuses."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SOURCE = ROOT / "src" / "kerasmith"
# What users see by this name: a parameter of before that still works and warns, a check in JUnit's reports.
PUBLIC = {"base/loss.py": {"mass"}, "checks/rules/layers/arguments.py": {"activation_is_kept"}}
pytestmark = pytest.mark.host("reads the source, or the signatures")


def _refused():
    """{word: packages where it is refused, empty for all} of the glossary's last table."""
    rows = (ROOT / "docs" / "glossary.md").read_text().split("| not | write | in |")[1].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| ")]
    return {word: {p for p in place.split(", ") if p} for words, _, place in cells for word in words.split(", ")}


def _identifiers(path):
    """(name, line) of what a module defines: itself, functions, classes, arguments, variables, attributes."""
    yield path.stem, 1
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def _words(identifier):
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier).lower().split("_"))


def test_no_identifier_uses_a_refused_word():
    refused, wrong = _refused(), []
    for path in sorted(SOURCE.rglob("*.py")):
        package = path.relative_to(SOURCE).parts[0]
        for name, line in _identifiers(path):
            if name in PUBLIC.get(path.relative_to(SOURCE).as_posix(), ()):
                continue
            hits = [word for word in _words(name) if word in refused and (not refused[word] or package in refused[word])]
            wrong += [f"{path.relative_to(ROOT)}:{line}: {name}" for _ in hits]
    assert not wrong, "\n".join(wrong)


def test_words_are_separated_in_every_spelling():
    assert _words("kept_Masses") == {"kept", "masses"}
    assert _words("RunPart") == {"run", "part"}
    assert len(_refused()) > 25
