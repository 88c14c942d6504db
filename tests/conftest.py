"""Deterministic tests: one seed for everything, quiet backends; and the parts of the gate."""

import gc
import os
import sys
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest

from tests.support import fast_to_compile, selection

# Tracing makes millions of small objects and little garbage: rounds of the collector took a fifth of the time.
gc.set_threshold(100_000, 10, 10)
fast_to_compile.apply(keras.config.backend())
# MONAI imports PyTorch's writer for TensorBoard, and that TensorFlow, which takes seconds, unless this module exists.
if keras.config.backend() != "tensorflow":
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))


def pytest_addoption(parser):
    selection.add_options(parser)


def pytest_itemcollected(item):
    selection.mark_by_directory(item)


# Before `-k`, so that the parts are the same whatever is chosen among them.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    chosen = selection.selected(items, config.getoption("--select"), config.getoption("--shard"), keras.config.backend())
    kept = {id(item) for item in chosen}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
    items[:] = chosen


def pytest_collection_finish():
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(7)
