"""Charts: the drawn points are the given numbers, gaps are gaps, the text is escaped."""

import numpy as np
import pytest

from kerasmith.report import line_chart
from tests.report.html_checks import SVG, curve_points, svg

pytestmark = pytest.mark.host("draws and writes from numbers and text")

NAN = float("nan")


def texts(root):
    return [node.text for node in root.iter(SVG + "text")]


def tick_of(root, label):
    node = next(n for n in root.iter(SVG + "text") if n.text == label)
    return float(node.get("x")), float(node.get("y")) - 4


def test_points_lie_where_the_ticks_say():
    root = svg(line_chart({"loss": [0.0, 0.2, 0.4]}, title="Loss", x_label="epoch", y_label="value"))
    (path,) = root.iter(SVG + "path")
    (points,) = curve_points(path)
    for (_, y), label in zip(points, ("0.0", "0.2", "0.4"), strict=True):
        assert y == pytest.approx(tick_of(root, label)[1], abs=0.11)
    x_of = {n.text: float(n.get("x")) for n in root.iter(SVG + "text") if n.get("text-anchor") == "middle"}
    assert [x for x, _ in points] == pytest.approx([x_of["1"], x_of["2"], x_of["3"]], abs=0.11)
    assert {"Loss", "epoch", "value"} <= set(texts(root))


def test_logarithmic_axis_places_decades_evenly():
    root = svg(line_chart({"rate": [1e-5, 1e-4, 1e-3, 1e-2]}, log_y=True))
    (points,) = curve_points(next(root.iter(SVG + "path")))
    assert np.diff([y for _, y in points]) == pytest.approx(np.full(3, points[1][1] - points[0][1]), abs=0.11)
    assert {"10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²"} <= set(texts(root))


def test_logarithmic_positions_are_even():
    root = svg(line_chart({"loss": [3.0, 2.0, 1.0, 2.0]}, x=[1e-5, 1e-4, 1e-3, 1e-2], log_x=True))
    (points,) = curve_points(next(root.iter(SVG + "path")))
    assert np.diff([x for x, _ in points]) == pytest.approx(np.full(3, points[1][0] - points[0][0]), abs=0.11)
    assert [x for x, _ in points] == pytest.approx(
        [tick_of(root, label)[0] for label in ("10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²")], abs=0.11
    )
    with pytest.raises(ValueError, match="above 0 on a logarithmic axis"):
        line_chart({"loss": [1, 2]}, x=[0, 1], log_x=True)
    svg(line_chart({"loss": [1]}, x=[0.5], log_x=True))


def test_validation_is_dashed_in_the_colour_of_its_training_curve():
    root = svg(line_chart({"loss": [3, 2], "dice": [0, 1], "val_loss": [3, 1]}))
    loss, dice, val_loss = root.iter(SVG + "path")
    colour = [path.get("style").split("stroke:")[1].split(";")[0] for path in (loss, dice, val_loss)]
    assert colour[0] == colour[2] != colour[1]
    assert [path.get("stroke-dasharray") is None for path in (loss, dice, val_loss)] == [True, True, False]
    assert {"loss", "val_loss", "dice"} <= set(texts(root))


def test_not_finite_values_and_none_are_gaps_and_lonely_points_dots():
    root = svg(line_chart({"a": [1, 2, NAN, 4, None, 3, 2, float("inf")]}))
    (path,) = root.iter(SVG + "path")
    assert [len(piece) for piece in curve_points(path)] == [2, 1, 2]
    dots = [c for c in root.iter(SVG + "circle") if c.get("class") is None]
    assert len(dots) == 1


@pytest.mark.parametrize("values", [[0.5], [7, 7, 7], [0, 0], [1e-300, 1e300], [-5, 5], [1e9, 1e9 + 1]])
@pytest.mark.parametrize("log_y", [False, True])
def test_unusual_ranges_draw_inside_the_frame(values, log_y):
    root = svg(line_chart({"a": values}, log_y=log_y))
    _, _, width, height = map(float, root.get("viewBox").split())
    for path in root.iter(SVG + "path"):
        for piece in curve_points(path):
            assert all(0 <= x <= width and 0 <= y <= height for x, y in piece)


@pytest.mark.parametrize("values", [[], [NAN, NAN], [None]])
def test_nothing_to_draw_says_so(values):
    assert "no finite values" in texts(svg(line_chart({"a": values}, title="empty")))


def test_log_axis_leaves_out_what_is_not_positive():
    root = svg(line_chart({"a": [1, 0, -1, 10]}, log_y=True))
    assert [len(piece) for piece in curve_points(next(root.iter(SVG + "path")))] == [1, 1]


def test_hover_text_names_position_and_every_value():
    root = svg(line_chart({"loss": [0.5, 0.25], "val_loss": [0.6, NAN]}, x=[3, 4], x_label="epoch"))
    titles = [group.find(SVG + "title").text for group in root.iter(SVG + "g")]
    assert titles == ["epoch 3\nloss  0.5000\nval_loss  0.6000", "epoch 4\nloss  0.2500\nval_loss  NaN"]


def test_long_runs_stay_small_and_keep_every_point():
    values = np.linspace(2, 1, 5000)
    text = line_chart({"loss": values})
    assert len(curve_points(next(svg(text).iter(SVG + "path")))[0]) == 5000
    assert sum(1 for _ in svg(text).iter(SVG + "g")) <= 240
    assert len(text) < 250_000


def test_marks_ring_the_point():
    root = svg(line_chart({"loss": [3, 1, 2]}, marks={"loss": 1, "unknown": 0}))
    (ring,) = [c for c in root.iter(SVG + "circle") if c.get("class") == "mark"]
    (points,) = curve_points(next(root.iter(SVG + "path")))
    assert (float(ring.get("cx")), float(ring.get("cy"))) == pytest.approx(points[1], abs=0.06)


def test_names_are_escaped_and_legends_wrap():
    names = [f'<b>&"term" \x00 {i}' for i in range(12)]
    root = svg(line_chart({name: [i, i + 1] for i, name in enumerate(names)}, title="</svg><script>"))
    assert names[3].replace("\x00", "\ufffd") in texts(root)
    width = float(root.get("viewBox").split()[2])
    legend = [n for n in root.iter(SVG + "text") if n.text and "term" in n.text]
    assert all(float(n.get("x")) + 6 * len(n.text) < width + 30 for n in legend)
    assert len({n.get("y") for n in legend}) > 1


def test_colours_are_variables_with_fallbacks():
    text = line_chart({"a": [1, 2]})
    assert "var(--series-1, #0072b2)" in text
    assert "var(--ink" in line_chart({"a": [1, 2]}, title="t")


def test_lengths_and_positions_are_checked():
    with pytest.raises(ValueError, match=r"Received lengths: \{'a': 2, 'b': 3\}"):
        line_chart({"a": [1, 2], "b": [1, 2, 3]})
    with pytest.raises(ValueError, match="3 positions, 2 values"):
        line_chart({"a": [1, 2]}, x=[1, 2, 3])
    with pytest.raises(ValueError, match="ascending"):
        line_chart({"a": [1, 2]}, x=[2, 1])
