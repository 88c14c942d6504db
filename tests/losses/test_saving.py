"""Losses in a saved model: loaded in a fresh process without `custom_objects`, they give the same number."""

import json

import keras
import numpy as np
import pytest

from kerasmith import losses, metrics
from tests.losses.battery import ROWS, batch
from tests.support import fresh_process

EVALUATE = """
import json, sys
import {first}
import {second}
import numpy as np
data = np.load(sys.argv[1] + "/data.npz")
results = {{}}
for name in json.loads(sys.argv[2]):
    model = keras.saving.load_model(f"{{sys.argv[1]}}/{{name}}.keras")
    results[name] = model.evaluate(data["x"], data["y"], verbose=0, return_dict=True)
print(json.dumps(results))
"""


@pytest.mark.parametrize(("first", "second"), [("kerasmith", "keras"), ("keras", "kerasmith")])
def test_loads_in_a_fresh_process(tmp_path, first, second):
    data = batch(1)
    np.savez(tmp_path / "data.npz", x=data.y_pred, y=data.y_true)
    expected = {}
    for number, row in enumerate(ROWS):
        model = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
        model.compile(
            "sgd",
            row.build(ignore_class=7, name="kept"),
            metrics=[
                metrics.DiceScore(threshold=0.4),
                metrics.IoU(average=None, per="dataset"),
                metrics.LesionDetection(min_size=2),
            ],
        )
        model.fit(data.y_pred, data.y_true, verbose=0)
        model.save(tmp_path / f"{number}.keras")
        expected[str(number)] = model.evaluate(data.y_pred, data.y_true, verbose=0, return_dict=True)
    code = EVALUATE.format(first=first, second=second)
    got = json.loads(fresh_process.run(code, tmp_path, json.dumps(list(expected))).splitlines()[-1])
    assert got.keys() == expected.keys()
    for name, numbers in expected.items():
        assert got[name] == pytest.approx(numbers, rel=1e-5, nan_ok=True), str(ROWS[int(name)])


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
