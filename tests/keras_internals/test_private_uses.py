"""What Keras and the backends keep private is used in `keras_internals` only."""

from pathlib import Path

import pytest

import kerasmith
from tests.keras_internals.private_uses import private_uses

pytestmark = pytest.mark.host("reads the source")
ROOT = Path(kerasmith.__file__).parent


def test_nothing_private_outside_of_keras_internals():
    sources = {path.relative_to(ROOT): path.read_text() for path in ROOT.rglob("*.py")}
    found = [use for use in private_uses(sources) if not use.startswith("keras_internals/")]
    assert not found, "Move these into kerasmith.keras_internals and add a row to its README:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "from keras.src.backend import get_keras_mask",
        "import keras.src",
        "x = keras.src.backend.core",
        "line = 'from keras.src.losses import x'",
        "from tensorflow.python.ops import control_flow_util",
        "from torch.utils._python_dispatch import TorchDispatchMode",
        "model._flatten_layers()",
        "rate = getattr(optimizer, '_learning_rate', None)",
        "if hasattr(metric, '_direction'): pass",
        "model._initial_epoch = 3",
        "object.__setattr__(layer, 'call', other)",
        "frame = sys._getframe(1)",
        "frame = inspect.currentframe()",
        "class Layer(keras.layers.Layer):\n    def call(self, x):\n        return self._losses",
    ],
)
def test_it_finds(code):
    assert private_uses({Path("a.py"): code})


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def __init__(self):\n        self._x = 1\n\na = A()\na._x",
        "pair._replace(a=1)",
        "object.__setattr__(self, '_owner', 1)\nself._owner",
        "value = getattr(thing, '__name__', '')",
        "def _f():\n    pass\n\nmodule._f()",
    ],
)
def test_it_leaves_alone(code):
    assert not private_uses({Path("a.py"): code})
