import numpy as np
import pytest
from PIL import Image

from kerasmith.recipes.images.image_paths import list_images
from kerasmith.recipes.images.pairs import find_pairs

pytestmark = pytest.mark.host("looks at the names of files")


def make(folder, *names, size=(4, 5)):
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.fromarray(np.zeros(size, np.uint8)).save(folder / name)


def names(pairs):
    return [(pair.name, pair.image.name, pair.mask.name) for pair in pairs]


def test_by_name_and_by_ending(tmp_path):
    make(tmp_path / "i", "a.png", "b_image.jpg", "c.tif", "d_0000.png", "e_mask.png")
    make(tmp_path / "m", "a.tif", "b_mask.png", "c-Segmentation.png", "d.png", "e_mask.png")
    (tmp_path / "i" / "notes.txt").touch()
    assert names(find_pairs(tmp_path / "i", tmp_path / "m")) == [
        ("a", "a.png", "a.tif"),
        ("b", "b_image.jpg", "b_mask.png"),
        ("c", "c.tif", "c-Segmentation.png"),
        ("d", "d_0000.png", "d.png"),
        ("e_mask", "e_mask.png", "e_mask.png"),
    ]


def test_one_folder_or_patterns(tmp_path):
    make(tmp_path / "both", "a.png", "a_mask.png", "b_img.png", "b_seg.png")
    expected = [("a", "a.png", "a_mask.png"), ("b", "b_img.png", "b_seg.png")]
    assert names(find_pairs(tmp_path / "both", tmp_path / "both")) == expected
    make(tmp_path / "p", "a.png", "a_mask.tif")
    assert names(find_pairs(tmp_path / "p" / "*.png", str(tmp_path / "p" / "*.tif"))) == [("a", "a.png", "a_mask.tif")]


def test_all_that_is_wrong_is_named_at_once(tmp_path):
    make(tmp_path / "i", "a.png", "a.tif", "alone.png", "large.png", "damaged.png")
    make(tmp_path / "m", "a.png", "other_mask.png", "damaged.png")
    make(tmp_path / "m", "large.png", size=(4, 6))
    (tmp_path / "m" / "damaged.png").write_text("no picture")
    with pytest.raises(ValueError) as raised:
        find_pairs(tmp_path / "i", tmp_path / "m")
    text = str(raised.value)
    for part in (
        f"images of one name (1):\n    a: {tmp_path / 'i' / 'a.png'}, {tmp_path / 'i' / 'a.tif'}",
        f"without a mask (1):\n    {tmp_path / 'i' / 'alone.png'}",
        f"without an image (1):\n    {tmp_path / 'm' / 'other_mask.png'}",
        f"{tmp_path / 'i' / 'large.png'}: 4 x 5, {tmp_path / 'm' / 'large.png'}: 4 x 6",
        f"{tmp_path / 'm' / 'damaged.png'} cannot be read",
    ):
        assert part in text, text


def test_long_lists_are_cut(tmp_path):
    make(tmp_path / "i", *(f"{i}.png" for i in range(20)))
    make(tmp_path / "m", "0.png")
    with pytest.raises(ValueError, match=r"without a mask \(19\)[^+]*and 11 more"):
        find_pairs(tmp_path / "i", tmp_path / "m")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("absent", "no file or folder"),
        ("empty", "holds no file"),
        ("texts", "holds 1 other files"),
        ("*.gif", "matches no file"),
    ],
)
def test_nothing_to_read(tmp_path, where, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").touch()
    with pytest.raises(ValueError, match=message):
        list_images(tmp_path / where)
    with pytest.raises(ValueError, match=r"a\.txt is no image"):
        list_images(tmp_path / "texts" / "a.txt")
