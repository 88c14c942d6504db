import keras
import numpy as np
import pytest

from kerasmith.data import Augmentation, RandomTiles

STRONG = Augmentation(scale=0.3, stretch=0.2, contrast=0.3, brightness=0.2, noise=0.2)


def make_tiles(image=None, **kwargs):
    image = np.random.default_rng(0).normal(size=(40, 60)) if image is None else image
    settings = {"size": 16, "batch_size": 3, "steps": 4, "seed": 5, "augmentation": STRONG} | kwargs
    return RandomTiles(image, {"mask": image > 0}, **settings)


def test_a_batch_is_a_pure_function_of_seed_and_step():
    one, other = make_tiles(), make_tiles()
    [other.batch(step) for step in (9, 2, 2)]
    np.testing.assert_array_equal(one.batch(7)[0], other.batch(7)[0])
    np.testing.assert_array_equal(one.batch(7)[1]["mask"], other.batch(7)[1]["mask"])


def test_another_seed_or_step_is_another_batch():
    x = make_tiles().batch(7)[0]
    assert not np.array_equal(x, make_tiles().batch(8)[0])
    assert not np.array_equal(x, make_tiles(seed=6).batch(7)[0])


def test_epochs_go_on_counting_steps():
    tiles = make_tiles()
    list(tiles[i] for i in range(len(tiles)))
    tiles.on_epoch_end()
    np.testing.assert_array_equal(tiles[1][0], make_tiles().batch(5)[0])
    resumed = make_tiles()
    resumed.load_state_dict(tiles.state_dict())
    np.testing.assert_array_equal(resumed[1][0], tiles[1][0])


def test_fit_sees_every_step_in_order():
    seen = []

    class Recorded(RandomTiles):
        def batch(self, step):
            seen.append(step)
            return super().batch(step)

    image = np.random.default_rng(0).normal(size=(40, 60))
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, {"mask": keras.layers.Conv2D(1, 1, name="mask")(inputs)})
    model.compile("sgd", {"mask": "mse"})
    for built in (False, True):
        seen.clear()
        tiles = Recorded(image, {"mask": image > 0}, size=8, batch_size=2, steps=4)
        model.fit(tiles, epochs=3, verbose=0, shuffle=False)
        # Keras reads up to two batches before, to learn their shapes.
        assert seen[-12:] == list(range(12)), f"built={built}"
        assert len(seen) <= 14


def test_an_epoch_has_an_end():
    with pytest.raises(IndexError, match="4 batches"):
        make_tiles()[4]


def test_image_and_targets_share_their_geometry():
    # A ramp tells where each pixel came from; the targets are read at the nearest pixel of the same place.
    rows, columns = np.mgrid[:64, :64].astype(float)
    geometry = Augmentation(scale=0.3, stretch=0.2)
    for image in (rows, columns):
        tiles = RandomTiles(image, {"same": image}, size=24, batch_size=6, steps=1, seed=1, augmentation=geometry)
        x, y = tiles[0]
        assert np.abs(x - y["same"]).max() <= 0.5 + 1e-4
        assert x.std() > 1


def test_noise_and_contrast_leave_targets_alone():
    tiles = make_tiles()
    _, y = tiles[0]
    assert set(np.unique(y["mask"])) == {0.0, 1.0}


def test_no_tile_reads_beyond_the_image_it_was_given():
    whole = np.random.default_rng(0).normal(size=(40, 60))
    poisoned = whole.copy()
    poisoned[:, 35:] = np.nan
    clean, other = make_tiles(whole[:, :35]), make_tiles(poisoned[:, :35])
    for step in range(40):
        x, y = other.batch(step)
        assert np.isfinite(x).all()
        np.testing.assert_array_equal(x, clean.batch(step)[0])
        np.testing.assert_array_equal(y["mask"], clean.batch(step)[1]["mask"])


def test_shapes_and_types():
    x, y = make_tiles()[0]
    assert x.shape == y["mask"].shape == (3, 16, 16, 1)
    assert x.dtype == y["mask"].dtype == np.float32
    assert len(make_tiles()) == 4


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 0}, "`size`"),
        ({"batch_size": 1.5}, "`batch_size`"),
        ({"steps": 0}, "`steps`"),
        ({"seed": -1}, "`seed`"),
        ({"image": np.zeros((4, 4, 3))}, r"\(H, W\)"),
    ],
)
def test_wrong_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_tiles(**wrong)


def test_a_target_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="'mask'"):
        RandomTiles(np.zeros((8, 8)), {"mask": np.zeros((8, 9))}, size=4, batch_size=1, steps=1)
