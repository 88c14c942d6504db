"""The average brain of 152 people with its grey and white matter, cut into slices, and what a scanner would show of it."""

import dataclasses
import gzip
import itertools
import struct

import numpy as np

from kerasmith.data import wheel_file

TISSUES = ("grey", "white")
HELD_OUT = (24, 44)
"""The first held-out slice of 90, from back to front, and the first behind the slab."""

FIELD, NOISE, TILE = 0.2, 0.03, 64

_SHAPE = (197, 233, 189)
_HEADER = 352


@dataclasses.dataclass(frozen=True)
class Slices:
    """Some slices of the brain, from back to front.

    Attributes:
        images: (N, H, W, 3) float32: a slice between its two neighbours, as channels.
        masks: {tissue: (N, H, W, 1) float32, 0 or 1}.
    """

    images: np.ndarray
    masks: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.images)


def load() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The brain and {tissue: share}, (90, 80, 80) each: slices from back to front, 2 mm a voxel.

    The template ICBM152 2009a, symmetric, from the wheel of nilearn, which is not imported (Fonov et al. 2011; free to use,
    copy and distribute with its notice).

    Raises:
        data.MissingDataPackage: when nilearn is not installed.
    """
    t1, grey, white = (_volume(kind) for kind in ("t1", "gm", "wm"))
    return t1 / t1.max(), {"grey": grey / grey.max(), "white": white / white.max()}


def split(brain: np.ndarray, shares: dict[str, np.ndarray], held_out: tuple[int, int] = HELD_OUT) -> tuple[Slices, Slices]:
    """The slices to train on and the slab that is held out.

    A slice is seen with its two neighbours, so that two slices on either side of the slab belong to neither part. Slices go
    from back to front because left and right of this template are mirror images.
    """
    first, last = held_out
    slices = np.arange(1, len(brain) - 1)
    train = slices[(slices < first - 2) | (slices >= last + 2)]
    return tuple(_slices(brain, shares, chosen) for chosen in (train, np.arange(first, last)))


def scanned(image: np.ndarray, rng: np.random.Generator, field: float = FIELD, noise: float = NOISE) -> np.ndarray:
    """The brain as a scanner shows it: brighter here than there, and with noise. What is no brain stays 0.

        sqrt((v f + a)^2 + b^2)   f: quadratic in the place, from 1 - field to 1 + field; a, b: normal, deviation `noise`

    Args:
        image: (D, H, W) or (H, W, neighbours) brightness, white matter about .9.
        rng: of the field and the noise.
        field: how far it goes, within [0, 1).
        noise: >= 0.

    Returns:
        The same shape, float32.

    Reference: Sled, Zijdenbos and Evans, "A nonparametric method for automatic correction of intensity nonuniformity in MRI
    data", 1998; Gudbjartsson and Patz, "The Rician distribution of noisy MRI data", 1995.
    """
    inside = image > 0
    if not inside.any():
        return image.astype(np.float32)
    place = np.meshgrid(*((np.arange(size) - size / 2) / 40 for size in image.shape), indexing="ij", sparse=True)
    terms = [*place, *(p * q for p, q in itertools.combinations_with_replacement(place, 2))]
    shading = sum(weight * term for weight, term in zip(rng.normal(size=len(terms)), terms, strict=True))
    lowest, highest = shading[inside].min(), shading[inside].max()
    shading = (2 * shading - lowest - highest) / max(highest - lowest, 1e-9)
    a, b = rng.standard_normal((2, *image.shape), dtype=np.float32) * noise
    return (np.hypot(image * (1 + field * shading) + a, b) * inside).astype(np.float32)


def augmented(x: np.ndarray, y: dict[str, np.ndarray], rng: np.random.Generator, tile: int = TILE) -> tuple:
    """A tile of each slice of a batch, scanned anew: other fields, noise and brightness; for `data.WeightedBatches`."""
    views, masks = [], {name: [] for name in y}
    for i, image in enumerate(x):
        row, column = (rng.integers(size - tile + 1) for size in image.shape[:2])
        cut = np.s_[row : row + tile, column : column + tile]
        seen = scanned(image[cut], rng, field=rng.uniform(0, 1.2 * FIELD), noise=rng.uniform(0, 1.5 * NOISE))
        views.append(seen * np.float32(rng.uniform(0.85, 1.15)))
        for name, mask in y.items():
            masks[name].append(mask[i][cut])
    return np.stack(views), {name: np.stack(values) for name, values in masks.items()}


def _slices(brain, shares, chosen):
    images = np.stack([brain[chosen - 1], brain[chosen], brain[chosen + 1]], -1).astype(np.float32)
    return Slices(images, {name: (shares[name][chosen] > 0.5)[..., None].astype(np.float32) for name in TISSUES})


def _volume(kind):
    """(90, 80, 80) means of 2 x 2 x 2 voxels of 1 mm; what is left out has no grey or white matter."""
    name = f"datasets/data/mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
    data = gzip.decompress(wheel_file("nilearn", name).read_bytes())
    if struct.unpack("<3h", data[42:48]) != _SHAPE or len(data) != _HEADER + np.prod(_SHAPE):
        raise ValueError(f"Expected a volume of {_SHAPE} bytes in {name} of nilearn. Update nilearn to a version that has it.")
    volume = np.frombuffer(data, np.uint8, offset=_HEADER).reshape(_SHAPE, order="F").astype(np.float32)
    volume = np.pad(volume, ((0, 0), (0, 0), (3, 0)))[2:194, 4:228]
    across, along, up = (size // 2 for size in volume.shape)
    small = volume.reshape(across, 2, along, 2, up, 2).mean((1, 3, 5))
    return small.transpose(1, 2, 0)[12:102, ::-1][:, 16:, 8:88]
