"""Saved parts are found whichever of kerasmith and Keras is imported first."""

import keras
import pytest

from tests.support import fresh_process

pytestmark = pytest.mark.heavy("starts a process of its own for each order", on=("jax", "tensorflow"), seconds=8)
NAMES = ("Dice", "IoU", "CosineRestarts", "ArcFaceLogits", "Objective", "Uncertainty", "Residual", "Adversarial")


@pytest.mark.parametrize(
    "imports",
    [
        "import kerasmith, keras",
        "import keras, kerasmith",
        "from kerasmith.losses import Dice\nimport keras",
        "from kerasmith.data import WeightedBatches\nimport keras",
        "import kerasmith.testing.plugin, keras",  # as in every run of pytest
        "from kerasmith.numerics import tensors\nimport kerasmith.base, keras",
    ],
)
def test_every_order_of_imports_registers_every_part(imports):
    code = (
        f"import sys\nassert 'keras' not in sys.modules\n{imports}\n"
        f"print([n for n in {NAMES} if keras.saving.get_registered_object('kerasmith>' + n) is None])"
    )
    # TensorFlow imports Keras itself, so that a process that has imported TensorFlow has no order left to ask.
    ask = fresh_process.bare if keras.config.backend() == "tensorflow" else fresh_process.run
    assert ask(code).splitlines()[-1] == "[]"


def test_kerasmith_alone_does_not_import_keras():
    code = "import sys, kerasmith, kerasmith.cli, kerasmith.testing.plugin\nprint('keras' in sys.modules)"
    assert fresh_process.bare(code).splitlines()[-1] == "False"
