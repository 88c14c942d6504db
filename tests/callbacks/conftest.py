"""Each test of a callback trains a model, for which TensorFlow builds graphs: it asks a quarter of them in each run."""

import pytest


def pytest_itemcollected(item):
    item.add_marker(pytest.mark.heavy("trains a model: TensorFlow builds graphs for 3 seconds", on=("tensorflow",), seconds=3))
