"""Each test of a strategy trains a model, which TensorFlow and JAX compile: they ask a quarter of them in each run."""

import pytest


def pytest_itemcollected(item):
    item.add_marker(pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=2))
