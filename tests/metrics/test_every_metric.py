"""What every metric keeps: splits, weights, no data, configuration, state, compiled use, replicas, half precision."""

import importlib
import inspect
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import metrics
from kerasmith.base import AdditiveMetric, Metric
from tests.losses.test_battery import masked
from tests.metrics.battery import ROWS, N
from tests.support.cover import each_value
from tests.support.metric_runs import assert_equal, evaluated, fresh, read, run

pytestmark = pytest.mark.heavy(
    "a network of many operations", on=("tensorflow",), seconds=5, light=lambda name, **_: name != "lpips"
)
ALL = pytest.mark.parametrize("name", ROWS)
ADDITIVE = pytest.mark.parametrize("name", [name for name, row in ROWS.items() if isinstance(row.make(), AdditiveMetric)])
PUBLIC = sorted(name for name, value in vars(metrics).items() if inspect.isclass(value) and issubclass(value, Metric))


def kinds(name):
    row = ROWS[name]
    return [row.data.__name__, type(row.make()).__mro__[1].__name__]


# What the base classes share, not each metric anew: where each row compiles, each base class and each kind of data is asked.
SHARED = pytest.mark.thinned("each row compiles anew", by=kinds)


def prepared(name, seed=0):
    row = ROWS[name]
    return row.make, *row.data(np.random.default_rng(seed))


@ALL
def test_any_batch_split_and_order_give_the_same(name):
    make, y, p = prepared(name)
    weight = np.random.default_rng(1).integers(0, 3, N).astype("float32")
    for given in (None, weight):
        whole = run(make(), (y, p, given))
        parts = [(y[a : a + 4], p[a : a + 4], None if given is None else given[a : a + 4]) for a in range(0, N, 4)]
        assert_equal(run(make(), *parts), whole)
        order = np.random.default_rng(2).permutation(N)
        assert_equal(run(make(), (y[order], p[order], None if given is None else given[order])), whole)


@SHARED
@ALL
def test_an_empty_batch_changes_nothing(name):
    make, y, p = prepared(name)
    assert_equal(run(make(), (y, p), (y[:0], p[:0])), run(make(), (y, p)))


@ALL
def test_weights_repeat_and_delete(name):
    make, y, p = prepared(name)
    kept = np.zeros(N, bool)
    kept[np.random.default_rng(3).permutation(N)[:4]] = True
    spoiled = p.copy()
    if np.issubdtype(p.dtype, np.floating):
        spoiled[~kept] = np.nan
    assert_equal(run(make(), (y, spoiled, kept.astype("float32"))), run(make(), (y[kept], p[kept])))
    if ROWS[name].repeats:
        times = np.random.default_rng(4).permutation([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3])
        repeated = np.repeat(y, times, 0), np.repeat(p, times, 0)
        assert_equal(run(make(), (y, p, times.astype("float32"))), run(make(), repeated))


@SHARED
@ADDITIVE
def test_a_mask_deletes_where_there_are_weights_too(name):
    make, y, p = prepared(name)
    # Four are kept, as many as the other tests feed at a time: JAX compiles each operation for each shape.
    kept, weight = np.arange(N) % 3 == 1, 1 + np.arange(N).astype("float32") % 2
    assert_equal(run(make(), (y, masked(p, kept), weight)), run(make(), (y[kept], p[kept], weight[kept])))


@ALL
def test_no_data_is_nan_reset_forgets_and_nan_is_not_hidden(name):
    make, y, p = prepared(name)
    metric = make()

    def is_empty(result):
        first = next(iter(result.values()))
        return first == 0 if ROWS[name].counts else np.isnan(first)

    assert is_empty(run(metric))
    first = run(metric, (y, p))
    assert not is_empty(first)
    metric.reset_state()
    assert is_empty(read(metric))
    assert_equal(run(metric, (y, p)), first)
    if ROWS[name].shows_nan:
        p = p.copy()
        p[2, ..., 0] = np.nan
        assert np.isnan(next(iter(run(make(), (y, p)).values())))


@SHARED
@ALL
def test_state_moves_to_a_metric_made_from_the_configuration(name):
    make, y, p = prepared(name)
    metric = make()
    run(metric, (y[:4], p[:4]))
    copy = fresh(metric)
    assert isinstance(copy, Metric)
    assert copy.get_config() == metric.get_config()
    copy.update_state(y[:4], p[:4])  # some metrics make their state with the first batch
    for target, source in zip(copy.variables, metric.variables, strict=True):
        target.assign(source.value)
    assert_equal(run(copy, (y[4:], p[4:])), run(make(), (y, p)))


@pytest.mark.heavy("compiles the evaluation of each metric", on=("tensorflow",), seconds=3)
@pytest.mark.thinned("each row compiles anew", by=each_value)
@ALL
@pytest.mark.parametrize("jit_compile", [False, True])
def test_evaluate(name, jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    make, y, p = prepared(name)
    # Of five the last batch is smaller: where a step is compiled, that is a second compilation. Of a network one is enough.
    how = {"jit_compile": jit_compile, "batch_size": 5 if jit_compile and name != "lpips" else 4}
    assert_equal(evaluated(make(), y, p, **how), run(make(), (y, p)))
    weight = np.arange(N).astype("float32") % 3
    assert_equal(evaluated(make(), y, p, weighted_by=weight, **how), run(make(), (y, p, weight)))


@ALL
def test_half_precision_metric_counts_in_full(name):
    make, y, p = prepared(name)
    config = make().get_config() | {"dtype": "float16"}
    metric = type(make()).from_config(config)
    got, expected = run(metric, (y, p)), run(make(), (y, p))
    for key, value in expected.items():
        assert got[key] == pytest.approx(value, rel=2e-3, abs=1e-3, nan_ok=True)


@ALL
def test_shapes_that_would_broadcast_are_refused(name):
    make, y, p = prepared(name)
    with pytest.raises(ValueError, match=r"shape"):
        make().update_state(y[:4], p)
    with pytest.raises(ValueError, match=r"`sample_weight`.*\(4,\)"):
        make().update_state(y, p, np.ones(4, "float32"))


@SHARED
@ADDITIVE
def test_combine_keeps_leading_axes(name):
    """`Bootstrap` combines the totals of many resamples at once."""
    make, y, p = prepared(name)
    totals, expected = [], []
    for part in (slice(None), slice(0, 4), slice(8, N)):
        metric = make()
        expected.append(run(metric, (y[part], p[part])))
        totals.append({key: total.value() for key, total in metric._totals.items()})
    together = make().combine({key: ops.stack([each[key] for each in totals]) for key in totals[0]})
    together = together if isinstance(together, dict) else {make().name: together}
    for i, each in enumerate(expected):
        assert_equal({key: float(ops.convert_to_numpy(value)[i]) for key, value in together.items()}, each)


@pytest.mark.host("reads what a metric says of itself")
@pytest.mark.parametrize("name", PUBLIC)
def test_metric_is_complete(name):
    metric = getattr(metrics, name)
    doc = inspect.getdoc(metric)
    assert "Args:" in doc
    assert "Returns:" in doc
    assert ">>>" in doc
    assert any(type(row.make()) is metric for row in ROWS.values()), "no row in tests/metrics/battery.py"
    assert importlib.import_module(metric.__module__).__name__.startswith("kerasmith.metrics.")
    tests = [path for path in pathlib.Path(__file__).parent.glob("test_*.py") if path.name != pathlib.Path(__file__).name]
    assert any(f"{name}(" in path.read_text() or f"metrics.{name}" in path.read_text() for path in tests), "no oracle"
