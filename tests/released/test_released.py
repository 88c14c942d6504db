"""What released versions left with their users still loads and goes on: models on every backend, checkpoints on their own."""

import json
import pathlib
import shutil
import zipfile

import keras
import pytest
from packaging.version import Version

from kerasmith.keras_internals import versions
from tests.released import write

VERSIONS = sorted(path.parent for path in pathlib.Path(__file__).parent.glob("*/models.json"))


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def version(request):
    return request.param


def test_there_is_something_of_a_released_version():
    assert VERSIONS


@pytest.mark.parametrize("name", ["plain", "objective"])
def test_a_model_gives_the_numbers_of_then(version, name):
    expected = json.loads((version / "models.json").read_text())[name]
    wrote = _keras_that_wrote(version / f"{name}.keras")
    if Version(keras.__version__) < Version(wrote):
        pytest.skip(f"Keras {keras.__version__} does not read what Keras {wrote} wrote: it lacks arguments of initializers")
    now = write.evaluated(keras.saving.load_model(version / f"{name}.keras"))
    assert now["mean"] == pytest.approx(expected["mean"], rel=1e-5)
    assert now["scores"] == pytest.approx(expected["scores"], rel=1e-4)


def _keras_that_wrote(file):
    with zipfile.ZipFile(file) as parts:
        return json.loads(parts.read("metadata.json"))["keras_version"]


def test_a_checkpoint_goes_on_to_the_end_of_then(version, tmp_path):
    stored = version / keras.config.backend()
    expected = json.loads((stored / "history.json").read_text())
    directory = shutil.copytree(stored / "checkpoints", tmp_path / "checkpoints")
    if versions.shuffles_by_counter():
        # Data come in another order since Keras 3.16: such a checkpoint would not go on as it was.
        with pytest.raises(ValueError, match="takes data in another order: go on with keras=="):
            write.train(directory)
        return
    epochs = []
    history = write.train(directory, report_epoch=epochs.append)
    assert epochs == [3], "the first three epochs were trained again"
    for key, values in expected.items():
        assert history[key] == pytest.approx(values, rel=1e-4), key
