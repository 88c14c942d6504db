"""By what samples are known again: not by their order, and by each of them."""

from pathlib import Path

import keras
import numpy as np
import pytest

from kerasmith.checkpoints.dataset_samples import dataset_samples
from kerasmith.checkpoints.sample_set import sample_set

pytestmark = pytest.mark.host("hashes of what a dataset holds")

RNG = np.random.default_rng(0)
ORDER = RNG.permutation(60)
IMAGES = RNG.integers(0, 255, (60, 40, 30, 3), dtype="uint8")
NAMES = [f"/data/a/{i}.png" for i in range(60)]
KINDS = {
    "images": IMAGES,
    "floats": RNG.random((60, 500)),
    "numbers": RNG.integers(0, 9, 60),
    "labels": RNG.random(60) > 0.5,
    "complex": RNG.random((60, 2)) * 1j,
    "times": np.arange(60).astype("datetime64[D]"),
    "text": np.array(NAMES),
    "names": NAMES,
    "pairs": [(name, i % 7) for i, name in enumerate(NAMES)],
    "rows": [{"file": name, "boxes": RNG.random((i % 3, 4))} for i, name in enumerate(NAMES)],
    "sizes": [RNG.random((i % 5 + 1, 3)) for i in range(60)],
    "paths": [Path(name) for name in NAMES],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_does_not_count_and_each_sample_does(kind):
    samples = KINDS[kind]
    is_array = isinstance(samples, np.ndarray)
    shuffled = samples[ORDER] if is_array else [samples[i] for i in ORDER]
    known, other = sample_set(samples), sample_set(shuffled)
    assert known.samples == other.samples
    assert known.exact != other.exact
    assert sample_set(samples.copy() if is_array else list(samples)) == known
    for fold in range(5):
        kept = [i for i in range(60) if i % 5 != fold]
        if kind != "labels":  # folds of a few values may have the same ones
            assert sample_set(samples[kept] if is_array else [samples[i] for i in kept]).samples != known.samples
    longer = np.concatenate([samples, samples[:1]]) if is_array else [*samples, samples[0]]
    assert sample_set(longer).samples != known.samples


def test_which_label_belongs_to_which_file_counts():
    assert sample_set(KINDS["pairs"]).samples != sample_set([(name, (i + 1) % 7) for i, name in enumerate(NAMES)]).samples


def test_directories():
    """The same files may lie elsewhere on the next machine."""
    moved = [name.replace("/data/a", "/scratch/job-7") for name in NAMES]
    assert sample_set(moved).samples == sample_set(NAMES).samples
    assert sample_set(moved).exact != sample_set(NAMES).exact
    windows = [name.replace("/", "\\") for name in NAMES]
    assert sample_set(windows).samples == sample_set(NAMES).samples


def test_kinds_of_one_array(tmp_path):
    same = [KINDS["floats"], KINDS["floats"].astype("float32"), keras.ops.convert_to_tensor(KINDS["floats"], "float32")]
    assert len({sample_set(one) for one in same}) == 1
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", IMAGES[ORDER])
    one, other = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
    assert sample_set(one) != sample_set(other)
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": KINDS["numbers"], "b": NAMES})
    assert sample_set(table).samples == sample_set(table.iloc[ORDER]).samples != sample_set(table[:-1]).samples
    for nothing in ([], np.zeros((0, 3)), {}, [object()], object()):
        assert sample_set(nothing) is None


def test_what_a_dataset_holds():
    class Data(keras.utils.PyDataset):
        def __init__(self):
            super().__init__(workers=3)
            self.x, self.fold, self.size, self.rng = IMAGES, 2, (40, 30), np.random.default_rng()
            self.itself, self.augment = self, lambda x: x

    found = dataset_samples(Data())
    assert list(found.samples) == ["x"]
    assert found.options == {"fold": 2, "size": [40, 30]}
