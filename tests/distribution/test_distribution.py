"""Two replicas give the step that one device gives."""

import json
import pathlib
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from kerasmith.distribution import cross_replica_sum, replica_count, scale_loss_for_replicas
from tests.objectives.replicated import BALANCERS, balanced_model, objective_model, three_steps
from tests.support import fresh_process

HERE = pathlib.Path(__file__).parent


def test_one_replica_is_the_identity():
    x = ops.convert_to_tensor([1.0, 2.0])
    assert replica_count() == 1
    assert cross_replica_sum(x) is x
    assert scale_loss_for_replicas(x) is x


mirrored = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="MirroredStrategy is TensorFlow's")
heavy = pytest.mark.heavy("compiles each model for two replicas and for one", on=("tensorflow",), seconds=8)


def two_mirrored(case):
    code = (HERE / "two_replicas_tensorflow.py").read_text()
    return json.loads(fresh_process.run(code, case, timeout=600, CUDA_VISIBLE_DEVICES="").splitlines()[-1])


@mirrored
@heavy
def test_steps_on_two_mirrored_replicas():
    steps = two_mirrored("steps")
    assert len(steps) == 15
    for name, (gradient_ratio, worst, shares) in steps.items():
        assert gradient_ratio == pytest.approx(1, abs=1e-5), name
        assert worst < 1e-5, name
        assert shares == pytest.approx(1, abs=1e-5), name


@mirrored
@heavy
@pytest.mark.parametrize("case", ["metrics", "fit", "loss terms", "one sample left", "adversarial"])
def test_fit_on_two_mirrored_replicas(case):
    got = two_mirrored(case)
    assert got["weights"] < 1e-6
    assert_columns(*got["histories"])


@mirrored
def test_an_objective_on_uneven_mirrored_replicas():
    uneven = two_mirrored("uneven")
    assert uneven["steps"] == [3, 3]
    assert uneven["weights"] < 1e-6
    assert {"loss", "both_dice", "both_ce", "fit_weight", "root", "hidden_weight", "sum"} < set(uneven["train"][0])
    assert_columns(*uneven["train"])
    assert_columns(*uneven["test"])


@mirrored
@heavy
def test_balancers_on_uneven_mirrored_replicas():
    for name, run in two_mirrored("balanced").items():
        assert run["weights"] < 2e-6, name
        assert_columns(*run["train"])


@mirrored
@heavy
def test_what_a_layer_adds_on_mirrored_replicas():
    """Keras has one list of added losses for all replicas, which a sum over them empties and fills in between."""
    got = two_mirrored("added losses")
    assert 'Make the loss with reduction="none" and write `self.add_loss(ops.mean(loss(y_true, y_pred)))`' in got["said"]
    assert got["weights"] < 1e-6
    assert_columns(*got["histories"])


@mirrored
@heavy
def test_resume_on_mirrored_replicas():
    assert two_mirrored("resumed")


def assert_columns(got, expected):
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(got[key], value, rtol=1e-5, atol=1e-7, err_msg=key)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch.distributed is PyTorch's")
def test_two_torch_processes(tmp_path):
    import torch

    rng = np.random.default_rng(0)
    y, p = (rng.random((6, 4, 4, 1)) > 0.6).astype("float32"), rng.random((6, 4, 4, 1)).astype("float32")
    np.save(tmp_path / "y.npy", y)
    np.save(tmp_path / "p.npy", p)
    configs = [{}, {"scope": "batch"}, {"reduction": "sum"}]
    (tmp_path / "configs.json").write_text(json.dumps(configs))
    code = (HERE / "two_replicas_torch.py").read_text()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda rank: fresh_process.run(code, rank, tmp_path), range(2)))
    one = three_steps(objective_model(), y, p, slice(None))
    halves = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    for config in configs:
        whole = torch.tensor(p, requires_grad=True)
        losses.Dice(**config)(torch.tensor(y), whole).backward()
        joined = np.concatenate([np.array(half[str(config)]) for half in halves])
        np.testing.assert_allclose(joined, whole.grad.numpy(), rtol=1e-5, atol=1e-9)
    balanced = {name: three_steps(balanced_model(name), y, p, slice(None)) for name in BALANCERS}
    for half in halves:
        runs_agree(half, one, "objective")
        for name, expected in balanced.items():
            runs_agree(half["balanced"][name], expected, name)


def runs_agree(got, expected, name):
    assert got["columns"].keys() == expected["columns"].keys()
    for kind, columns in expected["columns"].items():
        assert_columns(got["columns"][kind], columns)
    # Tasks that oppose each other (cosine -0.998) turn a rounding of 4e-7 in nash's matrix into 2e-4 of its coefficients.
    tolerance = {"rtol": 1e-3, "atol": 5e-5} if name == "nash" else {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(got["weights"], expected["weights"], err_msg=name, **tolerance)
