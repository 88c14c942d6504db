"""A loss that lacks its function, its row in the battery or its oracle fails here."""

import importlib
import inspect
import pathlib

import pytest

from kerasmith import base, losses
from tests.losses.battery import OTHER_ROWS, ROWS

CLASSES = {name: value for name, value in vars(losses).items() if inspect.isclass(value) and issubclass(value, base.Loss)}
# Exported for subclasses of users.
FAMILIES = {"AdversarialLoss", "ElementwiseLoss", "EmbeddingLoss", "ImageLoss", "PixelLoss", "RegionLoss", "SegmentationLoss"}
FAMILIES |= {"ShapeLoss"}
PUBLIC = sorted(set(CLASSES) - FAMILIES)

# They make losses of other losses and functions; their values are tested in test_algebra.py and test_from_function.py.
COMBINATORS = {"FunctionLoss", "KerasLoss", "WeightedSum"}


def test_there_are_losses():
    assert len(PUBLIC) >= 37
    assert set(PUBLIC) >= COMBINATORS


@pytest.mark.host("reads what a loss says of itself")
@pytest.mark.parametrize("name", PUBLIC)
def test_loss_is_complete(name):
    loss = getattr(losses, name)
    module = importlib.import_module(loss.__module__)
    functions = [value for value in vars(module).values() if inspect.isfunction(value) and value.__module__ == loss.__module__]
    is_exported = any(getattr(losses, f.__name__, None) is f for f in functions)
    assert is_exported or name in COMBINATORS, "no function of it is exported"
    assert any(row.loss is loss for row in [*ROWS, *OTHER_ROWS]), "no row in tests/losses/battery.py"
    doc = inspect.getdoc(loss)
    assert "Args:" in doc
    assert ">>>" in doc or name == "FunctionLoss"  # made by from_function, which has one
    oracles = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_against_*.py"))
    assert name in oracles or name in COMBINATORS, "no oracle in tests/losses/test_against_*.py"
