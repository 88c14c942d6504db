"""`@kerasmith.testing.parametrize` in a real run of pytest."""

import keras
import pytest

import kerasmith.testing
from tests.testing.pytest_runs import PARTS, on_one_backend, run

pytestmark = [on_one_backend, pytest.mark.heavy("each test runs pytest in a process of its own", seconds=5)]

TESTS = """
import keras
import kerasmith.testing
from parts import Right, Whole


@kerasmith.testing.parametrize(
    [Right, (Whole, {"contract": {"per_sample": False}, "name": "Declared"}), Whole(name="w"), keras.metrics.MeanIoU],
    select=["L104", "L101"],
)
def test_parts(check):
    check()
"""
L104, L101 = "L104-one_value_per_sample", "L101-weights_reach_each_sample"


def outcomes(done):
    return {name.removeprefix("test_parts[").removesuffix("]"): answer for name, answer in done.tests.items()}


def test_one_test_per_component_and_check(tmp_path):
    done = run(tmp_path, "-q", parts=PARTS, test_parts=TESTS)
    found = outcomes(done)
    assert done.status == 1, done.text
    assert found[f"Right-{L104}"][0] == found[f"Right-{L101}"][0] == "passed"
    outcome, text = found[f"Whole-{L104}"]
    assert outcome == "failed"
    assert "error L104" in text
    assert "reproducer" in text
    assert found[f"Whole-{L101}"] == ("skipped", found[f"Whole-{L101}"][1])
    assert "blocked by L104" in found[f"Whole-{L101}"][1]
    assert found[f"Declared-{L104}"][0] == "skipped"
    assert "declared: per_sample=False" in found[f"Declared-{L104}"][1]
    assert found["MeanIoU-can_be_checked"][0] == "failed"
    assert "num_classes" in found["MeanIoU-can_be_checked"][1]
    # What pytest shows is the finding, not the inside of the checker.
    assert "part.py" not in done.text


def test_one_selected_test_asks_what_it_requires(tmp_path):
    done = run(tmp_path, "-q", "-k", "L101 and not Declared", parts=PARTS, test_parts=TESTS)
    found = outcomes(done)
    assert set(found) == {f"Right-{L101}", f"Whole-{L101}"}
    assert found[f"Right-{L101}"][0] == "passed"
    assert "blocked by L104" in found[f"Whole-{L101}"][1]


def test_collecting_runs_no_check(tmp_path):
    parts = PARTS.replace(
        "class Whole", "class Loud(Right):\n    def __init__(self):\n        open('built', 'w')\n\n\nclass Whole"
    )
    tests = TESTS.replace("Right", "Loud")
    done = run(tmp_path, "--collect-only", "-q", parts=parts, test_parts=tests)
    assert done.status == 0, done.text
    assert "test_parts.py::test_parts[Loud-L000-" in done.text
    assert not (tmp_path / "built").exists()


def test_spread_over_processes(tmp_path):
    pytest.importorskip("xdist")
    done = run(tmp_path, "-q", "-n", "2", parts=PARTS, test_parts=TESTS, plugins=("xdist",))
    found = outcomes(done)
    assert found[f"Right-{L101}"][0] == "passed", done.text
    assert found[f"Whole-{L104}"][0] == "failed"
    assert "blocked by L104" in found[f"Whole-{L101}"][1]


@pytest.mark.parametrize(
    ("components", "options", "message"),
    [
        (keras.losses.MeanSquaredError, {}, "must be a list"),
        ([], {}, "must be a list"),
        ("MeanSquaredError", {}, "must be a list"),
        ([(keras.losses.MeanSquaredError, {"inti": {}})], {}, "init, like, contract, kind, name"),
        ([(keras.losses.MeanSquaredError, 3)], {}, "init, like, contract, kind, name"),
        ([keras.losses.MeanSquaredError], {"select": ["Q7"]}, "No check begins with 'Q7'"),
    ],
)
def test_slips_of_the_pen_are_named_at_once(components, options, message):
    # pytest tells such errors while it collects.
    with pytest.raises(Exception, match=message):
        kerasmith.testing.parametrize(components, **options)


def test_unknown_names():
    with pytest.raises(AttributeError, match="parametrize"):
        kerasmith.testing.parameterize  # noqa: B018
    assert "parametrize" in dir(kerasmith.testing)
