"""Where samples come from: files in installed packages, random tiles of a large image."""

from kerasmith.data.geometry import Augmentation, TileMap
from kerasmith.data.tiles import RandomTiles
from kerasmith.data.wheel_data import MissingDataPackage, wheel_file

__all__ = ["Augmentation", "MissingDataPackage", "RandomTiles", "TileMap", "wheel_file"]
