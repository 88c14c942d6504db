import numpy as np
import pytest

from kerasmith.recipes.orientations import predict_oriented

pytestmark = pytest.mark.host("turns images with NumPy")


def test_all_eight_orientations_are_seen_once_and_turned_back():
    image = np.random.default_rng(0).normal(size=(6, 10))
    seen = []

    def predict(x):
        seen.extend(x[..., 0])
        return {"same": x, "twice": 2 * x}

    result = predict_oriented(predict, image)
    np.testing.assert_allclose(result["same"], image)
    np.testing.assert_allclose(result["twice"], 2 * image)
    wanted = [np.rot90(flipped, turns) for flipped in (image, image[:, ::-1]) for turns in range(4)]
    assert len(seen) == 8
    assert all(sum(w.shape == s.shape and np.array_equal(w, s) for s in seen) == 1 for w in wanted)


def test_the_result_is_the_mean_of_the_plain_loop():
    image = np.random.default_rng(1).normal(size=(4, 6))
    ramp = lambda x: x * np.arange(x.shape[2])[:, None]  # noqa: E731  (a predictor that is not symmetric)
    single = lambda x: ramp(x[None, ..., None])[0, ..., 0]  # noqa: E731
    total = 0
    for mirrored in (False, True):
        for turns in range(4):
            turned = np.rot90(image[:, ::-1] if mirrored else image, turns)
            back = np.rot90(single(turned), -turns)
            total = total + (back[:, ::-1] if mirrored else back)
    np.testing.assert_allclose(predict_oriented(lambda x: {"y": ramp(x)}, image)["y"], total / 8)
