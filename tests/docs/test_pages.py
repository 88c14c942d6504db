"""The documentation: links lead somewhere, every public name has an entry, every command and option that is shown exists."""

import importlib
import pathlib
import re
import shlex
import types

import pytest

import kerasmith
from scripts import api_pages, doc_blocks

pytestmark = pytest.mark.host("text of pages")

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "src").rglob("README.md")),
]
_LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def anchors(text):
    """Names of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page):
    """Links of a page to files and headings that are not there."""
    for found in _LINK.findall(without_code(page.read_text())):
        link = found[0] or found[1]
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page if not path else (page.parent / path)
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target.read_text())):
            yield link


def test_links_lead_somewhere(tmp_path):
    broken = {str(page.relative_to(ROOT)): list(broken_links(page)) for page in PAGES}
    assert not {page: links for page, links in broken.items() if links}
    planted = tmp_path / "page.md"
    planted.write_text("# One thing\n[a](missing.md) [b](#one-thing) [c](#two) `[d](no.md)`\n")
    assert list(broken_links(planted)) == ["missing.md", "#two"]


def test_every_public_name_is_in_the_reference():
    pages = api_pages.pages()
    for package in kerasmith.__all__:
        module = getattr(kerasmith, package)
        if not isinstance(module, types.ModuleType):
            assert f"{{ #{package} }}" in pages["index.md"]
            continue
        if package == "recipes":  # what the commands run; not for use from Python
            continue
        text = pages[f"{package}.md"]
        for name in getattr(importlib.import_module(f"kerasmith.{package}"), "__all__", ()):
            if not isinstance(getattr(module, name), types.ModuleType):
                assert f"\n## {name} {{ #{name} }}" in text, f"{package}.{name}"
    assert "[`losses.NTXent`](losses.md#NTXent)" in pages["losses.md"]
    assert "```pycon\n>>>" in pages["losses.md"]


def shown_commands():
    """Commands of kerasmith in blocks of shell and of a console."""
    for page in PAGES:
        for language, _, body in re.findall(r"^```(\w+)([^\n]*)\n(.*?)^```", page.read_text(), re.M | re.S):
            if language in ("sh", "console", "bash"):
                for line in body.splitlines():
                    command = line.removeprefix("$ ").partition("#")[0].strip()
                    if command.startswith("kerasmith ") and (language != "console" or line.startswith("$ ")):
                        yield page, command


def test_commands_that_are_shown_parse(monkeypatch):
    """Subcommands and options exist; nothing is run."""
    seen = set()
    import argparse

    from kerasmith import cli

    parsed = []
    original = argparse.ArgumentParser.parse_args

    def only_parse(parser, arguments=None, namespace=None):
        options = original(parser, arguments, namespace)
        options.command = lambda options: parsed.append(options) or 0
        return options

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_parse)
    for page, command in shown_commands():
        if command not in seen and not command.endswith(("--list", "--version", "--help")):
            seen.add(command)
            try:
                cli.main(shlex.split(command)[1:])
            except SystemExit as problem:
                raise AssertionError(f"{page}: {command}") from problem
    assert len(parsed) == len(seen)


def test_scripts_and_sessions_that_are_shown_exist():
    for page in PAGES:
        for name in re.findall(r"(?:^|[ `])(scripts/[\w./]+)", page.read_text()):
            assert (ROOT / name.rstrip(".")).exists(), (page, name)


def test_blocks_are_told_apart():
    page = '```python title="a.py"\nx = 1\n```\n\n```python\ny = 2\n```\n\n```console\n$ kerasmith --version\nold\n```\n'
    assert doc_blocks.files(page) == {"a.py": "x = 1\n"}
    assert doc_blocks.python_blocks(page) == ["y = 2\n"]
    assert doc_blocks.commands(page) == ["kerasmith --version"]
    assert f"kerasmith {kerasmith.__version__}" in doc_blocks.with_fresh_output(page)


NOT_RUN = {
    "check": "reads code of the reader's own; tests/checks asks it",
    "demo": "trains for minutes; tests/recipes asks short ones",
    "export": "needs a trained run; tests/recipes/test_run_export.py asks it",
    "launch": "starts processes; tests/distribution asks it",
    "list": "needs runs; tests/recipes/test_run_pages.py asks it",
    "new": "writes a part; tests/cli asks it",
    "predict": "needs a trained run; tests/recipes/test_prediction.py asks it",
    "report": "needs runs; tests/recipes/test_run_pages.py asks it",
    "train": "trains; tests/recipes/training asks it",
}
"""Commands that pages show and that are only parsed, and why."""


def test_commands_that_cost_nothing_run(capsys):
    """`migrate`, lists and versions do what the page says; each of the others has a reason."""
    from kerasmith import cli

    for command, page in {command: page for page, command in shown_commands()}.items():
        words = shlex.split(command)[1:]
        if words[0] == "migrate" or words[-1] in ("--list", "--version"):
            try:
                status = cli.main(words)
            except SystemExit as left:
                status = left.code
            assert status in (0, 1), (page, command)
            assert capsys.readouterr().out, (page, command)
        else:
            assert words[0] in NOT_RUN, (page, command)
