"""Each line of `kerasmith migrate` runs as it stands and gives the number of the call that it stands for, to 1e-6."""

import inspect

import numpy as np
import pytest
from keras import ops

from kerasmith.migration import known_calls, migrate
from tests.migration import rows

pytestmark = pytest.mark.host("the table of calls knows no backend: its values are asked on PyTorch")


def run(line):
    """The object that our line makes."""
    *imports, expression = line.code.split("\n")
    names = {}
    exec("\n".join(imports), names)
    return eval(expression, names)


def ours(line, y_true, y_pred):
    part = run(line)
    if not hasattr(part, "update_state"):
        return float(part(y_true, y_pred))
    part.update_state(y_true, y_pred)
    result = part.result()
    assert isinstance(result, dict) == (line.column is not None), f"columns: {result}"
    return float(result if line.column is None else result[line.column])


@pytest.mark.parametrize("row", rows.VALUES, ids=lambda row: row.call)
def test_value(row):
    line = migrate(row.call)
    assert not line.lost
    theirs = row.theirs()
    theirs = float(np.ravel(ops.convert_to_numpy(theirs) if hasattr(theirs, "shape") else theirs)[0])
    got = row.times * ours(line, row.y_true, row.y_pred)
    assert got == pytest.approx(theirs, abs=1e-6 * max(1.0, abs(theirs)), rel=0), line.code


@pytest.mark.parametrize("row", rows.SCHEDULES, ids=lambda row: row[0])
def test_schedule(row):
    call, theirs = row
    line = migrate(call)
    assert not line.lost
    schedule = run(line)
    np.testing.assert_allclose([float(schedule(step)) for step in rows.STEPS], theirs(), atol=1e-6)


def test_what_has_no_number_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for call in rows.MADE:
        assert run(migrate(call)) is not None, call


def test_every_call_has_a_row():
    asked = [row.call for row in rows.VALUES] + [call for call, _ in rows.SCHEDULES] + rows.MADE
    assert {migrate(call).call.path for call in asked} | {"pytorch_metric_learning.losses.SelfSupervisedLoss"} == set(
        known_calls()
    )
    assert len({row.call for row in rows.VALUES}) >= 100


def test_parameters_are_those_of_the_installed_library():
    """Names and order; a library that is not installed is left out."""
    for path, call in known_calls().items():
        part = rows.installed(path)
        if part is None:
            continue
        parameters = inspect.signature(part).parameters.values()
        names = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        further = {name for name in call.defaults if name not in names}
        assert [name for name in call.defaults if name not in further] == names, path
        # What a library takes by **kwargs and hands on.
        assert not further or any(p.kind is p.VAR_KEYWORD for p in parameters), (path, further)
