"""PNG files are read back by another decoder; outlines are compared with a plain loop over pixels."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from kerasmith.objects.uncovered import uncovered
from kerasmith.report import AGREEMENT, PREDICTION, TRUTH, data_uri, encode_png, image_grid, overlay
from kerasmith.report.overlays import outline
from tests.report.html_checks import Page

pytestmark = pytest.mark.host("draws and writes from numbers and text")

RNG = np.random.default_rng(3)


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (64, 64), (5, 7, 1), (3, 9, 3), (33, 17, 4)])
@pytest.mark.parametrize("content", ["noise", "smooth", "flat"])
def test_png_is_read_back_exactly(shape, content):
    ramp = np.indices(shape).sum(0) * 3 % 256
    image = {"noise": RNG.integers(0, 256, shape), "smooth": ramp, "flat": np.full(shape, 200)}[content].astype("uint8")
    np.testing.assert_array_equal(
        decoded(encode_png(image)), image[..., 0] if shape[-1:] == (1,) and len(shape) == 3 else image
    )


def test_views_encode_like_their_copies():
    image = RNG.integers(0, 256, (6, 8, 3)).astype("uint8")
    np.testing.assert_array_equal(decoded(encode_png(image[::-1, ::2])), image[::-1, ::2])


def test_data_uri_holds_the_png():
    head, payload = data_uri(np.eye(3, dtype="uint8")).split(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(decoded(base64.b64decode(payload)), np.eye(3))


@pytest.mark.parametrize("image", [np.zeros((2, 2)), np.zeros((2, 2), bool)])
def test_png_refuses_other_types_and_says_how_to_scale(image):
    with pytest.raises(ValueError, match=r"255 \* p.*Received: dtype="):
        encode_png(image)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (0, 4), (1, 2, 2, 3)])
def test_png_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="Received: shape="):
        encode_png(np.zeros(shape, "uint8"))


def plain_outline(labels):
    edge = np.zeros(labels.shape, bool)
    for r, c in np.ndindex(labels.shape):
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            inside = 0 <= r + dr < labels.shape[0] and 0 <= c + dc < labels.shape[1]
            if labels[r, c] and inside and labels[r + dr, c + dc] != labels[r, c]:
                edge[r, c] = True
    return edge


def test_outline_equals_a_loop_over_pixels():
    for labels in (RNG.integers(0, 4, (9, 12)), RNG.random((7, 7)) > 0.4, np.ones((4, 4), int), np.zeros((1, 1), int)):
        np.testing.assert_array_equal(outline(labels), plain_outline(labels))


def test_three_colours():
    truth, prediction = np.zeros((20, 60), int), np.zeros((20, 60), int)
    truth[5:15, 5:15] = prediction[5:15, 5:15] = 1
    truth[5:15, 25:35] = 2
    prediction[5:15, 45:55] = 9
    nothing = np.zeros((20, 60), bool)
    picture = overlay(np.zeros((20, 60)), truth, prediction, false_negatives=nothing, false_positives=nothing)
    for columns, colour in ((slice(0, 20), AGREEMENT), (slice(20, 40), TRUTH), (slice(40, 60), PREDICTION)):
        part, edge = picture[:, columns], plain_outline((truth + prediction)[:, columns])
        dashes = part[edge]
        if colour == PREDICTION:
            dashes = dashes[np.any(dashes != 20, axis=-1)]
            assert 0.4 < len(dashes) / edge.sum() < 0.8
        assert np.all(dashes == colour)
        assert np.all(part[~edge] == 0)
        patterned = overlay(np.full((20, 60), 3.0), truth, prediction)[:, columns]
        inside = ((truth + prediction)[:, columns] > 0) & ~edge
        share = np.mean(np.all(patterned[inside] == colour, axis=-1))
        assert share == 0 if colour == AGREEMENT else 0.3 < share < 0.7


def test_touching_objects_are_separated_and_booleans_are_not():
    labels = np.zeros((10, 20), int)
    labels[2:8, 2:10], labels[2:8, 10:18] = 1, 2
    middle = (slice(4, 6), slice(9, 11))
    assert np.all(overlay(labels, labels, labels)[middle] == AGREEMENT)
    assert not np.any(np.all(overlay(labels, labels > 0, labels > 0)[middle] == AGREEMENT, axis=-1))


def test_tolerance_counts_a_shift_of_one_pixel_as_agreement():
    truth = np.zeros((20, 20), bool)
    truth[5:15, 5:15] = True
    shifted = np.roll(truth, 1, axis=1)
    colours = {tuple(c) for c in overlay(np.zeros((20, 20)), truth, shifted).reshape(-1, 3)}
    assert colours == {(0, 0, 0), AGREEMENT}
    strict = {tuple(c) for c in overlay(np.zeros((20, 20)), truth, shifted, tolerance=0).reshape(-1, 3)}
    assert strict == {(0, 0, 0), AGREEMENT, TRUTH, PREDICTION, (20, 20, 20)}


def test_contrast_is_stretched_between_percentiles_and_scale_enlarges():
    image = np.arange(10_000.0).reshape(100, 100) - 500
    empty = np.zeros((100, 100), bool)
    picture = overlay(image[..., None], empty[..., None], empty, scale=2, percentiles=(0, 100))
    assert picture.shape == (200, 200, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[::2, ::2, 0], np.round(255 * (image + 500) / 9999))
    assert np.all(overlay(np.full((3, 3), 7.0), empty[:3, :3], empty[:3, :3]) == 0)
    assert overlay(np.full((3, 3, 3), np.nan), empty[:3, :3], empty[:3, :3]).shape == (3, 3, 3)


def test_overlay_refuses_probabilities_and_other_sizes():
    image = np.zeros((4, 4))
    with pytest.raises(ValueError, match=r"`prediction > 0.5`"):
        overlay(image, image, image + 0.3)
    with pytest.raises(ValueError, match=r"`truth` must have .*\(4, 4\).*Received: shape=\(2, 2\)"):
        overlay(image, image[:2, :2], image)
    with pytest.raises(ValueError, match="scale=0"):
        overlay(image, image, image, scale=0)


def test_an_image_grid_has_pictures_captions_and_legend():
    pictures = [np.full((4, 6), value, "uint8") for value in (10, 20)]
    page = Page(image_grid(pictures, ["a < b", "second"], legend={"missed & co": (1, 2, 3)}))
    for attrs, picture in zip(page.all("img"), pictures, strict=True):
        np.testing.assert_array_equal(decoded(base64.b64decode(attrs["src"].split(",")[1])), picture)
        assert (attrs["width"], attrs["height"]) == ("6", "4")
    assert "a < b" in page.text("figcaption")
    assert "missed & co" in page.text("span")
    with pytest.raises(ValueError, match="2 pictures, 1 captions"):
        image_grid(pictures, ["one"])


def test_the_name_of_before_still_works():
    with pytest.warns(DeprecationWarning, match=r"kerasmith\.report\.image_grid"):
        from kerasmith.report import gallery
    assert gallery is image_grid


def test_missed_and_invented_objects_are_those_that_are_covered_by_less_than_half():
    truth, prediction = np.zeros((8, 40), int), np.zeros((8, 40), int)
    truth[1:5, 1:9], truth[1:5, 20:28] = 3, 7
    prediction[1:5, 5:12], prediction[1:5, 30:38] = 2, 2
    assert np.all((uncovered(truth, prediction) > 0) == (truth == 7))  # half of object 3 is covered
    # One label, or booleans: the connected pieces. The first is covered by 4 of 7 columns.
    expected = (prediction > 0) & (np.arange(40) > 20)
    np.testing.assert_array_equal(uncovered(prediction, truth), expected)
    np.testing.assert_array_equal(uncovered(prediction > 0, truth), expected)
    assert uncovered(truth, prediction, share=0.6).sum() == 64
    assert not uncovered(truth, truth, share=1).any()
