"""100 steps of `fit` equal a loop written by hand in PyTorch, on each backend."""

import numpy as np
import pytest

import kerasmith
from kerasmith.losses import GradientPenalty
from tests.adversarial import torch_loop
from tests.adversarial.networks import X, Y, compiled, conditional_discriminator, generator

EPOCHS = 34  # of 3 steps, the last one of 2 samples


@pytest.mark.parametrize("kind", torch_loop.LOSSES)
def test_hundred_steps(kind):
    made, judge = generator(), conditional_discriminator()
    expected, columns = torch_loop.train(made.get_weights(), judge.get_weights(), X, Y, kind, EPOCHS)
    model = compiled(
        kerasmith.Adversarial(
            made, judge, kind, kind, 2, {"l1": kerasmith.Term("mae", weight=0.3)}, penalty=GradientPenalty("r1", weight=0.5)
        ),
        0.01,
        0.02,
    )
    history = model.fit(X, Y, batch_size=5, epochs=EPOCHS, shuffle=False, verbose=0).history
    assert set(history) == set(columns)
    for name, value in columns.items():
        assert history[name][-1] == pytest.approx(value, abs=1e-5), name
    for got, wanted in zip([*made.get_weights(), *judge.get_weights()], expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)
