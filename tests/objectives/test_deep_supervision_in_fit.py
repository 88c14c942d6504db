"""Deep supervision in `fit`, beside NumPy on the predictions of the model."""

import json

import keras
import numpy as np
import pytest

import kerasmith
from kerasmith import DeepSupervision, Objective, Term
from kerasmith.losses import CrossEntropy, Dice, DiceCE
from tests.oracles import label_pyramid_loops as loops
from tests.support import fresh_process
from tests.support.cover import each_value

HALVING = [4 / 7, 2 / 7, 1 / 7]


def network(as_dict=False):
    """Probabilities of three classes for 8 x 4 pixels, at full, half and a quarter of the resolution."""
    inputs = keras.Input((8, 4, 1))
    heads = []
    for size, name in ((1, "out"), (2, "middle"), (4, "coarse")):  # Keras on PyTorch sorts names
        x = keras.layers.AveragePooling2D(size)(inputs)
        heads.append(keras.layers.Dense(3, activation="softmax", name=name)(x))
    return kerasmith.Model(inputs, dict(zip(("out", "middle", "coarse"), heads)) if as_dict else heads)


def data(count=6):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(count, 8, 4, 1)).astype("float32")
    ids = (rng.integers(0, 3, (count, 8, 4)) * (x[..., 0] > 0)).astype("uint8")
    return x, ids, rng.uniform(0.5, 2, (count, 8, 4)).astype("float32")


def by_hand(model, x, ids, weight=None):
    """{column: value} of Dice on the predictions of a model, in NumPy."""
    outputs = model.predict(x, verbose=0)
    outputs = [outputs[key] for key in ("out", "middle", "coarse")] if isinstance(outputs, dict) else outputs
    outputs = [np.asarray(p, "float64") for p in outputs]
    levels = []
    for p in outputs:
        labels, w = loops.down(ids, [8 // p.shape[1], 4 // p.shape[2]], "nearest", weight)
        levels.append(loops.dice(np.eye(3)[labels], p, w).mean())
    return {"seg": np.dot(HALVING, levels), **{f"seg_level_{i}": value for i, value in enumerate(levels)}}


@pytest.mark.thinned("each row compiles a fit", by=each_value)
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("as_dict", [False, True])
def test_a_term_of_an_objective(as_dict, jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    x, ids, weight = data()
    model = network(as_dict=as_dict)
    model.compile("sgd", Objective({"seg": DeepSupervision(Dice(), levels=3)}), jit_compile=jit_compile)
    before = by_hand(model, x, ids, weight)
    history = model.fit(
        x,
        ids,
        sample_weight=weight,
        batch_size=6,
        epochs=1,
        verbose=0,
        validation_data=(x, ids, weight),
        validation_batch_size=4,
    ).history
    after = by_hand(model, x, ids, weight)
    for column, value in before.items():
        assert history[column] == pytest.approx([value], rel=1e-5)
        assert history[f"val_{column}"] == pytest.approx([after[column]], rel=1e-5)
    assert history["loss"] == history["seg"]
    assert after["seg"] < before["seg"]


@pytest.mark.heavy("starts a process that imports the backend anew", on=("jax", "tensorflow"), seconds=5)
def test_alone_in_compile_saved_and_loaded_in_a_fresh_process(tmp_path):
    x, ids, weight = data()
    model = network()
    model.compile("adam", DeepSupervision(keras.losses.Huber(delta=0.1) + DiceCE(), [1, 0.5, 0.25]))
    one_hot = np.eye(3, dtype="float32")[ids]
    history = model.fit(x, one_hot, sample_weight=weight[:, 0, 0], batch_size=4, verbose=0).history
    assert {"deep_supervision_level_2_dice", "deep_supervision_level_0_huber_loss"} < set(history)
    values = model.evaluate(x, one_hot, sample_weight=weight, verbose=0, return_dict=True)
    outputs = model.predict(x, verbose=0)
    again = DeepSupervision(keras.losses.Huber(delta=0.1) + DiceCE(), [1, 0.5, 0.25])(one_hot, outputs, weight)
    assert values["loss"] == pytest.approx(float(again), rel=1e-5)

    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=x, y=one_hot, w=weight)
    code = """
import sys, json, keras, kerasmith, numpy as np
data = np.load(sys.argv[1] + "/data.npz")
model = keras.saving.load_model(sys.argv[1] + "/model.keras")
values = model.evaluate(data["x"], data["y"], sample_weight=data["w"], verbose=0, return_dict=True)
print(json.dumps([values, model.objective.terms[0].loss.get_config()]))
"""
    loaded, config = json.loads(fresh_process.run(code, tmp_path).splitlines()[-1])
    assert loaded == values
    assert (config["levels"], config["weights"]) == (None, [1, 0.5, 0.25])


def test_beside_other_terms_and_with_metrics():
    x, ids, _ = data()
    inputs = keras.Input((8, 4, 1))
    fine = keras.layers.Dense(3, activation="softmax")(inputs)
    coarse = keras.layers.Dense(3, activation="softmax")(keras.layers.MaxPooling2D(2)(inputs))
    model = kerasmith.Model(inputs, {"seg": [fine, coarse], "edge": keras.layers.Dense(1)(inputs)})
    model.compile("sgd", Objective({"seg": DeepSupervision(Dice(), levels=2), "edge": Term("mse", weight=0.1)}))
    got = model.evaluate(x, {"seg": ids, "edge": x}, verbose=0, return_dict=True)
    outputs = model.predict(x, verbose=0)
    assert got["seg"] == pytest.approx(float(DeepSupervision(Dice())(ids, outputs["seg"])), rel=1e-5)
    assert got["loss"] == pytest.approx(got["seg"] + 0.1 * np.square(outputs["edge"] - x).mean(), rel=1e-5)

    model = kerasmith.Model(inputs, [fine, coarse])
    # A sum whose number of outputs is not given has no columns for its parts.
    metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), None]
    model.compile("sgd", 0.5 * DeepSupervision(Dice()) + DeepSupervision(CrossEntropy()), metrics=metrics)
    model.fit(x, ids, verbose=0)
    got = model.evaluate(x, ids, verbose=0, return_dict=True)
    accuracy = next(value for key, value in got.items() if "accuracy" in key)
    assert accuracy == pytest.approx((model.predict(x, verbose=0)[0].argmax(-1) == ids).mean())
    assert len(got) == 3


def test_half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = network()
    finally:
        keras.config.set_dtype_policy(before)
    x, ids, _ = data()
    model.compile(keras.optimizers.Adam(0.03), DeepSupervision(DiceCE(), levels=3))
    losses = model.fit(x, ids, epochs=3, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_labels_for_each_output():
    x, ids, _ = data()
    model = network()
    model.compile("sgd", Objective({"seg": DeepSupervision(Dice())}))
    with pytest.raises(
        ValueError, match=r"'seg' compares all outputs with one array of labels, but `y` has 3 parts.*y={'seg'"
    ):
        model.evaluate(x, [ids, ids, ids], verbose=0)
