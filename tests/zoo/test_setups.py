"""Set-ups of the zoo: each can be built and predicts a batch."""

import keras
import numpy as np
import pytest

from tests.zoo.setups.setup import THEMES, load

SETUPS = load()
FAULTY = [name for name, build in SETUPS.items() if build.theme]
HEALTHY = [name for name, build in SETUPS.items() if not build.theme]


def first_batch(fit):
    """The first inputs, of arrays, nests of arrays or batches."""
    x = fit["x"]
    if not isinstance(x, (np.ndarray, dict, list)):
        x = next(iter(x)) if not isinstance(x, keras.utils.PyDataset) else x[0]
        x = x[0] if isinstance(x, (tuple, list)) else x
    return keras.tree.map_structure(lambda values: keras.ops.convert_to_tensor(values[:8]), x)


@pytest.mark.heavy("builds some 130 models and calls each", seconds=5)
@pytest.mark.parametrize("part", range(4))
def test_every_setup_can_be_built_and_called(part):
    names = list(SETUPS)[part :: 4 if keras.config.backend() == "torch" else 20]
    for name in names:
        keras.utils.set_random_seed(0)
        setup = SETUPS[name]()
        assert setup.model.compiled, name
        if isinstance(setup.model, keras.Model) and not hasattr(setup.model, "discriminator"):
            assert len(keras.tree.flatten(setup.model(first_batch(setup.fit)))) >= 1, name


@pytest.mark.host("the list of set-ups")
def test_there_are_set_ups_of_each_kind():
    assert len(FAULTY) >= 60
    assert len(HEALTHY) >= 60
    counts = {theme: sum(SETUPS[name].theme == theme for name in FAULTY) for theme in THEMES if theme != "runs"}
    assert min(counts.values()) >= 7, counts
