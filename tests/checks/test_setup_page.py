"""The example of docs/check_setup.md is what the command says, and its advice helps."""

import pathlib
import re

import pytest

from kerasmith.checks.engine.script import report_of_script

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "check_setup.md"


@pytest.mark.host("the page shows PyTorch")
@pytest.mark.heavy("two processes, one of which trains for some steps", seconds=30)
def test_the_example_of_the_page(tmp_path):
    page = PAGE.read_text()
    source = re.search(r"```python\n(import numpy.*?)```", page, re.DOTALL)[1]
    (tmp_path / "circles.py").write_text(source)
    report = report_of_script(str(tmp_path / "circles.py"), ["torch"], select=["T101", "T145", "T161"], budget=400.0)
    assert [finding.id for finding in report.findings] == ["T101", "T145", "T161"]
    words = " ".join(page.split())
    for finding in report.findings:
        for text in (finding.title, finding.expected, finding.actual, finding.fix, f"circles.py:{finding.line}"):
            assert " ".join(text.split()) in words, text
    repaired = source.replace('"softmax"', '"sigmoid"').replace('"val_acc"', '"val_accuracy"')
    (tmp_path / "circles.py").write_text(repaired)
    report = report_of_script(str(tmp_path / "circles.py"), ["torch"], select=["T101", "T145"])
    assert report.findings == []
    assert report.called
