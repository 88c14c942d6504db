"""A saved model, in this process and in a fresh one, and a training that goes on bit for bit."""

import keras
import numpy as np

from kerasmith.callbacks import Resume
from tests.adversarial.networks import Y, everything, values
from tests.support import fresh_process


def fit(model, epochs=1, **keywords):
    return model.fit(Y, batch_size=5, epochs=epochs, verbose=0, shuffle=False, **keywords).history


def test_a_loaded_model_trains_on_as_the_saved_one_would(tmp_path):
    model = everything()
    fit(model)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "before.npz", *model.predict(Y[:3, :2], verbose=0))
    history = fit(model)
    code = """
import sys, json, pathlib, keras, kerasmith, numpy as np
from tests.adversarial.networks import Y, size, values
folder = pathlib.Path(sys.argv[1])
model = keras.saving.load_model(folder / "model.keras")
before = list(np.load(folder / "before.npz").values())
np.testing.assert_array_equal(model.predict(Y[:3, :2], verbose=0), before)
for layer in model.generator.layers + model.discriminator.layers:
    if isinstance(layer, keras.layers.Dropout):
        layer.seed_generator.state.assign(json.loads(sys.argv[2])[layer.seed])
history = model.fit(Y, batch_size=5, verbose=0, shuffle=False).history
print(json.dumps(history))
np.savez(folder / "after.npz", *values(model))
"""
    import json

    # Keras keeps the seeds of dropout out of its files.
    twin = everything()
    fit(twin)
    dropouts = [layer for part in (twin.generator, twin.discriminator) for layer in part.layers if hasattr(layer, "rate")]
    seeds = {layer.seed: keras.ops.convert_to_numpy(layer.seed_generator.state).tolist() for layer in dropouts}
    again = fresh_process.run(code.replace("[layer.seed]", "[str(layer.seed)]"), tmp_path, json.dumps(seeds))
    assert json.loads(again.splitlines()[-1]) == history
    for one, other in zip(values(model), np.load(tmp_path / "after.npz").values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_resumed_training_is_the_same_bit_for_bit(tmp_path):
    whole = everything()
    expected = fit(whole, epochs=3)
    fit(everything(), epochs=1, callbacks=[Resume(tmp_path, every=1, verbose=0)])
    model = everything()
    history = fit(model, epochs=3, callbacks=[Resume(tmp_path, every=1, verbose=0)])
    assert history == expected
    for one, other in zip(values(whole), values(model), strict=True):
        assert one.tobytes() == other.tobytes()
