"""Pickles of arrays are read; anything else in them is not run."""

import pickle

import numpy as np
import pytest

from kerasmith.files.array_pickle import read_arrays

pytestmark = pytest.mark.host("reads files and runs nothing")


class Runs:
    def __reduce__(self):
        return print, ("run",)


def test_arrays(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": [np.float32([1, 2]), "text", 3]}
    # NumPy 2 writes another module's name; files of before have this one.
    text = pickle.dumps(arrays, protocol=3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "arrays.pkl").write_bytes(text)
    got = read_arrays(tmp_path / "arrays.pkl")
    np.testing.assert_array_equal(got["a"], arrays["a"])
    np.testing.assert_array_equal(got["b"][0], arrays["b"][0])
    assert got["b"][1:] == ["text", 3]


@pytest.mark.parametrize("given", [Runs(), {"a": Runs()}, np.array([Runs()]), print], ids=str)
def test_anything_else_is_refused(tmp_path, capsys, given):
    text = pickle.dumps(given, protocol=3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "bad.pkl").write_bytes(text)
    with pytest.raises(pickle.UnpicklingError):
        read_arrays(tmp_path / "bad.pkl")
    assert capsys.readouterr().out == ""
