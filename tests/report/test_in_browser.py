"""The page as a reader has it: in headless Chromium it draws, answers pointer and keys, fits a telephone, loads nothing."""

import numpy as np
import pytest

from kerasmith.report import Section, line_chart, reliability_chart, render
from tests.report.html_checks import EVIL
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
