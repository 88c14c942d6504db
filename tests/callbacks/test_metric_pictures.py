"""Pictures of metrics show what the metrics have counted."""

import numpy as np
import pytest

from kerasmith import metrics
from kerasmith.callbacks.metric_pictures import has_picture, metric_html, metric_image, metric_sections
from tests.report.html_checks import plots

pytestmark = pytest.mark.heavy("compiles a fit to look at what the host writes", on=("jax", "tensorflow"), seconds=2)


def confusion():
    metric = metrics.ConfusionMatrix(2, class_names=["cell", "debris"])
    metric.update_state(np.array([0, 1, 1]), np.array([0, 1, 0]))
    return metric


def test_a_confusion_matrix_has_its_names_and_shares():
    html = metric_html(confusion())
    assert ">debris<" in html
    assert "predicted as cell: 50.0%" in html
    assert metric_image(confusion()).shape == (130, 130, 3)


def test_a_reliability_diagram_has_its_bins():
    metric = metrics.CalibrationError(10)
    metric.update_state(np.ones((4, 1)), np.array([[0.1], [0.5], [0.7], [0.7]]))
    (drawn,) = plots(metric_html(metric, "a < b"))
    assert drawn["title"] == "a < b"
    assert len(drawn["x"]) == 10


def test_sections_of_metrics_with_something_to_show():
    class Own(metrics.CalibrationError):
        metrics = [confusion()]

    sections = metric_sections([metrics.CalibrationError(name="quiet"), Own(name="own"), metrics.MCC(2)], True)
    assert [section.title for section in sections] == ["confusion matrix, last epoch, validation data"]


def test_several_labels_have_no_picture():
    metric = metrics.ConfusionMatrix(3, multi_label=True)
    assert not has_picture(metric)
    assert not has_picture(metrics.MCC(2))
    with pytest.raises(ValueError, match="one matrix"):
        metric_html(metric)


def test_a_metric_may_draw_itself():
    class Drawn:
        name = "drawn"

        def picture(self):
            return "<b>drawn</b>"

    assert has_picture(Drawn())
    assert metric_html(Drawn()) == "<b>drawn</b>"
    assert metric_image(Drawn()) is None


def test_the_method_of_before_still_works():
    with pytest.warns(DeprecationWarning, match=r"metric_html\(metric\)"):
        assert confusion().picture() == metric_html(confusion())
