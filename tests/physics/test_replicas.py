"""Equations, conditions and unknown coefficients on several replicas."""

import json
import pathlib

import keras
import pytest

from tests.support import fresh_process

CODE = pathlib.Path(__file__).with_name("two_replicas.py")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="MirroredStrategy is TensorFlow's")
@pytest.mark.heavy("compiles a model for two replicas and for one", on=("tensorflow",), seconds=12)
def test_two_replicas_train_as_one_device():
    """Every kind of term, the weights and the learned coefficient, with batches that are split unevenly."""
    one, two = json.loads(fresh_process.run(CODE.read_text(), timeout=600, CUDA_VISIBLE_DEVICES="").splitlines()[-1])
    for expected, found in zip(one[:2], two[:2], strict=True):
        assert expected.keys() == found.keys()
        assert {"burgers", "start", "wall", "nu"} <= expected.keys()
        for name, values in expected.items():
            assert found[name] == pytest.approx(values, rel=2e-5, abs=1e-6), name
    for expected, found in zip(one[2], two[2], strict=True):
        assert found == pytest.approx(expected, abs=2e-5)
