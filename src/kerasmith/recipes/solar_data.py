"""2,624 photographs of solar cells by their own light, with the probability that each is defective."""

import dataclasses
import pathlib

import numpy as np
from PIL import Image

from kerasmith.data import wheel_file

SIDE = 100
_CELLS_OF_A_MODULE = 60


@dataclasses.dataclass(frozen=True)
class Cells:
    """Some of the cells.

    Attributes:
        images: (N, SIDE, SIDE, 2) float32, mean and minimum of each square of pixels, about 0 where a cell is as bright as
            most of itself.
        probability: (N, 1) float32: 0, 1/3, 2/3 or 1, as experts judged that the cell is defective.
        module: (N,) whole numbers.
    """

    images: np.ndarray
    probability: np.ndarray
    module: np.ndarray

    @property
    def exposure(self) -> np.ndarray:
        """(N,) float32: how sure the experts were, 1 of a clear cell and 1/3 of a doubtful one."""
        return np.abs(2 * self.probability[:, 0] - 1)

    @property
    def is_defective(self) -> np.ndarray:
        """(N, 1) booleans: more likely than not."""
        return self.probability > 0.5

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, chosen: np.ndarray) -> "Cells":
        return Cells(self.images[chosen], self.probability[chosen], self.module[chosen])


def load() -> Cells:
    """All cells, from the wheel of elpv-dataset (CC BY-NC-SA 4.0: for no commercial purpose), which is not imported.

    Raises:
        data.MissingDataPackage: when the package is not installed.
    """
    table = wheel_file("elpv_dataset", "data/labels.csv", extra="solar")
    rows = [line.split() for line in table.read_text().splitlines() if line.strip()]
    images = np.stack([normalised(reduced(_pixels(table.parent / name))) for name, *_ in rows])
    kinds = np.array([row[2] for row in rows])
    return Cells(images, np.array([[row[1]] for row in rows], np.float32), modules(kinds))


def modules(kinds: np.ndarray) -> np.ndarray:
    """The number of the module of each cell, (N,), from the list of kinds.

    The list goes module by module, and all cells of a module are of one kind. So each run of one kind is cut into equal parts
    of about 60 cells: 18 modules of monocrystalline and 26 of polycrystalline cells, as the authors of the data tell.

    >>> modules(np.array(["mono"] * 61 + ["poly"] * 119))[[0, 60, 61, 119, 121, 179]].tolist()
    [0, 0, 1, 1, 2, 2]
    """
    borders = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
    lengths = [
        len(part)
        for run in np.split(np.arange(len(kinds)), borders)
        for part in np.array_split(run, max(1, round(len(run) / _CELLS_OF_A_MODULE)))
    ]
    return np.repeat(np.arange(len(lengths)), lengths)


def parts(cells: Cells) -> tuple[Cells, Cells, Cells]:
    """(to train on, to calibrate with, held out): whole modules, of every eight with about as many defects five, one and two.

    >>> cells = Cells(np.zeros((16, 1, 1, 1)), np.arange(16.0)[::-1, None], np.arange(16))
    >>> [part.probability.ravel().tolist() for part in parts(cells)[1:]]
    [[12.0, 4.0], [14.0, 10.0, 6.0, 2.0]]
    """
    _, place = np.unique(cells.module, return_inverse=True)
    share = np.bincount(place, cells.probability[:, 0]) / np.bincount(place)
    rank = np.argsort(np.argsort(share, kind="stable"))[place] % 8
    held_out, calibration = np.isin(rank, (2, 6)), rank == 4
    return cells[~held_out & ~calibration], cells[calibration], cells[held_out]


def reduced(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A square image whose side is a multiple of `side`: mean and minimum of each square of pixels, (side, side, 2) float32.

    A crack is a thin dark line: the mean hides it.
    """
    step = image.shape[0] // side
    squares = image.reshape(side, step, side, step)
    return np.stack([squares.mean((1, 3)), squares.min((1, 3))], axis=-1).astype(np.float32)


def normalised(image: np.ndarray) -> np.ndarray:
    """The brightness beside that of the bright part of the same cell: modules were photographed for different times."""
    return image / max(float(np.percentile(image[..., 0], 90)), 1.0) - 0.8


def flipped(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> tuple:
    """A batch whose cells are mirrored at random, each way half of the time; for `data.WeightedBatches`."""
    across, down = rng.random((2, len(x), 1, 1, 1)) < 0.5
    x = np.where(across, x[:, :, ::-1], x)
    return np.where(down, x[:, ::-1], x), y, weight


def _pixels(path: pathlib.Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image, np.float32)
