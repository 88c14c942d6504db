"""The scripts in `examples/` do what they say."""

import contextlib
import functools
import importlib.util
import io
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
COLUMNS = {
    "pixel_weight_map": {"borders", "dice"},
    "feature_loss": {"l1", "features"},
    "activation_penalty": {"ce", "activity", "activity_weight", "accuracy"},
}

# Tested where what they show is.
ELSEWHERE = {"two_moons", "ray_train", "ray_tune"}
EPOCHS = {"pixel_weight_map": 2, "feature_loss": 2, "activation_penalty": 5}


@functools.cache
def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def trained(name):
    """(model, history, what was printed) of a short run."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        model, history = example(name).main(epochs=EPOCHS[name])
    return model, history, said.getvalue()


def array(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.heavy("trains for epochs and loads in another process", on=("jax", "tensorflow"), seconds=8)
@pytest.mark.parametrize("name", COLUMNS)
def test_the_example_learns_shows_its_terms_and_loads_again(name, tmp_path):
    model, history, said = trained(name)
    columns = COLUMNS[name] | {"loss"}
    assert set(history) == columns | {f"val_{column}" for column in columns}
    assert history["loss"][-1] < history["loss"][0]
    assert history["val_loss"][-1] < history["val_loss"][0]
    assert f"'val_loss': {round(history['val_loss'][-1], 4)}" in said.splitlines()[-1]
    _, (x, y) = example(name).data()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(x, y, return_dict=True, verbose=0)
    for column in columns:
        np.testing.assert_allclose(found[column], history[f"val_{column}"][-1], rtol=1e-4, err_msg=column)


def test_every_example_is_tested_and_listed():
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    assert scripts == {*COLUMNS, *ELSEWHERE}
    listed = (EXAMPLES / "README.md").read_text()
    assert all(f"`{name}.py`" in listed for name in scripts)
    assert all(len((EXAMPLES / f"{name}.py").read_text().splitlines()) < 80 for name in scripts)


def test_border_weights_are_those_of_the_paper():
    labels = np.zeros((12, 16), "int32")
    labels[2:6, 1:6], labels[4:10, 9:14], labels[10:, :3] = 1, 2, 3
    found = example("pixel_weight_map").border_weights(labels, height=7.0, width=3.0)
    rows, columns = np.indices(labels.shape)
    for place in np.ndindex(labels.shape):
        nearest = sorted(
            np.sqrt(((rows - place[0]) ** 2 + (columns - place[1]) ** 2)[labels == nucleus].min()) for nucleus in (1, 2, 3)
        )
        expected = 1.0 if labels[place] else 1 + 7 * np.exp(-((nearest[0] + nearest[1]) ** 2) / 18)
        np.testing.assert_allclose(found[place], expected, rtol=1e-5)


def test_border_cross_entropy_against_numpy():
    module = example("pixel_weight_map")
    (x, y), _ = module.data()
    x, y = {"weights": x["weights"][:3]}, y[:3]
    logits = np.random.default_rng(0).normal(size=y.shape).astype("float32")
    p = 1 / (1 + np.exp(-logits.astype("float64")))
    expected = -x["weights"] * (y * np.log(p) + (1 - y) * np.log(1 - p))
    tensors = keras.tree.map_structure(ops.convert_to_tensor, (x, y, logits))
    found = array(module.border_cross_entropy(*tensors))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert x["weights"].min() == 1.0 < x["weights"].max() <= 11.0


def test_the_network_in_the_feature_loss_stays_as_it_is():
    fresh = [array(w) for w in example("feature_loss").FeatureDistance().backbone.weights]
    model, _, _ = trained("feature_loss")
    (term,) = [term.fn for term in model.objective.terms if term.name == "features"]
    for weight, before in zip(term.backbone.weights, fresh, strict=True):
        np.testing.assert_array_equal(array(weight), before)
    assert not any("feature_distance" in v.path for v in model.trainable_variables)
    assert len(model.trainable_variables) == 6


def test_the_penalty_makes_the_hidden_layer_quieter():
    _, history, _ = trained("activation_penalty")
    # 30 steps an epoch; the last step of epoch e is number 30 e - 1, validation sees the weight of step 30 e.
    np.testing.assert_allclose(history["val_activity_weight"], 0.3 * np.minimum(30 * np.arange(1, 6), 150) / 150, rtol=1e-5)
    steps = 0.3 * np.arange(150).reshape(5, 30) / 150
    np.testing.assert_allclose(history["activity_weight"], steps.mean(1), rtol=1e-4)
    assert history["activity"][-1] < max(history["activity"])
    assert history["val_accuracy"][-1] > 0.8
