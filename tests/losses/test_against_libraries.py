"""Value and gradient of the losses against MONAI, smp, kornia and PyTorch; one row per configuration."""

import itertools

import numpy as np
import pytest

from kerasmith import losses
from tests.losses.battery import batch
from tests.oracles import libraries as lib
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

PLANE, VOLUME = (3, 8, 7), (2, 5, 6, 4)


def rows():
    """(name, our loss, oracle, channels, logits, size)"""
    for channels, logits, whole_batch, size, smooth in itertools.product(
        (1, 3), (False, True), (False, True), (PLANE, VOLUME), (1e-5, 1.0)
    ):
        common = {"from_logits": logits, "scope": "batch" if whole_batch else "image", "smooth": smooth}
        for loss, jaccard in ((losses.Dice, False), (losses.Jaccard, True)):
            oracle = lib.monai_dice(channels, logits, smooth, jaccard=jaccard, batch=whole_batch)
            yield f"monai {loss.__name__}", loss(**common), oracle, channels, logits, size
        oracle = lib.monai_tversky(channels, logits, smooth, 0.7, 0.2, whole_batch)
        yield "monai Tversky", losses.Tversky(0.7, 0.2, **common), oracle, channels, logits, size
    for channels, logits, smooth in itertools.product((1, 3), (False, True), (1e-5, 1.0)):
        common = {"from_logits": logits, "scope": "batch", "smooth": smooth}
        dice = lib.smp_region("DiceLoss", channels, logits, smooth)
        yield "smp Dice", losses.Dice(**common), dice, channels, logits, PLANE
        yield (
            "smp Jaccard",
            losses.Jaccard(**common),
            lib.smp_region("JaccardLoss", channels, logits, smooth),
            channels,
            logits,
            PLANE,
        )
        tversky = lib.smp_region("TverskyLoss", channels, logits, smooth, alpha=0.3, beta=0.8)
        yield "smp Tversky", losses.Tversky(0.3, 0.8, **common), tversky, channels, logits, PLANE
        if channels == 1:
            focal = lib.smp_region("TverskyLoss", channels, logits, smooth, alpha=0.7, beta=0.3, gamma=0.75)
            yield "smp FocalTversky", losses.FocalTversky(**common), focal, channels, logits, PLANE
    for logits, size in itertools.product((False, True), (PLANE, VOLUME)):
        yield (
            "monai GeneralizedDice",
            losses.GeneralizedDice(smooth=1e-12, from_logits=logits),
            lib.monai_generalized_dice(logits),
            3,
            logits,
            size,
        )
        background = losses.Dice(include_background=False, from_logits=logits)
        yield "monai Dice", background, lib.monai_dice(3, logits, 1e-5, include_background=False), 3, logits, size
    yield "kornia Dice", losses.Dice(smooth=0, from_logits=True), lib.kornia_dice(), 3, True, PLANE
    for channels in (1, 3):
        ours = losses.DiceCE(0.4, 1.5, from_logits=True)
        yield "monai DiceCE", ours, lib.monai_dice_ce(channels, 1e-5, 0.4, 1.5), channels, True, PLANE
        ours = losses.Focal(gamma=2.0, from_logits=True)
        yield "monai Focal", ours, lib.monai_focal(channels, 2.0), channels, True, PLANE
    ours = losses.DiceFocal(0.4, 1.5, gamma=3.0, from_logits=True)
    yield "monai DiceFocal", ours, lib.monai_dice_focal(1e-5, 3.0, 0.4, 1.5), 1, True, PLANE
    for gamma, alpha in itertools.product((1.0, 2.0, 3.5), (0.25, 0.9)):
        ours = losses.Focal(gamma, alpha, from_logits=True)
        yield "monai Focal", ours, lib.monai_focal(1, gamma, alpha), 1, True, PLANE
        yield "smp Focal", ours, lib.smp_focal(gamma, alpha), 1, True, PLANE
        yield "kornia Focal", ours, lib.kornia_binary_focal(gamma, alpha), 1, True, VOLUME
    for size in (PLANE, VOLUME):
        yield "torch CrossEntropy", losses.CrossEntropy(), lib.torch_nll(), 3, False, size
        for logits in (False, True):
            ours = losses.CrossEntropy(from_logits=logits)
            yield "torch CrossEntropy", ours, lib.torch_binary_cross_entropy(logits), 1, logits, size
        for smoothing in (0.0, 0.2):
            ours = losses.CrossEntropy(from_logits=True, label_smoothing=smoothing)
            yield "torch CrossEntropy", ours, lib.torch_cross_entropy(label_smoothing=smoothing), 3, True, size
        weighted = losses.CrossEntropy(from_logits=True, class_weights=[1.0, 0.2, 4.0], reduction="mean_with_sample_weight")
        yield "torch CrossEntropy", weighted, lib.torch_cross_entropy(weight=[1.0, 0.2, 4.0]), 3, True, (1, *size[1:])
        ignoring = losses.CrossEntropy(from_logits=True, ignore_class=1)
        yield "torch CrossEntropy", ignoring, lib.torch_cross_entropy(ignore_index=1), 3, True, (1, *size[1:])


ROWS = list(rows())


def test_the_table_is_long_enough():
    assert len(ROWS) >= 100
    assert {name.split()[0] for name, *_ in ROWS} == {"monai", "smp", "kornia", "torch"}


@pytest.mark.thinned("each row compiles anew", by=lambda row: {"loss": row[0], "channels": row[3], "logits": row[4]})
@pytest.mark.parametrize("row", ROWS, ids=[f"{i}-{row[0]}" for i, row in enumerate(ROWS)])
def test_value_and_gradient(row):
    _, loss, oracle, channels, logits, size = row
    data = batch(channels, size=size, logits=logits, seed=len(size))
    expected, slope = lib.value_and_grad(oracle, data.y_true, data.y_pred, data.ids)
    for labels in (data.y_true, data.ids):
        got, other = value_and_grad(lambda p, labels=labels: loss(labels, p), data.y_pred)
        np.testing.assert_allclose(got, expected, rtol=1e-6)
        np.testing.assert_allclose(other, slope, rtol=0, atol=1e-6 * np.abs(slope).max())
