"""Surfaces of binary images: where they are and how large their elements are. NumPy in, NumPy out.

Outside the image is background, so an object that touches the rim has a surface there. Two definitions are in use:

"voxels": the voxels of the object with a background neighbour across a face (an edge in 2-D); each counts once.
"dual_grid": the corners of voxels whose 2 x 2 x 2 (2 x 2) surrounding voxels are neither all object nor all background. The
surface passes through the middles of the lines between object and background voxels; the area (length) of its part in that
cell is the size of the element.
"""

import functools
import itertools
import math

import numpy as np


def border_voxels(mask: np.ndarray) -> np.ndarray:
    """True on voxels of the object that have a background neighbour across a face."""
    inner = mask.copy()
    for axis in range(mask.ndim):
        along = np.moveaxis(inner, axis, 0)
        given = np.moveaxis(mask, axis, 0)
        along[1:] &= given[:-1]
        along[:-1] &= given[1:]
        along[0] = along[-1] = False
    return mask & ~inner


def dual_codes(mask: np.ndarray) -> np.ndarray:
    """For each corner of the voxels (each size one larger): which of the voxels around it belong to the object, as bits.

    Bit sum_i 2**i d_i with d in {0, 1}^rank is set if the voxel on side d of the corner is in the object.
    """
    # One axis after the other: pairs of voxels, then pairs of pairs.
    codes = mask.astype(np.uint8)
    for axis in range(mask.ndim):
        shape = list(codes.shape)
        shape[axis] += 1
        pairs = np.zeros(shape, np.uint8)
        np.moveaxis(pairs, axis, 0)[1:] = np.moveaxis(codes, axis, 0)
        np.moveaxis(pairs, axis, 0)[:-1] |= np.moveaxis(codes, axis, 0) << (1 << axis)
        codes = pairs
    return codes


@functools.lru_cache(maxsize=64)
def element_sizes(spacing: tuple[float, ...]) -> np.ndarray:
    """The area (3-D) or length (2-D) of the surface in a cell of the dual grid, for each code of `dual_codes`.

    Args:
        spacing: tuple of the 2 or 3 voxel sizes.
    """
    rank = len(spacing)
    full = 2 ** (2**rank) - 1
    sizes = np.zeros(full + 1)
    for code in range(1, full):
        inside = [corner for bit, corner in enumerate(_corners(rank)) if code >> bit & 1]
        if len(inside) > 2 ** (rank - 1):  # the surface of the object is that of the background
            inside = [corner for corner in _corners(rank) if corner not in inside]
        sizes[code] = sum(_size(piece, spacing) for part in _connected(inside) for piece in _pieces(part))
    return sizes


def _corners(rank):
    return [corner[::-1] for corner in itertools.product((0, 1), repeat=rank)]


def _connected(corners):
    """Splits corners of a cube into groups that its edges connect."""
    groups = []
    for corner in corners:
        near = [g for g in groups if any(sum(a != b for a, b in zip(corner, other)) == 1 for other in g)]
        groups = [g for g in groups if g not in near] + [[corner, *itertools.chain.from_iterable(near)]]
    return groups


def _pieces(part):
    """The flat pieces of the surface between connected corners and the rest of a unit cell, as vectors.

    A piece is its normal times its size, without signs. In 3-D: a triangle around one corner; a rectangle along an edge; three
    corners of a face, a triangle above the face and a trapezoid; a whole face; a corner with its three neighbours, a hexagon;
    a chain of four corners through all directions, one large triangle and three at its sides.
    """
    rank, count = len(part[0]), len(part)
    moves = np.array([sum(a[i] != b[i] for a, b in itertools.combinations(part, 2)) for i in range(rank)])
    one = np.ones(rank)
    if rank == 2:
        return [one / 2] if count == 1 else [1.0 * (moves == 0)]
    if count == 1:
        return [one / 8]
    if count == 2:
        return [(moves == 0) / 2]
    flat = moves == 0  # the direction across a face
    if count == 3:
        return [flat / 2, one * 3 / 8]
    if flat.any():
        return [1.0 * flat]
    if len(set(moves)) == 1:
        return [one * 3 / 4]
    middle = moves == moves.max()  # two of the four corners lie on either side along the middle step of the chain
    return [one * 3 / 8, one / 8] + [(middle | side) / 4 for side in np.eye(3, dtype=bool)[~middle]]


def _size(vector, spacing):
    """The size of a piece of a unit cell in a cell of the given sizes."""
    volume = math.prod(spacing)
    return math.hypot(*(component * volume / size for component, size in zip(vector, spacing)))
