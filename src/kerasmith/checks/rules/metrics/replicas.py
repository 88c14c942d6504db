"""Two replicas count what one device counts."""

import numpy as np

from kerasmith.checks.engine.comparison import CLEAR
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.replicas import on_two_replicas, strategy
from kerasmith.checks.rules.metrics.case import TWO_DEVICES, MetricCase, part


@check("M118", "metric", "warning", requires=("base", "M101", "M103", "M105", "M109", "M110", "M115"), since="0.1.0")
def replicas_count_once(case: MetricCase) -> None:
    """On two replicas the metric counts twice, or adds what must not be added.

    Each replica updates its own copy of the variables, and Keras adds the copies when the metric is read. An all-reduce in
    `update_state` on top of that counts everything as often as there are replicas; a maximum or an average in a variable is
    added too.

    Fix: add local sums in `update_state` and leave the replicas to Keras. An extremum or average over replicas is computed
    from sums.

    A metric for one device only declares `replicas=False`.
    """
    case.contract.require("replicas")
    case.contract.require("additive")
    two = strategy()
    count = case.batch - case.batch % 2
    inputs = {}

    def reveals(draw):
        inputs[draw] = part(case.draw(draw), slice(0, count))
        first = case.run((part(inputs[draw], slice(0, count // 2)), None))
        return first.has_finite and first.differs(case.run((inputs[draw], None)), CLEAR)

    draw = case.revealing_draw(reveals, "half of the samples give the same number as all")
    expected = case.run((inputs[draw], None))
    names = ("y_pred",) if case.takes_values else ("y_true", "y_pred")
    structure = [inputs[draw][name] for name in names]
    with two.scope():
        metric = _made_here(case, structure)

    def step(*leaves):
        metric.update_state(*keras.tree.pack_sequence_as(structure, list(leaves)))
        return leaves[0]

    on_two_replicas(step, *keras.tree.flatten(structure))
    texts = expected.difference(case.result(metric))
    if texts:
        raise Failed(
            expected=f"{texts[0]}, as from one device",
            actual=f"{texts[1]} from two replicas with half of the samples each",
            lines=_lines(case, draw, count),
        )


def _made_here(case, structure):
    """A metric whose variables belong to the replicas: made in the scope of the strategy."""
    if case.subject.is_instance:
        try:
            metric = case.metric(type(case.subject.component).from_config(case.subject.component.get_config()))
        except Exception:
            raise NotApplicable("an instance that has no config cannot be made again on two replicas") from None
    else:
        metric = case.metric()
    if not metric.variables:
        # Variables of the first batch are made beforehand, as `fit` does.
        from kerasmith.keras_internals.tensors import output_spec

        symbols = keras.tree.map_structure(
            lambda x: keras.KerasTensor((x.shape[0] // 2, *x.shape[1:]), str(np.dtype(x.dtype))), structure
        )
        output_spec(lambda *given: metric.update_state(*given), *symbols)
    return metric


def _lines(case, draw, count):
    setup = [line for line in case.lines(inputs=False).splitlines() if line.startswith("metric = ")]
    made = setup[-1] if setup else "pass"
    if case.subject.is_function:
        made = "pass"
    half = count // 2
    return [
        f"{TWO_DEVICES}; tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)",
        *case.preparation(draw),
        f"metric.update_state({case.part_text(f':{count}')}); print('one device', metric.result())",
        "two = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])",
        f"with two.scope(): {made}",
        f"half = lambda x: two.experimental_distribute_values_from_function("
        f"lambda c: x[c.replica_id_in_sync_group * {half}:][:{half}])",
        f"two.run(tf.function(metric.update_state, autograph=False), keras.tree.map_structure(half, ({case.arguments},)))",
        "print('two replicas', metric.result())",
    ]
