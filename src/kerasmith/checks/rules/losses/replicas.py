"""Two replicas compute what one device computes."""

import numpy as np

from kerasmith.checks.engine.comparison import REARRANGED, differ, format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.lazy_keras import backend
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.replicas import on_two_replicas, strategy
from kerasmith.checks.rules.losses.case import LossCase


@check("L124", "loss", "warning", requires=("base", "L117", "L120"), since="0.1.0")
def two_replicas(case: LossCase) -> None:
    """Two replicas compute another loss or gradient than one device with the same samples.

    Keras divides the loss of each replica by the number of replicas and adds the gradients. A loss that divides by
    itself, or returns one number for its share of the batch, trains with half or twice the learning rate as soon as there
    are two devices.

    Fix: return one value per sample and leave the reduction to Keras; statistics of the whole batch need a sum over the
    replicas (`kerasmith.distribution.cross_replica_sum`).
    """
    case.contract.require("per_sample")
    case.contract.require("independent")
    case.contract.require("replicas")
    case.contract.require("deterministic")
    case.contract.require("stateful")
    case.require_arrays()
    strategy()
    import tensorflow as tf

    size = case.batch // 2 * 2
    if size < 2:
        raise Inconclusive("one sample cannot be shared by two replicas")
    inputs = {name: array[:size] for name, array in case.inputs.items()}
    single, gradient = case.gradient(case.loss(), inputs["y_true"], inputs["y_pred"])
    loss = case.loss()

    def step(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tf.convert_to_tensor(tape.gradient(value, y_pred))

    shares = on_two_replicas(step, inputs["y_true"], inputs["y_pred"])
    double = float(sum(np.sum(value) for value, _ in shares))
    if gradient is None:
        raise Inconclusive("there is no gradient")
    both = np.concatenate([part for _, part in shares])
    if differ(double, single, REARRANGED) or differ(both, gradient, REARRANGED):
        ratio = np.linalg.norm(both) / max(np.linalg.norm(gradient), 1e-12)
        raise Failed(
            f"loss {format_numbers(single)} and the gradient of one device",
            f"loss {format_numbers(double)} in all, {ratio:.3g} times the gradient on two replicas of {backend()}",
            [
                "import tensorflow as tf  # 2 virtual devices",
                'tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], '
                "[tf.config.LogicalDeviceConfiguration()] * 2)",
                'two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])',
                "halves = two.experimental_distribute_values_from_function(lambda c: tf.constant("
                f"np.split(np.stack([y_true, y_pred])[:, :{size}], 2, axis=1)[c.replica_id_in_sync_group]))",
                "print(loss(y_true, y_pred))",
                "print(two.reduce('SUM', two.run(lambda pair: loss(pair[0], pair[1]), (halves,)), axis=None))",
            ],
        )
