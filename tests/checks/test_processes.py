"""`kerasmith check part --processes 2`: what is wrong in several processes only is found there."""

import os
import pathlib

import keras
import pytest

from kerasmith.checks.engine import processes
from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.cli import main

PARTS = pathlib.Path(__file__).parent / "parts_in_processes.py"
ON = ("torch", "jax", "tensorflow")


def found(name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.path.abspath("src"))
    (report,) = processes.reports_of(f"{PARTS}:{name}", [keras.backend.backend()], 2)
    assert report.called
    return [finding.id for finding in report.findings], report


@pytest.mark.heavy("trains in three processes", on=ON, seconds=25)
@pytest.mark.parametrize(
    ("name", "id", "says"),
    [
        ("Halved", "L124", "0.5 times the gradient"),
        ("Doubled", "M118", "from 2 processes with unequal shares"),
        ("SummedMaximum", "M118", "from 2 processes"),
        ("OfOneRank", "M118", "in rank 1"),
    ],
)
def test_what_is_wrong_is_named(name, id, says, monkeypatch):
    if keras.backend.backend() != "torch" and name != "Halved":
        pytest.skip("one program, or predictions of all, for every metric")
    ids, report = found(name, monkeypatch)
    assert ids == [id]
    assert says in report.findings[0].actual


@pytest.mark.thinned("one right part starts three processes as well as another", by=lambda name: ["right"])
@pytest.mark.heavy("trains in three processes", on=ON, seconds=25)
@pytest.mark.parametrize("name", ["Squared", "Maximum"])
def test_what_is_right_is_silent(name, monkeypatch):
    ids, report = found(name, monkeypatch)
    assert ids == []
    assert report.outcomes["pass"] == 2


@pytest.mark.host("differences of plain numbers")
def test_differences():
    one = {"columns": {"loss": [1.0, float("nan")]}, "moved": [0.1, 0.0]}
    assert processes._difference(one, [one, one], 2) is None
    other = {**one, "columns": {"loss": [1.1, float("nan")]}}
    assert "in rank 1" in processes._difference(one, [one, other], 2)[1]
    twice = {**one, "moved": [0.2, 0.0]}
    assert "2 times the gradient" in processes._difference(one, [twice, twice], 2)[1]


@pytest.mark.host("refused before any backend starts")
def test_bad_input(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(CannotCheck, match="Several processes are asked of one part"):
        processes.reports_of(str(PARTS), ["torch"], 2)
    assert main(["check", f"{PARTS}:Squared", "--processes", "1"]) == 2
    assert "2 or more" in capsys.readouterr().err
    assert main(["check", f"{PARTS}:Missing", "--processes", "2"]) == 2
    assert "has no 'Missing'" in capsys.readouterr().err
