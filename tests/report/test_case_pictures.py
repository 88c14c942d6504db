"""Pictures of cases: which are kept, what stands beside what, in the page of a run and of several."""

import json

import numpy as np
import pytest

from kerasmith.report import CasePicture, chosen_cases
from kerasmith.report.case_pictures import case_sections, compared_pictures, stored_pictures
from kerasmith.report.comparison import comparison_page
from kerasmith.report.palette import LIGHT
from kerasmith.report.run_data import read_run_data
from kerasmith.report.segmentation_panels import scored_panels, segmentation_panels
from tests.report.html_checks import EVIL, Page, assert_loads_nothing

pytestmark = pytest.mark.host("draws and writes from numbers and text")


def stored(scores, shade=0):
    """As it comes back from a file."""
    pictures = [
        CasePicture(name, {"image": np.zeros((4, 4), "uint8"), "result": np.full((4, 4), shade, "uint8")}, {"dice": score})
        for name, score in scores.items()
    ]
    return json.loads(json.dumps(stored_pictures(pictures, {"red": (255, 0, 0), "drawn": np.zeros((2, 2), "uint8")})))


def alts(html):
    return [attrs["alt"] for attrs in Page(html).all("img") if attrs["alt"]]


def test_worst_and_best_stand_beside_each_other():
    (section,) = case_sections(stored({EVIL: 0.7, "b": 0.9, "c": 0.1, "d": None}))
    assert section.title == "Worst and best cases"
    assert alts(section.html) == [f"{n}, {p}" for n in ("c", EVIL, "d", "b") for p in ("image", "result")]
    assert [text.strip() for text in Page(section.html).text("h3").split("  ")] == ["Worst Best"]
    assert "background:rgb(255, 0, 0)" in section.html
    assert case_sections(None) == []


def test_any_two_runs_keep_some_cases_in_common():
    rng = np.random.default_rng(0)
    runs = [{str(i): value for i, value in enumerate(rng.random(200))} for _ in range(2)]
    chosen = [chosen_cases(scores, "dice", most=12) for scores in runs]
    assert all(len(names) <= 12 for names in chosen)
    for names, scores in zip(chosen, runs, strict=True):
        assert {min(scores, key=scores.get), max(scores, key=scores.get)} <= set(names)
    assert len(set(chosen[0]) & set(chosen[1])) >= 4


def test_runs_stand_beside_each_other():
    runs = {"A": stored({"x": 0.1, "y": 0.9}), "B": stored({"x": 0.2, "y": 0.8}, 9), "old": None}
    captions = {run: {"x": f"{run} x", "y": f"{run} y"} for run in runs}
    html = compared_pictures(runs, ["x", "y"], captions)
    assert alts(html) == ["x, image", "x, A: A x", "x, B: B x", "y, image", "y, A: A y", "y, B: B y"]
    assert compared_pictures({"A": runs["A"], "old": None}, ["x"], captions) == ""


def test_cases_with_other_data_are_not_compared(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,loss\n1,0.5\n")  # as old runs are
    run = read_run_data(tmp_path)
    cases = [{"case": name, "digest": name, "dice": i / 4} for i, name in enumerate("abcd")]
    same = comparison_page({"A": run, "B": {**run, "case_pictures": None}}, {"A": cases, "B": cases})
    assert "4 of 4 common cases" in assert_loads_nothing(same).text()
    changed = [{**case, "digest": "other" if case["case"] == "c" else case["digest"]} for case in cases]
    page = assert_loads_nothing(comparison_page({"A": run, "B": run}, {"A": cases, "B": changed}))
    assert "3 of 3 common cases" in page.text()
    assert "B: not paired, other data in 1 of 4 cases (c)" in page.text()
    others = [{**case, "digest": "other"} for case in cases]
    page = assert_loads_nothing(comparison_page({"A": run, "B": run}, {"A": cases, "B": others}))
    assert "common cases" not in page.text()


def test_a_mask_has_its_raw_image_and_its_probability_beside_it():
    logits = np.full((64, 64, 1), -2.0)
    logits[8:24, 8:24] = 2
    image = np.linspace(0, 1, 64 * 64).reshape(64, 64, 1)
    panels = scored_panels(image, logits > 0, logits, from_logits=True)
    assert list(panels) == ["image", "probability, black 0, white 1", "truth and prediction"]
    shown = {int(v) for v in np.unique(panels["probability, black 0, white 1"])}
    assert shown == {round(255 / (1 + np.exp(2))), round(255 / (1 + np.exp(-2)))}
    assert panels["image"].shape[:2] == panels["truth and prediction"].shape[:2] == (256, 256)
    two = scored_panels(image, logits > 0, np.concatenate([0 * logits, logits], -1), from_logits=True)
    for title, picture in panels.items():
        np.testing.assert_array_equal(two[title], picture)


def test_wrong_pixels_of_classes_are_striped_where_the_truth_counts():
    truth, predicted = np.zeros((64, 64), int), np.zeros((64, 64), int)
    truth[:32], predicted[:, :32] = 1, 2
    valid = np.ones((64, 64), bool)
    valid[:, 48:] = False
    panels = segmentation_panels(np.zeros((64, 64, 1)), truth, predicted, classes=3, scale=4, valid=valid)
    assert list(panels) == ["image", "truth", "prediction, wrong pixels striped"]
    white = np.all(panels["prediction, wrong pixels striped"] == 255, axis=-1)
    wrong = ((truth != predicted) & valid).repeat(4, 0).repeat(4, 1)
    assert not white[~wrong].any()
    assert 0.4 < white[wrong].mean() < 0.6
    colour = [round(0.55 * int(LIGHT[0][i : i + 2], 16)) for i in (1, 3, 5)]
    assert tuple(panels["truth"][0, 255]) == tuple(colour)
