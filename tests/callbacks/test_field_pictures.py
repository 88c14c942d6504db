"""FieldPictures: the picture and the numbers of `physics.verify`, for a directory and the report."""

import io
import math

import keras
import numpy as np
import pytest
from PIL import Image

from kerasmith import Model, Objective
from kerasmith.callbacks import FieldPictures, ReportPage
from kerasmith.physics import Box, Condition, Residual, verify
from kerasmith.report import draw_field

LINE = Box(0, 1, names="x")


def bending(f):
    return f.d("xx") + 2.0


def parabola(x):
    return x[:, 0] * (1 - x[:, 0])


def beam():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((1,))
    net = Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(4, activation="tanh")(inputs)))
    net.compile(keras.optimizers.Adam(0.01), Objective([Residual(bending, names="x"), Condition(LINE.boundary(2), 0.0)]))
    return net


def test_the_report_shows_what_verify_finds(tmp_path):
    net, page = beam(), ReportPage(tmp_path / "report.html")
    known = FieldPictures(LINE, parabola, points=51, every=2, directory=tmp_path, report=page)
    solved = FieldPictures(LINE, name="solved", directory=tmp_path)
    net.fit(LINE.uniform(16), epochs=3, verbose=0, callbacks=[known, solved, page])
    assert sorted(path.name for path in (tmp_path / "field").iterdir()) == ["epoch_0002.png", "epoch_0003.png"]
    assert known.result == verify(net, LINE, parabola, points=51)
    pixels = np.asarray(Image.open(io.BytesIO((tmp_path / "field" / "epoch_0003.png").read_bytes())))
    np.testing.assert_array_equal(pixels, draw_field(known.result.x, known.result.reference_values, known.result.prediction))
    html = (tmp_path / "report.html").read_text()
    assert f"relative L2 error {known.result['relative_l2']:.3g}" in html
    assert solved.result["reference"] == "finite differences"
    np.testing.assert_allclose(solved.result.reference_values, parabola(solved.result.x), atol=1e-6)
    assert math.isclose(solved.result["relative_l2"], known.result["relative_l2"], rel_tol=0.05)


def test_what_cannot_be_compared_is_a_warning(tmp_path):
    net = beam()
    with pytest.warns(UserWarning, match="on a Box"):
        history = net.fit(LINE.uniform(8), epochs=1, verbose=0, callbacks=[FieldPictures(LINE.uniform(4), directory=tmp_path)])
    assert len(history.history["loss"]) == 1
    with pytest.raises(ValueError, match="nowhere to put"):
        FieldPictures(LINE)
