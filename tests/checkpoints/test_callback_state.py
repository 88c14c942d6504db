"""What a checkpoint holds of Keras' own callbacks."""

import keras
import numpy as np
import pytest

from kerasmith.checkpoints import callback_state
from kerasmith.objectives.weight_transfer import WeightArrays

pytestmark = pytest.mark.host("copies arrays of NumPy")


def test_the_best_weights_keep_the_state_of_the_objective():
    stopper = keras.callbacks.EarlyStopping(restore_best_weights=True)
    stopper.best_weights = WeightArrays([np.ones(2)])
    stopper.best_weights.objective = (np.full(1, 3.0),)
    ((key, state),) = callback_state.states([stopper])
    assert key == "EarlyStopping#0"
    assert [array.tolist() for array in state["best_weights"]] == [[1.0, 1.0], [3.0]]
