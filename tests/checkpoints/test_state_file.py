"""The file of a checkpoint: reads back bit for bit, or not at all."""

import numpy as np
import pytest

from kerasmith.checkpoints import state_file

pytestmark = pytest.mark.host("NumPy and files")

TREE = {
    "numbers": [0, -3, 2**70, 0.1, -0.0, float("inf"), float("-inf"), float("nan"), True, None],
    "text": 'é "\n\x00',
    "arrays": [
        np.arange(6, dtype="float64").reshape(2, 3) / 7,
        np.array([np.nan, -0.0, np.inf], "float16"),
        np.array(5, "uint32"),
        np.zeros((0, 4), "int64"),
        np.array([True, False]),
        np.array(["ab", "c"]),
        np.arange(3, dtype=">i2"),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
    ],
    "empty": [{}, [], ""],
}


def _write(tree, path):
    state_file.write(path, state_file.pack(tree))
    return path


def test_reads_back_every_bit(tmp_path):
    read = state_file.read(_write(TREE, tmp_path / "a.state"))
    assert repr(read["numbers"]) == repr(TREE["numbers"])
    assert read["text"] == TREE["text"]
    assert read["empty"] == TREE["empty"]
    for array, saved in zip(read["arrays"], TREE["arrays"], strict=True):
        assert array.dtype == saved.dtype
        assert array.shape == saved.shape
        assert array.tobytes() == saved.tobytes()
        assert array.flags.writeable


def test_types_that_numpy_does_not_know(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="comes with TensorFlow and JAX only")
    saved = np.array([1.5, -2, np.inf], ml_dtypes.bfloat16)
    read = state_file.read(_write({"a": saved}, tmp_path / "a.state"))["a"]
    assert read.dtype == saved.dtype
    assert read.tobytes() == saved.tobytes()


def test_every_cut_and_every_flipped_bit_is_found(tmp_path):
    path = _write({"a": np.arange(4), "b": [1.5, "x"]}, tmp_path / "a.state")
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(state_file.Damaged):
            state_file.read(path)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        with pytest.raises(state_file.Damaged):
            state_file.read(path)
    path.write_bytes(whole + b"x")
    with pytest.raises(state_file.Damaged):
        state_file.read(path)
    with pytest.raises(state_file.Damaged, match="cannot be read"):
        state_file.read(tmp_path / "none.state")


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({"a": [1, object()]}, r"state\['a'\]\[1\]"),
        ({"a": {3: 1}}, r"keys of `state\['a'\]`"),
        ({"a": np.array([object()])}, "array of objects"),
        ({"__array__": 1}, "keys of `state`"),
    ],
)
def test_says_what_cannot_be_saved(tree, place):
    with pytest.raises(TypeError, match=place):
        state_file.pack(tree)


def test_failed_write_leaves_the_file_and_no_draft(tmp_path, monkeypatch):
    path = _write({"a": 1}, tmp_path / "a.state")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state_file.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        _write({"a": 2}, path)
    assert state_file.read(path) == {"a": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["a.state"]
