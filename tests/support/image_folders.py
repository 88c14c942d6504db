"""Small folders of images and masks."""

import pathlib

import numpy as np
from PIL import Image


def write_pairs(
    folder: pathlib.Path,
    count: int = 5,
    shape: tuple[int, ...] = (32, 40),
    classes: int = 1,
    seed: int = 0,
    instances: bool = False,
) -> pathlib.Path:
    """`images` and `masks` of bright squares, and `config.yaml` of three lines; returns its path. Volumes are .npy files."""
    rng = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        mask = np.zeros(shape, np.uint8)
        for number in range(2 if classes == 1 else classes):
            corner = [int(rng.integers(0, side - 8)) for side in shape]
            mask[tuple(slice(start, start + 8) for start in corner)] = number + 1 if instances or classes > 1 else 1
        image = ((mask > 0) * 90 + rng.normal(60, 8, shape)).clip(0, 255).astype(np.uint8)
        for name, array in (("images", image), ("masks", mask)):
            if len(shape) == 2:
                Image.fromarray(array).save(folder / name / f"p{i}.png")
            else:
                np.save(folder / name / f"p{i}.npy", array)
    config = folder / "config.yaml"
    config.write_text(f"images: images\nmasks: masks\nclasses: {classes + 1}\n")
    return config
