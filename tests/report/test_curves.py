"""Charts: what is drawn are the given numbers, gaps are gaps, the text is escaped."""

import numpy as np
import pytest

from kerasmith.report import line_chart
from tests.report.html_checks import Page, plots, values_of

pytestmark = pytest.mark.host("draws and writes from numbers and text")

NAN = float("nan")


def chart(*args, **kwargs):
    (found,) = plots(line_chart(*args, **kwargs))
    return found


def test_numbers_and_labels_are_those_given():
    found = chart({"loss": [0.0, 0.1 + 0.2, 0.4]}, title="Loss", x_label="epoch", y_label="value", log_y=True)
    assert (found["x"], values_of(found, "loss")) == ([1, 2, 3], [0, 0.1 + 0.2, 0.4])
    assert (found["title"], found["x_label"], found["y_label"], found["log_y"], found["log_x"]) == (
        "Loss", "epoch", "value", True, False,
    )  # fmt: skip
    assert values_of(chart({"a": [1 / 3]}, digits=3), "a") == [0.333]


def test_logarithmic_positions_are_above_0():
    assert chart({"loss": [3.0, 2.0]}, x=[1e-5, 1e-4], log_x=True)["x"] == [1e-5, 1e-4]
    with pytest.raises(ValueError, match="above 0 on a logarithmic axis"):
        line_chart({"loss": [1, 2]}, x=[0, 1], log_x=True)


def test_validation_is_dashed_in_the_colour_of_its_training_curve():
    loss, dice, val_loss = chart({"loss": [3, 2], "dice": [0, 1], "val_loss": [3, 1]})["series"]
    assert loss["colour"] == val_loss["colour"] != dice["colour"]
    assert [one["dashed"] for one in (loss, dice, val_loss)] == [False, False, True]


def test_what_is_not_finite_is_a_gap_that_keeps_its_name():
    assert values_of(chart({"a": [1, NAN, None, float("inf"), -float("inf")]}), "a") == [1, None, None, "∞", "−∞"]


def test_the_words_say_first_last_and_extremes():
    page = Page(line_chart({"loss": [0.5, 2.0, NAN, 0.25], "lonely": [NAN, NAN, NAN, 1.0]}, title="t"))
    assert page.text("p").strip() == "loss 0.5000 to 0.2500 (lowest 0.2500, highest 2.0000); lonely 1.0000"
    assert "and 94 more" in line_chart({str(i): [i, i] for i in range(100)})


@pytest.mark.parametrize("values", [[], [NAN, NAN], [None]])
def test_nothing_to_draw_says_so(values):
    assert "no finite values" in Page(line_chart({"a": values}, title="empty")).text("p")


def test_marks_and_events_lie_where_they_belong():
    found = chart({"loss": [3, 1, 2]}, marks={"loss": 1, "unknown": 0}, events=[(2, "rollback")])
    assert found["marks"] == [[0, 1]]
    assert found["events"] == [{"at": 2.0, "text": "rollback"}]


def test_long_runs_keep_every_point():
    values = np.linspace(2, 1, 5000)
    assert values_of(chart({"loss": values}), "loss") == pytest.approx(values.tolist(), rel=0, abs=0)


def test_names_are_escaped():
    name = '</script><b>&"term" \u2028'
    text = line_chart({name: [0.5, 1]}, title="</figure><script>alert(1)</script>")
    assert [one["name"] for one in plots(text)[0]["series"]] == [name]
    page = Page(text)
    assert len(page.all("script")) == 1
    assert "</figure><script>" in page.text("span")


def test_lengths_and_positions_are_checked():
    with pytest.raises(ValueError, match=r"Received lengths: \{'a': 2, 'b': 3\}"):
        line_chart({"a": [1, 2], "b": [1, 2, 3]})
    with pytest.raises(ValueError, match="3 positions, 2 values"):
        line_chart({"a": [1, 2]}, x=[1, 2, 3])
    with pytest.raises(ValueError, match="ascending"):
        line_chart({"a": [1, 2]}, x=[2, 1])
