"""Pictures of gradients: one line for each layer at its steps."""

import pytest

from kerasmith.report._gradient_chart import QUANTITIES, chosen, gradient_chart, gradient_page, gradient_section
from tests.report.html_checks import assert_loads_nothing, plots, values_of

pytestmark = pytest.mark.host("draws and writes from numbers and text")


def row(step, **gradients):
    layers = {name: {"gradient": g, "update": g / 10, "dead": 0.25} for name, g in gradients.items()}
    return {"step": step, "layers": layers}


def test_a_line_for_each_layer_at_its_steps():
    rows = [row(0, a=1.0, b=0.1), row(300, a=10.0, b=1.0), row(100, a=1.0, b=0.1)]
    (found,) = plots(gradient_chart(rows))
    assert found["x"] == [0, 100, 300]
    assert found["log_y"]
    assert (values_of(found, "a"), values_of(found, "b")) == ([1, 1, 10], [0.1, 0.1, 1])


def test_a_layer_that_comes_later_and_a_missing_number_are_gaps():
    rows = [row(0, a=1.0), row(1, a=2.0, b=1.0), row(2, a=3.0, b=2.0)]
    rows[1]["layers"]["a"]["update"] = None
    (found,) = plots(gradient_chart(rows, "update"))
    assert values_of(found, "a") == pytest.approx([0.1, None, 0.3])
    assert values_of(found, "b") == pytest.approx([None, 0.1, 0.2])


def test_a_step_written_twice_counts_once():
    (found,) = plots(gradient_chart([row(0, a=1.0), row(100, a=5.0), row(100, a=2.0)]))
    assert values_of(found, "a") == [1, 2]


def test_the_extremes_are_among_the_chosen():
    series = {f"layer_{i}": [float(i % 7) + 1] for i in range(30)} | {"huge": [1e9], "tiny": [1e-9]}
    names = chosen(series, 8)
    assert len(names) == 8
    assert {"huge", "tiny", "layer_0"} <= set(names)
    assert names == [name for name in series if name in names]
    assert chosen({"a": [None], "b": [1.0]}, 1) == ["a"]


def test_the_page_holds_all_three_and_the_sentences():
    rows = [row(0, a=1.0), row(10, a=2.0)]
    text = gradient_page(rows, ["<b> is dead"])
    page = assert_loads_nothing(text)
    assert page.text("li") == "<b> is dead"
    assert [found["title"] for found in plots(text)] == [title for title, _ in QUANTITIES.values()]
    assert gradient_section(rows) in text.replace("<ul><li>&lt;b&gt; is dead</li></ul>", "")


def test_nothing_sampled_says_so():
    assert "no finite values" in gradient_page([])


def test_quantities_are_checked():
    with pytest.raises(ValueError, match="'loss'"):
        gradient_chart([], "loss")
