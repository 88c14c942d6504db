"""Losses that users wrote against the names of the version before still work, with a warning."""

import numpy as np
import pytest
from keras import ops

import kerasmith
from kerasmith import base, losses

Y_TRUE = np.array([[[0.0], [1.0], [1.0]]], "float32")
Y_PRED = np.array([[[0.5], [0.25], [1.0]]], "float32")


def test_parts_are_terms():
    with pytest.warns(DeprecationWarning, match="Call it `terms`"):

        class Old(base.Loss):
            def parts(self, y_true, y_pred, weights):
                squares = ops.mean(ops.square(y_true - y_pred), axis=(1, 2))
                return [base.LossTerm("square", 2.0, base.PerSample(squares))]

    assert float(Old()(Y_TRUE, Y_PRED)) == pytest.approx(2 * (0.25 + 0.5625) / 3)


def test_an_image_loss_reads_its_pixels():
    with pytest.warns(DeprecationWarning, match="Call it `per_sample`"):

        class Old(losses.RegionLoss):
            def of_pixels(self, pixels, weights):
                return base.PerSample(ops.mean(pixels.truth - pixels.probabilities, axis=1))

    assert float(Old()(Y_TRUE, Y_PRED)) == pytest.approx(0.25 / 3)


def test_a_shape_loss_takes_its_pixels_alone():
    from kerasmith.losses._shape import ShapeLoss

    with pytest.warns(DeprecationWarning, match="Call it `per_sample`"):

        class Old(ShapeLoss):
            def of_images(self, pixels):
                return base.PerSample(ops.mean(pixels.probabilities, axis=1))

    assert float(Old()(Y_TRUE, Y_PRED)) == pytest.approx(1.75 / 3)


def test_a_weight_mean_may_be_called_mass():
    with pytest.warns(DeprecationWarning, match="weight_mean"):
        assert base.PerSample(1.0, mass=2.0) == (1.0, 2.0)
    assert base.PerSample(1.0, 2.0)._replace(values=3.0) == (3.0, 2.0)


@pytest.mark.parametrize(("old", "new"), [("Part", "LossTerm"), ("functional_twin", "make_functional")])
def test_an_old_name_of_base(old, new):
    with pytest.warns(DeprecationWarning, match=f"Write kerasmith.base.{new}"):
        assert getattr(kerasmith.base, old) is getattr(base, new)
