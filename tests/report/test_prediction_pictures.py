"""Pictures of predictions, pixel by pixel where the answer is known."""

import numpy as np
import pytest

from kerasmith.report.confusion import confusion_image, short_count
from kerasmith.report.overlays import AGREEMENT, PREDICTION, TRUTH
from kerasmith.report.palette import GOOD
from kerasmith.report.pixels import as_pixels, beside, enlarged, resized, rgb, sheet, stretched
from kerasmith.report.prediction_pictures import class_legend, classified, segmented, translated
from kerasmith.report.reliability import reliability_image

pytestmark = pytest.mark.host("draws and writes from numbers and text")

RNG = np.random.default_rng(2)


def colours(picture):
    return {tuple(int(v) for v in c) for c in picture.reshape(-1, 3)}


def test_a_binary_mask_is_outlined():
    truth = np.zeros((32, 32), int)
    truth[8:16, 8:16] = 5  # an instance label is an object too
    prediction = np.zeros((32, 32, 1))
    prediction[8:16, 8:16] = 0.9
    prediction[20:28, 20:28] = 0.4
    image = np.zeros((32, 32, 1))
    assert colours(segmented(image, truth, prediction)) == {(0, 0, 0), AGREEMENT}
    assert colours(segmented(image, truth, prediction, threshold=0.3)) == {(0, 0, 0), AGREEMENT, PREDICTION}
    assert colours(segmented(image, truth[..., None], prediction, threshold=0.95)) == {(0, 0, 0), TRUTH}
    assert colours(segmented(image, None, prediction)) == {(0, 0, 0), PREDICTION}
    assert segmented(image, truth, prediction).shape == (256, 256, 3)


def test_two_channels_are_background_and_object():
    truth = np.zeros((16, 16), int)
    truth[4:9, 4:9] = 1
    scores = np.stack([truth == 0, truth == 1], axis=-1).astype(float)
    for given in (truth, scores, truth[..., None]):
        assert colours(segmented(np.zeros((16, 16, 1)), given, scores)) == {(0, 0, 0), AGREEMENT}


def test_classes_are_filled_truth_beside_prediction():
    truth = np.zeros((300, 300), int)
    truth[:100], truth[100:200] = 1, 2
    scores = np.eye(3)[np.roll(truth, 100, axis=0)]
    picture = segmented(np.zeros((300, 300, 3)), truth, scores)
    assert picture.shape == (300, 604, 3)
    legend = class_legend(["ground", "pore", "crack"])
    assert list(legend) == ["pore", "crack"]
    filled = {name: tuple(round(0.55 * c) for c in colour) for name, colour in legend.items()}
    assert tuple(picture[50, 50]) == filled["pore"]
    assert tuple(picture[150, 50]) == filled["crack"]
    assert tuple(picture[250, 50]) == (0, 0, 0)
    assert tuple(picture[150, 354]) == filled["pore"]
    assert segmented(np.zeros((300, 300, 3)), None, scores).shape == (300, 300, 3)


def test_masks_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"The truth must have the size of the image \(8, 8\)"):
        segmented(np.zeros((8, 8, 1)), np.zeros((4, 4), int), np.zeros((8, 8, 1)))
    with pytest.raises(ValueError, match=r"The prediction must have the size"):
        segmented(np.zeros((8, 8, 1)), None, np.zeros((4, 4, 1)))


def test_images_stand_side_by_side_on_one_scale():
    truth = np.linspace(0, 1, 256 * 256).reshape(256, 256, 1)
    picture = translated(truth[::4, ::4], truth, truth / 2)
    assert picture.shape == (256, 3 * 256 + 2 * 4, 3)
    shown, right = picture[:, 260:516, 0], picture[:, 520:, 0]
    np.testing.assert_allclose(shown.astype(float), right / 2, atol=1.5)
    assert translated(truth, None, RNG.random((256, 256, 3))).shape == (256, 516, 3)
    with pytest.raises(ValueError, match=r"The prediction must be an image.*Received: shape \(8, 8, 2\)"):
        translated(np.zeros((8, 8, 1)), None, np.zeros((8, 8, 2)))


def test_bars_show_probabilities():
    image = np.zeros((16, 16, 1))
    picture, caption = classified(image, 2, [0.1, 0.2, 0.7], ["a", "b", "c"])
    assert caption == "c 0.700, right"
    bars = picture[:, 260:]
    assert AGREEMENT in colours(bars)
    assert np.all(bars == AGREEMENT, axis=-1).any(axis=0).sum() == round(0.7 * 128)
    picture, caption = classified(image, [0, 1, 0], [0.1, 0.2, 0.7])
    assert caption.startswith("2 0.7")
    assert "truth 1 0.2" in caption
    assert {PREDICTION, TRUTH} <= colours(picture[:, 260:])
    assert AGREEMENT not in colours(picture)
    _, caption = classified(image, [0.0], [0.25], ["calm", "storm"])
    assert caption.startswith("calm 0.75")
    assert classified(image, None, [np.nan, np.nan])[1] == "no numbers"


def test_of_many_classes_the_true_one_is_among_the_bars():
    p = np.linspace(0, 1, 100) / 50
    p[3] = 0.01
    picture, caption = classified(np.zeros((16, 16, 1)), 3, p)
    assert "truth 3" in caption
    assert {TRUTH, PREDICTION} <= colours(picture)


def test_what_is_no_probability_is_refused():
    image = np.zeros((8, 8, 1))
    with pytest.raises(ValueError, match=r"from_logits=True.*from -1 to 3"):
        classified(image, None, [-1.0, 3.0])
    with pytest.raises(ValueError, match="One name for each of the 2 classes"):
        classified(image, None, [0.5, 0.5], ["a"])


def test_pixels():
    np.testing.assert_array_equal(as_pixels(np.array([[0, 0.5, 1]])), [[0, 128, 255]])
    np.testing.assert_array_equal(as_pixels(np.eye(2, dtype=bool)), 255 * np.eye(2))
    with pytest.raises(ValueError, match="int64 from 0 to 1"):
        as_pixels(np.eye(2, dtype="int64"))
    image = RNG.integers(0, 255, (5, 7, 4)).astype("uint8")
    np.testing.assert_array_equal(rgb(np.where([0, 0, 0, 1], np.uint8(255), image)), image[..., :3])
    assert np.all(rgb(np.zeros((2, 2, 4), "uint8") + np.array([9, 9, 9, 0], "uint8")) == 0)
    np.testing.assert_array_equal(resized(enlarged(image, 3), 5, 7), image)
    np.testing.assert_array_equal(stretched([[np.nan, 1.0, 3.0]], (0, 100)), [[0, 0, 255]])


def test_sheets():
    pictures = [np.full((4, width), width, "uint8") for width in (3, 5, 4)]
    row = beside(pictures, gap=1)
    assert row.shape == (4, 3 + 5 + 4 + 2, 3)
    both = sheet(pictures, columns=2, gap=1)
    assert both.shape == (9, 9, 3)
    assert np.all(both[5:, :4] == 4)
    assert np.all(both[5:, 4:] == 255)


def test_a_confusion_matrix_in_pixels():
    picture = confusion_image([[10, 0], [5, 5]])
    assert tuple(picture[1, 1]) == GOOD
    assert tuple(picture[1, 70]) == (244, 245, 246)
    assert picture[70, 1].tolist() == (255 + (np.array([213, 94, 0]) - 255) * 0.54).round().tolist()
    assert confusion_image(np.eye(300)).shape[0] < 2000
    with pytest.raises(ValueError, match=r"shape=\(2, 3\)"):
        confusion_image(np.ones((2, 3)))


def test_a_reliability_diagram_in_pixels():
    picture = reliability_image([0, 0.5, 1], [0.25, 0.75], [0.25, 0.5], [10, 30], side=200)
    assert tuple(picture[190, 50]) == (0, 114, 178)
    assert tuple(picture[190, 150]) == (0, 114, 178)
    assert tuple(picture[75, 170]) == (234, 174, 128)  # between accuracy 0.5 and confidence 0.75
    assert tuple(picture[20, 150]) == (255, 255, 255)
    assert np.all(picture[222, 110:190] == (160, 166, 173))
    assert np.all(picture[222, 10:90] == 255)
    reliability_image([0, 0.5, 1], [np.nan] * 2, [np.nan] * 2, [0, 0])
    with pytest.raises(ValueError, match="one confidence, accuracy and count"):
        reliability_image([0, 1], [0.5, 0.5], [0.5], [1])


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (999, "999"), (10_000, "10k"), (999_600, "1.0M"), (54_321_000, "54M")])
def test_counts_are_short(value, text):
    assert short_count(value) == text


def test_counts_are_written_inside_their_cells():
    picture, empty = (confusion_image(np.eye(24) * count) for count in (4_321_000_000, 0))
    assert picture.shape == (24 * 42 - 2, 24 * 42 - 2, 3)
    cell, beside = picture[:40, :40], picture[:40, 42:82]
    assert len(colours(cell)) > 2  # a digit with soft edges on the colour of the cell
    assert np.all(cell[:, [0, 1, -2, -1]] == GOOD)
    assert len(colours(beside)) > 2  # the zero
    assert len(colours(confusion_image(np.eye(25))[:30, :30])) == 1
    assert np.all(picture[:, 40:42] == 255)
    assert empty.shape == picture.shape
    assert len(colours(confusion_image(np.eye(24) * 1e15)[:40, :40])) == 1  # too long: left out
