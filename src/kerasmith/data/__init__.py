"""Where samples come from: files in installed packages, random tiles of a large image, batches drawn by weight."""

from kerasmith.data._balanced_weights import balanced_weights
from kerasmith.data._signed_distance_maps import signed_distance_maps
from kerasmith.data.geometry import Augmentation, TileMap
from kerasmith.data.tiles import RandomTiles
from kerasmith.data.weighted_batches import WeightedBatches
from kerasmith.files.wheel_data import MissingDataPackage, wheel_file

__all__ = [
    "Augmentation",
    "MissingDataPackage",
    "RandomTiles",
    "TileMap",
    "WeightedBatches",
    "balanced_weights",
    "signed_distance_maps",
    "wheel_file",
]


def __dir__() -> list[str]:
    return __all__
