"""ScheduleLR in real fits: the weights follow the schedule, the history shows it."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.callbacks import ScheduleLR
from kerasmith.schedules import CosineRestarts

X, Y = np.ones((8, 1), "float32"), np.zeros((8, 1), "float32")


def model(optimizer=None):
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    net.compile(optimizer or keras.optimizers.SGD(123.0), "mse")
    return net


def expected_weight(schedule, steps, weight=1.0):
    """Plain gradient descent on w^2."""
    for step in steps:
        weight -= float(ops.convert_to_numpy(schedule(step))) * 2 * weight
    return weight


def test_each_step_uses_its_own_rate():
    schedule = CosineRestarts(T_0=2, T_mult=2, eta_max=0.2, eta_min=0.01, steps_per_epoch=4)
    net = model()
    history = net.fit(X, Y, batch_size=2, epochs=3, verbose=0, callbacks=[ScheduleLR(schedule)]).history
    assert float(net.get_weights()[0][0, 0]) == pytest.approx(expected_weight(schedule, range(12)), rel=1e-5)
    np.testing.assert_allclose(history["learning_rate"], [float(schedule(s)) for s in (3, 7, 11)], rtol=1e-6)


@pytest.mark.parametrize("restart", [False, True])
def test_second_fit(restart):
    schedule = CosineRestarts(T_0=8, eta_max=0.2)
    net = model()
    net.fit(X, Y, batch_size=4, epochs=1, verbose=0)  # trains with the optimizer's own rate, and is traced
    net.set_weights([np.ones((1, 1))])
    callback = ScheduleLR(schedule, restart=restart)
    net.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[callback])
    steps = range(4) if restart else range(2, 6)
    assert float(net.get_weights()[0][0, 0]) == pytest.approx(expected_weight(schedule, steps), rel=1e-5)
    before = float(net.get_weights()[0][0, 0])
    net.fit(X, Y, batch_size=4, epochs=1, verbose=0, callbacks=[callback])
    steps = range(2) if restart else range(6, 8)
    assert float(net.get_weights()[0][0, 0]) == pytest.approx(expected_weight(schedule, steps, before), rel=1e-5)


def test_inside_a_loss_scaling_optimizer():
    schedule = CosineRestarts(T_0=8, eta_max=0.2)
    net = model(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0)))
    history = net.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[ScheduleLR(schedule)]).history
    np.testing.assert_allclose(history["learning_rate"], [float(schedule(s)) for s in (0, 1)], rtol=1e-6)


def test_survives_saving(tmp_path):
    net = model()
    net.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[ScheduleLR(CosineRestarts(T_0=8, eta_max=0.2))])
    net.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    net.fit(X, Y, batch_size=4, verbose=0)
    again.fit(X, Y, batch_size=4, verbose=0)
    np.testing.assert_allclose(again.get_weights()[0], net.get_weights()[0], rtol=1e-6)


def test_refuses_a_number():
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        ScheduleLR(0.1)
