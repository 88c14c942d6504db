"""What backends disagree on is found once, in the right place."""

import pytest

from kerasmith.checks.engine.cross_backend import compare_backends
from kerasmith.checks.engine.finding import Finding, Record
from kerasmith.checks.engine.report import Report

pytestmark = pytest.mark.host("compares numbers that are given")

TEMPLATE = Finding("L125", "error", "The backends disagree", "", "", "print(1)", "write this").as_dict()


def report(**values):
    records = {backend: [Record("L125", "pass", data={"values": v, "finding": TEMPLATE})] for backend, v in values.items()}
    made = Report("Part", "loss", records=records)
    compare_backends(made.records)
    return made


def test_equal_numbers_pass():
    same = report(tensorflow=[1.0, [2.0, 3.0]], jax=[1.0, [2.0, 3.0 + 1e-6]], torch=[1.0, [2.0, 3.0]])
    assert same.outcomes["pass"] == 3
    assert same.findings == []


def test_nan_equals_nan_only():
    assert report(jax=[float("nan")], torch=[float("nan")]).outcomes["pass"] == 2
    assert report(jax=[1.0], torch=[float("nan")]).outcomes["fail"] == 1


@pytest.mark.parametrize("other", [[1.0, 2.5], [1.0], {"a": 1.0, "b": 3.0}])
def test_a_difference_is_reported_where_it_is(other):
    found = report(tensorflow=[1.0, 2.0], jax=[1.0, 2.0], torch=other)
    assert [record.outcome for records in found.records.values() for record in records] == ["pass", "pass", "fail"]
    (finding,) = found.findings
    assert finding.backend == "torch"
    assert "tensorflow" in finding.expected
    assert finding.reproducer == "print(1)"


def test_one_backend_cannot_disagree():
    alone = report(jax=[1.0])
    assert alone.outcomes["not applicable"] == 1
    assert sum(alone.outcomes.values()) == alone.planned == 1
