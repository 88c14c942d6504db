"""Pages and tables: complete, escaped, alone; directions, observations and files of a history."""

import csv
import getpass
import json
import math
import os
import re
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from kerasmith.base.direction import best_index, directions_of
from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.history_file import HistoryFile
from kerasmith.files.plain_data import json_text
from kerasmith.report import (
    Markup,
    Section,
    confusion_table,
    direction_of,
    environment,
    key_value_table,
    line_chart,
    render,
    table,
)
from kerasmith.report.describe import describe
from kerasmith.report.observations import observations
from kerasmith.report.training import curves, epoch_table, headline, training_sections, value_table
from tests.report.html_checks import Page, assert_loads_nothing, plots

pytestmark = pytest.mark.host("draws and writes from numbers and text")

EVIL = '<script>alert("x")</script>&'


def test_page_has_title_tiles_and_sections_and_escapes_text():
    sections = [
        Section("Curves", "<p id='c'>inside</p>"),
        Section(EVIL, "<p>2</p>", collapsed=True),
        Section("Curves", "<p>3</p>"),
    ]
    page = assert_loads_nothing(
        render(EVIL, sections, {EVIL: EVIL, "dice": (0.94876, "epoch 12"), "parameters": 276481}, lead=EVIL)
    )
    assert page.all("script") == []
    assert EVIL in page.text("h1")
    assert "0.9488" in page.text("dd")
    assert "276,481" in page.text("dd")
    assert "epoch 12" in page.text("small")
    assert page.text("p").startswith(EVIL)
    assert EVIL in page.text("summary")
    anchors = [attrs["id"] for tag, attrs in page.tags if tag in ("section", "details")]
    assert len(set(anchors)) == 3


def test_page_has_light_and_dark_colours_and_forbids_loading():
    text = render("t", [])
    assert "(prefers-color-scheme:dark)" in text
    (policy,) = [a["content"] for a in Page(text).all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    drawn = render("t", [Section("c", line_chart({"a": [1, 2]}))], data={"</script>": [1]})
    assert_loads_nothing(drawn)
    assert "MIT License" in drawn
    assert json.loads(re.search(r'id="data">(.*?)</script>', drawn).group(1)) == {"</script>": [1]}


def test_section_needs_text():
    with pytest.raises(ValueError, match="type NoneType"):
        Section("title", None)


def test_table_of_rows():
    page = Page(
        table(
            [{"name": EVIL, "f1": 0.5}, {"f1": float("nan"), "link": Markup("<b>bold</b>")}], best={"f1": 0}, caption="c & d"
        )
    )
    assert EVIL in page.text("td")
    assert page.text("strong") == "0.5000"
    assert page.text("b") == "bold"
    assert page.text("th") == "name f1 link"
    assert page.text("caption") == "c & d"
    assert page.text("td").split().count("–") == 2
    assert "NaN" in page.text("td")
    assert Page(table([])).all("td") == []


def test_table_of_pairs():
    page = Page(key_value_table({EVIL: None, "seed": 7, "on": True}))
    assert EVIL in page.text("th")
    assert page.text("td").split() == ["–", "7", "yes"]


def test_confusion_table_shows_counts_and_shares():
    page = Page(confusion_table([[8, 2], [0, 0]], [EVIL, "b"]))
    assert page.text("td").split() == ["8", "2", "0", "0"]
    assert [a["style"].split(";")[0] for a in page.all("td")] == [
        "--share:80.0%",
        "--share:20.0%",
        "--share:0.0%",
        "--share:0.0%",
    ]
    with pytest.raises(ValueError, match=r"shape=\(1, 2\)"):
        confusion_table([[1, 2]])
    with pytest.raises(ValueError, match="2 classes"):
        confusion_table(np.eye(2), ["a"])


def test_environment_tells_versions_and_neither_user_nor_paths():
    found = environment(seed=7)
    assert found["seed"] == 7
    assert found["numpy"] == np.__version__
    assert found["python"] == sys.version.split()[0]
    assert found["backend"].split()[0] in ("tensorflow", "jax", "torch")
    text = json.dumps(found)
    assert str(Path.home()) not in text
    assert os.sep + "usr" not in text
    assert socket.gethostname() not in text.split('"')
    assert getpass.getuser() not in text.split('"')


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("loss", "min"), ("val_loss", "min"), ("edges_loss", "min"), ("val_accuracy", "max"), ("lesion_f1", "max"),
        ("dice", None), ("focal", None), ("dice_score", "max"), ("lesion_hd95", "min"), ("mystery", None),
    ],
)  # fmt: skip
def test_directions_of_names(name, direction):
    assert direction_of(name) == direction


def test_directions_of_metrics():
    class Metric:
        def __init__(self, name, metrics=(), **said):
            self.name, self.metrics = name, metrics
            vars(self).update(said)

    known = directions_of(
        [Metric("a", [Metric("b", direction="min")]), Metric("c", _direction="up"), Metric("lesion", direction="max")]
    )
    assert known == {"b": "min", "c": "max", "lesion": "max"}
    assert direction_of("val_lesion_error", known) == "max"
    differing = directions_of([Metric("rim", direction="min", directions={"nsd": "max", "cases": None})])
    assert [direction_of(f"val_rim_{name}", differing) for name in ("hd", "nsd_2", "cases", "hd_liver")] == [
        "min",
        "max",
        None,
        "min",
    ]


def test_best_index_skips_what_is_not_a_number():
    assert best_index([math.nan, 2, None, 1, 1, math.inf], "min") == 3
    assert best_index([math.nan], "min") is None
    assert best_index([1], None) is None


def rows_of(**columns):
    return [
        {"epoch": i + 1, **dict(zip(columns, values, strict=True))}
        for i, values in enumerate(zip(*columns.values(), strict=True))
    ]


def test_observations_name_the_problem_and_the_epoch():
    overfit = rows_of(loss=[1, 0.8, 0.6, 0.4, 0.2, 0.1], val_loss=[1, 0.8, 0.7, 0.8, 0.9, 1.0])
    said = observations(overfit)
    assert said[0] == "val_loss was best in epoch 3 (0.7000) and is 1.0000 in the last one, epoch 6."
    assert "From epoch 3 to 6 loss fell from 0.6000 to 0.1000 while val_loss rose from 0.7000 to 1.0000" in said[1]
    assert observations(rows_of(loss=[1, math.nan, math.nan]))[0] == "loss is not finite from epoch 2 to 3 (2 of 3 epochs)."
    assert "never went below" in " ".join(observations(rows_of(loss=[1.0, 1.1, 1.2, 1.3])))
    assert "still getting better" in " ".join(observations(rows_of(loss=[4, 3, 2, 1])))


def test_observations_say_nothing_of_a_good_run():
    assert observations(rows_of(loss=[1, 0.3, 0.11, 0.1, 0.1], val_loss=[1, 0.3, 0.12, 0.11, 0.11])) == []
    assert observations([]) == []


def test_training_sections_have_a_chart_for_each_quantity_and_the_rate():
    rows = rows_of(dice=[0.1, 0.2], loss=[2, 1], val_loss=[3, math.nan], learning_rate=[1e-2, 1e-5])
    rows[1]["late"] = 4.0
    section = training_sections(rows)[-1]
    drawn = plots(section.html)
    assert [plot["title"] for plot in drawn] == ["loss", "dice", "late", "learning rate"]
    assert [plot["log_y"] for plot in drawn] == [False, False, False, True]
    assert "dashed" in section.html.lower()
    assert "No epoch" in training_sections([])[0].html


def test_value_and_epoch_tables_mark_the_best():
    rows = rows_of(loss=[2, 1, 3], val_loss=[5, 4, 6])
    page = Page(epoch_table(rows, seconds=[0.1, 0.2, 0.3]))
    assert page.text("strong").split() == ["1", "4"]
    assert Page(value_table(rows)).text("td").split()[:6] == ["loss", "lower", "2", "3", "1", "2"]
    assert headline(rows) == {"best val_loss": (4, "epoch 2")}
    assert headline(rows[:1]) == {"val_loss": (5, "epoch 1")}


def test_json_is_strict():
    value = {"nan": math.nan, "inf": [math.inf, np.float32(0.5)], 3: np.arange(2), "set": {1}, "object": Path("x"), "t": True}

    def refuse(constant):
        raise AssertionError(constant)

    read = json.loads(json_text(value), parse_constant=refuse)
    assert read == {"nan": None, "inf": [None, 0.5], "3": [0, 1], "set": [1], "object": "x", "t": True}


def test_atomic_write_leaves_the_old_file_when_it_fails(tmp_path, monkeypatch):
    target = tmp_path / "a.json"
    write_atomically(target, "old")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert target.read_text() == "old"


def test_history_file_is_readable_after_each_row_and_widens(tmp_path):
    file = HistoryFile(tmp_path / "h.csv")
    written = [{"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": math.nan, "val,loss": 1e-300}, {"epoch": 3}]
    for count, row in enumerate(written, 1):
        file.append(row)
        with open(file.path, newline="") as opened:
            read = list(csv.DictReader(opened))
        assert len(read) == count
    assert float(read[0]["loss"]) == 0.1 + 0.2
    assert read[0]["val,loss"] == ""
    assert math.isnan(float(read[1]["loss"]))
    assert float(read[1]["val,loss"]) == 1e-300
    assert read[2]["loss"] == ""


def test_describe_unfolds_serialised_objects():
    schedule = {"class_name": "kerasmith>CosineRestarts", "config": {"T_0": 10, "eta_min": 0.0, "name": "c"}}
    assert describe({"class_name": "Adam", "config": {"learning_rate": schedule, "beta_1": 0.9}}) == (
        "Adam(learning_rate=CosineRestarts(T_0=10, eta_min=0), beta_1=0.9)"
    )

    class Broken:
        def get_config(self):
            raise NotImplementedError

    assert describe([Broken(), None, "mse"]) == "Broken, –, mse"


def test_weighted_and_whole_counts_are_written_as_such():
    assert ">1,200<" in confusion_table(np.array([[1200.0, 1.0], [0.0, 2.0]]))
    assert ">1,200.50<" in confusion_table(np.array([[1200.5, 1.0], [0.0, 2.0]]))


def test_a_count_that_never_changes_gets_no_curve():
    rows = [{"epoch": e, "loss": 1 / e, "cases": 8, "val_cases": 4, "objects": e} for e in (1, 2)]
    known = {"cases": None, "objects": None}
    shown = curves(rows, known)
    assert [plot["title"] for plot in plots(shown)] == ["loss", "objects"]
    assert not any("cases" in name for name in headline(rows, known))
    assert "cases" in [plot["title"] for plot in plots(curves(rows))]


def test_counts_are_whole_numbers_and_losses_are_not():
    rows = rows_of(loss=[2.0, 1.0], cases=[8.0, 8.0], share=[0.5, 1.0])
    known = {"cases": None, "share": None}
    cells = Page(epoch_table(rows, known)).text("td").split()
    assert cells[cells.index("8") + 1] == "0.5000"
    assert "8.0000" not in Page(value_table(rows, known)).text("td")


def test_long_tables_scroll_in_a_box_of_their_own():
    assert 'class="scroll long"' in table([{"run": i} for i in range(31)])
    assert 'class="scroll"' in table([{"run": i} for i in range(30)])


def test_terms_of_a_loss_say_what_is_better():
    """`mask_dice` is a term, `mask_dice_score` the metric `dice_score` of the same output."""
    rows = [{"epoch": e, "ce": 1 / e, "mask_dice": 1 / e, "mask_dice_score": 1 - 1 / e, "f1": e} for e in (1, 2)]
    known, terms = {"dice_score": "max", "ce": "max"}, ["ce", "mask_dice"]
    labels = {one["title"]: json.dumps(one) for one in plots(training_sections(rows, known, terms=terms)[-1].html)}
    assert "lower is better" in labels["mask_dice"]
    assert "higher is better" in labels["mask_dice_score"]
    assert "higher is better" in labels["ce"]  # a metric of the same name knows better
    cells = Page(value_table(rows, known, terms)).text("td").split()
    assert cells[cells.index("mask_dice") + 1] == "lower"
    assert cells[cells.index("mask_dice_score") + 1] == "higher"
