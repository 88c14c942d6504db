"""A config is made, and a seed set, without TensorFlow on other backends."""

import importlib

import keras
import pytest

from kerasmith.keras_internals import without_tensorflow
from tests.support import fresh_process

TEXT = """
import sys
import keras
from kerasmith.keras_internals.without_tensorflow import without_tensorflow
with without_tensorflow(keras.config.backend()):
    keras.saving.serialize_keras_object(keras.losses.MeanSquaredError())
    keras.utils.set_random_seed(1)
print("tensorflow" in sys.modules)
"""


@pytest.mark.parametrize("name", without_tensorflow._ASKING)
def test_the_names_are_there(name):
    assert hasattr(importlib.import_module(name), "tf")


@pytest.mark.skipif(keras.config.backend() == "tensorflow", reason="TensorFlow is the backend")
def test_tensorflow_is_not_imported():
    assert fresh_process.run(TEXT).strip() == "False"
