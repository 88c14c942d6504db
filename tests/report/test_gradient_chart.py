"""Pictures of gradients: one line for each layer at its steps, as parsed SVG."""

import pytest

from kerasmith.report._gradient_chart import QUANTITIES, chosen, gradient_chart, gradient_picture, gradient_section
from tests.report.html_checks import SVG, Page, curve_points, svg

pytestmark = pytest.mark.host("draws and writes from numbers and text")


def row(step, **gradients):
    layers = {name: {"gradient": g, "update": g / 10, "dead": 0.25} for name, g in gradients.items()}
    return {"step": step, "layers": layers}


def test_a_line_for_each_layer_at_its_steps():
    rows = [row(0, a=1.0, b=0.1), row(300, a=10.0, b=1.0), row(100, a=1.0, b=0.1)]
    root = svg(gradient_chart(rows))
    first, second = (curve_points(path)[0] for path in root.iter(SVG + "path"))
    steps = [x for x, _ in first]
    assert steps == sorted(steps)
    # Three times as far from step 0 as step 100 is, and a decade is as high for either layer.
    assert steps[2] - steps[0] == pytest.approx(3 * (steps[1] - steps[0]), abs=0.3)
    assert first[0][1] - first[2][1] == pytest.approx(second[0][1] - second[2][1], abs=0.2)
    assert first[2][1] < second[2][1]


def test_a_layer_that_comes_later_and_a_missing_number_are_gaps():
    rows = [row(0, a=1.0), row(1, a=2.0, b=1.0), row(2, a=3.0, b=2.0)]
    rows[1]["layers"]["a"]["update"] = None
    paths = list(svg(gradient_chart(rows, "update")).iter(SVG + "path"))
    assert [len(piece) for piece in curve_points(paths[0])] == [1, 1]
    assert [len(piece) for piece in curve_points(paths[1])] == [2]


def test_a_step_written_twice_counts_once():
    rows = [row(0, a=1.0), row(100, a=5.0), row(100, a=2.0)]
    titles = [node.text for node in svg(gradient_chart(rows)).iter(SVG + "title")]
    assert "step 100\na  2.0000" in titles


def test_the_extremes_are_among_the_chosen():
    series = {f"layer_{i}": [float(i % 7) + 1] for i in range(30)} | {"huge": [1e9], "tiny": [1e-9]}
    names = chosen(series, 8)
    assert len(names) == 8
    assert {"huge", "tiny", "layer_0"} <= set(names)
    assert names == [name for name in series if name in names]
    assert chosen({"a": [None], "b": [1.0]}, 1) == ["a"]


def test_the_picture_holds_all_three_and_the_section_the_sentences():
    rows = [row(0, a=1.0), row(10, a=2.0)]
    root = svg(gradient_picture(rows))
    inner = list(root.iter(SVG + "svg"))[1:]
    assert [float(chart.get("y")) for chart in inner] == [0, 290, 580]
    shown = [node.text for node in root.iter(SVG + "text")]
    assert {title for title, _ in QUANTITIES.values()} <= set(shown)
    page = Page(gradient_section(rows, ["<b> is dead"]))
    assert page.text("li") == "<b> is dead"
    assert len(page.all("svg")) == 3


def test_nothing_sampled_says_so():
    assert "no finite values" in gradient_picture([])


def test_quantities_are_checked():
    with pytest.raises(ValueError, match="'loss'"):
        gradient_chart([], "loss")
