"""Keras is imported without libraries that nobody asked for, which can be imported afterwards."""

import pytest

from tests.support import fresh_process

TEXT = """
import os, sys
from kerasmith.keras_internals.quick_import import import_keras
import_keras("class Scale(keras.layers.Layer): pass")
print(*[name for name in ("sklearn", "matplotlib") if name in sys.modules], os.environ["KERASMITH_QUICK_IMPORT"])
import keras, sklearn, matplotlib
print(float(keras.ops.sum(keras.losses.MeanSquaredError()([[1.0]], [[3.0]]))), callable(keras.wrappers.SKLearnClassifier))
"""


@pytest.mark.heavy("another import of Keras", seconds=5, on=("torch", "jax", "tensorflow"))
def test_rarely_used_libraries_are_not_imported():
    assert fresh_process.bare(TEXT).split() == ["1", "4.0", "True"]
