"""JSON: the keys that programs rely on."""

import json

import pytest

from kerasmith.checks.engine.finding import OUTCOMES
from kerasmith.checks.formats import json as json_format
from tests.checks.formats.reports import CODE, faulty, right, unchecked

pytestmark = pytest.mark.host("writes reports that are given as records")

KEYS = {"id", "severity", "title", "expected", "actual", "reproducer", "fix", "backend"}


def strict(text):
    return json.loads(text, parse_constant=lambda name: (_ for _ in ()).throw(ValueError(name)))


def test_one_component():
    answer = strict(json_format.render([faulty()]))
    assert answer["subject"] == "BatchDice"
    assert answer["ok"] is False
    assert set(answer["outcomes"]) == set(OUTCOMES)
    assert sum(answer["outcomes"].values()) == answer["planned"] == 14
    assert [finding["id"] for finding in answer["findings"]] == ["L101", "L113", "L122"]
    assert all(set(finding) >= KEYS for finding in answer["findings"])
    assert [finding["backend"] for finding in answer["findings"]] == [None, "torch", "torch"]
    assert answer["findings"][0]["reproducer"] == CODE
    assert answer["inferred"] is True
    assert answer["contract"] == ["per_sample=False"]
    assert answer["checks"]["tensorflow"][2] == {"id": "L102", "outcome": "blocked", "why": "blocked by L101"}
    assert "components" not in answer


def test_several_components():
    answer = strict(json_format.render([faulty(), right(), unchecked()]))
    assert answer["subject"] == "losses.py"
    assert answer["ok"] is False
    assert answer["planned"] == sum(answer["outcomes"].values()) == sum(part["planned"] for part in answer["components"])
    assert [part["subject"] for part in answer["components"]] == ["BatchDice", "Close", "PerClass"]
    assert [part["ok"] for part in answer["components"]] == [False, True, False]
    assert answer["components"][2]["problem"].startswith("PerClass needs num_classes")
    assert {finding["component"] for finding in answer["findings"]} == {"BatchDice"}
    assert strict(json_format.render([right(), right()]))["ok"] is True


def test_nothing_is_not_ok():
    assert strict(json_format.render([]))["ok"] is False
    assert strict(json_format.render([right(), unchecked()]))["ok"] is False


def test_a_file_of_which_nothing_was_asked_spoils_nothing():
    source = right(subject="losses.py", kind="source", target="losses.py", records={})
    answer = strict(json_format.render([source, right()]))
    assert answer["ok"] is True
    assert answer["subject"] == "losses.py"
