"""Losses in a saved model: loaded in a fresh process without `custom_objects`, they give the same number."""

import json

import keras
import numpy as np
import pytest

from kerasmith import losses, metrics
from tests.losses.battery import OTHER_ROWS, ROWS, batch
from tests.support import fresh_process

EVALUATE = """
import json, sys
import {first}
import {second}
import numpy as np
data = np.load(sys.argv[1] + "/data.npz")
model = keras.saving.load_model(f"{{sys.argv[1]}}/model.keras")
print(json.dumps(model.evaluate(data["x"], data["y"], verbose=0, return_dict=True)))
"""

CALL = """
import json, sys
import keras, kerasmith
import numpy as np
import tests.support.loss_functions
data = np.load(sys.argv[1] + "/data.npz")
values = []
for number, config in enumerate(json.load(open(sys.argv[1] + "/losses.json"))):
    loss = keras.saving.deserialize_keras_object(config)
    values.append(float(loss(data[f"y_true_{number}"], data[f"y_pred_{number}"])))
print(json.dumps(values))
"""


@pytest.mark.heavy("starts a process that imports the backend anew", on=("jax", "tensorflow"), seconds=5)
@pytest.mark.parametrize(("first", "second"), [("kerasmith", "keras"), ("keras", "kerasmith")])
def test_a_model_loads_in_a_fresh_process(tmp_path, first, second):
    data = batch(1)
    np.savez(tmp_path / "data.npz", x=data.y_pred, y=data.y_true)
    model = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    scores = [
        metrics.DiceScore(threshold=0.4),
        metrics.IoU(average=None, per="dataset"),
        metrics.LesionDetection(min_size=2),
    ]
    model.compile("sgd", 0.7 * losses.FocalTversky(ignore_class=7, name="kept") + losses.DiceCE(), metrics=scores)
    model.fit(data.y_pred, data.y_true, verbose=0)
    model.save(tmp_path / "model.keras")
    expected = model.evaluate(data.y_pred, data.y_true, verbose=0, return_dict=True)
    got = json.loads(fresh_process.run(EVALUATE.format(first=first, second=second), tmp_path).splitlines()[-1])
    assert got == pytest.approx(expected, rel=1e-5, nan_ok=True)


@pytest.mark.heavy("starts a process that imports the backend anew", on=("jax", "tensorflow"), seconds=8)
def test_every_loss_loads_in_a_fresh_process(tmp_path):
    rows, arrays, configs, expected = [*ROWS, *OTHER_ROWS], {}, [], []
    for number, row in enumerate(rows):
        y_true, y_pred = row.batch()
        loss = row.build(name="kept", reduction="sum")
        arrays.update({f"y_true_{number}": y_true, f"y_pred_{number}": y_pred})
        configs.append(keras.saving.serialize_keras_object(loss))
        expected.append(float(loss(y_true, y_pred)))
    np.savez(tmp_path / "data.npz", **arrays)
    (tmp_path / "losses.json").write_text(json.dumps(configs))
    got = json.loads(fresh_process.run(CALL, tmp_path).splitlines()[-1])
    for row, ours, theirs in zip(rows, got, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5), str(row)


def test_config_is_json():
    loss = losses.FocalTversky(np.float32(0.6), class_weights=(1, 2), dtype=keras.DTypePolicy("mixed_bfloat16"))
    text = json.dumps(keras.saving.serialize_keras_object(loss))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert again.alpha == pytest.approx(0.6)
    assert list(again.class_weights) == [1, 2]
    assert again.dtype == "bfloat16"


@keras.saving.register_keras_serializable("tests")
class Offset(losses.Dice):
    """A subclass as a user writes it: no get_config."""

    def __init__(self, offset, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.offset = offset
        self.inner = inner

    def class_losses(self, sums):
        return super().class_losses(sums) + self.offset


def test_subclass_keeps_its_arguments_without_get_config():
    loss = Offset(2, inner=losses.Jaccard(smooth=3), scope="batch", from_logits=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert (again.offset, again.scope, again.from_logits, again.inner.smooth) == (2, "batch", True, 3)
    assert again.get_config() == loss.get_config()
