"""A loss that lacks its functional twin, its row in the battery or its oracle fails here."""

import importlib
import inspect
import pathlib

import pytest

from kerasmith import base, losses
from tests.losses.battery import ROWS

PUBLIC = sorted(name for name, value in vars(losses).items() if inspect.isclass(value) and issubclass(value, base.Loss))


def test_there_are_losses():
    assert len(PUBLIC) >= 11


@pytest.mark.parametrize("name", PUBLIC)
def test_loss_is_complete(name):
    loss = getattr(losses, name)
    module = importlib.import_module(loss.__module__)
    twins = [value for value in vars(module).values() if inspect.isfunction(value) and value.__module__ == loss.__module__]
    assert any(getattr(losses, twin.__name__, None) is twin for twin in twins), "no functional twin is exported"
    assert any(row.loss is loss for row in ROWS), "no row in tests/losses/battery.py"
    doc = inspect.getdoc(loss)
    assert "Args:" in doc
    assert ">>>" in doc
    oracles = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_against_*.py"))
    assert name in oracles, "no oracle in tests/losses/test_against_*.py"
