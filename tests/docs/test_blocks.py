"""The blocks of "Which one do I need?" run as they stand; none compiles more than a tiny network."""

import pathlib
import re

import keras
import numpy as np
import pytest

import kerasmith
from scripts import doc_blocks

DOCS = pathlib.Path(__file__).parents[2] / "docs"


@pytest.mark.heavy("fits twenty tiny networks", on=("torch", "jax", "tensorflow"), seconds=12)
@pytest.mark.host("what the pages show is asked on PyTorch; its parts are asked on each backend elsewhere")
def test_every_block_of_the_chooser_runs():
    names = {}
    blocks = doc_blocks.python_blocks((DOCS / "which.md").read_text())
    assert len(blocks) > 20
    for block in blocks:
        exec(compile(block, f"which.md: {block.splitlines()[0]}", "exec"), names)
        history = getattr(names.get("model"), "history", None)
        if history is not None:
            assert np.isfinite(history.history["loss"]).all(), block
    assert "lesion_f1" in names["history"]
    assert isinstance(names["model"], keras.Model)
    assert kerasmith.Model is names["Model"]


@pytest.mark.heavy("fits a network a page", on=("torch", "jax", "tensorflow"), seconds=4)
@pytest.mark.host("what the pages show is asked on PyTorch; its parts are asked on each backend elsewhere")
def test_what_the_tutorials_end_with_runs():
    pages = sorted((DOCS / "tutorials").glob("*.md"))
    for page in pages:
        names = {}
        for block in doc_blocks.python_blocks(page.read_text()):
            exec(compile(block, page.name, "exec"), names)
        assert page.name == "index.md" or np.isfinite(names["model"].history.history["loss"]).all(), page
    assert len(pages) == 6


@pytest.mark.host("text of pages")
def test_the_checker_finds_something_in_what_is_commonly_written():
    for page in sorted((DOCS / "tutorials").glob("*.md")):
        for code in doc_blocks.files(page.read_text()).values():
            compile(code, page.name, "exec")
        for output in page.read_text().split("```console\n")[1:]:
            assert re.search(r"^(error|warning) [A-Z]\d{3} ", output.partition("```")[0], re.M), page


@pytest.mark.host("what the pages show is asked on PyTorch; its parts are asked on each backend elsewhere")
def test_the_readme_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (DOCS.parent / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    names = {}
    for block in doc_blocks.python_blocks(text):
        exec(compile(block, "README.md", "exec"), names | {"ops": keras.ops} if "keras" in names else names)
        names.setdefault("keras", keras)
    history = {path.name for path in (tmp_path / "runs" / "first").iterdir()}
    assert {"report.html", "history.csv", "summary.json"} <= history
    assert (tmp_path / "model.keras").exists()
