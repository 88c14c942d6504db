"""SARIF 2.1.0: what its schema and the readers of it (code hosts, editors) require, checked by hand."""

import dataclasses
import json
import pathlib
import urllib.parse

import pytest

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import Record
from kerasmith.checks.formats import sarif
from tests.checks.formats.reports import CODE, WEIGHTS, faulty, right, unchecked

pytestmark = pytest.mark.host("writes reports that are given as records")

# Of the schema, which allows no other property: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/
RUN = {"tool", "invocations", "originalUriBaseIds", "columnKind", "results"}
RULE = {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"}
RESULT = {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "losses.py").write_text("")
    return of([faulty(), right(), unchecked()])


def of(reports):
    log = json.loads(sarif.render(reports))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


def test_rules_are_all_checks_with_their_help(run):
    assert set(run) == RUN
    driver = run["tool"]["driver"]
    assert set(driver) == {"name", "version", "informationUri", "rules"}
    assert driver["name"] == "kerasmith"
    checks = registry.load()
    assert [rule["id"] for rule in driver["rules"]] == list(checks)
    for rule in driver["rules"]:
        assert set(rule) == RULE
        one = checks[rule["id"]]
        assert rule["help"]["text"] == one.fix
        assert one.title in rule["help"]["markdown"]
        assert rule["shortDescription"]["text"] == f"{one.title}."
        assert rule["defaultConfiguration"]["level"] == one.severity
        assert rule["name"].isidentifier()
        assert rule["properties"]["tags"] == list(one.kinds)


def test_results(run):
    rules = run["tool"]["driver"]["rules"]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    for result in run["results"]:
        assert set(result) <= RESULT
        assert result["message"]["text"].startswith("BatchDice: ")
        assert len(result["locations"]) == 1
        assert all(isinstance(text, str) for text in result["partialFingerprints"].values())
        assert result["properties"]["reproducer"] == CODE
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert "ruleIndex" in run["results"][0]
    assert "(on torch)" in run["results"][1]["message"]["text"]
    fingerprints = [result["partialFingerprints"]["componentAndCheck/v1"] for result in run["results"]]
    assert len(set(fingerprints)) == 3


def test_places_are_relative_below_the_working_directory(run, tmp_path):
    inside, outside, nowhere = (result["locations"][0] for result in run["results"])
    assert inside["physicalLocation"] == {
        "artifactLocation": {"uri": "losses.py", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 12},
    }
    root = run["originalUriBaseIds"]["SRCROOT"]["uri"]
    assert root.endswith("/")
    assert pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(root).path)) == tmp_path
    assert outside["physicalLocation"]["artifactLocation"] == {"uri": "file:///elsewhere/my%20losses.py"}
    assert set(nowhere) == {"logicalLocations"}
    assert nowhere["logicalLocations"] == [{"name": "BatchDice", "kind": "type"}]


def test_an_absolute_path_below_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "a folder").mkdir()
    file = tmp_path / "a folder" / "x.py"
    file.write_text("")
    monkeypatch.chdir(tmp_path)
    finding = dataclasses.replace(WEIGHTS, file=str(file))
    report = faulty(records={"torch": [Record("L101", "fail", finding=finding)]})
    location = of([report])["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "a%20folder/x.py", "uriBaseId": "SRCROOT"}


def test_what_could_not_be_checked_is_reported(run):
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (problem,) = invocation["toolExecutionNotifications"]
    assert problem["level"] == "error"
    assert "num_classes" in problem["message"]["text"]
    assert of([right()])["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert of([right()])["results"] == []
