import numpy as np
import pytest
from skimage.measure import label, regionprops

from kerasmith.recipes.images.channels import with_channels
from kerasmith.recipes.images.image_file import ImageFile
from kerasmith.recipes.images.mask_picture import COLOURS, mask_picture
from kerasmith.recipes.images.object_rows import columns, object_rows

pytestmark = pytest.mark.host("counts pixels with NumPy")

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(30, 40), (8, 12, 10)])
def test_rows_equal_scikit_image(shape):
    mask = np.where(RNG.random(shape) < 0.75, 0, RNG.integers(1, 3, shape))
    probabilities = RNG.random((*shape, 2))
    rows = object_rows(mask, ["background", "a", "b"], probabilities=probabilities, spacing=(0.5, 2.0, 3.0)[: len(shape)])
    expected = [
        (name, region)
        for index, name in ((1, "a"), (2, "b"))
        for region in regionprops(label(mask == index), intensity_image=probabilities[..., index - 1])
    ]
    assert [row["object"] for row in rows] == list(range(1, len(expected) + 1))
    key = lambda entry: entry  # noqa: E731  (both sides in one order)
    unit = np.prod((0.5, 2.0, 3.0)[: len(shape)])
    axes = ("row", "column") if len(shape) == 2 else ("plane", "row", "column")
    found = [
        (
            row["class"],
            row["pixels"],
            *(round(row[axis], 6) for axis in axes),
            round(row["probability"], 6),
            round(row["size"], 6),
        )
        for row in rows
    ]
    wanted = [
        (name, int(r.area), *(round(c, 6) for c in r.centroid), round(r.intensity_mean, 6), round(r.area * unit, 6))
        for name, r in expected
    ]
    assert sorted(found, key=key) == sorted(wanted, key=key)
    boxes = sorted(tuple(row[f"{axis}_{end}"] for end in ("from", "to") for axis in axes) for row in rows)
    assert boxes == sorted(tuple(r.bbox) for _, r in expected)
    assert tuple(rows[0]) == columns(len(shape))


def test_instances_keep_their_ids_and_edges_are_named():
    mask = np.zeros((6, 6), int)
    mask[0, 1], mask[2:4, 2], mask[2:4, 3] = 70000, 5, 9
    rows = object_rows(mask, ["background", "cell"], instances=True)
    assert [(row["object"], row["pixels"], row["at_edge"]) for row in rows] == [(5, 2, 0), (9, 2, 0), (70000, 1, 1)]
    assert object_rows(np.zeros((3, 3), int), ["background", "cell"]) == []


def test_the_picture_has_outlines_and_tints():
    mask = np.zeros((9, 9), int)
    mask[2:7, 2:7] = 1
    picture = mask_picture(np.tile(np.linspace(0, 1, 9), (9, 1))[..., None], mask)
    assert (picture[2, 2] == COLOURS[0]).all()
    assert (picture[0, 8] == 255).all()
    assert not (picture[4, 4] == picture[4, 4, 0]).all()
    volume = np.zeros((9, 9, 5), int)
    volume[..., 3] = mask
    np.testing.assert_array_equal(
        mask_picture(np.zeros((9, 9, 5, 2)), volume, depth_axis=2), mask_picture(np.zeros((9, 9, 2)), mask)
    )
    with pytest.raises(ValueError, match=r"\(9, 9\)"):
        mask_picture(np.zeros((9, 9, 1)), mask[1:])


def test_only_an_opaque_channel_is_dropped(tmp_path):
    colours = RNG.integers(0, 255, (4, 5, 4), np.uint8)
    opaque = colours.copy()
    opaque[..., 3] = 255
    image = ImageFile(opaque, None, None, tmp_path / "a.png")
    np.testing.assert_array_equal(with_channels(image, 3).array, opaque[..., :3])
    assert with_channels(image, 4) is image
    for array, channels in ((colours, 3), (opaque, 1), (opaque[..., :1], 3)):
        with pytest.raises(ValueError, match=rf"a\.png.*has {array.shape[-1]} channel.*takes {channels}.*convert"):
            with_channels(ImageFile(array, None, None, tmp_path / "a.png"), channels)
    with pytest.raises(ValueError, match="moveaxis"):
        with_channels(ImageFile(np.zeros((3, 8, 9)), None, None, tmp_path / "a.npy"), 3)
