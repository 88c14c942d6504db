"""Domains: points lie where they should, everywhere equally often, and normals point out."""

import builtins

import numpy as np
import pytest

from kerasmith.physics import Ball, Box, Points, Polygon, sampling

pytestmark = pytest.mark.host("points are NumPy arrays alone")
RING = Ball([0.0, 0.0], 2) - Ball([0.5, 0.0], 1)
L_SHAPE = Box([0, 0], [2, 2]) - Box([1, 1], [2, 2])
L_POLYGON = Polygon([[0, 0], [0, 2], [1, 2], [1, 1], [2, 1], [2, 0]])
BITTEN = Box([0, 0], [1, 1], names="xy") - Ball([0, 0], 0.5)
DOMAINS = {
    "interval": Box(-1, 3),
    "box": Box([-1, 0, 2], [1, 1, 5]),
    "unequal axes": Box([0, 0], [1e6, 1e-3], names="xt"),
    "disk": Ball([1, 2], 0.5),
    "ball": Ball([1, 2, 3], 2),
    "polygon": L_POLYGON,
    "ring": RING,
    "L": L_SHAPE,
    "bitten": BITTEN,
    "union": Ball([0, 0], 1) | Box([0, 0], [2, 0.5]),
    "lens": Ball([0, 0], 1) & Ball([1, 0], 1),
    "two holes": Box([0, 0], [4, 1]) - Ball([1, 0.5], 0.3) - Ball([3, 0.5], 0.3),
    "disk over time": Ball([0, 0], 1, names="xy").over_time(1, 3),
    "ring over time": (Ball([0, 0], 1, names="xy") - Ball([0, 0], 0.5)).over_time(1, 3),
    "box in time without a disk": Box([-1, -1, 0], [1, 1, 2], names="xyt") - Ball([0, 0], 0.5, names="xy").over_time(0, 2),
}


def evenly(counts, shares, bound=4.5):
    """Whether the counts are those of the shares: chi-square in standard deviations from its mean."""
    shares = np.array(shares) / np.sum(shares)
    assert len(counts) == len(shares)
    expected = np.sum(counts) * shares
    chi_square = ((counts - expected) ** 2 / expected).sum()
    degrees = len(shares) - 1
    assert abs(chi_square - degrees) < bound * np.sqrt(2 * degrees), (counts, expected)


@pytest.mark.parametrize("name", DOMAINS)
def test_points_lie_in_the_domain_and_come_again(name):
    domain = DOMAINS[name]
    for method in ("uniform", "latin_hypercube", "sobol", "boundary"):
        draw = getattr(domain, method)
        points = draw(200, seed=3)
        assert points.x.dtype == "float32"
        assert points.x.shape == (200, domain.dimension)
        assert points.domain is domain
        assert domain.contains(points).all()
        np.testing.assert_array_equal(draw(200, seed=3).x, points.x)
        assert domain.dimension == 1 or (draw(200, seed=4).x != points.x).any()
        assert (points.normals is None) == (method != "boundary")
    # Out along the normal is outside, back is inside.
    points = domain.boundary(300, seed=1)
    np.testing.assert_allclose(np.linalg.norm(points.normals, axis=1), 1, atol=1e-6)
    x, step = points.x.astype("float64"), 1e-4 * (domain.high - domain.low) * points.normals
    assert domain.contains(x - step).mean() > 0.99  # but at edges
    assert (~domain.contains(x + step)).mean() > 0.99


def test_uniform_is_uniform_by_volume():
    x = Box([0, -1], [1, 3]).uniform(20000).x
    evenly(np.histogram2d(*x.T, bins=5, range=[(0, 1), (-1, 3)])[0].ravel(), np.ones(25))
    for dimension in (1, 2, 3, 6):
        x = Ball(np.ones(dimension), 2).uniform(20000).x - 1
        evenly(np.histogram((np.linalg.norm(x, axis=1) / 2) ** dimension, 10, (0, 1))[0], np.ones(10))
        evenly(np.bincount(x[:, 0] > 0), [1, 1])
    x = Ball([0, 0], 1).uniform(20000).x
    evenly(np.histogram(np.arctan2(*x.T), 8, (-np.pi, np.pi))[0], np.ones(8))
    for shape in (L_SHAPE, L_POLYGON):
        for method in ("uniform", "latin_hypercube", "sobol"):
            counts = np.histogram2d(*getattr(shape, method)(12000).x.T, bins=2, range=[(0, 2), (0, 2)])[0]
            assert counts[1, 1] == 0
            evenly(counts.ravel()[:3], np.ones(3))
    # Of the ring of area 3 pi, the half right of x = 0 lacks a disk of radius 1 with its centre at x = .5.
    cut = np.pi / 3 - np.sqrt(3) / 4  # of a unit disk beyond distance .5 from its centre: acos(.5) - .5 sqrt(.75)
    x = RING.uniform(20000).x
    evenly([(x[:, 0] > 0).sum(), (x[:, 0] <= 0).sum()], [2 * np.pi - (np.pi - cut * 1), 2 * np.pi - cut])
    x = DOMAINS["union"].uniform(20000).x
    parts = [np.linalg.norm(x, axis=1) <= 1, np.linalg.norm(x, axis=1) > 1]
    quarter = np.pi / 12 + np.sqrt(3) / 8  # of the unit disk, x > 0, 0 < y < .5
    evenly([part.sum() for part in parts], [np.pi, 1 - quarter])


def test_boundary_is_uniform_by_surface():
    points = Box([0, 0, 0], [1, 2, 3]).boundary(20000)
    faces = [(points.x[points.normals[:, axis] == side]) for axis in range(3) for side in (-1, 1)]
    np.testing.assert_allclose([len(face) for face in faces], np.repeat([6, 3, 2], 2) / 22 * 20000, atol=1)
    evenly(np.histogram2d(*faces[0][:, 1:].T, bins=4)[0].ravel(), np.ones(16))
    x = Ball([0, 0, 0], 3).boundary(20000).x
    evenly(np.histogram(x[:, 2], 10, (-3, 3))[0], np.ones(10))  # Archimedes
    for shape in (L_SHAPE, L_POLYGON):
        x = shape.boundary(16000).x
        sides = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
        evenly([np.isclose(x[:, axis], value, atol=1e-6).sum() for axis, value in sides], [2, 1, 1, 2, 1, 1])
    points = RING.boundary(20000)
    hole = np.linalg.norm(points.x, axis=1) < 1.99
    touching = np.linalg.norm(points.x - [0.5, 0], axis=1) < 1 + 1e-6
    assert (hole == touching).all()
    evenly([hole.sum(), (~hole).sum()], [1, 2])
    np.testing.assert_allclose(points.normals[hole], [0.5, 0] - points.x[hole], atol=1e-6)
    np.testing.assert_allclose(points.normals[~hole], points.x[~hole] / 2, atol=1e-6)
    # What the disk covers of the sides is gone, and of the circle the part outside of the box.
    x = BITTEN.boundary(20000).x
    arc = np.linalg.norm(x, axis=1) < 0.5 + 1e-6
    evenly([arc.sum(), (x[:, 0] == 0).sum(), (x[:, 1] == 0).sum(), (x == 1).any(axis=1).sum()], [np.pi / 4, 0.5, 0.5, 2])
    over = DOMAINS["disk over time"].boundary(20000)
    assert (over.normals[:, 2] == 0).all()
    evenly(np.histogram(over.x[:, 2], 8, (1, 3))[0], np.ones(8))
    cut = DOMAINS["box in time without a disk"].boundary(20000)
    evenly(np.bincount(np.abs(cut.x[:, :2]).max(axis=1) > 0.9), [np.pi, 8])


def test_surfaces_that_coincide_count_once():
    touching = Box([0, 0], [1, 1]) - Box([1, 0], [2, 1])  # takes nothing away
    x = touching.boundary(8000).x
    evenly([np.isclose(x[:, axis], value).sum() for axis in (0, 1) for value in (0, 1)], [1, 1, 1, 1])
    side_by_side = Box([0, 0], [1, 1]) | Box([1, 0], [2, 1])  # one box, without the seam
    x = side_by_side.boundary(9000).x
    evenly([np.isclose(x[:, axis], value).sum() for axis, value in ((0, 0), (0, 2), (1, 0), (1, 1))], [1, 1, 2, 2])
    same = Box([0, 0], [1, 1]) & Box([0, 0], [2, 1])
    x = same.boundary(8000).x
    evenly([np.isclose(x[:, axis], value).sum() for axis in (0, 1) for value in (0, 1)], [1, 1, 1, 1])


def test_strata_of_latin_hypercube_and_sobol():
    box = Box([-1, 0, 2], [1, 1, 5])
    for n in (1, 7, 100):
        unit = (box.latin_hypercube(n, seed=5).x - box.low) / (box.high - box.low)
        for axis in range(3):
            assert (np.sort((unit[:, axis] * n).clip(0, n - 1e-9)).astype(int) == np.arange(n)).all()
    unit = (box.sobol(256, seed=5).x - box.low) / (box.high - box.low)
    # A (t, m, s)-net: along each axis one point in each of 256 intervals; each of 8 octants has as many.
    assert all((np.sort((unit[:, axis] * 256).astype(int)) == np.arange(256)).all() for axis in range(3))
    assert (np.bincount((unit > 0.5) @ [1, 2, 4], minlength=8) == 32).all()


def test_times_faces_and_ends():
    box = Box([-1, 0], [1, 2], names="xt")
    assert set(box.boundary(100).x[:, 0].tolist()) == {-1.0, 1.0}
    first = box.initial(4000)
    assert (first.x[:, 1] == 0).all()
    evenly(np.histogram(first.x[:, 0], 8, (-1, 1))[0], np.ones(8))
    assert (DOMAINS["ring over time"].initial(50).x[:, 2] == 1).all()
    left, right = (box.face("x", side, 9, seed=2) for side in ("low", "high"))
    np.testing.assert_array_equal(left.x[:, 1], right.x[:, 1])
    assert (left.x[:, 0] == -1).all()
    assert (right.normals == [1, 0]).all()
    assert (box.face(1, "high", 3).x[:, 1] == 2).all()
    with_hole = Box(0, 1) - Box(0.4, 0.6)
    ends = with_hole.boundary(8)
    np.testing.assert_allclose(ends.x[:4, 0], [0, 0.4, 0.6, 1], rtol=1e-6)
    assert ends.normals[:4, 0].tolist() == [-1, 1, -1, 1]
    np.testing.assert_array_equal(ends.x[4:], ends.x[:4])
    top = Ball([0, 0], 1).boundary(2000, where=lambda x: x[:, 1] > 0).x
    evenly(np.histogram(np.arctan2(top[:, 1], top[:, 0]), 6, (0, np.pi))[0], np.ones(6))


def test_points():
    points = Box([0, 0], [1, 1], names="xy").boundary(6)
    assert np.asarray(points) is points.x
    assert np.asarray(points, "float64").dtype == "float64"
    assert points[2:4].normals.shape == (2, 2)
    assert points[0].shape == (2,)
    assert len(points[points.x[:, 0] >= 0]) == 6
    joined = Points.join([points, points[:1]])
    assert len(joined) == 7
    assert joined.names == ("x", "y")
    assert joined.domain is points.domain
    assert Points.join([points, Points([[0.0, 1.0]], names="xy")]).normals is None
    own = BITTEN.points([[0.9, 0.9]])
    assert own.domain is BITTEN
    assert own.names == ("x", "y")


def test_contains():
    assert L_POLYGON.contains([[0.5, 1.5], [1.5, 0.5], [1.5, 1.5], [1, 1], [2, 0], [2.001, 0]]).tolist() == [1, 1, 0, 1, 1, 0]
    assert RING.contains([[0.5, 0], [-0.4, 0], [-0.6, 0], [2, 0], [2.001, 0]]).tolist() == [0, 0, 1, 1, 0]
    assert Box(0, 1).contains([0.5, 1.5]).tolist() == [1, 0]


EMPTY = Box([0, 0], [1, 1]) - Ball([0.5, 0.5], 2)
BAD = [
    (lambda: Box([0, 1], [1, 1]), "below `high`"),
    (lambda: Box([0, 0], [1]), "one number for each axis"),
    (lambda: Box(0, np.inf), "finite"),
    (lambda: Box(1e9, 1e9 + 1), "float32"),
    (lambda: Box([0, 0], [1, 1], names="xyz"), "2 different names"),
    (lambda: Box([0, 0], [1, 1], names="xx"), "2 different names"),
    (lambda: Ball([0, 0], 0), "`radius`"),
    (lambda: Ball([0, 0], 1, names="xt"), "over_time"),
    (lambda: Polygon([[0, 0], [1, 1]]), "three corners"),
    (lambda: Polygon([[0, 0], [1, 1], [1, 0], [0, 1]]), "cross or touch"),
    (lambda: Polygon([[0, 0], [2, 0], [1, 0], [1, 1]]), "lie on each other|cross or touch"),
    (lambda: Polygon([[0, 0], [4, 0], [2, 2], [2, 0], [2, 2.5]]), "cross or touch"),
    (lambda: Polygon([[0, 0], [0, 0], [1, 1]]), "the same"),
    (lambda: Polygon([[0, 0], [1, 1], [2, 2]]), "lie on each other"),
    (lambda: Polygon([[0, 0, 0], [1, 1, 0], [2, 2, 1]]), r"\(N, 2\)"),
    (lambda: Box(0, 1) - Ball([0, 0], 1), "same number of axes"),
    (lambda: Box([0, 0], [1, 1], names="xy") - Box([0, 0], [1, 1], names="xt"), "same names"),
    (lambda: Box(0, 1) & Box(2, 3), "Nothing is in both"),
    (lambda: Box(0, 1).over_time(0, 1), "Name the axes"),
    (lambda: Box(0, 1, names="x").over_time(1, 1), "`high`"),
    (lambda: Box(0, 1).uniform(0), "`n`"),
    (lambda: Box(0, 1).uniform(-3), "`n`"),
    (lambda: Box(0, 1).sobol(2, seed=-1), "`seed`"),
    (lambda: Box(0, 1).initial(2), 'names="xt"'),
    (lambda: Box(0, 1, names="t").boundary(2), "`initial"),
    (lambda: Box(0, 1).points([0.5, 1.5]), "1 of 2 points lie outside"),
    (lambda: Box(0, 1).contains([[0, 1]]), r"\(N, 1\)"),
    (lambda: Box([0, 0], [1, 1], names="xy").face("z", "low"), "'x', 'y', 0, 1"),
    (lambda: Box(0, 1).face(0, "left"), "'low', 'high'"),
    (lambda: Box([0, 0], [1, 1]).boundary(2, where=lambda x: x), "one boolean per point"),
    (lambda: EMPTY.uniform(3), "covers a is empty"),
    (lambda: EMPTY.boundary(3), "nothing to draw"),
    (lambda: EMPTY.latin_hypercube(3), "empty"),
    (lambda: Points([[0, np.nan]]), "finite"),
    (lambda: Points([0.0, 1.0]), r"\(N, D\)"),
    (lambda: Points([[0.0, 1.0]], normals=[[1, 1]]), "length 1"),
    (lambda: Points([[0.0, 1.0]], normals=[1, 0]), "one vector for each"),
    (lambda: Points.join([Points([[0.0]]), Points([[0.0, 1.0]])]), "same axes"),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_mistakes_are_named(number, monkeypatch):
    monkeypatch.setattr(sampling, "EMPTY", 1 << 12)
    make, message = BAD[number]
    with pytest.raises(ValueError, match=message):
        make()


def test_other_kinds_are_refused(monkeypatch):
    with pytest.raises(TypeError):
        Box(0, 1) - np.ones(1)
    with pytest.raises(TypeError, match="whole number"):
        Box(0, 1).uniform(2.5)
    load = builtins.__import__
    monkeypatch.setattr(
        builtins,
        "__import__",
        lambda name, *args: (_ for _ in ()).throw(ImportError(name)) if name.startswith("scipy") else load(name, *args),
    )
    with pytest.raises(ImportError, match="pip install scipy"):
        Box(0, 1).sobol(4)
