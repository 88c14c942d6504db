"""JAX compiles every operation for every shape: of the rows beside an oracle it asks a quarter in each run."""

import pytest


def pytest_itemcollected(item):
    if item.path.stem not in ("test_every_metric", "test_shared"):
        item.add_marker(pytest.mark.heavy("each row compiles its operations anew", on=("jax",), seconds=1))
