"""docs/train.md says what the command does."""

import pytest

from kerasmith.cli import main
from kerasmith.recipes.training.config import read_config
from kerasmith.recipes.training.fields import AUTO, FIELDS, REQUIRED
from kerasmith.recipes.training.part_calls import check_parts
from tests.recipes.training.page import EXAMPLE, PAGE, page
from tests.support.image_folders import write_pairs

pytestmark = pytest.mark.host("a page is written")


def test_the_page_is_the_one_of_these_keys():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.recipes.training.page"


def test_its_example_and_the_examples_of_all_keys_are_read(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(EXAMPLE)
    check_parts(read_config(config))
    needed = "".join(f"{field.name}: {field.example}\n" for field in FIELDS.values() if field.default is REQUIRED)
    together = {"validation_masks": "validation: data/held_out\n", "fold": "folds: 5\n"}
    for field in FIELDS.values():
        if field.default is not REQUIRED:
            config.write_text(f"{needed}{together.get(field.name, '')}{field.name}: {field.example}\n")
            read = read_config(config)
            check_parts(read)
            assert read[field.name] != AUTO


def test_its_error_is_what_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path)
    with open("config.yaml", "a") as file:
        file.write("loss: 0.6*dicee\n")
    assert main(["train", "config.yaml", "--plan"]) == 2
    assert capsys.readouterr().err.strip() in page()
