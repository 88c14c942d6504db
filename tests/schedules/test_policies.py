"""OneCycle, Cyclic and Warmup against PyTorch's schedulers and closed formulas, in training and saved."""

import json

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith.schedules import CosineRestarts, Cyclic, OneCycle, Ramp, Warmup
from tests.support import fresh_process


def rates(schedule, steps):
    return np.array([float(ops.convert_to_numpy(schedule(step))) for step in range(steps)])


def pytorch_rates(make, steps, rate=0.3):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate, momentum=0.9)
    scheduler, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("anneal", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize(("steps", "rise"), [(50, 0.3), (37, 0.25), (101, 0.45)])
def test_one_cycle_equals_pytorch(anneal, three_phase, steps, rise):
    expected = pytorch_rates(
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.3, total_steps=steps, pct_start=rise, anneal_strategy=anneal, three_phase=three_phase,
            div_factor=20.0, final_div_factor=300.0,
        ),
        steps,
    )  # fmt: skip
    schedule = OneCycle(steps, 0.3, rise=rise, anneal=anneal, three_phase=three_phase, div_factor=20.0, final_div_factor=300.0)
    np.testing.assert_allclose(rates(schedule, steps), expected, rtol=2e-5, atol=1e-7)


def test_one_cycle_stays_at_its_end_and_counts_epochs():
    schedule = OneCycle(2, eta_max=1.0, steps_per_epoch=25)
    np.testing.assert_allclose(rates(schedule, 50), rates(OneCycle(50, eta_max=1.0), 50))
    last = 1.0 / 25 / 1e4
    np.testing.assert_allclose([float(schedule(step)) for step in (49, 60, 2**30)], last, rtol=1e-4)


@pytest.mark.parametrize(("mode", "theirs", "gamma"), [
    ("triangular", "triangular", 1.0), ("triangular2", "triangular2", 1.0), ("exp", "exp_range", 0.97),
])  # fmt: skip
@pytest.mark.parametrize(("up", "down"), [(5, None), (4, 9)])
def test_cyclic_equals_pytorch(mode, theirs, gamma, up, down):
    expected = pytorch_rates(
        lambda optimizer: torch.optim.lr_scheduler.CyclicLR(
            optimizer, 0.01, 0.3, step_size_up=up, step_size_down=down, mode=theirs, gamma=gamma
        ),
        60,
    )
    got = rates(Cyclic(0.01, 0.3, up=up, down=down, mode=mode, gamma=gamma), 60)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_falling_peaks_of_cyclic():
    def expected(scale):
        return pytorch_rates(
            lambda optimizer: torch.optim.lr_scheduler.CyclicLR(
                optimizer, 0.01, 0.3, step_size_up=4, step_size_down=3, scale_fn=scale, scale_mode="cycle"
            ),
            40,
        )

    got = rates(Cyclic(0.01, 0.3, up=4, down=3, peak_decay=0.8), 40)
    np.testing.assert_allclose(got, expected(lambda cycle: 0.8 ** (cycle - 1)), rtol=1e-5, atol=1e-7)
    got = rates(Cyclic(0.01, 0.3, up=4, down=3, peak_decay=0.8, mode="triangular2"), 40)
    np.testing.assert_allclose(got, expected(lambda cycle: 0.4 ** (cycle - 1)), rtol=1e-5, atol=1e-7)
    halves = rates(Cyclic(0.01, 0.3, up=4, down=3, peak_decay=0.5), 40)
    np.testing.assert_allclose(halves, rates(Cyclic(0.01, 0.3, up=4, down=3, mode="triangular2"), 40), rtol=1e-6)


def test_cyclic_is_exact_late():
    schedule = Cyclic(0.0, 1.0, up=1000)
    start = 2**30 // 2000 * 2000
    assert float(schedule(ops.convert_to_tensor(start, "int32"))) == 0.0
    assert float(schedule(ops.convert_to_tensor(start + 1000, "int32"))) == 1.0


def test_warmup_rises_to_its_inner_schedule():
    inner = CosineRestarts(T_0=10, eta_max=0.8)
    got = rates(Warmup(inner, 2, start=0.1, steps_per_epoch=2), 14)
    np.testing.assert_allclose(got[:4], [0.8 * (0.1 + 0.9 * k / 5) for k in (1, 2, 3, 4)], rtol=1e-6)
    np.testing.assert_allclose(got[4:], rates(inner, 10), rtol=1e-6)


def test_warmup_of_length_zero_is_the_inner_schedule():
    np.testing.assert_allclose(rates(Warmup(0.5, 0), 3), 0.5)


SCHEDULES = {
    "one_cycle": OneCycle(8, 0.1, anneal="linear"),
    "cyclic": Cyclic(0.01, 0.1, up=3, mode="exp", gamma=0.9, peak_decay=0.8),
    "warmup": Warmup(Cyclic(0.01, 0.1, up=2), 3),
}


@pytest.mark.heavy("starts a process that imports the backend anew", on=("jax", "tensorflow"), seconds=5)
def test_they_train_and_load_in_a_fresh_process(tmp_path):
    expected = {name: rates(schedule, 5)[4] for name, schedule in SCHEDULES.items()}
    for name, schedule in SCHEDULES.items():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(schedule), "mse")
        model.fit(np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), batch_size=2, verbose=0)
        model.save(tmp_path / f"{name}.keras")
        assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(expected[name])
    code = (
        "import json, pathlib, sys, keras, kerasmith\n"
        "def rate(path):\n"
        "    optimizer = keras.saving.load_model(path).optimizer\n"
        "    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))\n"
        "print(json.dumps({path.stem: rate(path) for path in pathlib.Path(sys.argv[1]).glob('*.keras')}))"
    )
    assert json.loads(fresh_process.run(code, tmp_path).splitlines()[-1]) == pytest.approx(expected)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: OneCycle(0), "length"),
    (lambda: OneCycle(3, rise=0.3), "Each phase"),
    (lambda: OneCycle(10, rise=1.0), "rise"),
    (lambda: OneCycle(10, anneal="exp"), "anneal"),
    (lambda: OneCycle(10, rise=0.6, three_phase=True), "Each phase"),
    (lambda: Cyclic(1.0, 0.1, up=2), "eta_min"),
    (lambda: Cyclic(up=0.2), "step up"),
    (lambda: Cyclic(up=2, mode="sine"), "mode"),
    (lambda: Cyclic(up=2, peak_decay=-0.5), "peak_decay"),
    (lambda: Warmup(0.1, -1), "length"),
    (lambda: Warmup(0.1, 3, start=2), "start"),
])  # fmt: skip
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_warmup_refuses_what_is_no_schedule():
    with pytest.raises(TypeError, match="inner"):
        Warmup("cosine", 3)


@pytest.mark.parametrize(("begin", "end", "steps"), [(0, 4, 1), (2, 5, 3), (0.5, 1.5, 10)])
def test_ramp_is_a_straight_line_between_its_ends(begin, end, steps):
    schedule = Ramp(0.2, -0.1, begin=begin, end=end, steps_per_epoch=steps)
    places = np.arange(30)
    np.testing.assert_allclose(rates(schedule, 30), np.interp(places / steps, [begin, end], [0.2, -0.1]), rtol=1e-5, atol=1e-7)
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(schedule))))
    np.testing.assert_array_equal(rates(again, 30), rates(schedule, 30))
    with pytest.raises(ValueError, match="end"):
        Ramp(0.0, 1.0, begin=end, end=begin)
