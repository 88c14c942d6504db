"""Event files: whole records in the order of their names, distributions as NumPy counts them, readable by TensorFlow."""

import keras
import numpy as np
import pytest

from kerasmith.callbacks.event_file import EventFile, histogram_rows
from kerasmith.callbacks.tensorboard import TensorBoard
from tests.callbacks.runs import fit, model
from tests.callbacks.test_tensorboard import accumulated, read, tensors


def test_histograms_are_those_of_numpy(tmp_path):
    net = model()
    kept = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append({w.path: np.array(keras.ops.convert_to_numpy(w.value)) for w in net.weights})

    fit(net, [TensorBoard(tmp_path, histograms=2), Keep()])
    plugins = accumulated(tmp_path / "train").PluginTagToContent("histograms")
    assert set(plugins) == {w.path for w in net.weights}
    for path in plugins:
        found = tensors(tmp_path / "train", path)
        assert [step for step, _ in found] == [0, 2]
        for step, rows in found:
            values = kept[step][path].astype(float)
            assert rows[:, 2].sum() == values.size
            if np.ptp(values) == 0:
                np.testing.assert_array_equal(rows, [[values.min() - 0.5, values.min() + 0.5, values.size]])
                continue
            counts, edges = np.histogram(values, bins=30)
            np.testing.assert_array_equal(rows[:, 2], counts)
            np.testing.assert_allclose(rows[:, 0], edges[:-1], rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(rows[:, 1], edges[1:], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300, 3e38])
def test_histogram_edges_of_any_size(scale):
    values = np.random.default_rng(1).normal(size=500) * (scale if scale < 1e200 else scale / 8)
    rows = histogram_rows([*values, np.nan, np.inf, -np.inf])
    assert np.isfinite(rows).all()
    assert (rows[0, 0], rows[-1, 1], rows[:, 2].sum()) == (values.min(), values.max(), 500)
    np.testing.assert_array_equal(rows[1:, 0], rows[:-1, 1])


def test_histograms_of_nothing_and_of_one_value():
    assert histogram_rows([np.nan]).shape == histogram_rows([]).shape == (0, 3)
    np.testing.assert_array_equal(histogram_rows([2.0, 2.0]), [[1.5, 2.5, 2]])
    assert histogram_rows([1.0, np.nextafter(1.0, 2.0)])[:, 2].tolist() == [2]


def test_names_sort_in_the_order_of_writing(tmp_path):
    files = [EventFile(tmp_path, writer).path.name for writer in ("c", "b", "a")]
    assert files == sorted(files)


def test_a_write_that_fails_leaves_whole_records(tmp_path, monkeypatch):
    board = TensorBoard(tmp_path, flat=True)
    board.scalar("x", 1.0, 0)

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            self.file.write(data[:5])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("builtins.open", lambda *a, real=open, **k: Full(real(*a, **k)) if a[1:] == ("ab",) else real(*a, **k))
    with pytest.raises(OSError, match="No space"):
        board.scalar("x", 2.0, 1)
    monkeypatch.undo()
    board.scalar("x", 3.0, 2)
    assert read(tmp_path)["x"] == [(0, 1.0), (2, 3.0)]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's reader needs TensorFlow")
def test_tensorflow_reads_the_same(tmp_path):
    import tensorflow as tf

    net = model()
    logged = fit(net, [TensorBoard(tmp_path, flat=True, histograms=1)], epochs=1)
    (file,) = tmp_path.iterdir()
    values = {}
    for event in tf.compat.v1.train.summary_iterator(str(file)):
        values.update({value.tag: value for value in event.summary.value})
    assert values["loss"].simple_value == np.float32(logged["loss"][0])
    kernel = net.weights[0]
    rows = tf.make_ndarray(values[kernel.path].tensor)
    np.testing.assert_array_equal(rows[:, 2], np.histogram(kernel.numpy().astype(float), bins=30)[0])
    assert sum(1 for _ in tf.data.TFRecordDataset(str(file))) == 3
