"""The page as a reader has it: in headless Chromium it draws, answers pointer and keys, fits a telephone, loads nothing."""

import numpy as np
import pytest

from kerasmith.files.run_events import KINDS
from kerasmith.report import CasePicture, Section, confusion_table, image_grid, line_chart, reliability_chart, render, table
from kerasmith.report._image_grid import OVERLAY_LEGEND
from kerasmith.report.case_pictures import stored_pictures
from kerasmith.report.comparison import comparison_page
from kerasmith.report.run_data import read_run_data
from kerasmith.report.run_page import run_page
from tests.report.html_checks import EVIL
from tests.support import axe
from tests.support.browser import BROWSER, browser

pytestmark = [
    pytest.mark.host("draws and writes from numbers and text"),
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]

EPOCHS = 40
LOSS = {"loss": np.linspace(2, 0.5, EPOCHS), "val_loss": np.linspace(2, 0.8, EPOCHS)}


@pytest.fixture(scope="module")
def tab():
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    charts = [
        line_chart(LOSS, title="loss", x_label="epoch", sync="epoch", events=[(20, "rollback")], marks={"val_loss": 39}),
        line_chart({"dice": [0.1] * EPOCHS}, title="dice", x_label="epoch", sync="epoch"),
        reliability_chart([0, 0.5, 1], [0.4, 0.9], [0.5, 0.7], [10, 30]),
        line_chart({f"run {i}": [i, 1 + i] for i in range(30)}, title=EVIL, legend="runs"),
        line_chart({"objects": [2446, 2430], "val_objects": [36, 36]}, title="objects", log_y=True),
    ]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(
        render(EVIL, [Section("Curves", "".join(charts)), Section("Evil", "<script>window.hurt = 1</script>")]),
        encoding="utf-8",
    )
    return path


def plot(number, what):
    return f"document.querySelectorAll('figure.plot')[{number}].{what}"


def draw_all(tab):
    """Scrolls down, as charts are drawn when they come into view."""
    tab.run("document.querySelectorAll('figure.plot').forEach(figure => figure.scrollIntoView())")
    for number in range(5):
        tab.run(plot(number, "scrollIntoView()"))
        tab.until(plot(number, "plot"))
    tab.run("scrollTo(0, 0)")


def test_it_draws_and_answers(tab, page):
    tab.open(page)
    draw_all(tab)
    assert tab.requests == [page.as_uri()]
    assert tab.run("window.hurt === undefined")
    drawn = (
        "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v))(document.querySelector('canvas'))"
    )
    assert tab.run(drawn)
    # The pointer over one chart shows the values of both.
    left, top, width, height = tab.run(
        "(r => [r.left, r.top, r.width, r.height])(document.querySelector('.u-over').getBoundingClientRect())"
    )
    tab.move(left + width * 19 / 39, top + height / 2)
    tab.until(f"{plot(0, 'plot.readout.textContent')}.includes('epoch 20')")
    assert tab.run(plot(0, "plot.readout.textContent")) == "epoch 20loss 1.2692val_loss 1.4154rollback"
    assert tab.run(plot(1, "plot.readout.textContent")).startswith("epoch 20dice 0.1000")
    # Keys: the next value, the logarithmic axis, closer, all again.
    tab.run(plot(0, "plot.stage.focus()"))
    tab.press("ArrowRight")
    tab.until(f"{plot(0, 'plot.readout.textContent')}.includes('epoch 21')")
    tab.press("l")
    assert tab.run(plot(0, "plot.log.y")) is True
    tab.press("+")
    tab.until(plot(1, "plot.view"))
    assert tab.run(plot(1, "plot.u.scales.x.max")) < 39
    tab.press("0")
    tab.until(f"!{plot(1, 'plot.view')}")
    # The legend is made of buttons, and a table of the same numbers is there.
    tab.run(plot(0, "querySelector('button[data-name=loss]').click()"))
    assert tab.run(plot(0, "plot.u.series.map(s => s.show)")) == [True, False, True]
    tab.run(plot(0, "querySelector('details').open = true"))
    # A logarithmic axis has round marks wherever it begins.
    assert tab.run(plot(4, "plot.u.axes[1]._values")) == ["50", "100", "200", "500", "1000", "2000"]
    tab.until(plot(0, "querySelector('td')"))
    assert tab.run(plot(0, "querySelectorAll('tbody tr').length")) == EPOCHS
    assert ["Content Security Policy" in error for error in tab.errors] == [True]  # what a section brought along


def test_it_fits_a_telephone_in_the_dark_and_paper(tab, page):
    tab.open(page, width=390, dark=True)
    draw_all(tab)
    assert tab.run("document.documentElement.scrollWidth") == 390
    assert tab.run("getComputedStyle(document.body).backgroundColor") == "rgb(18, 20, 23)"
    assert tab.run(plot(0, "plot.u.width")) <= 390
    assert len(tab.call("Page.printToPDF", printBackground=True)["data"]) > 10_000


@pytest.mark.skipif(
    axe.script() is None, reason="there is no axe-core here: `npm install axe-core`, or the wheel axe-core-python"
)
def test_whoever_reads_it_finds_the_way(tab, tmp_path):
    """axe-core has no serious finding on the page of a run and on that of several, with all that may be on them."""
    epochs = [{"epoch": i, "loss": 1 / i, "val_loss": 2 / i, "learning_rate": 0.1} for i in range(1, 9)]
    events = [{"epoch": 2, "kind": kind, "by": "Guard", "text": "told"} for kind in KINDS]
    shade = np.zeros((8, 8), "uint8")
    pictures = [CasePicture(name, {"image": shade, "result": shade}, {"dice": 0.5}) for name in ("a", "b")]
    parts = {"Confusion": confusion_table(np.eye(3)), "Pictures": image_grid([shade], ["one"], legend=OVERLAY_LEGEND)}
    (tmp_path / "history.csv").write_text("epoch,loss\n1,0.5\n")
    run = {
        **read_run_data(tmp_path), "title": "Run", "rows": epochs, "events": events, "config": {"seed": 1, "long": "x" * 300},
        "case_pictures": stored_pictures(pictures, OVERLAY_LEGEND), "results": {"dice": 0.9},
        "sections": [{"title": title, "html": html} for title, html in parts.items()], "layers": table([{"layer": "x" * 400}]),
    }  # fmt: skip
    cases = [{"case": name, "digest": name, "dice": 0.5} for name in "ab"]
    other = {**run, "config": {"seed": 2}}
    pages = {"run": run_page(run), "several": comparison_page({"A": run, "B": other}, {"A": cases, "B": cases})}
    for name, text in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        for width, dark in ((1280, False), (390, True)):
            tab.open(path, width=width, dark=dark)
            tab.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            tab.run(plot(0, "scrollIntoView()"))
            tab.until(plot(0, "plot"))
            assert tab.run("document.documentElement.scrollWidth") <= width
            assert axe.findings(tab, axe.script()) == [], (name, width, dark)
