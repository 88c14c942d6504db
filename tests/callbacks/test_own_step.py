"""Callbacks beside a model that trains by a step of its own, with optimizers in attributes, lists, dicts, sub-models."""

import pytest

from kerasmith.callbacks import Resume
from kerasmith.checkpoints import variables
from kerasmith.keras_internals.owned import owned
from tests.callbacks.own_step import KINDS, InAttributes, fit, gan


@pytest.fixture(scope="module")
def undisturbed():
    """(history, values) after two epochs without any callback; where the optimizers are kept makes no difference."""
    model = gan()
    return fit(model), variables.values(model)


def same(kind, values, expected):
    """Whether all values are bit for bit those of `InAttributes`."""
    places = dict(zip(KINDS[InAttributes], KINDS[kind]))
    for name, value in expected.items():
        group, _, rest = name.partition(":")
        place = group.removeprefix("optimizer ")
        name = f"optimizer {places[place]}:{rest}" if place in places else name
        if values[name].tobytes() != value.tobytes():
            return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_resume_keeps_the_state_of_every_optimizer(kind, undisturbed, tmp_path):
    assert {*owned(gan(kind)).optimizers} == {"optimizer", *KINDS[kind]}
    fit(gan(kind), [Resume(tmp_path, verbose=0)], epochs=1)
    model = gan(kind)
    history = fit(model, [Resume(tmp_path, verbose=0)], epochs=2)
    assert history == undisturbed[0]
    assert same(kind, variables.values(model), undisturbed[1])
    assert sum("d_optimizer:" in name for name in undisturbed[1]) == 2 + 2 * 4
