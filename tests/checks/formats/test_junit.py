"""JUnit XML: parses, counts what it holds, and says why."""

import xml.etree.ElementTree as etree

import pytest

from kerasmith.checks.engine import registry
from kerasmith.checks.formats import junit
from tests.checks.formats.reports import CODE, faulty, right, unchecked

pytestmark = pytest.mark.host("writes reports that are given as records")


def suites(*reports):
    root = etree.fromstring(junit.render(reports).encode())
    return root, {suite.get("name"): suite for suite in root}


def test_a_suite_per_component_and_backend():
    root, by_name = suites(faulty(), right(), unchecked())
    assert list(by_name) == ["BatchDice on tensorflow", "BatchDice on torch", "Close on torch", "PerClass"]
    for suite in by_name.values():
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(key)) == len(suite.findall(f"testcase/{tag}"))
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "17",
        "failures": "3",
        "errors": "2",
        "skipped": "4",
    }


def test_each_outcome():
    _, by_name = suites(faulty(), unchecked())
    on = {}
    for backend in ("tensorflow", "torch"):
        on[backend] = {case.get("name")[:4]: case for case in by_name[f"BatchDice on {backend}"]}
    failure = on["torch"]["L101"].find("failure")
    assert failure.get("type") == "error"
    assert "Sample weights do not multiply" in failure.get("message")
    assert CODE in failure.text
    assert on["torch"]["L113"].find("failure").get("type") == "warning"
    assert on["torch"]["L122"].find("failure") is None
    assert "note L122" in on["torch"]["L122"].find("system-out").text
    assert len(on["torch"]["L000"]) == 0
    assert on["torch"]["L118"].find("skipped").get("message").startswith("not applicable: only TensorFlow")
    assert on["tensorflow"]["L113"].find("skipped").get("message") == "inconclusive: all values are 0"
    assert on["tensorflow"]["L102"].find("skipped").get("message") == "blocked by L101"
    assert on["tensorflow"]["L120"].find("error").get("type") == "timeout"
    assert "num_classes" in by_name["PerClass"].find("testcase/error").text


def test_cases_are_named_like_the_tests_of_pytest():
    one = registry.load()["L000"]
    _, by_name = suites(faulty())
    assert by_name["BatchDice on torch"].find("testcase").get("name") == f"L000-{one.name}"


def test_what_xml_cannot_hold_is_replaced():
    text = junit.render([faulty(subject="a\x00b\ud800 <&>")])
    assert "a?b? &lt;&amp;&gt; on torch" in text
    assert "\x1b" not in text
    etree.fromstring(text.encode())
